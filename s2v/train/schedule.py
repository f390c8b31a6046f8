"""Learning rates over a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Schedule:
    """A learning rate that rises over `warmup` steps, then stays or falls until step `steps`.

    Attributes:
        peak: the learning rate.
        warmup: steps of a linear rise; 0 is none.
        decay: cosine (half a cosine to 0), linear (to 0), or None.
        steps: of the training, where it decays.
        floor: share of `peak` below which the decay does not bring it.
    """

    peak: float
    warmup: int = 0
    decay: Literal["cosine", "linear"] | None = None
    steps: int = 1
    floor: float = 0.0

    def __call__(self, step: int) -> float:
        """The learning rate of a step."""
        left = 1.0
        if self.decay == "cosine":
            left = max(0.5 * (1 + math.cos(math.pi * step / self.steps)), self.floor)
        elif self.decay == "linear":
            left = max(1 - step / self.steps, self.floor)
        return self.peak * (left * min(1.0, (step + 1) / max(1, self.warmup)))


__all__ = ["Schedule"]
