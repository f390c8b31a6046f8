"""Stage `audiotoken`: the embedder that makes one word of a sound (Yariv et al. 2023). It alone is trained, through the
frozen text tower and U-Net, on pairs of a sound and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from s2v.data.reader import read_images, read_waves
from s2v.data.table import sha256_of
from s2v.errors import UserError
from s2v.files import sha256
from s2v.losses.denoising import denoising_loss
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.models.audiotoken import TokenEmbedder
from s2v.models.autoencoder import autoencoder, encode
from s2v.models.store import load
from s2v.models.tagger import AudioTagger
from s2v.models.text_diffusion import TextDiffusion
from s2v.models.text_tower import with_room
from s2v.runtime import Runtime
from s2v.train.denoising import noised
from s2v.train.loop import train_stage
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import AudioTokenConfig, RuntimeConfig

Pairs = tuple[Tensor, Tensor]
"""Features of sounds over time [N, T, D], and latents of pictures and of their mirror images [2, N, C, h, w]."""


class AudioTokenTask(Task):
    """Noise prediction, with the sound's word in the prompt, and a little of the word's size."""

    separable = True
    monitor = "val_loss"

    def __init__(
        self, config: AudioTokenConfig, diffusion: TextDiffusion, train: Pairs, val: Pairs, runtime: Runtime
    ) -> None:
        super().__init__(config, runtime, len(train[0]), config.steps)
        self.config, self.train, self.val = config, train, val
        self.validate_every = max(1, config.steps // config.validations)
        self.patience = config.validations
        # Frozen, but a gradient goes through it.
        self.diffusion = diffusion.to(runtime.device).requires_grad_(False)
        self.ids = diffusion.text.tokens([with_room(diffusion.text, config.prompt)])
        self.latents = tuple(diffusion.normalise(latents.to(runtime.device)).cpu() for _, latents in (train, val))
        self.noising = diffusion.noising()
        self.model = TokenEmbedder(train[0].shape[-1], diffusion.null.shape[-1], config.dropout)
        self.model.to(runtime.device)
        self.modules = {"embedder": self.model}
        self.optimizers = {
            "adam": torch.optim.AdamW(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.rate = Schedule(config.learning_rate, config.warmup_steps)

    def draw(self, n: int) -> Batch:
        return {
            "mirrored": (torch.rand(n) < 0.5).long(),
            "noise": torch.randn(n, *self.latents[0].shape[2:]),
            "timestep": torch.randint(self.diffusion.timesteps, (n,)),
            "kept": self._kept(n),
        }

    def forward(self, batch: Batch) -> Outputs:
        """What is predicted, what it should be [n, C, h, w], and the words [n, D]."""
        index = batch["index"].cpu()
        return self._predict(self.train[0][index], self.latents[0][batch["mirrored"].cpu(), index], batch)

    def loss(self, *outputs: Tensor) -> Loss:
        predicted, target, word = outputs
        noise, size = denoising_loss(predicted, target), word.abs().mean()
        return noise + self.config.token_weight * size, {"loss": noise, "token": size}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """The loss on held-out pairs, always of the same noise."""
        self.model.eval()
        heard, latents = self.val[0], self.latents[1][0]
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(latents.shape, generator=generator)
        timestep = torch.randint(self.diffusion.timesteps, (len(latents),), generator=generator)
        drawn = {"noise": noise, "timestep": timestep, "kept": self._kept(len(latents), generator)}
        total = 0.0
        for rows in torch.arange(len(latents)).split(self.batch_size):
            with self.autocast():
                parts = [
                    self._predict(heard[part], latents[part], {name: row[part] for name, row in drawn.items()})
                    for part in self.runtime.at_once(rows)
                ]
            predicted, target, word = (torch.cat(part).float() for part in zip(*parts, strict=True))
            total += self.loss(predicted, target, word)[1]["loss"].item() * len(rows)
        return {"val_loss": total / len(latents)}

    def _kept(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """For the embedder's dropout; without it, as good as nothing."""
        return self.model.draw(n, self.train[0].shape[1], generator) if self.model.dropout else torch.empty(n, 0)

    def _predict(self, heard: Tensor, clean: Tensor, drawn: Batch) -> Outputs:
        device = self.runtime.device
        given: dict[str, Any] = {name: drawn[name].to(device) for name in ("noise", "timestep", "kept")}
        clean, noise, timestep = clean.to(device), given["noise"], given["timestep"]
        word = self.model(heard.to(device), given["kept"] if self.model.dropout else None)
        noisy, target = noised(self.noising, self.diffusion.prediction, clean, noise, timestep)
        ids, keep = self.ids.to(device).expand(len(word), -1), torch.ones(len(word), dtype=torch.bool, device=device)
        return self.diffusion(noisy, timestep, ids, keep, word), target, word


