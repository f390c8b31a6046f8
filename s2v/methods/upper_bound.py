"""Row D: the real frame of the test clip, at the generator's resolution so that only content differs."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from s2v.files import read_json
from s2v.media.picture import from_unit, resize, to_unit
from s2v.methods.base import Sources, Unsupported


class UpperBound:
    """The condition is the picture itself, flattened."""

    name: ClassVar[str] = "upper_bound"
    letter: ClassVar[str] = "D"
    title: ClassVar[str] = "Upper bound"
    encoder: ClassVar[str] = "-"
    generator: ClassVar[str] = "-"
    takes: ClassVar[Literal["sound", "frame"]] = "frame"
    seeded: ClassVar[bool] = False

    def __init__(self, sources: Sources) -> None:
        self.resolution = self.image_px = int(read_json(sources.generator_dir / "config.json")["resolution"])
        self.dim = 3 * self.resolution**2

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Not possible."""
        raise Unsupported(f"{self.name}: shows the real frame; it has no audio encoder")

    def encode_image(self, image: Tensor) -> Tensor:
        """Picture [B, 3, H, W] in [-1, 1] -> its pixels at the generator's resolution, [B, 3 R R]."""
        return to_unit(resize(from_unit(image), self.resolution)).flatten(1)

    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """[B, 3 R R] -> [B, 3, R, R]; seeds change nothing."""
        return z.reshape(len(z), 3, self.resolution, self.resolution)


__all__ = ["UpperBound"]
