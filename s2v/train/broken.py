"""Pictures that are of no class any more: what an evaluator learns to answer "none of these" to."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

KINDS = ("blotches", "shuffled", "blurred", "mixed")


def draw_broken(n: int, device: torch.device) -> Tensor:
    """How each of n pictures is broken: [n, 3] numbers from 0 to 1, see `broken`."""
    return torch.rand(n, 3, device=device)


def broken(images: Tensor, others: Tensor, drawn: Tensor) -> Tensor:
    """Break pictures float [B, 3, px, px] by `drawn` [B, 3]: which of `KINDS`, how much, and a choice within it.

    blotches: a few large fields of the picture's own colours. shuffled: its patches in another order. blurred: of so
    few pixels that no shape is left. mixed: stripes of it and of another one, of `others` [B, 3, px, px].
    """
    kind = (drawn[:, 0] * len(KINDS)).long().clamp(max=len(KINDS) - 1)
    found = torch.empty_like(images)
    for number, name in enumerate(KINDS):
        own = (kind == number).nonzero()[:, 0]
        if len(own):
            found[own] = break_as(name, images[own], others[own], drawn[own, 1:])
    return found


def break_as(kind: str, images: Tensor, others: Tensor, drawn: Tensor) -> Tensor:
    """One of `KINDS` of all pictures; `others` [B, 3, px, px] are what they are mixed with, `drawn` is [B, 2]."""
    return torch.stack([
        _PARTS[kind](image, other, float(how), float(which))
        for image, other, (how, which) in zip(images, others, drawn, strict=True)
    ])  # fmt: skip


def _blotches(image: Tensor, _: Tensor, how: float, which: float) -> Tensor:
    few = 2 + int(3 * how)
    cells = F.adaptive_avg_pool2d(image[None], few).flatten(2)
    order = torch.randperm(few * few, generator=_generator(which)).to(image.device)
    return _grown(cells[..., order].view(1, 3, few, few), image.shape[-1])


def _blurred(image: Tensor, _: Tensor, how: float, which: float) -> Tensor:
    few = 3 + int(2 * how)
    return _grown(F.adaptive_avg_pool2d(image[None], few), image.shape[-1])


def _shuffled(image: Tensor, _: Tensor, how: float, which: float) -> Tensor:
    across = (2, 4, 4, 8)[int(3.999 * how)]
    px = image.shape[-1] // across * across
    cut = F.interpolate(image[None], (px, px), mode="bilinear", align_corners=False)[0] if px else image
    side = px // across
    patches = cut.unfold(1, side, side).unfold(2, side, side).reshape(3, -1, side, side)
    generator = _generator(which)
    order = torch.randperm(across * across, generator=generator)
    if across == 2:
        order = torch.tensor([3, 2, 1, 0] if which < 0.5 else [1, 2, 3, 0])  # of four, none stays where it was
    moved = patches[:, order.to(image.device)].view(3, across, across, side, side)
    whole = moved.permute(0, 1, 3, 2, 4).reshape(1, 3, px, px)
    return F.interpolate(whole, image.shape[-2:], mode="bilinear", align_corners=False)[0]


def _mixed(image: Tensor, other: Tensor, how: float, which: float) -> Tensor:
    stripes = 2 + int(5 * how)
    at = torch.arange(image.shape[-1], device=image.device) * stripes // image.shape[-1] % 2 == 1
    mask = at[None, :, None] if which < 0.5 else at[None, None, :]
    return torch.where(mask, other, image)


def _grown(cells: Tensor, px: int) -> Tensor:
    return F.interpolate(cells, (px, px), mode="bicubic", align_corners=False)[0].clamp(-1, 1)


def _generator(which: float) -> torch.Generator:
    return torch.Generator().manual_seed(int(which * 2**30))


_PARTS = {"blotches": _blotches, "shuffled": _shuffled, "blurred": _blurred, "mixed": _mixed}

__all__ = ["KINDS", "break_as", "broken", "draw_broken"]
