"""A net whose weights are the exponential moving average of those of one that is trained."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)


class Ema(Generic[Net]):
    """The averaged net.

    Args:
        own: the net that is trained.
        decay: share of the average that a step keeps.
        start: step at which averaging begins; before, the average is a copy.
        ramp: the decay is short at first, so that the first, random weights are soon forgotten.
    """

    def __init__(self, own: Net, decay: float, start: int = 0, ramp: bool = False) -> None:
        self.own, self.decay, self.start, self.ramp = own, decay, start, ramp
        self.net = copy.deepcopy(own).requires_grad_(False)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights, and batch norm's statistics, that `step` left."""
        decay = self.decay if step >= self.start else 0.0
        if self.ramp:
            decay = min(decay, (1 + step) / (10 + step))
        averaged, own = self.net.state_dict(), self.own.state_dict()
        # The vectors of spectral norm's power iteration have unit length; an average of two would not.
        moving = [key for key, value in own.items() if value.is_floating_point() and not key.endswith(("._u", "._v"))]
        torch._foreach_lerp_([averaged[key] for key in moving], [own[key] for key in moving], 1 - decay)
        for key in own.keys() - moving:
            averaged[key].copy_(own[key])


__all__ = ["Ema"]
