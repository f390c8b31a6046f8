"""A number with its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
LEAST_RANKED = 5
"""Fewer numbers than this have no rank correlation worth an interval."""


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval.

    Attributes:
        value: the number.
        low: lower end.
        high: upper end.
        df: degrees of freedom of Student's t, of which it is; None where it is of resamples.
        classes: how many classes it takes for a sample; 0 where its units are clips.
        evaluators: how many evaluators it takes for one; 1 where there was one.
    """

    value: float
    low: float
    high: float
    df: float | None = None
    classes: int = 0
    evaluators: int = 1

    @classmethod
    def student(cls, value: float, variance: float, df: float, classes: int = 0, evaluators: int = 1) -> Interval:
        """Student's interval of a number of some variance, which is known with `df` degrees of freedom."""
        half = quantile(df) * math.sqrt(variance) if variance > 0 else 0.0
        return cls(value, value - half, value + half, df, classes, evaluators)

    def times(self, factor: float) -> Interval:
        """In another unit, such as percent in place of shares."""
        return replace(self, value=factor * self.value, low=factor * self.low, high=factor * self.high)

    def less(self, than: float) -> Interval:
        """Of the number minus a known one."""
        return replace(self, value=self.value - than, low=self.low - than, high=self.high - than)

    def within(self, least: float, most: float) -> Interval:
        """Of a number that cannot lie outside these: the ends are cut there."""
        return replace(self, low=max(float(least), self.low), high=min(float(most), self.high))


def two_sided_p(distance: float, half: float, df: float | None) -> float:
    """p of a number that lies `distance` on its own side of another, where `half` is what its 95 % interval reaches to
    the other: it is below 0.05 exactly where the interval does not reach it.

    Args:
        distance: negative where it lies on the other side; p is then 1.
        half: from the number to the end of its interval.
        df: degrees of freedom of Student's t; None is the normal distribution.
    """
    from scipy.special import ndtr, stdtr

    if half <= 0:
        return 0.0 if distance > 0 else 1.0
    below = -distance / half * quantile(df)
    return min(1.0, 2 * float(ndtr(below) if df is None else stdtr(df, below)))


def quantile(df: float | None, below: float = (1 + LEVEL) / 2) -> float:
    """How many standard errors a 95 % interval reaches to each side, or where another share lies `below`: by Student's
    t, or the normal distribution."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(below) if df is None else stdtrit(df, below))


def detectable(half: float, df: float | None, tests: int = 1, power: float = 0.8) -> float:
    """The effect that a test would have told from none with some power, by the standard error that was measured.

    Args:
        half: from the number to the end of its 95 % interval.
        df: degrees of freedom of Student's t; None is the normal distribution.
        tests: how many are made, by which the level of each is divided (Bonferroni, Holm's first step).
        power: chance to tell it.
    """
    return half / quantile(df) * (quantile(df, 1 - (1 - LEVEL) / 2 / tests) + quantile(df, power))


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> Interval:
    """Spearman's rho with an interval by Fisher's z, whose variance is 1.06 / (n - 3) (Fieller, Hartley and Pearson
    1957). Of so few numbers as the rows of a table a bootstrap holds the truth too seldom.

    Raises:
        ValueError: there are fewer than `LEAST_RANKED` numbers.
    """
    from scipy.stats import spearmanr

    n = len(first)
    if n < LEAST_RANKED:
        raise ValueError(f"a rank correlation of {n} numbers")
    rho = float(spearmanr(first, second).statistic)
    most = 1 - 1 / n**2  # of a rho of 1 z is infinite
    z, half = math.atanh(max(-most, min(most, rho))), quantile(None) * math.sqrt(1.06 / (n - 3))
    return Interval(rho, min(rho, math.tanh(z - half)), max(rho, math.tanh(z + half)))


__all__ = ["LEAST_RANKED", "LEVEL", "Interval", "detectable", "quantile", "spearman", "two_sided_p"]
