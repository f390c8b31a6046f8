"""Edits of pictures between two ends: how often a sound is seen in them, against how much of the background is kept.

Background kept is 1 - d(edit) / d(sound), where d is the mean colour difference to the given picture outside its
source over all pairs, and `sound` the picture of the sound alone under the same noise: 1 is all of it, 0 is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2v.evaluate.bootstrap import LEVEL, Interval, resamples

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

GRID = 41
"""Places of equal background at which two curves are compared, ends included."""


@dataclass(frozen=True)
class Curve:
    """Edits of N pairs by one method, at L weights.

    Attributes:
        weights: L of them.
        named: [L, N], whether the evaluator names the sound's class.
        apart: [L, N], colour difference to the given picture outside its source.
    """

    weights: list[float]
    named: Floats
    apart: Floats

    def insertion(self, index: Index) -> Floats:
        """Share of the pairs `index` in which the sound is seen, [L]."""
        return self.named[:, index].mean(1)

    def kept(self, alone: Floats, index: Index) -> Floats:
        """Share of the background that is kept, [L]; `alone` [N] is d of the sound's own picture."""
        kept: Floats = 1 - self.apart[:, index].mean(1) / max(float(alone[index].mean()), 1e-9)
        return kept

    def at(self, places: Floats, alone: Floats, index: Index) -> Floats:
        """Insertion where so much of the background is kept, between the weights by straight lines."""
        kept, insertion = self.kept(alone, index), self.insertion(index)
        order = np.argsort(kept, kind="stable")
        return np.interp(places, kept[order], insertion[order])


def shared_range(first: Curve, second: Curve, alone: Floats, index: Index) -> tuple[float, float]:
    """Background kept that both curves reach, least and most; the first above the second where there is none."""
    both = [curve.kept(alone, index) for curve in (first, second)]
    return max(float(kept.min()) for kept in both), min(float(kept.max()) for kept in both)


def advantage(first: Curve, second: Curve, alone: Floats, index: Index) -> float:
    """Insertion of `first` minus that of `second` at equal background kept, mean over the range that both reach.

    Not a number where there is no such range.
    """
    low, high = shared_range(first, second, alone, index)
    if not low < high:
        return float("nan")
    places = np.linspace(low, high, GRID)
    return float((first.at(places, alone, index) - second.at(places, alone, index)).mean())


def advantage_interval(first: Curve, second: Curve, alone: Floats, count: int, seed: int = 0) -> Interval | None:
    """`advantage` with its percentile interval; pairs are resampled, in both curves alike. None where there is none."""
    n = len(alone)
    value = advantage(first, second, alone, np.arange(n))
    drawn = np.array([advantage(first, second, alone, index) for index in resamples(n, count, seed)])
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(value) or len(drawn) < count / 2:
        return None
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def leads(first: Curve, second: Curve, alone: Floats, count: int, seed: int = 0) -> list[Interval | None]:
    """Insertion of `first` where it keeps as much as each weight of `second`, minus that of the weight: paired
    percentile intervals. None where `first` never keeps so much, or never so little."""

    def of(index: Index) -> Floats:
        return first.at(second.kept(alone, index), alone, index) - second.insertion(index)

    whole = np.arange(len(alone))
    least, most = shared_range(first, second, alone, whole)
    reached = [least <= kept <= most for kept in second.kept(alone, whole)]
    drawn = np.array([of(index) for index in resamples(len(alone), count, seed)])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    values = zip(of(whole), low, high, reached, strict=True)
    return [Interval(float(v), float(a), float(b)) if inside else None for v, a, b, inside in values]


def point_intervals(curve: Curve, alone: Floats, count: int, seed: int = 0) -> list[tuple[Interval, Interval]]:
    """(insertion, background kept) of each weight, with percentile intervals over pairs."""
    whole = np.arange(len(alone))
    drawn = np.array([(curve.insertion(i), curve.kept(alone, i)) for i in resamples(len(alone), count, seed)])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    values = np.array([curve.insertion(whole), curve.kept(alone, whole)])
    return [
        (
            Interval(float(values[0, i]), float(low[0, i]), float(high[0, i])),
            Interval(float(values[1, i]), float(low[1, i]), float(high[1, i])),
        )
        for i in range(len(curve.weights))
    ]


__all__ = ["Curve", "advantage", "advantage_interval", "leads", "point_intervals", "shared_range"]
