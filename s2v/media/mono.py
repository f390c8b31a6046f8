"""Several channels to one, without the loss of those that cancel each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OPPOSED = 0.01
"""Channels oppose each other where their mean has less than this share of the power of the loudest one (-20 dB)."""


def mono(channels: NDArray[np.floating]) -> tuple[NDArray[np.floating], bool]:
    """The mean of channels [C, N], or where they oppose each other the loudest one; [N], and whether they do."""
    mixed = channels.mean(0)
    powers = np.square(channels).sum(1)
    opposed = bool(np.square(mixed).sum() < OPPOSED * powers.max())
    return (channels[int(powers.argmax())] if opposed else mixed), opposed
