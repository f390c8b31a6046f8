"""Stage `pedersoli_vqvae`: the VQ-VAE of pictures, stage 1 of Pedersoli et al. 2022.

Theirs makes depth and segmentation maps; RGB with mean squared error is our reading. Theirs learns from test clips too,
and this one from no clip that is tested.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.table import Pictures, sha256_of, store
from s2v.errors import UserError
from s2v.losses.vector_quantisation import quantisation_loss
from s2v.media.picture import from_unit, to_unit
from s2v.models.pedersoli import SHAPE, VqVae
from s2v.runtime import Runtime
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import PedersoliVqvaeConfig, RuntimeConfig


class PedersoliVqvaeTask(Task):
    """Mean squared error of the picture that comes back of its codes, and the loss of quantisation."""

    separable = True

    def __init__(self, config: PedersoliVqvaeConfig, images: Tensor, runtime: Runtime) -> None:
        super().__init__(config, runtime, len(images), config.steps)
        self.config, self.images = config, images
        self.sample_every = max(1, config.steps // 4)
        self.shape: dict[str, Any] = {name: getattr(config, name) for name in SHAPE}
        model = VqVae(**self.shape).to(runtime.device)
        self.model: VqVae = shared_norms(model, config.sync_batch_norm, runtime)
        self.modules = {"vqvae": self.model}
        self.optimizers = {
            "adam": torch.optim.Adam(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.rate = Schedule(config.learning_rate)
        self.fixed = torch.linspace(0, len(images) - 1, min(16, len(images))).long()

    def read(self, index: Tensor) -> Batch:
        return {"image": self.images[index]}

    def forward(self, batch: Batch) -> Outputs:
        """Pictures that come back, real ones, latents, and their codes."""
        real = to_unit(batch["image"])
        z = self.model.encoder(real)
        quantised, _ = self.model.quantise(z)
        # The gradient of what is decoded passes to the latents as it is.
        return self.model.decoder(z + (quantised - z).detach()), real, z, quantised

    def loss(self, *outputs: Tensor) -> Loss:
        fake, real, z, quantised = outputs
        distance, codes = F.mse_loss(fake, real), quantisation_loss(z, quantised, self.config.commitment)
        return distance + codes, {"loss": distance + codes, "l2": distance, "vq": codes}

    @torch.no_grad()
    def sample(self, step: int) -> Tensor:
        """Pictures, and what comes back of them."""
        model, images = self.model.eval(), self.images[self.fixed]
        return torch.cat([images, from_unit(model.decode(model.latents(images)))])


def run(
    *, config: PedersoliVqvaeConfig, packs: list[Path], output_dir: Path, runtime: RuntimeConfig, threads: int
) -> None:
    """Train the VQ-VAE on the frames of `packs`.

    Raises:
        UserError: there are no pictures.
    """
    place = Runtime.from_config(runtime, threads)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images = tables.load(packs, Pictures(config.resolution)).rows
        if not len(images):
            raise UserError(f"pedersoli_vqvae: no picture in the split(s) {', '.join(config.splits)}; see coverage.csv")
        task = PedersoliVqvaeTask(config, images, place)
        train_stage(
            task,
            name="pedersoli_vqvae",
            config=config,
            data=[sha256_of(path) for path in packs],
            output_dir=output_dir,
            weights={"model.safetensors": task.model},
            shape=task.shape,
            card=lambda last: (
                f"# Pedersoli et al., stage 1: VQ-VAE ({config.resolution} px)\n\n{config.codes} codes of "
                f"{config.code_dim} numbers, maps of {config.code_px} x {config.code_px}, trained on {len(images)} "
                f"pictures of the split(s) {', '.join(config.splits)}: {config.steps} steps at batch "
                f"{config.batch_size}, last mean squared error {last['l2']:.4f}. RGB is our reading.\n"
            ),
        )


__all__ = ["run"]
