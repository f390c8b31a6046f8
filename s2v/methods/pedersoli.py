"""Pedersoli et al.: a sound becomes latents of a VQ-VAE, which are quantised and decoded; nothing is random."""

from __future__ import annotations

import math

from torch import Tensor

from s2v.config.methods import Entry
from s2v.errors import UserError
from s2v.media.mel import mel_picture
from s2v.methods.base import Sources, Unsupported
from s2v.models.pedersoli import AudioToCodes, VqVae
from s2v.models.store import load


class Pedersoli:
    """Both stages of Pedersoli et al. 2022.

    Raises:
        UserError: a part is missing or damaged, or the two are not of latents of one shape.
    """

    image_px = 0

    def __init__(self, entry: Entry, sources: Sources) -> None:
        self.entry = entry
        self.audio = load(AudioToCodes, sources.part("audio"), sources.device)
        self.vqvae = load(VqVae, sources.part("vqvae"), sources.device)
        self.resolution = self.vqvae.resolution
        self.latent = (self.vqvae.code_dim, self.vqvae.code_px, self.vqvae.code_px)
        self.dim = math.prod(self.latent)
        if self.audio.latent != self.latent:
            raise UserError(
                f"{sources.part('audio')}: gives latents of {self.audio.latent}, and the VQ-VAE takes {self.latent}; "
                "run stage pedersoli_audio again"
            )

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the net's window -> latents, one row each [B, D h h]."""
        return self.audio.predict(mel_picture(wave, **self.audio.mel)).flatten(1)

    def encode_image(self, image: Tensor) -> Tensor:
        """It sees no pictures."""
        raise Unsupported(f"{self.entry.name}: makes pictures from sounds alone")

    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """Latents [B, D h h] -> pictures [B, 3, R, R] in [-1, 1]; seeds change nothing."""
        return self.vqvae.decode(z.view(len(z), *self.latent))


__all__ = ["Pedersoli"]