def run(
    *,
    config: AudioTokenConfig,
    train_packs: list[Path],
    val_packs: list[Path],
    tagger_dir: Path,
    diffusion_dir: Path,
    vae_dir: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train on the pairs of `train_packs`; kept is what has the lowest loss on those of `val_packs`.

    Raises:
        UserError: there is nothing to train or to validate on, or the prompt has no place for a word.
    """
    place = Runtime.from_config(runtime, threads)
    tagger, vae = load(AudioTagger, tagger_dir, place.device), load(autoencoder, vae_dir, place.device)
    diffusion = load(TextDiffusion, diffusion_dir, place.device)
    pairs = [_pairs(packs, tagger, vae) for packs in (train_packs, val_packs)]
    for split, (heard, _) in zip(("train", "val"), pairs, strict=True):
        if len(heard) == 0:
            raise UserError(f"audiotoken: the {split} split has no pair of a sound and a picture; see coverage.csv")
    torch.manual_seed(config.seed)
    task = AudioTokenTask(config, diffusion, pairs[0], pairs[1], place)
    parts = [folder / "model.safetensors" for folder in (tagger_dir, diffusion_dir, vae_dir)]
    train_stage(
        task,
        name="audiotoken",
        config=config,
        data=[*(sha256_of(path) for path in (*train_packs, *val_packs)), *map(sha256, parts)],
        output_dir=output_dir,
        weights={"model.safetensors": task.model},
        shape={
            "dim_in": task.model.dim_in, "dim": task.model.dim, "dropout": config.dropout,
        },
        card=lambda last: (
            f"# AudioToken's embedder\n\nFeatures of {task.model.dim_in} numbers a moment -> one word of "
            f"{task.model.dim} numbers, for the `<*>` of `{config.prompt}`. Trained on {len(pairs[0][0])} pairs of the "
            f"train split through the frozen text tower and U-Net, {config.steps} steps at batch {config.batch_size}; "
            f"chosen on {len(pairs[1][0])} of the val split (last validation loss {last['val_loss']:.4f}).\n"
        ),
    )  # fmt: skip


@torch.no_grad()
def _pairs(packs: list[Path], tagger: AudioTagger, vae: Any) -> Pairs:
    """Both halves of the samples that have both."""
    waves, keys, _ = read_waves(packs, SAMPLE_RATE_HZ)
    images, shown, _ = read_images(packs, int(vae.config["sample_size"]))
    place = {key: i for i, key in enumerate(shown)}
    both = [i for i, key in enumerate(keys) if key in place]
    if not both:
        return torch.empty(0, 1, tagger.dim), torch.empty(2, 0, 1, 1, 1)
    samples, device = round(tagger.audio["window_s"] * SAMPLE_RATE_HZ), next(tagger.parameters()).device
    heard = [
        tagger.moments(tagger.spectrogram(fit_window(torch.from_numpy(waves[i]), samples)[None].to(device))).cpu()
        for i in both
    ]
    pictures = images[[place[keys[i]] for i in both]]
    return torch.cat(heard), torch.stack([encode(vae, pictures), encode(vae, pictures.flip(3))])


__all__ = ["run"]
