"""What bootstraps draw: clips with replacement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resamples(n: int, count: int, seed: int = 0) -> NDArray[np.int64]:
    """Indices [count, n] of clips drawn with replacement; the same for the same (n, count, seed), so that
    metrics and methods on the same clips can be compared in pairs."""
    return np.random.default_rng(seed).integers(0, n, size=(count, n), dtype=np.int64)


__all__ = ["resamples"]
