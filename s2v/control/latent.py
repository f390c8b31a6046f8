"""Manipulations of features (paper 5.2). Generators are given features of unit norm, so that is what these return."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def interpolate(z_v: Tensor, z_a: Tensor, weights: Sequence[float]) -> Tensor:
    """z^new = lambda z^V + (1 - lambda) z^A for several lambda (paper 5.2, Fig. 11).

    Args:
        z_v: image feature [D] of unit norm.
        z_a: audio feature [D] of unit norm.
        weights: lambda of each result; 1 is the image, 0 the sound.

    Returns:
        [len(weights), D] of unit norm.

    Raises:
        ValueError: a lambda is no finite number.
    """
    amount = _column(weights, z_v)
    return F.normalize(amount * z_v + (1 - amount) * z_a, dim=1)


def move(z: Tensor, start: Tensor, end: Tensor, steps: Sequence[float]) -> Tensor:
    """z^new = z + lambda (end - start): along the direction between two sounds (paper 5.2, Fig. 13).

    Args:
        z: feature [D] that is edited, of unit norm.
        start: feature [D] of the one sound, such as the soft one.
        end: of the other, such as the same made louder.
        steps: lambda of each result; 0 leaves z as it is.

    Returns:
        [len(steps), D] of unit norm.

    Raises:
        ValueError: a lambda is no finite number.
    """
    amount = _column(steps, z)
    return F.normalize(z + amount * (end - start), dim=1)


def _column(amounts: Sequence[float], like: Tensor) -> Tensor:
    column = torch.tensor(list(amounts), dtype=like.dtype)[:, None]
    if not column.isfinite().all():
        raise ValueError(f"lambda {', '.join(f'{amount:g}' for amount in amounts)}: give finite numbers")
    return column


__all__ = ["interpolate", "move"]
