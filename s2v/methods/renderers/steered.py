"""What latent diffusion models can be asked for beside a draw: two conditions, a picture to begin with, a way back.

A picture and a sound together are Fig. 19. Its caption says that features are interpolated, the text that generation is
composed (Liu et al. 2022), and the authors' code starts from the noised picture. All three are here; the first is
`s2v.control.latent.interpolate`.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture import from_unit, resize
from s2v.methods.base import clip_seed, noise
from s2v.methods.renderers.base import Eye, Inversion, Renderer
from s2v.models.diffusion_steering import Steerable, Steering
from s2v.models.image_encoder import unit


class SteeredRenderer(Renderer):
    """A latent diffusion model that `Steering` can be asked to draw with."""

    inversion_steps = 100
    steps = 50
    """Of the solver, in compositions and from noised pictures."""
    guidance = 1.0
    """From noised pictures; 1 is none."""
    composed_guidance = 3.0
    """Of both conditions together. At 1, as for sounds alone, a composition is a blur of both (tried: 1 to 4)."""
    steered: Steerable

    @abstractmethod
    def encoded(self, pictures: Tensor) -> Tensor:
        """Pictures uint8 [B, 3, R, R] -> latents of the autoencoder [B, C, h, w]."""

    @abstractmethod
    def decoded(self, latents: Tensor) -> Tensor:
        """Latents of the autoencoder [B, C, h, w] -> pictures [B, 3, R, R] in [-1, 1], on the CPU."""

    def latent_diffusion(self) -> SteeredRenderer:
        """Itself."""
        return self

    @torch.no_grad()
    def invert(self, f_v: Eye, picture: Tensor, steps: int) -> Inversion:
        """DDIM run backwards under f_V's own feature; the way back is as near as the solver's steps are small."""
        own = f_v.encode(picture[None]).clone()
        z = unit(own) if self.unit_norm else own
        target = resize(picture[None], self.resolution)
        found = Steering(self.steered, steps).invert(self.encoded(target), z)[0].cpu()
        shown, drawn = self._back(found, z, steps), from_unit(self.draw(z, [0]))

        def error(made: Tensor) -> float:
            return float((made.float() - target.float()).abs().mean()) / 255

        return Inversion(found, z[0].cpu(), shown[0], error(shown), error(drawn), steps)

    def redraw(self, found: Inversion, z: Tensor) -> Tensor:
        """Features [K, D] -> pictures uint8 [K, 3, R, R] under the noise that was found."""
        return self._back(found.noise, z, found.steps)

    def _back(self, noise: Tensor, z: Tensor, steps: int) -> Tensor:
        latents = Steering(self.steered, steps).compose([z], [1.0], noise.expand(len(z), -1, -1, -1))
        return from_unit(self.decoded(latents))

    def compose(self, z_v: Tensor, z_a: Tensor, weight: float, seed: int) -> Tensor:
        """Pictures uint8 [B, 3, R, R] under image features [B, D] and sound features [B, D] at once.

        Args:
            z_v: of pictures.
            z_a: of sounds.
            weight: share of the guidance that is the pictures'; the rest is the sounds'.
            seed: of the noise, one for all.
        """
        weights = [self.composed_guidance * weight, self.composed_guidance * (1 - weight)]
        latents = Steering(self.steered, self.steps).compose([z_v, z_a], weights, self._one(len(z_v), seed))
        return from_unit(self.decoded(latents))

    def renoise(self, pictures: Tensor, z: Tensor, strength: float, seed: int) -> Tensor:
        """Pictures uint8 [B, 3, H, W], noised by `strength` and drawn on under features [B, D]: uint8 [B, 3, R, R].

        Raises:
            UserError: the strength is not between 0 and 1.
        """
        begun, steering = self.encoded(resize(pictures, self.resolution)), Steering(self.steered, self.steps)
        try:
            latents = steering.renoise(begun, z, self._one(len(z), seed), strength, self.guidance)
        except ValueError as error:
            raise UserError(str(error)) from error
        return from_unit(self.decoded(latents))

    def _one(self, n: int, seed: int) -> Tensor:
        """The same noise n times, never truncated."""
        drawn = noise([clip_seed(seed, "0")], torch.Size(self.noise_shape).numel())
        return drawn.reshape(1, *self.noise_shape).expand(n, -1, -1, -1)


__all__ = ["SteeredRenderer"]
