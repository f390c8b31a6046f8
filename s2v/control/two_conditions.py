"""A picture and a sound together, through the latent diffusion model (paper 6.1, Fig. 19).

The figure's caption says that features are interpolated, the text that generation is composed (Liu et al. 2022), and
the authors' code starts from the noised picture. All three are here; the first is `s2v.control.latent.interpolate`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture import from_unit, resize
from s2v.methods.base import Method, clip_seed, noise

if TYPE_CHECKING:
    from s2v.methods.ldm import Ldm

STEPS = 50
GUIDANCE = 3.0
"""Of both conditions together. At 1, as for sounds alone, a composition is a blur of both (tried: 1 to 4)."""


def composed(method: Method, z_v: Tensor, z_a: Tensor, weight: float, seed: int, guidance: float = GUIDANCE) -> Tensor:
    """Pictures uint8 [B, 3, R, R] under image features [B, D] and sound features [B, D] at once.

    Args:
        method: of the latent diffusion model.
        z_v: of pictures.
        z_a: of sounds.
        weight: share of the guidance that is the pictures'; the rest is the sounds'.
        seed: of the noise, one for all.
        guidance: w_v + w_a of `s2v.models.diffusion_steering.Steering.compose`.
    """
    from s2v.models.autoencoder import decode
    from s2v.models.diffusion_steering import Steering

    ldm = _ldm(method)
    weights = [guidance * weight, guidance * (1 - weight)]
    latents = Steering(ldm.sampler.model, STEPS).compose([z_v, z_a], weights, _noise(ldm, len(z_v), seed))
    return from_unit(decode(ldm.vae, latents))


def renoised(method: Method, pictures: Tensor, z: Tensor, strength: float, seed: int) -> Tensor:
    """Pictures uint8 [B, 3, H, W], noised by `strength` and drawn on under features [B, D]: uint8 [B, 3, R, R].

    Raises:
        UserError: the strength is not between 0 and 1.
    """
    from s2v.models.autoencoder import decode, encode
    from s2v.models.diffusion_steering import Steering

    ldm = _ldm(method)
    begun = encode(ldm.vae, resize(pictures, ldm.resolution))
    try:
        latents = Steering(ldm.sampler.model, STEPS).renoise(begun, z, _noise(ldm, len(z), seed), strength)
    except ValueError as error:
        raise UserError(str(error)) from error
    return from_unit(decode(ldm.vae, latents))


def _noise(ldm: Ldm, n: int, seed: int) -> Tensor:
    return noise([clip_seed(seed, "0")] * n, math.prod(ldm.latent)).reshape(-1, *ldm.latent)


def _ldm(method: Method) -> Ldm:
    from s2v.methods.ldm import Ldm

    if not isinstance(method, Ldm):
        raise UserError(f"{method.name}: needs the latent diffusion model: --generator ldm, sound2vision_ldm")
    return method


__all__ = ["composed", "renoised"]
