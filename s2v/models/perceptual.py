"""Pictures in the eyes of f_V, for the perceptual loss (Johnson et al. 2016; `s2v.losses.pictures`)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from s2v.losses.pictures import perceptual_loss
from s2v.models.image_encoder import ImageEncoder


def perceptual_maps(encoder: ImageEncoder, images: Tensor) -> Tensor:
    """f_V's coarse maps [B, C, h, w] of pictures [B, 3, R, R] in [-1, 1]; smaller ones are enlarged to 32 px."""
    size = max(images.shape[-1], 32)
    if images.shape[-1] != size:
        images = F.interpolate(images, size=size, mode="bilinear")
    maps: Tensor = encoder.backbone.features(encoder.normalise(images))
    return maps


def perceptual_distance(encoder: ImageEncoder, fake: Tensor, real: Tensor) -> Tensor:
    """The perceptual loss of pictures [B, 3, R, R] in [-1, 1]."""
    return perceptual_loss(perceptual_maps(encoder, fake), perceptual_maps(encoder, real))


__all__ = ["perceptual_distance", "perceptual_maps"]
