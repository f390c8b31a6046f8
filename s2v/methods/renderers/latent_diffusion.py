"""The latent diffusion model that is trained here (paper 6.1), the second generator."""

from __future__ import annotations

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture import from_unit, resize
from s2v.methods.base import Sources, clip_seed, noise
from s2v.methods.renderers.base import Eye, Inversion, Renderer
from s2v.models.autoencoder import autoencoder, decode, encode
from s2v.models.diffusion_sampler import Sampler
from s2v.models.diffusion_steering import Steering
from s2v.models.image_encoder import unit
from s2v.models.latent_diffusion import LatentDiffusion
from s2v.models.store import load

STEPS = 50
GUIDANCE = 3.0
"""Of both conditions together. At 1, as for sounds alone, a composition is a blur of both (tried: 1 to 4)."""


class LatentDiffusionRenderer(Renderer):
    """Feature of unit norm and noise -> latent diffusion -> autoencoder."""

    inversion_steps = 100

    def __init__(self, method: str, sources: Sources) -> None:
        super().__init__(method, sources)
        self.vae = load(autoencoder, sources.part("vae"), sources.device)
        model = load(LatentDiffusion, sources.part("generator"), sources.device)
        sampler = sources.config.ldm
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

    def latent_diffusion(self) -> LatentDiffusionRenderer:
        """Itself."""
        return self

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

    @torch.no_grad()
    def invert(self, f_v: Eye, picture: Tensor, steps: int) -> Inversion:
        """DDIM run backwards under f_V's own feature; the way back is as near as the solver's steps are small."""
        z = unit(f_v.encode(picture[None])).clone()
        target = resize(picture[None], self.resolution)
        found = Steering(self.sampler.model, steps).invert(encode(self.vae, target), z)[0].cpu()
        shown, drawn = self._back(found, z, steps), from_unit(self.draw(z, [0]))

        def error(made: Tensor) -> float:
            return float((made.float() - target.float()).abs().mean()) / 255

        return Inversion(found, z[0].cpu(), shown[0], error(shown), error(drawn), steps)

    def redraw(self, found: Inversion, z: Tensor) -> Tensor:
        """Features [K, D] -> pictures uint8 [K, 3, R, R] under the noise that was found."""
        return self._back(found.noise, z, found.steps)

    def _back(self, noise: Tensor, z: Tensor, steps: int) -> Tensor:
        latents = Steering(self.sampler.model, steps).compose([z], [1.0], noise.expand(len(z), -1, -1, -1))
        return from_unit(decode(self.vae, latents))

    # A picture and a sound together (Fig. 19). Its caption says that features are interpolated, the text that
    # generation is composed (Liu et al. 2022), and the authors' code starts from the noised picture. All three are
    # here; the first is `s2v.control.latent.interpolate`.

    def compose(self, z_v: Tensor, z_a: Tensor, weight: float, seed: int) -> Tensor:
        """Pictures uint8 [B, 3, R, R] under image features [B, D] and sound features [B, D] at once.

        Args:
            z_v: of pictures.
            z_a: of sounds.
            weight: share of the guidance that is the pictures'; the rest is the sounds'.
            seed: of the noise, one for all.
        """
        weights = [GUIDANCE * weight, GUIDANCE * (1 - weight)]
        latents = Steering(self.sampler.model, STEPS).compose([z_v, z_a], weights, self._one(len(z_v), seed))
        return from_unit(decode(self.vae, latents))

    def renoise(self, pictures: Tensor, z: Tensor, strength: float, seed: int) -> Tensor:
        """Pictures uint8 [B, 3, H, W], noised by `strength` and drawn on under features [B, D]: uint8 [B, 3, R, R].

        Raises:
            UserError: the strength is not between 0 and 1.
        """
        begun = encode(self.vae, resize(pictures, self.resolution))
        try:
            latents = Steering(self.sampler.model, STEPS).renoise(begun, z, self._one(len(z), seed), strength)
        except ValueError as error:
            raise UserError(str(error)) from error
        return from_unit(decode(self.vae, latents))

    def _one(self, n: int, seed: int) -> Tensor:
        """The same noise n times, never truncated."""
        drawn = noise([clip_seed(seed, "0")], torch.Size(self.noise_shape).numel())
        return drawn.reshape(1, *self.noise_shape).expand(n, -1, -1, -1)


__all__ = ["LatentDiffusionRenderer"]
