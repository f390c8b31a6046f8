"""Distances of pictures, for reconstruction and inversion."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

PIXELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": F.l1_loss, "l2": F.mse_loss}
"""Distances of pictures [B, 3, R, R], for reconstruction."""


def perceptual_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Mean squared distance of the feature maps [B, C, ...] of two pictures, over the power of the real ones.

    After Johnson et al. 2016; the maps are f_V's (`s2v.models.perceptual`).
    """
    return (fake - real).pow(2).mean() / real.detach().pow(2).mean().clamp_min(1e-6)


def reconstruction_loss(fake: Tensor, real: Tensor, fake_maps: Tensor, real_maps: Tensor) -> Tensor:
    """L1 of pictures [B, 3, R, R], and a quarter of their perceptual loss; of the generator, not in the paper."""
    return F.l1_loss(fake, real) + 0.25 * perceptual_loss(fake_maps, real_maps)
