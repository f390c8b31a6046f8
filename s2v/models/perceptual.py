"""Pictures in the eyes of f_V, for the perceptual loss (Johnson et al. 2016; `s2v.losses.pictures`)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.losses.pictures import perceptual_loss
from s2v.models.image_encoder import ImageEncoder
from s2v.models.resnet import ResNet

TINY = 1e-4
"""Beside the squared norm of a place, so that a dead one stays small."""


def perceptual_maps(encoder: ImageEncoder, images: Tensor, stages: bool = False) -> Tensor:
    """f_V's coarse maps [B, C, h, w] of pictures [B, 3, R, R] in [-1, 1]; smaller ones are enlarged to 32 px.

    With `stages` those of all stages of a ResNet, [B, N]: each place at unit norm, and each stage as a whole too, so
    that a squared distance is the mean over stages and places (LPIPS, Zhang et al. 2018, with weights of 1).
    """
    size = max(images.shape[-1], 32)
    if images.shape[-1] != size:
        images = F.interpolate(images, size=size, mode="bilinear")
    seen = encoder.normalise(images)
    if not stages:
        maps: Tensor = encoder.backbone.features(seen)
        return maps
    assert isinstance(encoder.backbone, ResNet), "checked with the configuration"
    every = encoder.backbone.stages(seen)
    places = [
        one.pow(2).sum(1, keepdim=True).add(TINY).rsqrt() / (one[0, 0].numel() * len(every)) ** 0.5 for one in every
    ]
    return torch.cat([(one * scale).flatten(1) for one, scale in zip(every, places, strict=True)], 1)


def perceptual_distance(encoder: ImageEncoder, fake: Tensor, real: Tensor) -> Tensor:
    """The perceptual loss of pictures [B, 3, R, R] in [-1, 1]."""
    return perceptual_loss(perceptual_maps(encoder, fake), perceptual_maps(encoder, real))


__all__ = ["perceptual_distance", "perceptual_maps"]
