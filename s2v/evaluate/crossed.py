"""95 % intervals that hold for other trainings, other classes and other evaluators too: each of these is a sample, and
all are crossed, since every training is measured on the same clips by the same evaluators.

The variance of a mean is what trainings differ by over their number, and likewise for classes and for evaluators. Its
degrees of freedom are Satterthwaite's (1946), so that three trainings get the wide quantile of Student's t that three
deserve.
tests/test_intervals.py measures how often the intervals hold the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from s2v.evaluate.interval import Interval
from s2v.evaluate.resampling import resamples

FEW_CLASSES = 5
"""Of fewer classes than this the spread between them tells nothing: clips are the units, and the interval is of these
classes."""
LESS = 0.85
"""Of Satterthwaite's degrees of freedom: where three trainings differ by much more than all else, his are too many."""
Floats = NDArray[np.float64]


def crossed(values: Floats, classes: Sequence[str | None] | None = None) -> Interval:
    """Interval of a mean over evaluators, trainings and clips. Clips of a class are alike, so the units are classes.

    Of a factor with one level there is nothing to tell: the interval is then of this training, of this evaluator.

    Args:
        values: [N], [S, N] or [E, S, N]: evaluators, trainings, clips (the same clips and evaluators everywhere).
        classes: of the clips [N]; without them, or with fewer than `FEW_CLASSES`, clips are the units.

    Raises:
        ValueError: there is no clip.
    """
    table = np.asarray(values, dtype=np.float64)
    table = table.reshape((1,) * (3 - table.ndim) + table.shape)
    if table.shape[-1] == 0:
        raise ValueError("an interval over no clip")
    units = by_class(table, classes)
    known = 0 if units is table else units.shape[-1]
    return Interval.student(float(table.mean()), *variance_of_mean(units), classes=known, evaluators=len(table))


def by_class(table: Floats, classes: Sequence[str | None] | None) -> Floats:
    """[..., N] of clips -> [..., K] of classes, of the same mean: a class counts as it has clips. Clips without a class
    are classes of their own."""
    if classes is None:
        return table
    names = [name if name is not None else f"\0{i}" for i, name in enumerate(classes)]
    if len(names) != table.shape[-1]:
        raise ValueError(f"{len(names)} classes of {table.shape[-1]} clips")
    _, which = np.unique(names, return_inverse=True)
    count = np.bincount(which)
    if len(count) < FEW_CLASSES:
        return table
    sums = np.asarray(table @ np.eye(len(count))[which])
    middle = table.mean(-1, keepdims=True)
    # Deviations, not means: with unequal classes the mean of these would be another number.
    return np.asarray(middle + (sums - count * middle) * (len(count) / len(names)))


def variance_of_mean(table: Floats) -> tuple[float, float]:
    """Variance of the mean of a table whose axes are crossed random factors, and its degrees of freedom.

    Of each factor the variance of its levels' means, over their number, and Satterthwaite's degrees of freedom of
    the sum. What two factors have together is counted with each of them, so the variance errs on the large side.
    """
    axes = [axis for axis, n in enumerate(table.shape) if n > 1]
    parts, freedom = [], []
    for axis in axes:
        levels = table.mean(tuple(other for other in range(table.ndim) if other != axis))
        parts.append(float(levels.var(ddof=1)) / len(levels))
        freedom.append(len(levels) - 1)
    variance = sum(parts)
    if variance == 0:
        return 0.0, 1.0
    satterthwaite = variance**2 / sum(part**2 / df for part, df in zip(parts, freedom, strict=True))
    return variance, satterthwaite if len(axes) == 1 else LESS * satterthwaite


def crossed_statistic(
    statistic: Callable[[NDArray[np.int64], NDArray[np.int64]], float],
    n: int,
    trainings: int,
    count: int = 100,
    seed: int = 0,
) -> Interval:
    """Interval of a statistic of whole sets of clips (FID, IS), a mean over trainings.

    Its variance is that between trainings, over their number, and that of resampled clips which all trainings have
    alike. It is no percentile interval, since a resample holds copies: that alone raises FID and lowers IS, so the
    resampled values lie to one side of the true one, while their spread is what is wanted. It is of the classes and
    the evaluator that it was measured with.

    Args:
        statistic: (trainings [S], clips [N]) -> number, the mean over those trainings of, such as, their FID.
        n: number of clips.
        trainings: number of trainings, S.
        count: resamples, two or more.
        seed: of the resampling.
    """
    every, clips = np.arange(trainings, dtype=np.int64), np.arange(n, dtype=np.int64)
    alone = np.array([statistic(every[[i]], clips) for i in every])
    drawn = np.array([[statistic(every[[i]], some) for i in every] for some in resamples(n, count, seed)])
    spread = np.cov(drawn, rowvar=False, ddof=1).reshape(trainings, trainings)
    if trainings == 1:
        return Interval.student(float(alone[0]), float(spread[0, 0]), float(min(n, count) - 1))
    common = max(0.0, float(spread[~np.eye(trainings, dtype=bool)].mean()))
    own = max(0.0, float(np.diag(spread).mean()) - common) / trainings
    between = max(float(alone.var(ddof=1)) / trainings, own)
    variance = common + between
    weight = common**2 / (min(n, count) - 1) + between**2 / (trainings - 1)
    return Interval.student(float(alone.mean()), variance, LESS * variance**2 / weight if weight else 1.0)


__all__ = ["FEW_CLASSES", "by_class", "crossed", "crossed_statistic", "variance_of_mean"]
