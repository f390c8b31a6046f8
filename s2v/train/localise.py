"""Stage `localise`: the audio-visual model that finds the moments to learn from, trained without labels (paper 3.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from s2v.data.moments import clips_with_sound, read_moments
from s2v.errors import UserError
from s2v.files import sha256
from s2v.losses.localisation import moment_loss
from s2v.media.picture import to_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.localiser import Ear, Localiser
from s2v.runtime import Runtime
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import AudioConfig, LocaliseConfig, RuntimeConfig

SPLIT = "train"


@dataclass(frozen=True)
class Clips:
    """What training draws from, in memory: N clips with M moments each."""

    images: Tensor  # uint8 [N, M, 3, px, px]
    windows: Tensor  # float16 [N, M, bins, columns]

    def __len__(self) -> int:
        return len(self.images)


def gather(
    tars: Sequence[Path], *, image_px: int, ear: Ear, per_clip: int, max_clips: int, split: str = SPLIT
) -> Clips:
    """Moments of the clips of a split that have sound.

    Of more than `max_clips` those are taken whose hashed ids are the smallest. A clip with fewer frames than
    `per_clip` repeats some.

    Raises:
        UserError: there are fewer than two such clips.
    """
    ids = sorted(clips_with_sound(tars, split), key=lambda clip_id: hashlib.sha256(clip_id.encode()).digest())
    wanted = set(ids[:max_clips])
    if len(wanted) < 2:
        raise UserError(
            f"localise: {len(wanted)} clips of split {split} have frames and sound; it takes at least two "
            "(see coverage.csv for those left out)"
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


class LocaliseTask(Task):
    """Clips, each by a few of its moments, told apart by what is seen and heard in them."""

    faster_in_bf16 = True

    def __init__(self, config: LocaliseConfig, ear: Ear, clips: Clips, runtime: Runtime) -> None:
        super().__init__(config, runtime, len(clips), config.steps)
        self.config = config
        self.clips = Clips(runtime.near(clips.images), runtime.near(clips.windows))
        self.shape: dict[str, Any] = {
            "width": config.width,
            "dim": config.dim,
            "image_px": config.image_px,
            "ear": asdict(ear),
        }
        model = Localiser(**self.shape).to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = shared_norms(model, config.sync_batch_norm, runtime)
        self.modules = {"localiser": self.model}
        self.optimizers = {
            "localiser": torch.optim.Adam(
                self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay
            )
        }
        self.rate = Schedule(config.learning_rate)

    def draw(self, n: int) -> Batch:
        config = self.config
        moments = torch.rand(n, config.frames_per_clip).argsort(1)[:, : config.frames_per_step]
        return {"moments": moments, "mirrored": torch.rand(moments.shape) < 0.5}

    def forward(self, batch: Batch) -> Outputs:
        """q^V and q^A, [n, moments, D] each."""
        device, moments = self.runtime.device, (batch["index"][:, None], batch["moments"])
        images, windows = self.clips.images[moments].to(device), self.clips.windows[moments].to(device)
        mirrored = batch["mirrored"].to(device)
        images = torch.where(mirrored[..., None, None, None], images.flip(-1), images)
        seen = self.model.see(to_unit(images.flatten(0, 1)))
        heard = self.model.hear(windows.flatten(0, 1).float())
        return seen.unflatten(0, mirrored.shape), heard.unflatten(0, mirrored.shape)

    def loss(self, *outputs: Tensor) -> Loss:
        seen, heard = outputs
        loss = moment_loss(seen, heard, self.config.sharpness)
        return loss, {"loss": loss}


def run(
    *,
    config: LocaliseConfig,
    audio: AudioConfig,
    tars: list[Path],
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
    split: str = SPLIT,
) -> None:
    """Train on the clips of a split and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Args:
        config: model and training.
        audio: n_fft, hop and log_floor of the spectrogram; the window is `config.window_s`.
        tars: extract shards; clips of other splits in them are not looked at.
        output_dir: folder to write.
        runtime: device and precision.
        threads: CPU threads.
        split: whose clips it learns from.

    Raises:
        UserError: a shard is damaged, or fewer than two clips can be learned from.
    """
    place = Runtime.from_config(runtime, threads)
    ear = Ear(audio.n_fft, audio.hop, audio.log_floor, SAMPLE_RATE_HZ, config.window_s)
    clips = gather(
        tars,
        image_px=config.image_px,
        ear=ear,
        per_clip=config.frames_per_clip,
        max_clips=config.max_clips,
        split=split,
    )
    torch.manual_seed(config.seed)
    task = LocaliseTask(config, ear, clips, place)
    train_stage(
        task,
        name="localise",
        config=config,
        data=[sha256(p) for p in tars],
        also={"ear": asdict(ear)},
        output_dir=output_dir,
        weights={"model.safetensors": task.model},
        shape=task.shape,
        card=lambda _: (
            f"# Audio-visual localisation model\n\nTwo convolutional nets of width {config.width} that meet in an "
            f"inner product of {config.dim} features, trained for {config.steps} steps by contrasting {len(clips)} "
            f"clips of the {split} split with each other, without labels. It scores how well a frame fits the "
            f"{config.window_s:g} s of sound around it. Made for choosing moments within a clip; scores of different "
            "clips do not compare.\n"
        ),
    )
