"""Inversion (paper 5.2, Fig. 13): the noise and the feature that a given picture could have come from.

The paper names the technique (Abdal et al. 2019; Richardson et al. 2021) and releases no code. For the GAN, noise and
feature are optimised together, the feature from f_V's own on. For the latent diffusion model the feature is f_V's own,
and the noise is where DDIM run backwards ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture import from_unit, resize, to_unit
from s2v.methods.base import Method
from s2v.methods.icgan import IcGan
from s2v.methods.ldm import Ldm
from s2v.models.image_encoder import unit
from s2v.models.perceptual import perceptual_distance

LEARNING_RATE = 0.05
FEATURE_WEIGHT = 0.5
NOISE_WEIGHT = 1e-3


@dataclass(frozen=True)
class Inversion:
    """What was found of a picture.

    Attributes:
        noise: z^N_inv [dim_z], or [C, h, w] of the latent diffusion model.
        z: z^V_inv [D] of unit norm.
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


def invert(method: Method, picture: Tensor, steps: int | None = None) -> Inversion:
    """Find noise and feature of a picture.

    Args:
        method: of the GAN or the latent diffusion model.
        picture: uint8 [3, H, W].
        steps: of Adam (150 where not said), or of DDIM (100).

    Raises:
        UserError: the method has no inversion.
    """
    if isinstance(method, IcGan):
        return _of_gan(method, picture, steps or 150)
    if isinstance(method, Ldm):
        return _of_ldm(method, picture, steps or 100)
    raise _none(method)


def paint(method: Method, found: Inversion, z: Tensor) -> Tensor:
    """Pictures uint8 [K, 3, R, R] of features [K, D] under the noise that was found of a picture by this method.

    Raises:
        UserError: the method has no inversion.
    """
    if isinstance(method, IcGan):
        return _paint_gan(method, found.noise, z)
    if isinstance(method, Ldm):
        return _paint_ldm(method, found.noise, z, found.steps)
    raise _none(method)


def _none(method: Method) -> UserError:
    return UserError(f"{method.name}: no inversion; take sound2vision or sound2vision_ldm")


@torch.no_grad()
def _of_ldm(method: Ldm, picture: Tensor, steps: int) -> Inversion:
    """DDIM run backwards under f_V's own feature; the way back is as near as the solver's steps are small."""
    from s2v.models.autoencoder import encode
    from s2v.models.diffusion_steering import Steering

    z = unit(method.f_v.encode(picture[None])).clone()
    target = resize(picture[None], method.resolution)
    noise = Steering(method.sampler.model, steps).invert(encode(method.vae, target), z)[0].cpu()
    shown = _paint_ldm(method, noise, z, steps)
    drawn = from_unit(method.decode(z, [0]))

    def error(made: Tensor) -> float:
        return float((made.float() - target.float()).abs().mean()) / 255

    return Inversion(noise, z[0].cpu(), shown[0], error(shown), error(drawn), steps)


def _paint_ldm(method: Ldm, noise: Tensor, z: Tensor, steps: int) -> Tensor:
    from s2v.models.autoencoder import decode
    from s2v.models.diffusion_steering import Steering

    latents = Steering(method.sampler.model, steps).compose([z], [1.0], noise.expand(len(z), -1, -1, -1))
    return from_unit(decode(method.vae, latents))


def _of_gan(method: IcGan, picture: Tensor, steps: int) -> Inversion:
    """The loss is the mean absolute difference, a quarter of the perceptual distance (as the generator was trained
    with), how far the feature has left f_V's own (cosine), and a pull of the noise to zero, where it is most likely."""
    device = torch.device(method.device)
    target = to_unit(resize(picture[None], method.resolution)).to(device)
    # The encoder gives inference tensors, which no gradient may see.
    own = unit(method.f_v.encode(picture[None])).clone().to(device)
    noise = torch.zeros(1, method.g.dim_z, device=device, requires_grad=True)
    feature = own.clone().requires_grad_()
    optimizer = torch.optim.Adam([noise, feature], LEARNING_RATE)

    def shown() -> Tensor:
        made: Tensor = method.g(noise, F.normalize(feature, dim=1))
        return made

    with torch.no_grad():
        start_error = float((shown() - target).abs().mean()) / 2
    for step in range(steps):
        for group in optimizer.param_groups:  # falls to 0, so that the end is a minimum and not a walk around one
            group["lr"] = LEARNING_RATE * (1 - step / steps)
        made = shown()
        loss = F.l1_loss(made, target) + 0.25 * perceptual_distance(method.f_v, made, target)
        loss = loss + FEATURE_WEIGHT * (1 - F.cosine_similarity(feature, own).mean())
        loss = loss + NOISE_WEIGHT * noise.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        made = shown()
        error = float((made - target).abs().mean()) / 2
        z = F.normalize(feature, dim=1)
        picture = from_unit(made.clamp(-1, 1).cpu())[0]
    return Inversion(noise.detach()[0].cpu(), z[0].cpu(), picture, error, start_error, steps)


@torch.inference_mode()
def _paint_gan(method: IcGan, noise: Tensor, z: Tensor) -> Tensor:
    device = torch.device(method.device)
    made: Tensor = method.g(noise.to(device).expand(len(z), -1), z.to(device))
    return from_unit(made.clamp(-1, 1).cpu())


__all__ = ["Inversion", "invert", "paint"]
