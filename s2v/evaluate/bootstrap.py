"""95 % bootstrap intervals over test clips: clips are resampled, seeds are averaged within each resample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_Z = 1.959963984540054
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def above(self, other: Interval) -> bool:
        """Whether this one lies above `other` with no overlap."""
        return self.low > other.high


def resamples(n: int, count: int, seed: int = 0) -> NDArray[np.int64]:
    """Indices [count, n] of clips drawn with replacement; the same for the same (n, count, seed), so that
    metrics and methods on the same clips can be compared in pairs."""
    return np.random.default_rng(seed).integers(0, n, size=(count, n), dtype=np.int64)


def mean_interval(values: NDArray[np.float64], count: int = 1000, seed: int = 0) -> Interval:
    """Percentile interval of a mean over clips, e.g. R@k from hits.

    Args:
        values: [S, N] one row per generation seed, one column per clip (the same clip in all rows); or [N].
        count: resamples.
        seed: of the resampling.

    Raises:
        ValueError: there is no clip.
    """
    per_clip = np.atleast_2d(np.asarray(values, dtype=np.float64)).mean(0)
    n = len(per_clip)
    if n == 0:
        raise ValueError("an interval over no clip")
    index = resamples(n, count, seed)
    step = max(1, _CHUNK // n)
    means = np.concatenate([per_clip[index[i : i + step]].mean(1) for i in range(0, count, step)])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(per_clip.mean()), float(low), float(high))


def paired_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], count: int = 1000, seed: int = 0
) -> Interval:
    """Interval of mean(first) - mean(second) over the same clips; each [S, N] (S may differ) or [N]."""
    a, b = (np.atleast_2d(np.asarray(v, dtype=np.float64)).mean(0) for v in (first, second))
    if a.shape != b.shape:
        raise ValueError(f"paired differences need the same clips: {len(a)} and {len(b)}")
    return mean_interval(a - b, count, seed)


def statistic_interval(
    statistic: Callable[[int, NDArray[np.int64]], float], n: int, seeds: int, count: int = 100, seed: int = 0
) -> Interval:
    """Interval of a statistic of a whole set (FID, IS): value +- 1.96 standard deviations over resamples.

    Not a percentile interval, since a resample holds copies: that alone raises FID and lowers IS, so the
    resampled values lie to one side of the true one, while their spread is what is wanted.

    Args:
        statistic: (which generation seed 0..seeds-1, clip indices [N]) -> number.
        n: number of clips.
        seeds: number of generation seeds; the value is the mean over them, each resample the
            same clips of all.
        count: resamples.
        seed: of the resampling.
    """
    everything = np.arange(n, dtype=np.int64)
    value = float(np.mean([statistic(s, everything) for s in range(seeds)]))
    drawn = [np.mean([statistic(s, index) for s in range(seeds)]) for index in resamples(n, count, seed)]
    half = _Z * float(np.std(drawn, ddof=1)) if count > 1 else float("nan")
    return Interval(value, value - half, value + half)


__all__ = ["LEVEL", "Interval", "mean_interval", "paired_difference", "resamples", "statistic_interval"]
