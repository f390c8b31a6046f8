"""Every metric of the protocol, once: what it reads of a row, its interval, and the difference of two rows in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from s2v.errors import UserError
from s2v.evaluate.crossed import crossed, crossed_statistic
from s2v.evaluate.diversity import Spread, vendi
from s2v.evaluate.fidelity import Kernels
from s2v.evaluate.interval import Interval
from s2v.evaluate.neighbours import NAMES, K, Neighbourhoods, radii
from s2v.report.rows import Clips, Row, interval, statistic_resamples


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as JSON files and tables have it.
        better: the side on which a better row lies; None where neither is better of itself.
        percent: a share, which tables show in percent.
        values: what it is the mean of, one for each seed and clip, [S, N], or for each evaluator too, [E, S, N]; None
            where it is no mean over clips.
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
        """The metric of a row that has it; a share's interval ends at 0 and 1."""
        if self.values is not None:
            found = row.mean(self.values(row))
        else:
            assert self.statistic is not None
            found = interval(row, partial(self.statistic, row), self._count(row, bootstrap))
        return found.within(0, 1) if self.percent else found

    def difference(self, first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
        """`first` minus `second`, paired over clips and evaluators, and the same of each training alone.

        Trainings of the same number share their seed and are compared with each other; those that one of both lacks
        are left out. A row of one training is compared with all of the other's.

        Raises:
            UserError: the rows are not of the same clips.
        """
        if first.clips != second.clips:
            names = f"{first.result.method} and {second.result.method}"
            raise UserError(f"{names} are not of the same clips; run stage generate again")
        if self.values is not None:
            return _mean_difference(first, second, self.values)
        assert self.statistic is not None
        return _set_difference(first, second, self.statistic, self._count(first, bootstrap))

    def _count(self, row: Row, bootstrap: int) -> int:
        slow = self.name in ("FID", "Vendi")
        return row.fid_resamples(bootstrap) if slow else statistic_resamples(bootstrap)

    @property
    def of_real(self) -> bool:
        """Whether real pictures have a part in it, which are brought to the made ones' size."""
        return self.name in ("FID", "KID", *NAMES) or self.name.startswith("IIS")

    def lacks(self, row: Row) -> str | None:
        """Why a row does not have it; None where it has."""
        if self.name in row.result.missing:
            return row.result.missing[self.name]
        if self.name in ("R@1", "R@5"):
            return None if row.hits.size else "no clip has a label"
        if self in GATED and not (row.accepted.size and row.hits.size):
            return "no evaluator was taught to answer none of these"
        if self.name in ("FID", "KID", *NAMES) or self in GATED:
            if not row.features:
                return row.result.missing.get("FID", "there are no real pictures; give --reference")
            few = min(len(row.clips), len(row.frames)) <= K
            near = self.name in NAMES or self in GATED
            return f"it needs more than {K} pictures, made and real" if near and few else None
        if self.name == "diversity":
            few = len(row.seeds) < 2 or len(row.clips) < 2
            return "it needs two pictures or more of each sound" if few else None
        measured = bool(row.probabilities) if self.name in ("IS", "Vendi") else self.name in row.scores
        return None if measured else "it was not measured"


def _mean_difference(
    first: Row, second: Row, values: Callable[[Row], NDArray[np.float64]]
) -> tuple[Interval, list[float]]:
    a, b = (row.by_training(values(row)) for row in (first, second))
    one, other = paired(first, second)
    difference = a[..., one, :] - b[..., other, :]
    alone = difference.mean(-1).reshape(-1, difference.shape[-2]).mean(0)
    return crossed(difference, first.classes_of(difference)), [float(value) for value in alone]


def paired(first: Row, second: Row) -> tuple[list[int], list[int]]:
    """Places of the trainings of two rows that are compared with each other (`Row.runs`).

    Raises:
        UserError: both have several, and none in common.
    """
    a, b = (list(dict.fromkeys(row.trainings)) for row in (first, second))
    if 1 in (len(a), len(b)):
        every = range(max(len(a), len(b)))
        return [i % len(a) for i in every], [i % len(b) for i in every]
    common = [n for n in a if n in b]
    if not common:
        raise UserError(f"{first.result.method} and {second.result.method} have no training in common")
    return [a.index(n) for n in common], [b.index(n) for n in common]


def _set_difference(
    first: Row, second: Row, statistic: Callable[[Row, int, Clips], float], count: int
) -> tuple[Interval, list[float]]:
    one, other = paired(first, second)
    a, b, trainings = first.runs(), second.runs(), len(one)

    def over(numbers: NDArray[np.int64], clips: Clips) -> float:
        return float(np.mean([_mean(first, a[one[n]], clips) - _mean(second, b[other[n]], clips) for n in numbers]))

    def _mean(row: Row, runs: list[int], clips: Clips) -> float:
        return float(np.mean([statistic(row, run, clips) for run in runs]))

    every = np.arange(len(first.clips), dtype=np.int64)
    alone = [over(np.array([n], dtype=np.int64), every) for n in range(trainings)]
    return crossed_statistic(over, len(first.clips), trainings, count), alone


def _neighbours(name: str) -> Callable[[Row, int, Clips], float]:
    def statistic(row: Row, run: int, clips: Clips) -> float:
        return row.once(name, run, clips, lambda index: _balls(row, run).of(name, index.numpy()))

    return statistic


def _by_picture(name: str) -> Callable[[Row], NDArray[np.float64]]:
    def values(row: Row) -> NDArray[np.float64]:
        return np.stack([_balls(row, run).by_picture(name) for run in range(len(row.features))])

    return values


def _gated(k: int) -> Callable[[Row], NDArray[np.float64]]:
    def values(row: Row) -> NDArray[np.float64]:
        hits, labelled = (row.hits if k == 1 else row.hits5), [i for i, label in enumerate(row.labels) if label]
        accepted = row.accepted if len(row.accepted) == len(hits) else row.accepted.min(0, keepdims=True)
        return np.asarray(hits * (accepted * _by_picture("precision")(row))[..., labelled])

    return values


def _balls(row: Row, run: int) -> Neighbourhoods:
    run, reach = row.same(run), row.kept(("radii", 0), lambda: radii(row.frames))
    return row.kept(("neighbours", run), lambda: Neighbourhoods(row.features[run], row.frames, reach=reach))


def _kernel(row: Row, run: int, clips: Clips) -> float:
    run = row.same(run)
    found = row.kept(("kernels", run), lambda: Kernels(row.features[run], row.frames))
    return row.once("KID", run, clips, found.distance)


def _vendi(row: Row, run: int, clips: Clips) -> float:
    run = row.same(run)
    return row.once("Vendi", run, clips, lambda index: vendi(row.seen[run][index]))


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
    Metric("Vendi", None, statistic=_vendi),
)  # fmt: skip
"""Metrics of every evaluator."""


GATED = tuple(Metric(f"R@{k} gated", percent=True, values=_gated(k)) for k in (1, 5))
"""R@k of pictures that are of any class, and inside the balls of real ones: where an evaluator can tell."""


def scored(name: str) -> Metric:
    """A metric that is a mean of `Row.scores`: those of sounds and paired frames, by their names."""
    kind = name.partition("/")[0]
    known = {"percentile": 0.5, "zscore": 0.0}.get(kind.partition("-")[2])
    return Metric(
        name, percent=kind == "AIC", values=lambda row: row.scores[name],
        chance=lambda row: 1 / row.result.classes if kind == "AIC" and row.result.classes else known,
    )  # fmt: skip


def metric_of(name: str) -> Metric:
    """The metric of a name."""
    return next((one for one in (*FIXED, *GATED) if one.name == name), None) or scored(name)


def metrics_of(*rows: Row) -> list[Metric]:
    """All metrics that any of the rows may have."""
    names = dict.fromkeys(name for row in rows for name in row.scores)
    return [*FIXED, *(scored(name) for name in names)]


__all__ = ["FIXED", "GATED", "Metric", "metric_of", "metrics_of", "paired"]
