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

    It is their mean. Where channels cancel (right = -left), so that the mean has less than `LEAST` of the energy of
    the loudest channel, that channel is taken. A constant offset is no energy.
    """
    if len(channels) == 1 or channels.shape[1] == 0:
        return channels[0]
    mean = channels.mean(0)
    if channels.dtype.kind == "i":
        mean = np.rint(mean)
    energies = [float(np.var(one, dtype=np.float64)) for one in (mean, *channels)]
    loudest = int(np.argmax(energies[1:]))
    return channels[loudest] if energies[0] < LEAST * energies[1 + loudest] else mean.astype(channels.dtype)


__all__ = ["LEAST", "mono"]
