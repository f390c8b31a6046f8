"""The one mix of several channels to one, for files and for arrays."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Wave = TypeVar("Wave", np.int16, np.float32, np.float64)

LEAST = 0.01
"""Share of the loudest channel's energy (-20 dB) that the mean must have to be taken."""


def mono(channels: npt.NDArray[Wave]) -> npt.NDArray[Wave]:
    """Channels [C, N], C >= 1, of finite numbers -> one waveform [N] of the same type.

    It is their mean. Where channels cancel (`loudest_of_opposed`), the loudest is taken.
    """
    if len(channels) == 1 or channels.shape[1] == 0:
        return channels[0]
    loudest = loudest_of_opposed(channels)
    return channels[loudest] if loudest is not None else _mean(channels)


def loudest_of_opposed(channels: npt.NDArray[Wave]) -> int | None:
    """Which channel is loudest where they cancel (right = -left): their mean has less than `LEAST` of its energy.

    None where they do not. A constant offset is no energy.
    """
    energies = [float(np.var(one, dtype=np.float64)) for one in (_mean(channels), *channels)]
    loudest = int(np.argmax(energies[1:]))
    return loudest if energies[0] < LEAST * energies[1 + loudest] else None


def _mean(channels: npt.NDArray[Wave]) -> npt.NDArray[Wave]:
    mean = channels.mean(0)
    return (np.rint(mean) if channels.dtype.kind == "i" else mean).astype(channels.dtype)


__all__ = ["LEAST", "loudest_of_opposed", "mono"]
