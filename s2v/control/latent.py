"""Manipulations of features (paper 5.2).

Generators that are trained here are given features of unit norm, so that is what these return. Stable unCLIP takes
features as they are (`unit_norm=False`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def interpolate(z_v: Tensor, z_a: Tensor, weights: Sequence[float], unit_norm: bool = True) -> Tensor:
    """z^new = lambda z^V + (1 - lambda) z^A for several lambda (paper 5.2, Fig. 11).

    Args:
        z_v: image feature [D].
        z_a: audio feature [D].
        weights: lambda of each result; 1 is the image, 0 the sound.
        unit_norm: whether results have it.

    Returns:
        [len(weights), D].

    Raises:
        ValueError: a lambda is no finite number.
    """
    amount = _column(weights, z_v)
    found = amount * z_v + (1 - amount) * z_a
    return F.normalize(found, dim=1) if unit_norm else found


def move(z: Tensor, start: Tensor, end: Tensor, steps: Sequence[float], unit_norm: bool = True) -> Tensor:
    """z^new = z + lambda (end - start): along the direction between two sounds (paper 5.2, Fig. 13).

    Args:
        z: feature [D] that is edited.
        start: feature [D] of the one sound, such as the soft one.
        end: of the other, such as the same made louder.
        steps: lambda of each result; 0 leaves z as it is.
        unit_norm: whether results have it.

    Returns:
        [len(steps), D].

    Raises:
        ValueError: a lambda is no finite number.
    """
    amount = _column(steps, z)
    found = z + amount * (end - start)
    return F.normalize(found, dim=1) if unit_norm else found


def _column(amounts: Sequence[float], like: Tensor) -> Tensor:
    column = torch.tensor(list(amounts), dtype=like.dtype)[:, None]
    if not column.isfinite().all():
        raise ValueError(f"lambda {', '.join(f'{amount:g}' for amount in amounts)}: give finite numbers")
    return column


__all__ = ["interpolate", "move"]
