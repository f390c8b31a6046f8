"""Every metric of the protocol, once: what it reads of a row, its interval, and the difference of two rows in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from s2v.evaluate.bootstrap import Interval, crossed
from s2v.evaluate.diversity import Spread
from s2v.evaluate.fidelity import Kernels
from s2v.evaluate.neighbours import NAMES, K, Neighbourhoods
from s2v.report.comparisons import mean_difference, set_difference
from s2v.report.rows import Clips, Row, interval, statistic_resamples


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as JSON files and tables have it.
        better: the side on which a better row lies; None where neither is better of itself.
        percent: a share, which tables show in percent.
        values: what it is the mean of, one for each seed and clip, [S, N]; None where it is no mean over clips.
        statistic: of (row, seed, clips), where it is none.
        chance: what a row has whose pictures have nothing to do with their sounds, where that is known.
    """

    name: str
    better: Literal["above", "below"] | None = "above"
    percent: bool = False
    values: Callable[[Row], NDArray[np.float64]] | None = None
    statistic: Callable[[Row, int, Clips], float] | None = None
    chance: Callable[[Row], float | None] = lambda row: None

    def interval(self, row: Row, bootstrap: int) -> Interval:
        """The metric of a row that has it. A mean gets a percentile interval, others +- 1.96 standard deviations, of
        which a share's end at 0 and 1."""
        if self.values is not None:
            return crossed(row.by_training(self.values(row)), bootstrap)
        assert self.statistic is not None
        found = interval(row, partial(self.statistic, row), self._count(row, bootstrap))
        return Interval(found.value, max(0.0, found.low), min(1.0, found.high)) if self.percent else found

    def difference(self, first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
        """`first` minus `second`, paired over clips, and the same of each training alone."""
        if self.values is not None:
            return mean_difference(first, second, self.values, bootstrap)
        assert self.statistic is not None
        return set_difference(first, second, self.statistic, self._count(first, bootstrap))

    def _count(self, row: Row, bootstrap: int) -> int:
        return row.fid_resamples(bootstrap) if self.name == "FID" else statistic_resamples(bootstrap)

    def lacks(self, row: Row) -> str | None:
        """Why a row does not have it; None where it has."""
        if self.name in row.result.missing:
            return row.result.missing[self.name]
        if self.name in ("R@1", "R@5"):
            return None if row.hits.size else "no clip has a label"
        if self.name in ("FID", "KID", *NAMES):
            if not row.features:
                return row.result.missing.get("FID", "there are no real pictures; give --reference")
            few = min(len(row.clips), len(row.frames)) <= K
            return f"it needs more than {K} pictures, made and real" if self.name in NAMES and few else None
        if self.name == "diversity":
            few = len(row.seeds) < 2 or len(row.clips) < 2
            return "it needs two pictures or more of each sound" if few else None
        return None if self.name in row.scores or self.name == "IS" else "it was not measured"


def _neighbours(name: str) -> Callable[[Row, int, Clips], float]:
    def statistic(row: Row, run: int, clips: Clips) -> float:
        return row.once(name, run, clips, lambda index: _balls(row, run).of(name, index.numpy()))

    return statistic


def _by_picture(name: str) -> Callable[[Row], NDArray[np.float64]]:
    def values(row: Row) -> NDArray[np.float64]:
        return np.stack([_balls(row, run).by_picture(name) for run in range(len(row.features))])

    return values


def _balls(row: Row, run: int) -> Neighbourhoods:
    return row.kept(("neighbours", run), lambda: Neighbourhoods(row.features[run], row.frames))


def _kernel(row: Row, run: int, clips: Clips) -> float:
    found = row.kept(("kernels", run), lambda: Kernels(row.features[run], row.frames))
    return row.once("KID", run, clips, found.distance)


def _diversity(row: Row, run: int, clips: Clips) -> float:
    found = row.kept(("spread", 0), lambda: Spread(torch.stack(row.seen)))
    return row.once("diversity", 0, clips, lambda index: found.of(index.numpy()))  # of all seeds at once


FIXED = (
    Metric("R@1", percent=True, values=lambda row: row.hits,
           chance=lambda row: 1 / row.result.classes if row.result.classes else None),
    Metric("R@5", percent=True, values=lambda row: row.hits5,
           chance=lambda row: min(1.0, 5 / row.result.classes) if row.result.classes else None),
    Metric("FID", "below", statistic=Row.frechet),
    Metric("IS", statistic=Row.inception_of),
    Metric("KID", "below", statistic=_kernel),
    Metric("precision", percent=True, values=_by_picture("precision")),
    Metric("recall", percent=True, statistic=_neighbours("recall")),
    Metric("density", values=_by_picture("density")),
    Metric("coverage", percent=True, statistic=_neighbours("coverage")),
    Metric("diversity", None, statistic=_diversity, chance=lambda row: 1.0),
)  # fmt: skip
"""Metrics of every evaluator."""


def scored(name: str) -> Metric:
    """A metric that is a mean of `Row.scores`: those of sounds and paired frames, by their names."""
    kind = name.partition("/")[0]
    known = {"percentile": 0.5, "zscore": 0.0}.get(kind.partition("-")[2])
    return Metric(
        name, percent=kind == "AIC", values=lambda row: row.scores[name],
        chance=lambda row: 1 / row.result.classes if kind == "AIC" and row.result.classes else known,
    )  # fmt: skip


def metrics_of(*rows: Row) -> list[Metric]:
    """All metrics that any of the rows may have."""
    names = dict.fromkeys(name for row in rows for name in row.scores)
    return [*FIXED, *(scored(name) for name in names)]


__all__ = ["FIXED", "Metric", "metrics_of", "scored"]
