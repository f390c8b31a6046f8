"""The second generator (paper 6.1, Table 3 B): a latent diffusion model behind the interface of the GAN."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.methods.base import Sources, noise
from s2v.methods.icgan import FromPictures
from s2v.methods.sound2vision import FromSounds
from s2v.models.image_encoder import ImageEncoder
from s2v.models.store import load


class Ldm(FromPictures):
    """Image to image: f_V, a ViT -> unit norm -> latent diffusion -> autoencoder."""

    name: ClassVar[str] = "ldm"
    letter: ClassVar[str] = ""
    title: ClassVar[str] = "LDM"
    encoder: ClassVar[str] = "V"
    generator: ClassVar[str] = "G"
    takes: ClassVar[Literal["sound", "frame"]] = "frame"
    seeded: ClassVar[bool] = True

    def __init__(self, sources: Sources) -> None:
        # Here, since diffusers takes seconds to import and no other method needs it.
        from s2v.models.autoencoder import autoencoder
        from s2v.models.diffusion_sampler import Sampler
        from s2v.models.latent_diffusion import LatentDiffusion

        if sources.vae_dir is None or sources.sampler is None:
            raise UserError(f"{self.name}: needs an autoencoder and a sampler; the method is not set up with them")
        self.f_v = load(ImageEncoder, sources.encoder_dir, sources.device)
        self.vae = load(autoencoder, sources.vae_dir, sources.device)
        model = load(LatentDiffusion, sources.generator_dir, sources.device)
        sampler = sources.sampler
        self.sampler = Sampler(model, sampler.scheduler, sampler.steps, sampler.guidance, sampler.compile)
        self.compiled, self.batch = sampler.compile and torch.device(sources.device).type == "cuda", 0
        self.truncation = sources.truncation
        self.latent = (model.latent_channels, model.latent_px, model.latent_px)
        self.dim, self.image_px = self.f_v.dim, self.f_v.image_px
        self.resolution = int(self.vae.config["sample_size"])

    @torch.no_grad()
    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """z [B, D] of unit norm -> pictures [B, 3, R, R] in [-1, 1].

        A picture follows from its condition and its seed alone, up to the rounding of sums, whose order may change with
        the number of pictures in a batch.
        """
        from s2v.models.autoencoder import decode

        eps = noise(seeds, math.prod(self.latent), self.truncation).reshape(-1, *self.latent)
        if self.compiled:
            # A smaller batch than one before is filled up: another size would be compiled anew.
            self.batch = max(self.batch, len(z))
            fill = torch.arange(self.batch) % len(z)
            return decode(self.vae, self.sampler(z[fill], eps[fill])[: len(z)])
        return decode(self.vae, self.sampler(z, eps))


class Sound2VisionLdm(FromSounds, Ldm):
    """f_A, aligned to the ViT -> unit norm -> latent diffusion -> autoencoder."""

    name: ClassVar[str] = "sound2vision_ldm"
    title: ClassVar[str] = "Sound2Vision, LDM"
    encoder: ClassVar[str] = "A"
    takes: ClassVar[Literal["sound", "frame"]] = "sound"

    def __init__(self, sources: Sources) -> None:
        super().__init__(sources)
        self.hear(sources)


__all__ = ["Ldm", "Sound2VisionLdm"]
