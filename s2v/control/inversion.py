"""GAN inversion (paper 5.2, Fig. 13): the noise and the feature that a given picture could have come from.

The paper names the technique (Abdal et al. 2019; Richardson et al. 2021) and releases no code. Here noise and feature
are optimised together, the feature from f_V's own on.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture import from_unit, resize, to_unit
from s2v.methods.icgan import IcGan
from s2v.train.encoder import unit
from s2v.train.perceptual import perceptual_distance

LEARNING_RATE = 0.05
FEATURE_WEIGHT = 0.5
NOISE_WEIGHT = 1e-3


@dataclass(frozen=True)
class Inversion:
    """What was found of a picture.

    Attributes:
        noise: z^N_inv [dim_z].
        z: z^V_inv [D] of unit norm.
        picture: uint8 [3, R, R] that they give.
        error: mean absolute difference to the picture, of values in 0 to 1.
        start_error: the same before the first step: f_V's own feature, zero noise.
    """

    noise: Tensor
    z: Tensor
    picture: Tensor
    error: float
    start_error: float


def invert(method: IcGan, picture: Tensor, steps: int = 150) -> Inversion:
    """Find noise and feature of a picture.

    The loss is the mean absolute difference, a quarter of the perceptual distance (as the generator was trained with),
    how far the feature has left f_V's own (cosine), and a pull of the noise to zero, where it is most likely.

    Args:
        method: of the GAN.
        picture: uint8 [3, H, W].
        steps: of Adam.

    Raises:
        UserError: the method is none of the GAN's.
    """
    if not isinstance(method, IcGan):
        raise UserError("edit: only the GAN's pictures can be inverted; take --generator gan")
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
    return Inversion(noise.detach()[0].cpu(), z[0].cpu(), from_unit(made.clamp(-1, 1).cpu())[0], error, start_error)


@torch.inference_mode()
def paint(method: IcGan, noise: Tensor, z: Tensor) -> Tensor:
    """G(z^N, z) for one noise [dim_z] and features [K, D] -> pictures uint8 [K, 3, R, R]."""
    device = torch.device(method.device)
    made: Tensor = method.g(noise.to(device).expand(len(z), -1), z.to(device))
    return from_unit(made.clamp(-1, 1).cpu())


__all__ = ["Inversion", "invert", "paint"]
