"""Row A: image to image with the same generator (Casanova et al. 2021): f_V of a frame of the test clip."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from s2v.media.picture import from_unit
from s2v.methods.base import Sources, Unsupported, noise
from s2v.models.biggan import Generator
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.store import load


class FromPictures:
    """The half of a method that sees: pictures become conditions by f_V, sounds do not.

    A method that is built of it loads `f_v` and has `name`.
    """

    name: ClassVar[str]
    f_v: ImageEncoder

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Not possible."""
        raise Unsupported(f"{self.name}: makes pictures from pictures; it has no audio encoder")

    def encode_image(self, image: Tensor) -> Tensor:
        """Picture [B, 3, H, W] in [-1, 1] -> z^V [B, D] of unit norm."""
        return unit(self.f_v.encode(from_unit(image)))


class IcGan(FromPictures):
    """f_V -> unit norm -> G."""

    name: ClassVar[str] = "icgan"
    letter: ClassVar[str] = "A"
    title: ClassVar[str] = "ICGAN"
    encoder: ClassVar[str] = "V"
    generator: ClassVar[str] = "G"
    takes: ClassVar[Literal["sound", "frame"]] = "frame"
    seeded: ClassVar[bool] = True

    def __init__(self, sources: Sources) -> None:
        self.device, self.truncation = sources.device, sources.truncation
        self.f_v = load(ImageEncoder, sources.encoder_dir, sources.device)
        self.g = load(Generator, sources.generator_dir, sources.device)
        self.dim, self.image_px, self.resolution = self.f_v.dim, self.f_v.image_px, self.g.resolution

    @torch.inference_mode()
    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """z [B, D] of unit norm -> pictures [B, 3, R, R] in [-1, 1]."""
        eps = noise(seeds, self.g.dim_z, self.truncation).to(self.device)
        picture: Tensor = self.g(eps, z.to(self.device)).float().clamp(-1, 1).cpu()
        return picture


__all__ = ["FromPictures", "IcGan"]
