"""Augmentation on whole batches of tensors, on whatever device they are.

What is random is drawn apart from its use: for a whole batch at once, as one row of numbers a picture. So processes
that share a batch draw the same, and each uses its own rows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def draw_crops(n: int, scale: tuple[float, float], device: torch.device) -> Tensor:
    """Random square-ish crops, mirrored half the time: [n, 5], see `crop`.

    Args:
        n: pictures.
        scale: share of the picture's area.
        device: where they are drawn.
    """
    area = torch.empty(n, device=device).uniform_(*scale)
    log_ratio = torch.empty(n, device=device).uniform_(-0.2877, 0.2877)
    w = (area * log_ratio.exp()).sqrt().clamp(max=1)
    h = (area / log_ratio.exp()).sqrt().clamp(max=1)
    x = (torch.rand(n, device=device) * 2 - 1) * (1 - w)
    y = (torch.rand(n, device=device) * 2 - 1) * (1 - h)
    mirror = (torch.rand(n, device=device) < 0.5).float() * -2 + 1
    return torch.stack([w, h, x, y, mirror], 1)


def crop(images: Tensor, crops: Tensor, px: int) -> Tensor:
    """One crop a picture, resampled bilinearly to `px`.

    Args:
        images: float [B, 3, H, W].
        crops: [B, 5]: width and height as shares, centre from -1 to 1, and -1 for mirrored or 1.
        px: side of the result [B, 3, px, px].
    """
    w, h, x, y, mirror = crops.unbind(1)
    zero = torch.zeros_like(w)
    theta = torch.stack([torch.stack([w * mirror, zero, x], 1), torch.stack([zero, h, y], 1)], 1)
    grid = F.affine_grid(theta, [len(images), 3, px, px], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def draw_jitter(n: int, strength: float, device: torch.device, gray: float = 0.2, probability: float = 0.8) -> Tensor:
    """Factors of brightness, contrast and saturation, [n, 3], of up to 1 +- 0.8 `strength`; now and then no colour."""

    def factor() -> Tensor:
        value = 1 + (torch.rand(n, device=device) * 2 - 1) * 0.8 * strength
        on = torch.rand(n, device=device) < probability
        return torch.where(on, value, torch.ones_like(value))

    brightness, contrast, saturation = factor(), factor(), factor()
    return torch.stack([brightness, contrast, saturation * (torch.rand(n, device=device) >= gray)], 1)


def jitter(images: Tensor, factors: Tensor) -> Tensor:
    """Colours of images float [B, 3, H, W] in [-1, 1] changed by `factors` [B, 3]; the same range comes back."""
    brightness, contrast, saturation = factors[:, :, None, None, None].unbind(1)
    x = (images + 1) / 2 * brightness
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * contrast
    luma = (x * x.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    x = luma + (x - luma) * saturation
    return x.clamp(0, 1) * 2 - 1


def draw_diff_augment(n: int, policy: str, px: int, device: torch.device) -> Tensor:
    """What `diff_augment` does to n pictures of side `px`: [n, 5], 0 where the policy does not use it."""
    drawn = torch.zeros(n, 5, device=device)
    if "color" in policy:
        for column in range(3):
            drawn[:, column] = torch.rand(n, device=device)
    if "translation" in policy:
        for column in (3, 4):
            drawn[:, column] = torch.randint(0, 2 * _margin(px) + 1, (n,), device=device)
    return drawn


def diff_augment(images: Tensor, policy: str, drawn: Tensor) -> Tensor:
    """DiffAugment (Zhao et al. 2020): the same family of differentiable changes on real and generated pictures.

    Args:
        images: float [B, 3, H, W].
        policy: names of changes, e.g. color,translation.
        drawn: [B, 5]: brightness, saturation and contrast from 0 to 1, and by how many pixels they are moved.
    """
    x = images
    b, _, h, w = x.shape
    if "color" in policy:
        brightness, saturation, contrast = drawn[:, :3, None, None, None].unbind(1)
        x = x + (brightness - 0.5)
        mean = x.mean(1, keepdim=True)
        x = mean + (x - mean) * (saturation * 2)
        mean = x.mean((1, 2, 3), keepdim=True)
        x = mean + (x - mean) * (contrast + 0.5)
    if "translation" in policy:
        pad = _margin(h)
        padded = F.pad(x, (pad, pad, pad, pad))
        dy, dx = drawn[:, 3:, None, None].long().unbind(1)
        rows = (torch.arange(h, device=x.device)[None, :, None] + dy).expand(b, h, w)
        columns = (torch.arange(w, device=x.device)[None, None, :] + dx).expand(b, h, w)
        batch = torch.arange(b, device=x.device)[:, None, None]
        x = padded.permute(0, 2, 3, 1)[batch, rows, columns].permute(0, 3, 1, 2)
    return x


def _margin(px: int) -> int:
    return max(1, px // 8)


def degrade(images: Tensor, choice: float, amount: float) -> Tensor:
    """Soften a batch as a generator may: through fewer pixels and back, or a blur, or neither.

    Images float [B, 3, H, W]; the same shape comes back. `choice` (0 to 1) says which, `amount` (0 to 1) how much.
    """
    px = images.shape[-1]
    if choice < 0.35:
        small = max(4, round(px * (0.4 + 0.5 * amount)))
        down = F.interpolate(images, (small, small), mode="bilinear", antialias=True, align_corners=False)
        return F.interpolate(down, (px, px), mode="bilinear", align_corners=False)
    if choice < 0.6:
        edge = 0.1 + 0.25 * amount
        line = images.new_tensor([edge, 1.0, edge]) / (1 + 2 * edge)
        kernel = (line[:, None] * line[None, :]).expand(3, 1, 3, 3)
        with torch.autocast(images.device.type, enabled=False):
            return F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    return images


__all__ = ["crop", "degrade", "diff_augment", "draw_crops", "draw_diff_augment", "draw_jitter", "jitter"]
