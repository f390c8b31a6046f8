"""The picture that is given, as the upper bound: only its resolution becomes that of the generator."""

from __future__ import annotations

from torch import Tensor

from s2v.media.picture import Policy, resize, to_unit
from s2v.methods.base import Sources
from s2v.methods.renderers.base import Renderer
from s2v.models.biggan import Generator
from s2v.models.store import config_of


class Pixels:
    """An image encoder whose features are the pixels, [N, 3 R R]."""

    policy: Policy = "squash"

    def __init__(self, px: int) -> None:
        self.image_px, self.dim = px, 3 * px**2

    def encode(self, images: Tensor) -> Tensor:
        """uint8 [N, 3, H, W] -> [N, 3 R R] in [-1, 1]."""
        return to_unit(resize(images, self.image_px)).flatten(1)


class Identity(Renderer):
    """Pixels in, the same pixels out."""

    unit_norm = False

    def __init__(self, method: str, sources: Sources) -> None:
        super().__init__(method, sources)
        self.resolution = int(config_of(Generator, sources.part("generator"))["resolution"])
        self.f_v = Pixels(self.resolution)

    def draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        """[B, 3 R R] -> [B, 3, R, R]; seeds change nothing."""
        return z.reshape(len(z), 3, self.resolution, self.resolution)


__all__ = ["Identity"]
