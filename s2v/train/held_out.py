"""Clips with names that a training does not see, to report an accuracy on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

ONE_IN = 10


def held_out(keys: Sequence[str], labels: Tensor) -> Tensor:
    """Which of some clips are held out, bool [N]: one in ten, by a hash of its name, none of a class that would have
    no other.

    Args:
        keys: names of the clips.
        labels: their classes [N].
    """
    out = torch.tensor([int(hashlib.sha1(key.encode()).hexdigest(), 16) % ONE_IN == 0 for key in keys])
    for one in labels.unique():
        out[labels == one] &= not out[labels == one].all()
    return out


__all__ = ["held_out"]
