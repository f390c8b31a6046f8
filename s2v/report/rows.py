"""The rows of a table: metrics of all seeds of a method, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2v.errors import UserError
from s2v.evaluate.crossed import crossed, crossed_statistic
from s2v.evaluate.fidelity import FrechetDistances, InceptionScores, Reference
from s2v.evaluate.interval import Interval
from s2v.evaluate.resampling import resamples
from s2v.evaluate.result import Result, read_result
from s2v.files import read_parquet
from s2v.tensors import load_tensors

WIDE = 512
"""From this many features on, FID takes seconds and is resampled fewer times."""

Clips = NDArray[np.int64]
T = TypeVar("T")


@dataclass
class Row:
    """One method over all its seeds and trainings.

    Attributes:
        result: of its first seed; what all of them say alike is read here.
        seeds: of generation; where there are several trainings, those of all of them, one after another.
        trainings: number of the training seed of each of `seeds`.
        clips: ids.
        labels: of the clips; None where one has none.
        r1: R@1, a share; None where it could not be had, as the other metrics.
        r5: R@5.
        fid: FID.
        inception: IS.
        kid: KID.
        fids: FID of each evaluator where there are several, the first one's first, [E]; the mean over seeds.
        inceptions: IS, likewise.
        hits: R@1 hit of each evaluator, seed and labelled clip, [E, S, N]; for paired differences.
        hits5: R@5 hit, likewise.
        features: the evaluator's features of each seed's pictures, [N, F], for FID.
        reference: the real pictures' statistics, for FID.
        probabilities: class posteriors of each seed's pictures, [N, K], for IS.
        seen: the same features, where there is no FID too.
        frames: features of the real pictures, [M, F].
        scores: further numbers of each seed's pictures, whose means are metrics: name -> [S, N].
        accepted: of each evaluator that can tell, seed and clip, whether the picture is of any class at all, [E, S, N].
        named: of each evaluator, seed and labelled clip, the class that it takes the picture for, [E, S, N].
    """

    result: Result
    seeds: list[int]
    trainings: list[int]
    clips: list[str]
    labels: list[str | None]
    r1: Interval | None = None
    r5: Interval | None = None
    fid: Interval | None = None
    inception: Interval | None = None
    kid: float | None = None
    fids: list[float] = field(default_factory=list)
    inceptions: list[float] = field(default_factory=list)
    hits: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    hits5: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    features: list[Tensor] = field(default_factory=list)
    reference: Reference | None = None
    probabilities: list[Tensor] = field(default_factory=list)
    seen: list[Tensor] = field(default_factory=list)
    frames: Tensor = field(default_factory=lambda: torch.empty(0, 0))
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    accepted: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    named: NDArray[np.str_] = field(default_factory=lambda: np.zeros((0, 0, 0), np.str_))
    _known: dict[tuple[str, int, bytes], float] = field(default_factory=dict)
    _kept: dict[tuple[str, int], Any] = field(default_factory=dict)

    def runs(self) -> list[list[int]]:
        """Positions in `seeds` of each training."""
        return [[i for i, other in enumerate(self.trainings) if other == n] for n in dict.fromkeys(self.trainings)]

    def by_training(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """[..., S, N] of seeds and clips -> [..., T, N], the mean over the seeds of each training."""
        return np.stack([values[..., own, :].mean(-2) for own in self.runs()], axis=-2)

    def classes_of(self, values: NDArray[np.float64]) -> list[str | None]:
        """Classes of the clips of some values [..., N], which are of all clips or of those with a label."""
        labelled: list[str | None] = [label for label in self.labels if label]
        return labelled if values.shape[-1] == len(labelled) else self.labels

    def only(self, clips: frozenset[str]) -> Row | None:
        """Its hits on some clips alone, without the metrics of whole sets; None where it has none of them."""
        kept = [i for i, clip in enumerate(self.clips) if clip in clips and self.labels[i]]
        if not kept or self.r1 is None:
            return None
        place = {i: n for n, i in enumerate(i for i, label in enumerate(self.labels) if label)}
        columns = [place[i] for i in kept]
        hits, hits5 = self.hits[..., columns], self.hits5[..., columns]
        names, labels = [self.clips[i] for i in kept], [self.labels[i] for i in kept]
        found = Row(self.result, self.seeds, self.trainings, names, labels, hits=hits, hits5=hits5)
        found.r1, found.r5 = found.mean(hits), found.mean(hits5)
        return found

    def mean(self, values: NDArray[np.float64]) -> Interval:
        """Over trainings and clips, and over evaluators where there are several, of values [..., S, N]."""
        return crossed(self.by_training(values), self.classes_of(values))

    def same(self, run: int) -> int:
        """The first seed that has the same pictures as another: a method that draws no noise has them alike."""
        seen = [tensors for tensors in (self.seen, self.probabilities) if tensors]
        return self.kept(
            ("same", run),
            lambda: next(i for i in range(run + 1) if all(torch.equal(one[i], one[run]) for one in seen)),
        )

    def frechet(self, run: int, clips: Clips) -> float:
        """FID of some clips' pictures of one seed."""
        assert self.reference is not None
        reference, run = self.reference, self.same(run)

        def distances() -> FrechetDistances:
            return self.kept(("distances", run), lambda: FrechetDistances(self.features[run], reference))

        return self.once("FID", run, clips, lambda index: distances().distance(index))

    def inception_of(self, run: int, clips: Clips) -> float:
        """IS of some clips' pictures of one seed."""
        splits, run = self.result.inception_splits, self.same(run)

        def scores() -> InceptionScores:
            return self.kept(("scores", run), lambda: InceptionScores(self.probabilities[run], splits))

        return self.once("IS", run, clips, lambda index: scores().score(index))

    def kept(self, key: tuple[str, int], make: Callable[[], T]) -> T:
        """What a metric computes of a seed before clips are resampled, computed once."""
        if key not in self._kept:
            self._kept[key] = make()
        return cast(T, self._kept[key])

    def forget(self, name: str) -> None:
        """Give back the memory of what was `kept` under a name; numbers that came of it stay."""
        self._kept = {key: value for key, value in self._kept.items() if key[0] != name}

    def once(self, metric: str, run: int, clips: Clips, of: Callable[[Tensor], float]) -> float:
        """A metric, computed once: all intervals of a table resample the same clips (`resampling.resamples`)."""
        key = (metric, run, blake2b(clips.tobytes(), digest_size=16).digest())
        if key not in self._known:
            self._known[key] = of(torch.from_numpy(clips))
        return self._known[key]

    def fid_resamples(self, bootstrap: int) -> int:
        """Resamples of what is slow with many features."""
        return 20 if self.seen[0].shape[1] >= WIDE else statistic_resamples(bootstrap)

    @property
    def real(self) -> bool:
        """Whether its pictures are real ones, for which the paper gives no FID and IS."""
        return self.result.letter in ("C", "D")

    @property
    def drawn(self) -> str:
        """Which seeds and trainings the numbers are means over, in words."""
        seeds = ", ".join(map(str, dict.fromkeys(self.seeds)))
        some = list(dict.fromkeys(self.trainings))
        return seeds if some == [0] else f"{seeds} of trainings {', '.join(map(str, some))}"


