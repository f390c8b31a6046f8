"""What every renderer can be asked for. What one cannot do it refuses, with the methods that can."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from s2v.media.picture import Policy
from s2v.methods.base import Sources, Unsupported, noise

if TYPE_CHECKING:
    from s2v.methods.renderers.steered import SteeredRenderer
    from s2v.models.biggan import Generator


class Eye(Protocol):
    """An image encoder."""

    dim: int
    """D, size of a feature."""
    image_px: int
    """Side at which it sees pictures; others are resized, by `policy`."""
    policy: Policy

    def encode(self, images: Tensor) -> Tensor:
        """uint8 [N, 3, H, W] -> features [N, D] on the CPU."""
        ...


@dataclass(frozen=True)
class Inversion:
    """What was found of a picture: the noise and the feature that it could have come from (paper 5.2, Fig. 13).

    Attributes:
        noise: z^N_inv [dim_z], or [C, h, w] of the latent diffusion model.
        z: z^V_inv [D], as the renderer takes features.
        picture: uint8 [3, R, R] that they give.
        error: mean absolute difference to the picture, of values in 0 to 1.
        start_error: the same without a search: f_V's own feature, and zero noise (GAN) or drawn noise (LDM).
        steps: that the search took; those of DDIM are also those of the way back.
    """

    noise: Tensor
    z: Tensor
    picture: Tensor
    error: float
    start_error: float
    steps: int


class Renderer(ABC):
    """Features in, pictures out.

    Args:
        method: name of the method that it renders for.
        sources: its nets and settings.
    """

    f_v: Eye | None = None
    """An image encoder that it brings along; otherwise the method's entry names one."""
    dim: int | None = None
    """D of the features that it takes; None takes what its encoder gives."""
    unit_norm = True
    """Whether it takes features of unit norm, or as encoders give them."""
    size: int | None = None
    """Number of pictures of a database."""
    noise_shape: tuple[int, ...] = ()
    """Shape of the noise of a picture; empty where none is drawn."""
    inversion_steps = 0
    """Steps of an inversion where nobody says how many."""
    resolution: int
    """R, side of the pictures."""

    def __init__(self, method: str, sources: Sources) -> None:
        self.method, self.truncation, self.device = method, sources.config.truncation, sources.device

    @abstractmethod
    def draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        """Features [B, D] and one noise seed each -> pictures [B, 3, R, R] in [-1, 1], on the CPU."""

    def noises(self, seeds: list[int]) -> Tensor:
        """Noise [B, *noise_shape], truncated as the settings say."""
        return noise(seeds, math.prod(self.noise_shape), self.truncation).reshape(-1, *self.noise_shape)

    def invert(self, f_v: Eye, picture: Tensor, steps: int) -> Inversion:
        """Noise and feature of a picture uint8 [3, H, W], of which f_V gives the feature to begin with.

        Raises:
            Unsupported: it has no inversion.
        """
        raise Unsupported(f"{self.method}: no inversion; take sound2vision or sound2vision_ldm")

    def invert_all(self, f_v: Eye, pictures: Tensor, steps: int) -> list[Inversion]:
        """The same of several pictures uint8 [B, 3, H, W], each for itself.

        Raises:
            Unsupported: it has no inversion.
        """
        return [self.invert(f_v, picture, steps) for picture in pictures]

    def redraw(self, found: Inversion, z: Tensor) -> Tensor:
        """Pictures uint8 [K, 3, R, R] of features [K, D] under the noise that was found of a picture.

        Raises:
            Unsupported: it has no inversion.
        """
        raise Unsupported(f"{self.method}: no inversion; take sound2vision or sound2vision_ldm")

    def latent_diffusion(self) -> SteeredRenderer:
        """Itself, where it is a latent diffusion model, which takes two conditions at once.

        Raises:
            Unsupported: it is another.
        """
        raise Unsupported(f"{self.method}: needs a latent diffusion model: --generator ldm or unclip, sound2vision_ldm")

    def gan(self) -> Generator:
        """G, through which a gradient can be taken.

        Raises:
            Unsupported: it is not the GAN.
        """
        raise Unsupported(f"{self.method}: Grad-CAM and programs are of the GAN; take the method sound2vision")


__all__ = ["Eye", "Inversion", "Renderer"]
