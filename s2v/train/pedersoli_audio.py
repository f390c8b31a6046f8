"""Stage `pedersoli_audio`: from a sound to the VQ-VAE's latents, stage 2 of Pedersoli et al. 2022.

The target is what the VQ-VAE's encoder gives before it is quantised, as in the authors' code; what is decoded is
quantised.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.pairs import load_pairs
from s2v.data.table import MelPictures, Pictures, sha256_of, store
from s2v.files import sha256
from s2v.models.pedersoli import AudioToCodes, VqVae
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import PedersoliAudioConfig, RuntimeConfig


class PedersoliAudioTask(Task):
    """Mean squared error of latents."""

    separable = True

    def __init__(self, config: PedersoliAudioConfig, mels: Tensor, latents: Tensor, runtime: Runtime) -> None:
        """`mels` [N, bands, columns] and `latents` [N, D, h, h] of the same clips."""
        super().__init__(config, runtime, len(mels), config.steps)
        self.mels, self.latents = mels, latents
        self.shape: dict[str, Any] = {
            "code_px": latents.shape[-1], "code_dim": latents.shape[1], "depth": config.depth, "width": config.width,
            "dropout": config.dropout, "mel": config.audio.model_dump(),
        }  # fmt: skip
        model = AudioToCodes(**self.shape).to(runtime.device)
        self.model: AudioToCodes = shared_norms(model, config.sync_batch_norm, runtime)
        self.modules = {"audio": self.model}
        self.optimizers = {
            "adam": torch.optim.Adam(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.rate = Schedule(config.learning_rate)

    def read(self, index: Tensor) -> Batch:
        return {"mel": self.mels[index], "latent": self.latents[index]}

    def draw(self, n: int) -> Batch:
        return {"dropped": self.model.dropouts.draw(n)}

    def forward(self, batch: Batch) -> Outputs:
        mel = batch["mel"].float()
        return self.model(mel, batch["dropped"].to(mel.device)), batch["latent"]

    def loss(self, *outputs: Tensor) -> Loss:
        predicted, latent = outputs
        loss = F.mse_loss(predicted, latent)
        return loss, {"loss": loss}


def run(
    *,
    config: PedersoliAudioConfig,
    packs: list[Path],
    vqvae_dir: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train on the pairs of `packs`; `vqvae_dir` holds the VQ-VAE of stage 1.

    Raises:
        UserError: there are fewer than two pairs.
    """
    place, mel = Runtime.from_config(runtime, threads), config.audio.model_dump()
    vqvae = load(VqVae, vqvae_dir, place.device)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images, sounds = load_pairs(tables, packs, Pictures(vqvae.resolution), MelPictures(**mel), "pedersoli_audio")
        task = PedersoliAudioTask(config, sounds.rows, vqvae.latents(images.rows), place)
        train_stage(
            task,
            name="pedersoli_audio",
            config=config,
            data=[*(sha256_of(path) for path in packs), sha256(vqvae_dir / "model.safetensors")],
            output_dir=output_dir,
            weights={"model.safetensors": task.model},
            shape=task.shape,
            card=lambda last: (
                f"# Pedersoli et al., stage 2: audio\n\nResNet-{config.depth}, width {config.width}, to latents of "
                f"{task.shape['code_dim']} x {task.shape['code_px']} x {task.shape['code_px']}, trained on "
                f"{len(sounds.keys)} pairs of the train split: {config.steps} steps at batch {config.batch_size}, last "
                f"mean squared error {last['loss']:.4f}.\n"
            ),
        )


__all__ = ["run"]
