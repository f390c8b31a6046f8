"""Edits of pictures between two ends: how often a sound is seen in them, against how much of the background is kept.

Background kept is 1 - d(edit) / d(sound), where d is the mean colour difference to the given picture outside its
source over all pairs, and `sound` the picture of the sound alone under the same noise: 1 is all of it, 0 is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2v.evaluate.interval import LEVEL, Interval
from s2v.evaluate.resampling import resamples

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

GRID = 41
"""Places of equal background at which two curves are compared, ends included."""


@dataclass(frozen=True)
class Curve:
    """Edits of N pairs by one method, at L weights.

    Attributes:
        named: [L, N], whether the evaluator names the sound's class.
        mixed: [L, N], of all sounds that a picture might have been given in place of its own, the share whose class
            the evaluator names: what `named` is where an edit hears nothing.
        apart: [L, N], colour difference to the given picture outside its source.
    """

    named: Floats
    mixed: Floats
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
    """`advantage` with its percentile interval; pairs are resampled, in both curves alike.

    None where these or a resample have no range that both reach: without such resamples it would speak for others.
    """
    value = np.array([advantage(first, second, alone, np.arange(len(alone)))])
    drawn = np.array([[advantage(first, second, alone, index)] for index in resamples(len(alone), count, seed)])
    return None if np.isnan(value).any() or np.isnan(drawn).any() else _intervals(value, drawn)[0]


def leads(first: Curve, second: Curve, alone: Floats, count: int, seed: int = 0) -> list[Interval | None]:
    """Insertion of `first` where it keeps as much as each weight of `second`, minus that of the weight: paired
    percentile intervals. None where `first` never keeps so much, or never so little."""

    def of(index: Index) -> Floats:
        return first.at(second.kept(alone, index), alone, index) - second.insertion(index)

    whole = np.arange(len(alone))
    least, most = shared_range(first, second, alone, whole)
    reached = [least <= kept <= most for kept in second.kept(alone, whole)]
    drawn = np.array([of(index) for index in resamples(len(alone), count, seed)])
    return [one if inside else None for one, inside in zip(_intervals(of(whole), drawn), reached, strict=True)]


def point_intervals(curve: Curve, alone: Floats, count: int, seed: int = 0) -> list[tuple[Interval, Interval]]:
    """(insertion, background kept) of each weight, with percentile intervals over pairs."""
    whole, drawn = np.arange(len(alone)), resamples(len(alone), count, seed)
    insertion = _intervals(curve.insertion(whole), np.array([curve.insertion(index) for index in drawn]))
    kept = _intervals(curve.kept(alone, whole), np.array([curve.kept(alone, index) for index in drawn]))
    return list(zip(insertion, kept, strict=True))


def _intervals(values: Floats, drawn: Floats) -> list[Interval]:
    """Percentile intervals of values [K] by their resamples [R, K]."""
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return [Interval(float(v), float(a), float(b)) for v, a, b in zip(values, low, high, strict=True)]


__all__ = ["Curve", "advantage", "advantage_interval", "leads", "point_intervals", "shared_range"]
