"""95 % bootstrap intervals. Over test clips: clips are resampled, seeds are averaged within each resample. Over clips
and trainings (`crossed`): both are resampled, so that the interval also holds for another training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def crossed_resamples(
    trainings: int, n: int, count: int, seed: int = 0
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of trainings [S] and of clips [N], each drawn with replacement and independently of the other.

    This is the pigeonhole bootstrap (Owen, 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1), which
    errs on the wide side where both factors are many. A few trainings tell little of their spread: what differs
    between them shows with (S - 1) / S of its variance, for which `crossed` makes up, and `crossed_statistic` does not.
    Of one training there is nothing to draw: clips alone are resampled, the same as by `resamples`.
    """
    rng = np.random.default_rng([seed, trainings])
    for clips in resamples(n, count, seed):
        yield rng.integers(0, trainings, trainings, dtype=np.int64), clips


def crossed(values: NDArray[np.float64], count: int = 1000, seed: int = 0) -> Interval:
    """Percentile interval of a mean over trainings and clips.

    Before they are resampled, the trainings' means are moved apart by sqrt(S / (S - 1)), which makes up for what their
    resampling takes from their variance (Davison and Hinkley, 1997, 3.8).

    Args:
        values: [S, N], one row per training, one column per clip (the same clip in all rows).
        count: resamples.
        seed: of the resampling.

    Raises:
        ValueError: there is no clip.
    """
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    trainings, n = table.shape
    if n == 0:
        raise ValueError("an interval over no clip")
    if trainings > 1:
        apart = table.mean(1, keepdims=True) - table.mean()
        table = table + (np.sqrt(trainings / (trainings - 1)) - 1) * apart
    means = [table[rows].mean(0)[clips].mean() for rows, clips in crossed_resamples(trainings, n, count, seed)]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(table.mean()), float(low), float(high))


def crossed_statistic(
    statistic: Callable[[NDArray[np.int64], NDArray[np.int64]], float],
    n: int,
    trainings: int,
    count: int = 100,
    seed: int = 0,
) -> Interval:
    """Interval of a statistic of whole sets of clips (FID, IS) over trainings: value +- 1.96 standard deviations.

    Not a percentile interval, since a resample holds copies: that alone raises FID and lowers IS, so the resampled
    values lie to one side of the true one, while their spread is what is wanted.

    Args:
        statistic: (trainings [S], clips [N]) -> number, such as the mean over those trainings of their FID.
        n: number of clips.
        trainings: number of trainings, S.
        count: resamples.
        seed: of the resampling.
    """
    value = statistic(np.arange(trainings, dtype=np.int64), np.arange(n, dtype=np.int64))
    drawn = [statistic(rows, clips) for rows, clips in crossed_resamples(trainings, n, count, seed)]
    half = _Z * float(np.std(drawn, ddof=1)) if count > 1 else float("nan")
    return Interval(value, value - half, value + half)


__all__ = [
    "LEVEL",
    "Interval",
    "crossed",
    "crossed_resamples",
    "crossed_statistic",
    "mean_interval",
    "paired_difference",
    "resamples",
]