def load_rows(results: list[Path], bootstrap: int) -> dict[str, Row]:
    """Read what stage evaluate wrote (each JSON with its .parquet and .safetensors beside it), one row a method.

    Args:
        results: JSON files of all methods and seeds.
        bootstrap: resamples, of which FID and IS, whose intervals need only a spread, take a tenth, 20 to 200.

    Raises:
        UserError: no results, or the seeds of a method or the evaluators of a table do not belong together.
    """
    loaded = [(path, read_result(path)) for path in results]
    if not loaded:
        raise UserError("table: there are no results to make it from")
    labels = {"; ".join((result.evaluator, *result.further)) for _, result in loaded}
    if len(labels) > 1:
        raise UserError(f"table: results of different evaluators do not compare ({' | '.join(sorted(labels))})")
    groups: dict[str, list[tuple[Path, Result]]] = {}
    for path, result in sorted(loaded, key=lambda item: (item[1].method, item[1].training, item[1].seed)):
        groups.setdefault(result.method, []).append((path, result))
    references: list[tuple[Tensor, Reference]] = []
    rows = [_row(group, bootstrap, references) for group in groups.values()]
    order = sorted(rows, key=lambda row: (not row.result.main, row.result.letter, row.result.method))
    return {row.result.method: row for row in order}


