"""The rows of a table: metrics of all seeds of a method, with 95 % intervals over test clips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2v.errors import UserError
from s2v.evaluate.bootstrap import Interval, crossed, crossed_statistic
from s2v.evaluate.fidelity import Reference, frechet_distance, inception_score
from s2v.files import read_json, read_parquet
from s2v.tensors import load_tensors

WIDE = 512
"""From this many features on, FID takes seconds and is resampled fewer times."""


@dataclass
class Row:
    """One method over all its seeds."""

    method: str
    info: dict[str, Any]
    """The fields that stage evaluate copied from the pictures' records."""
    seeds: list[int]
    """Of generation; where there are several trainings, those of all of them, one after another."""
    clips: list[str]
    r1: Interval | None = None
    r5: Interval | None = None
    fid: Interval | None = None
    inception: Interval | None = None
    kid: float | None = None
    hits: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    """R@1 hit of each seed and labelled clip, [S, N]; for paired differences."""
    classes: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    trainings: list[int] = field(default_factory=lambda: [0])
    """Number of the training seed of each of `seeds`."""

    hits5: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    """R@5 hit, likewise."""
    features: list[Tensor] = field(default_factory=list)
    """The evaluator's features of each seed's pictures, for FID."""
    reference: Reference | None = None
    probabilities: list[Tensor] = field(default_factory=list)
    """Its class posteriors, for IS in `splits` parts."""
    splits: int = 0

    def runs(self) -> list[list[int]]:
        """Positions in `seeds` of each training."""
        return [[i for i, other in enumerate(self.trainings) if other == n] for n in dict.fromkeys(self.trainings)]

    def by_training(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """[S, N] of seeds and clips -> [T, N], the mean over the seeds of each training."""
        return np.stack([values[own].mean(0) for own in self.runs()])

    def frechet(self, run: int, index: Tensor) -> float:
        """FID of some clips' pictures of one seed."""
        assert self.reference is not None
        return frechet_distance(self.features[run][index], self.reference)

    def inception_of(self, run: int, index: Tensor) -> float:
        """IS of some clips' pictures of one seed."""
        return inception_score(self.probabilities[run][index], self.splits)[0]

    def fid_resamples(self, bootstrap: int) -> int:
        """Resamples of FID."""
        return 20 if self.features[0].shape[1] >= WIDE else statistic_resamples(bootstrap)

    @property
    def drawn(self) -> str:
        """Which seeds and trainings the numbers are means over, in words."""
        seeds = ", ".join(map(str, dict.fromkeys(self.seeds)))
        some = list(dict.fromkeys(self.trainings))
        return seeds if some == [0] else f"{seeds} of trainings {', '.join(map(str, some))}"


def load_rows(results: list[Path], bootstrap: int) -> dict[str, Row]:
    """Read what stage evaluate wrote (each JSON with its .parquet and .safetensors beside it), one row a
    method.

    Args:
        results: JSON files of all methods and seeds.
        bootstrap: resamples of R@k. FID and IS, whose intervals need only a spread, take a tenth, 20 to 200.

    Raises:
        UserError: no results, or the seeds of a method or the evaluators of a table do not belong together.
    """
    loaded = [(path, read_json(path)) for path in results]
    if not loaded:
        raise UserError("table: there are no results to make it from")
    labels = {value["evaluator"] for _, value in loaded}
    if len(labels) > 1:
        raise UserError(f"table: results of different evaluators do not compare ({'; '.join(sorted(labels))})")
    groups: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for path, value in sorted(
        loaded, key=lambda item: (item[1]["method"], item[1].get("training") or 0, item[1]["seed"])
    ):
        groups.setdefault(value["method"], []).append((path, value))
    rows = [_row(group, bootstrap) for group in groups.values()]
    return {row.method: row for row in sorted(rows, key=lambda r: (not r.info["main"], r.info["letter"], r.method))}


def _row(group: list[tuple[Path, dict[str, Any]]], bootstrap: int) -> Row:
    first = group[0][1]
    tables = [read_parquet(path.with_suffix(".parquet")) for path, _ in group]
    clips = [entry["clip_id"] for entry in tables[0]]
    if any([entry["clip_id"] for entry in table] != clips for table in tables):
        raise UserError(f"table: the seeds of {first['method']} saw different clips; run stage generate again")
    row = Row(
        first["method"],
        first,
        [value["seed"] for _, value in group],
        clips,
        classes=first["classes"],
        missing=first["missing"],
        trainings=[value.get("training") or 0 for _, value in group],
    )
    rank = np.array([[entry["rank"] or 0 for entry in table] for table in tables])
    rank = rank[:, (rank > 0).all(0)]
    if rank.size:
        row.hits, row.hits5 = (rank <= 1).astype(np.float64), (rank <= 5).astype(np.float64)
        row.r1, row.r5 = (crossed(row.by_training(hits), bootstrap) for hits in (row.hits, row.hits5))
    if first["IS"] is not None:
        tensors = [load_tensors(path.with_suffix(".safetensors")) for path, _ in group]
        _distribution(row, tensors, first["inception_splits"], bootstrap)
    if first["KID"] is not None:
        row.kid = float(np.mean([value["KID"] for _, value in group]))
    return row


def _distribution(row: Row, tensors: list[dict[str, Tensor]], splits: int, bootstrap: int) -> None:
    row.probabilities, row.splits = [t["probabilities"] for t in tensors], splits
    row.inception = _interval(row, row.inception_of, statistic_resamples(bootstrap))
    if row.info["FID"] is None:
        return
    row.features, row.reference = [t["features"] for t in tensors], Reference.of(tensors[0]["reference"])
    row.fid = _interval(row, row.frechet, row.fid_resamples(bootstrap))


def statistic_resamples(bootstrap: int) -> int:
    """Resamples of a statistic whose interval needs only a spread, where R@k takes `bootstrap`."""
    return min(200, max(20, bootstrap // 10))


def _interval(row: Row, statistic: Callable[[int, Tensor], float], count: int) -> Interval:
    """Over clips and trainings, of a statistic of (run, clips); it is the mean over the runs of a training."""
    runs = row.runs()

    def over(trainings: NDArray[np.int64], clips: NDArray[np.int64]) -> float:
        index = torch.from_numpy(clips)
        return float(np.mean([np.mean([statistic(run, index) for run in runs[n]]) for n in trainings]))

    return crossed_statistic(over, len(row.clips), len(runs), count)


def hit_difference(first: Row, second: Row, bootstrap: int, k: int = 1) -> tuple[Interval, list[float]]:
    """R@k of `first` minus that of `second` over the same clips, and that of each training alone.

    Trainings of the same number share their seed and are compared with each other; a row of one training is compared
    with all of the other's.

    Raises:
        UserError: the rows are not of the same clips.
    """
    if first.clips != second.clips:
        raise UserError(f"{first.method} and {second.method} are not of the same clips; run stage generate again")
    a, b = (row.by_training(row.hits if k == 1 else row.hits5) for row in (first, second))
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        a, b = a.mean(0, keepdims=True), b.mean(0, keepdims=True)
    difference = a - b
    return crossed(difference, bootstrap), [float(value) for value in difference.mean(1)]


def fid_difference(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """FID of `first` minus that of `second`, as `hit_difference`; clips are resampled in both alike."""
    return _difference(first, second, Row.frechet, first.fid_resamples(bootstrap))


def inception_difference(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """IS of `first` minus that of `second`, as `fid_difference`."""
    return _difference(first, second, Row.inception_of, statistic_resamples(bootstrap))


def _difference(
    first: Row, second: Row, statistic: Callable[[Row, int, Tensor], float], count: int
) -> tuple[Interval, list[float]]:
    if first.clips != second.clips:
        raise UserError(f"{first.method} and {second.method} are not of the same clips; run stage generate again")
    a, b = first.runs(), second.runs()
    if len(a) != len(b):  # then each as a whole, or the one training with all of the other's
        a, b = ([[run for own in x for run in own]] if 1 not in (len(a), len(b)) else x for x in (a, b))
    trainings = max(len(a), len(b))

    def over(numbers: NDArray[np.int64], clips: NDArray[np.int64]) -> float:
        index = torch.from_numpy(clips)
        return float(np.mean([_mean(first, a, n, index) - _mean(second, b, n, index) for n in numbers]))

    def _mean(row: Row, runs: list[list[int]], n: int, index: Tensor) -> float:
        return float(np.mean([statistic(row, run, index) for run in runs[n % len(runs)]]))

    every = np.arange(len(first.clips), dtype=np.int64)
    alone = [over(np.array([n], dtype=np.int64), every) for n in range(trainings)]
    return crossed_statistic(over, len(first.clips), trainings, count), alone


__all__ = ["Row", "fid_difference", "hit_difference", "inception_difference", "load_rows"]
