"""How diverse the pictures of a table are: of one sound under other noise, of one class, and all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from s2v.evaluate.crossed import crossed_statistic
from s2v.evaluate.diversity import Spread, within_class
from s2v.evaluate.interval import Interval
from s2v.report.measures import metric_of
from s2v.report.rows import Clips, Row, statistic_resamples
from s2v.report.tabular import Column, bullets, page, to_markdown

Named = tuple[str, Row]
Floats = NDArray[np.float64]


def of_one_sound(row: Row) -> Floats | None:
    """Mean distance between two pictures of one sound under other noise, [T, N] of trainings and clips; None where each
    training drew one picture of a sound."""
    if not row.seen or len(row.clips) < 2 or min(len(own) for own in row.runs()) < 2:
        return None
    return np.stack([Spread(torch.stack([row.seen[i] for i in own])).within for own in row.runs()])


def of_one_class(row: Row) -> Floats | None:
    """Mean distance between a picture and those of other sounds of its class, [T, N]; None without classes."""
    if not row.seen or not any(row.labels):
        return None
    return np.stack([np.mean([within_class(row.seen[i], row.labels) for i in own], axis=0) for own in row.runs()])


def over_real(row: Row, real: Row, bootstrap: int) -> Interval | None:
    """How far pictures of one sound are apart, over how far real frames of one class are; None where a clip has one of
    both alone, or is the only one of its class."""
    made, frames = of_one_sound(row), of_one_class(real)
    if made is None or frames is None or row.clips != real.clips or np.isnan(frames).any():
        return None

    def over(trainings: NDArray[np.int64], clips: Clips) -> float:
        return float(made[np.ix_(trainings, clips)].mean() / frames[:, clips].mean())

    return crossed_statistic(over, len(row.clips), len(made), statistic_resamples(bootstrap))


def diversity(rows: Sequence[Named]) -> str:
    """The section of a table's twin; empty where no row has several pictures of a sound."""
    if all(of_one_sound(row) is None for _, row in rows):
        return ""
    columns: list[Column[Named]] = [
        Column("Row", lambda one: one[0]),
        Column("of one sound", lambda one: _mean(of_one_sound(one[1])), digits=2),
        Column("of one class", lambda one: _mean(of_one_class(one[1])), digits=2),
        *(Column(name, lambda one, name=name: _value(one[1], name), digits=digits)  # type: ignore[misc]
          for name, digits in (("Vendi", 1), ("recall", 3), ("coverage", 3))),
    ]  # fmt: skip
    said = [
        "Of one sound: mean distance of the evaluator's features of two pictures of a sound under other noise. Of one "
        "class: of two sounds of a class; in the row of real frames, of two of these.",
        "Vendi: how many pictures with nothing in common would be as diverse. Recall and coverage: how much of the "
        "real frames the pictures reach.",
    ]
    return page("## Diversity", bullets(said), to_markdown(columns, list(rows))).rstrip()


def _mean(values: Floats | None) -> float | None:
    return None if values is None or np.isnan(values).all() else float(np.nanmean(values))


def _value(row: Row, name: str) -> float | None:
    metric = metric_of(name)
    if metric.lacks(row) is not None or metric.statistic is None:
        return None
    every = np.arange(len(row.clips), dtype=np.int64)
    return float(np.mean([metric.statistic(row, run, every) for run in range(len(row.seeds))]))


__all__ = ["diversity", "of_one_class", "of_one_sound", "over_real"]
