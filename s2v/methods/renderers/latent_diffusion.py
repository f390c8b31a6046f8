"""The latent diffusion model that is trained here (paper 6.1), the second generator."""

from __future__ import annotations

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.methods.base import Sources
from s2v.methods.renderers.steered import SteeredRenderer
from s2v.models.autoencoder import autoencoder, decode, encode
from s2v.models.diffusion_sampler import Sampler
from s2v.models.latent_diffusion import LatentDiffusion
from s2v.models.store import load


class LatentDiffusionRenderer(SteeredRenderer):
    """Feature of unit norm and noise -> latent diffusion -> autoencoder."""

    def __init__(self, method: str, sources: Sources) -> None:
        super().__init__(method, sources)
        self.vae = load(autoencoder, sources.part("vae"), sources.device)
        model = load(LatentDiffusion, sources.part("generator"), sources.device)
        self.steered, sampler = model, sources.config.ldm
        self.sampler = Sampler(model, sampler.scheduler, sampler.steps, sampler.guidance, sampler.compile)
        self.compiled, self.batch = sampler.compile and torch.device(sources.device).type == "cuda", 0
        self.noise_shape = (model.latent_channels, model.latent_px, model.latent_px)
        self.resolution, self.dim = int(self.vae.config["sample_size"]), model.dim
        factor = 2 ** (len(self.vae.config["block_out_channels"]) - 1)
        latents = (self.vae.config["latent_channels"], self.resolution // factor, self.resolution // factor)
        if latents != self.noise_shape:
            raise UserError(
                f"{sources.part('vae')}: has latents of {latents}, and {sources.part('generator')} draws "
                f"{self.noise_shape}; run stage diffusion again"
            )

    @torch.no_grad()
    def draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        """z [B, D] of unit norm -> pictures [B, 3, R, R] in [-1, 1].

        A picture follows from its condition and its seed alone, up to the rounding of sums, whose order may change with
        the number of pictures in a batch.
        """
        eps = self.noises(seeds)
        if self.compiled:
            # A smaller batch than one before is filled up: another size would be compiled anew.
            self.batch = max(self.batch, len(z))
            fill = torch.arange(self.batch) % len(z)
            return decode(self.vae, self.sampler(z[fill], eps[fill])[: len(z)])
        return decode(self.vae, self.sampler(z, eps))

    def encoded(self, pictures: Tensor) -> Tensor:
        """Pictures uint8 [B, 3, R, R] -> latents [B, C, h, w]."""
        return encode(self.vae, pictures)

    def decoded(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] -> pictures [B, 3, R, R] in [-1, 1], on the CPU."""
        return decode(self.vae, latents)


__all__ = ["LatentDiffusionRenderer"]
