"""Stage `localise`: the audio-visual model that finds the moments to learn from, trained without labels (paper 3.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.data.moments import clips_with_sound, read_moments
from s2v.errors import UserError
from s2v.files import sha256
from s2v.media.picture import to_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.localiser import Ear, Localiser
from s2v.runtime import Runtime
from s2v.train.batches import batch_indices
from s2v.train.loop import TaskDefaults, finish, fit

if TYPE_CHECKING:
    from s2v.config import AudioConfig, LocaliseConfig, RuntimeConfig

SPLIT = "train"


def moment_loss(seen: Tensor, heard: Tensor, sharpness: float) -> Tensor:
    """InfoNCE between clips, of which each is scored by its best moments.

    The score of the frames of clip i with the sounds of clip j is the soft maximum over moments m of
    q^V_im . q^A_jm. What clips have in common at most moments (an empty place, silence) does not tell i from j, so
    the features learn what does, and the score grows at the moments where that is both seen and heard. Contrasting
    single moments instead teaches, too, that an empty frame fits silence: the top moment was then right in fewer
    clips than the middle frame.

    Args:
        seen: q^V [B, M, D].
        heard: q^A [B, M, D].
        sharpness: 0 is the mean over moments, infinity their maximum.

    Returns:
        Scalar: mean of both directions' cross-entropy.
    """
    pairs = torch.einsum("imd,jmd->ijm", seen, heard) * seen.shape[-1] ** -0.5
    clips = torch.logsumexp(pairs * sharpness, 2) / sharpness
    target = torch.arange(len(clips), device=clips.device)
    return (F.cross_entropy(clips, target) + F.cross_entropy(clips.T, target)) / 2


@dataclass(frozen=True)
class Clips:
    """What training draws from, in memory: N clips with M moments each."""

    images: Tensor  # uint8 [N, M, 3, px, px]
    windows: Tensor  # float16 [N, M, bins, columns]

    def __len__(self) -> int:
        return len(self.images)


def gather(tars: Sequence[Path], *, image_px: int, ear: Ear, per_clip: int, max_clips: int) -> Clips:
    """Moments of the clips of the train split that have sound.

    Of more than `max_clips` those are taken whose hashed ids are the smallest. A clip with fewer frames than
    `per_clip` repeats some.

    Raises:
        UserError: there are fewer than two such clips.
    """
    ids = sorted(clips_with_sound(tars, SPLIT), key=lambda clip_id: hashlib.sha256(clip_id.encode()).digest())
    wanted = set(ids[:max_clips])
    if len(wanted) < 2:
        raise UserError(
            f"localise: {len(wanted)} clips of split {SPLIT} have frames and sound; it takes at least two "
            "(see results/coverage.csv for those left out)"
        )
    images = torch.empty(len(wanted), per_clip, 3, image_px, image_px, dtype=torch.uint8)
    windows = torch.empty(len(wanted), per_clip, *ear.shape, dtype=torch.float16)
    clips = read_moments(tars, image_px=image_px, ear=ear, per_clip=per_clip, wanted=wanted.__contains__)
    for i, clip in enumerate(clips):
        assert clip.spectrogram is not None
        order = torch.arange(per_clip) * len(clip.images) // per_clip
        images[i] = clip.images[order]
        windows[i] = ear.windows(clip.spectrogram, clip.times_s[order]).half()
    return Clips(images, windows)


class _Localise(TaskDefaults):
    def __init__(self, config: LocaliseConfig, ear: Ear, clips: Clips, runtime: Runtime) -> None:
        self.config, self.clips, self.runtime, self.steps = config, clips, runtime, config.steps
        self.shape: dict[str, Any] = {
            "width": config.width,
            "dim": config.dim,
            "image_px": config.image_px,
            "ear": asdict(ear),
        }
        self.model = Localiser(**self.shape).to(runtime.device)
        self.net = runtime.wrap(_Both(self.model))
        self.modules: dict[str, nn.Module] = {"localiser": self.model}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "localiser": torch.optim.Adam(
                self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay
            )
        }

    def step(self, step: int) -> dict[str, float]:
        config, r = self.config, self.runtime
        index = batch_indices(len(self.clips), config.batch_size, config.seed, step, r.rank, r.world_size)
        moments = torch.rand(len(index), config.frames_per_clip).argsort(1)[:, : config.frames_per_step]
        images = self.clips.images[index[:, None], moments].to(r.device)
        windows = self.clips.windows[index[:, None], moments].to(r.device)
        mirrored = torch.rand(images.shape[:2]).to(r.device) < 0.5
        images = torch.where(mirrored[..., None, None, None], images.flip(-1), images)
        self.net.train()
        with r.autocast():
            seen, heard = self.net(to_unit(images.flatten(0, 1)), windows.flatten(0, 1).float())
        shape = moments.shape
        loss = moment_loss(seen.float().unflatten(0, shape), heard.float().unflatten(0, shape), config.sharpness)
        optimizer = self.optimizers["localiser"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return {"loss": loss.item()}


class _Both(nn.Module):
    """Both features in one forward pass, as DDP wants it."""

    def __init__(self, model: Localiser) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, windows: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.see(images), self.model.hear(windows)


def run(
    *,
    config: LocaliseConfig,
    audio: AudioConfig,
    tars: list[Path],
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train on the train split's clips and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Args:
        config: model and training.
        audio: n_fft, hop and log_floor of the spectrogram; the window is `config.window_s`.
        tars: extract shards; clips of other splits in them are not looked at.
        output_dir: folder to write.
        runtime: device and precision.
        threads: CPU threads.

    Raises:
        UserError: a shard is damaged, or fewer than two clips can be learned from.
    """
    place = Runtime.from_config(runtime, threads)
    ear = Ear(audio.n_fft, audio.hop, audio.log_floor, SAMPLE_RATE_HZ, config.window_s)
    clips = gather(tars, image_px=config.image_px, ear=ear, per_clip=config.frames_per_clip, max_clips=config.max_clips)
    torch.manual_seed(config.seed)
    task = _Localise(config, ear, clips, place)
    fit(
        task,
        name="localise",
        output_dir=output_dir,
        seed=config.seed,
        fingerprint={"config": config.model_dump(mode="json"), "ear": asdict(ear), "data": [sha256(p) for p in tars]},
        checkpoint_every=config.checkpoint_every,
        runtime=place,
    )
    card = (
        f"# Audio-visual localisation model\n\nTwo convolutional nets of width {config.width} that meet in an inner "
        f"product of {config.dim} features, trained for {config.steps} steps by contrasting {len(clips)} clips of "
        f"the {SPLIT} split with each other, without labels. It scores how well a frame fits the {config.window_s:g} s "
        "of sound around it. Made for choosing moments within a clip; scores of different clips do not compare.\n"
    )
    finish(output_dir, modules={"model.safetensors": task.model}, config=task.shape, card=card, runtime=place)
