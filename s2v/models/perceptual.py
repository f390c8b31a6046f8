"""Distance of two pictures in the eyes of f_V (perceptual loss, Johnson et al. 2016)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from s2v.models.image_encoder import ImageEncoder


def perceptual_distance(encoder: ImageEncoder, fake: Tensor, real: Tensor) -> Tensor:
    """Mean squared distance of f_V's last feature maps of pictures [B, 3, R, R] in [-1, 1], over their power.

    Pictures below 32 px are enlarged to it.
    """
    backbone, size = encoder.backbone, max(real.shape[-1], 32)
    maps = [
        backbone.features(encoder.normalise(F.interpolate(x, size=size, mode="bilinear")))
        if x.shape[-1] != size
        else backbone.features(encoder.normalise(x))
        for x in (fake, real)
    ]
    scale = maps[1].detach().pow(2).mean().clamp_min(1e-6)
    return (maps[0] - maps[1]).pow(2).mean() / scale


__all__ = ["perceptual_distance"]