def _row(group: list[tuple[Path, Result]], bootstrap: int, references: list[tuple[Tensor, Reference]]) -> Row:
    first = group[0][1]
    tables = [
        read_parquet(path.with_suffix(".parquet"), ["clip_id", "label", "rank", "further", "accepted", "named"])
        for path, _ in group
    ]
    clips = [entry["clip_id"] for entry in tables[0]]
    if any([entry["clip_id"] for entry in table] != clips for table in tables):
        raise UserError(f"table: the seeds of {first.method} saw different clips; run stage generate again")
    rank = np.array([[[r or 0 for r in (entry["rank"], *entry["further"])] for entry in table] for table in tables])
    accepted = np.array([[entry["accepted"] for entry in table] for table in tables], np.float64)
    tensors: list[dict[str, Tensor]] = []
    if first.inception is not None:
        need = ("probabilities", "features", "reference")
        tensors = [load_tensors(path.with_suffix(".safetensors"), need=need) for path, _ in group]
        for (path, _), each in zip(group, tensors, strict=True):
            if not len(each["probabilities"]) == len(each["features"]) == len(clips):
                raise UserError(f"{path}: its tensors are not of {len(clips)} clips; run stage evaluate again")
    labels = [entry["label"] for entry in tables[0]]
    results = [result for _, result in group]
    ranks, accepted = np.moveaxis(rank, -1, 0), np.moveaxis(accepted, -1, 0)
    row = row_of(results, clips, labels, ranks, tensors, bootstrap, accepted, references)
    named = np.array([[entry["named"] for entry in table if entry["named"]] for table in tables], np.str_)
    row.named = np.moveaxis(named, -1, 0) if named.size else row.named
    return row


def row_of(
    results: list[Result],
    clips: list[str],
    labels: list[str | None],
    ranks: NDArray[np.int64],
    tensors: list[dict[str, Tensor]],
    bootstrap: int,
    accepted: NDArray[np.float64] | None = None,
    references: list[tuple[Tensor, Reference]] | None = None,
) -> Row:
    """A row of what was measured.

    Args:
        results: of all seeds.
        clips: ids.
        labels: of the clips; None where one has none.
        ranks: of each evaluator, seed and clip, [E, S, N]; 0 where there is none.
        tensors: of each seed, as `s2v.evaluate.evaluate.Measured` has them; not read where there is no IS.
        bootstrap: resamples, of which FID and IS take a tenth, 20 to 200.
        accepted: of each evaluator, seed and clip, whether it takes the picture for one of any class, [E, S, N].
        references: statistics of real pictures' features that other rows had; this row's are added.
    """
    first = results[0]
    row = Row(first, [result.seed for result in results], [result.training for result in results], clips, labels)
    ranked = (ranks > 0).all((0, 1))
    ranks = ranks[..., ranked]
    if ranks.size:
        row.hits, row.hits5 = ((ranks <= k).astype(np.float64) for k in (1, 5))
        row.r1, row.r5 = (row.mean(hits).within(0, 1) for hits in (row.hits, row.hits5))
    if first.inception is not None:
        row.probabilities, row.seen = ([each[name] for each in tensors] for name in ("probabilities", "features"))
        row.inception = interval(row, row.inception_of, statistic_resamples(bootstrap), "scores")
        if first.fid is not None:
            row.features, row.frames = row.seen, tensors[0]["reference"]
            row.reference = _reference(row.frames, [] if references is None else references)
            row.fid = interval(row, row.frechet, row.fid_resamples(bootstrap), "distances")
    if accepted is not None:
        row.accepted = accepted
    if first.kid is not None:
        row.kid = float(np.mean([result.kid for result in results]))
    row.fids = np.mean([result.fid_by_evaluator for result in results], 0).tolist()
    row.inceptions = np.mean([result.is_by_evaluator for result in results], 0).tolist()
    return row


def _reference(frames: Tensor, known: list[tuple[Tensor, Reference]]) -> Reference:
    """Statistics of the real pictures, which most rows of a table share."""
    for other, reference in known:
        if torch.equal(other, frames):
            return reference
    known.append((frames, Reference.of(frames)))
    return known[-1][1]


def statistic_resamples(bootstrap: int) -> int:
    """Resamples of a statistic whose interval needs only a spread, where others take `bootstrap`."""
    return min(200, max(20, bootstrap // 10))


def interval(row: Row, statistic: Callable[[int, Clips], float], count: int, kept: str = "") -> Interval:
    """Over clips and trainings, of a statistic of (run, clips); it is the mean over the runs of a training.

    `kept` is what the statistic keeps of a run and needs no more once it is known: it is never held of two runs.
    """
    runs, n = row.runs(), len(row.clips)
    for run in range(len(row.seeds)) if kept else ():
        for clips in (np.arange(n, dtype=np.int64), *resamples(n, count)):
            statistic(run, clips)
        row.forget(kept)

    def over(trainings: NDArray[np.int64], clips: Clips) -> float:
        return float(np.mean([np.mean([statistic(run, clips) for run in runs[n]]) for n in trainings]))

    return crossed_statistic(over, n, len(runs), count)


__all__ = ["Clips", "Row", "interval", "load_rows", "row_of", "statistic_resamples"]
