"""Stage `vae`: the autoencoder in whose latents diffusion happens (paper 6.1; Rombach et al. 2022)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.data.table import Pictures, sha256_of, store
from s2v.errors import UserError
from s2v.files import sha256
from s2v.losses.pictures import PIXELS, perceptual_loss
from s2v.media.picture import from_unit, to_unit
from s2v.models.autoencoder import autoencoder, decode, encode, shape
from s2v.models.image_encoder import ImageEncoder
from s2v.models.perceptual import perceptual_maps
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.train.loop import train_stage
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig, VaeConfig


class VaeTask(Task):
    """Reconstruction, a little KL divergence, and f_V's perceptual distance; no discriminator."""

    def __init__(self, config: VaeConfig, images: Tensor, encoder: ImageEncoder | None, runtime: Runtime) -> None:
        """`encoder` is the f_V of the perceptual distance; None where that has no weight."""
        super().__init__(config, runtime, len(images), config.steps)
        self.config, self.images, self.encoder = config, runtime.near(images), encoder
        self.sample_every = max(1, config.steps // 4)
        self.separable = not config.perceptual_weight
        self.vae = autoencoder(**shape(config))
        self.vae.to(runtime.device)  # type: ignore[call-arg, arg-type]
        self.modules = {"vae": self.vae}
        self.optimizers = {
            "vae": torch.optim.AdamW(self.vae.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        # Half a cosine to 0: the last steps sharpen what a short training has found.
        self.rate = Schedule(config.learning_rate, max(1, config.steps // 20), "cosine", config.steps, 1e-2)
        side = config.resolution // 2 ** (len(config.channels) - 1)
        self.latent = (config.latent_channels, side, side)
        self.fixed = torch.linspace(0, len(images) - 1, min(16, len(images))).long()

    def read(self, index: Tensor) -> Batch:
        return {"image": self.images[index]}

    def draw(self, n: int) -> Batch:
        drawn = {"mirrored": torch.rand(n) < 0.5} if self.config.hflip else {}
        return {**drawn, "noise": torch.randn(n, *self.latent, device=self.runtime.device)}

    def forward(self, batch: Batch) -> Outputs:
        """Pictures, reconstructions from a drawn latent, their KL divergence [n]; and f_V's maps of both."""
        real = to_unit(batch["image"])
        if self.config.hflip:
            mirrored = batch["mirrored"].to(real.device)
            real = torch.where(mirrored[:, None, None, None], real.flip(3), real)
        real = real.contiguous(memory_format=torch.channels_last)
        posterior = self.vae.encode(real).latent_dist
        fake = self.vae.decode(posterior.mean + posterior.std * batch["noise"]).sample
        seen: Outputs = ()
        if self.encoder is not None and not self.separable:
            seen = (perceptual_maps(self.encoder, fake), perceptual_maps(self.encoder, real))
        return fake, real, posterior.kl(), *seen

    def loss(self, *outputs: Tensor) -> Loss:
        config = self.config
        fake, real, divergence, *maps = outputs
        distance, kl = PIXELS[config.loss](fake, real), divergence.mean() / math.prod(self.latent)
        loss = distance + config.kl_weight * kl
        if maps:
            loss = loss + config.perceptual_weight * perceptual_loss(*maps)
        return loss, {"loss": loss, config.loss: distance, "kl": kl}

    @torch.no_grad()
    def sample(self, step: int) -> Tensor:
        """Pictures, and what comes back of them."""
        images = self.images[self.fixed].cpu()
        latents = encode(self.vae, images)
        return torch.cat([images, from_unit(decode(self.vae, latents))])


def run(
    *,
    config: VaeConfig,
    packs: list[Path],
    encoder_dir: Path | None,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train the autoencoder on the frames of `packs`; `encoder_dir` holds the f_V of the perceptual distance, and is
    None where `config.perceptual_weight` is 0.

    Raises:
        UserError: there are no pictures, or no f_V for a distance that has a weight.
    """
    if bool(config.perceptual_weight) != (encoder_dir is not None):
        raise UserError("vae: f_V is given if, and only if, vae.perceptual_weight is above 0")
    place = Runtime.from_config(runtime, threads)
    encoder = load(ImageEncoder, encoder_dir, place.device) if encoder_dir else None
    seen = [sha256(encoder_dir / "model.safetensors")] if encoder_dir else []
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images = tables.load(packs, Pictures(config.resolution)).rows
        task = VaeTask(config, images, encoder, place)
        train_stage(
            task,
            name="vae",
            config=config,
            data=[sha256_of(path) for path in packs] + seen,
            output_dir=output_dir,
            weights={"model.safetensors": task.vae},
            shape=shape(config),
            card=lambda _: (
                f"# Autoencoder ({config.resolution} px)\n\nKL-regularised, factor {2 ** (len(config.channels) - 1)}, "
                f"{config.latent_channels} latent channels, trained on {len(images)} pictures of the split(s) "
                f"{', '.join(config.splits)}, {config.steps} steps of {config.loss.upper()}, KL ({config.kl_weight:g}) "
                f"and perceptual distance ({config.perceptual_weight:g}), without labels and without a discriminator.\n"
            ),
        )


__all__ = ["run"]
