"""Augmentation on whole batches of tensors, on whatever device they are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def random_resized_crops(images: Tensor, px: int, scale: tuple[float, float]) -> Tensor:
    """One random square-ish crop a picture, mirrored half the time, resampled bilinearly to `px`.

    Args:
        images: float [B, 3, H, W].
        scale: share of the picture's area.
    """
    b = len(images)
    area = torch.empty(b, device=images.device).uniform_(*scale)
    log_ratio = torch.empty(b, device=images.device).uniform_(-0.2877, 0.2877)
    w = (area * log_ratio.exp()).sqrt().clamp(max=1)
    h = (area / log_ratio.exp()).sqrt().clamp(max=1)
    x = (torch.rand(b, device=images.device) * 2 - 1) * (1 - w)
    y = (torch.rand(b, device=images.device) * 2 - 1) * (1 - h)
    mirror = (torch.rand(b, device=images.device) < 0.5).float() * -2 + 1
    zero = torch.zeros_like(w)
    theta = torch.stack([torch.stack([w * mirror, zero, x], 1), torch.stack([zero, h, y], 1)], 1)
    grid = F.affine_grid(theta, [b, 3, px, px], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def color_jitter(images: Tensor, strength: float, gray: float = 0.2, probability: float = 0.8) -> Tensor:
    """Brightness, contrast and saturation by factors of up to 1 +- 0.8 `strength`; now and then no colour at all.

    Images float in [-1, 1]; the same shape and range come back.
    """
    x = (images + 1) / 2
    b = len(x)

    def factor() -> Tensor:
        value = 1 + (torch.rand(b, 1, 1, 1, device=x.device) * 2 - 1) * 0.8 * strength
        on = torch.rand(b, 1, 1, 1, device=x.device) < probability
        return torch.where(on, value, torch.ones_like(value))

    x = x * factor()
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * factor()
    luma = (x * x.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    saturation = factor() * (torch.rand(b, 1, 1, 1, device=x.device) >= gray)
    x = luma + (x - luma) * saturation
    return x.clamp(0, 1) * 2 - 1


def diff_augment(images: Tensor, policy: str) -> Tensor:
    """DiffAugment (Zhao et al. 2020): the same family of differentiable changes on real and generated pictures."""
    x = images
    b, _, h, w = x.shape
    if "color" in policy:
        x = x + (torch.rand(b, 1, 1, 1, device=x.device) - 0.5)
        mean = x.mean(1, keepdim=True)
        x = mean + (x - mean) * (torch.rand(b, 1, 1, 1, device=x.device) * 2)
        mean = x.mean((1, 2, 3), keepdim=True)
        x = mean + (x - mean) * (torch.rand(b, 1, 1, 1, device=x.device) + 0.5)
    if "translation" in policy:
        pad = max(1, h // 8)
        padded = F.pad(x, (pad, pad, pad, pad))
        dy = torch.randint(0, 2 * pad + 1, (b, 1, 1), device=x.device)
        dx = torch.randint(0, 2 * pad + 1, (b, 1, 1), device=x.device)
        rows = (torch.arange(h, device=x.device)[None, :, None] + dy).expand(b, h, w)
        columns = (torch.arange(w, device=x.device)[None, None, :] + dx).expand(b, h, w)
        batch = torch.arange(b, device=x.device)[:, None, None]
        x = padded.permute(0, 2, 3, 1)[batch, rows, columns].permute(0, 3, 1, 2)
    return x
