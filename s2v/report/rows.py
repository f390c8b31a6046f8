"""The rows of a table: metrics of all seeds of a method, with 95 % intervals over test clips."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2v.errors import UserError
from s2v.evaluate.bootstrap import Interval, mean_interval, statistic_interval
from s2v.evaluate.fidelity import Reference, frechet_distance, inception_score
from s2v.files import read_json, read_parquet
from s2v.train.checkpoint import load_tensors

WIDE = 512
"""From this many features on, FID takes seconds and is resampled fewer times."""


@dataclass
class Row:
    """One method over all its seeds."""

    method: str
    info: dict[str, Any]
    """The fields that stage evaluate copied from the pictures' records."""
    seeds: list[int]
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
        raise UserError(
            f"table: results of different evaluators do not compare ({'; '.join(sorted(labels))})"
        )
    groups: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for path, value in sorted(loaded, key=lambda item: (item[1]["method"], item[1]["seed"])):
        groups.setdefault(value["method"], []).append((path, value))
    rows = [_row(group, bootstrap) for group in groups.values()]
    return {
        row.method: row
        for row in sorted(rows, key=lambda r: (not r.info["main"], r.info["letter"], r.method))
    }


def _row(group: list[tuple[Path, dict[str, Any]]], bootstrap: int) -> Row:
    first = group[0][1]
    tables = [read_parquet(path.with_suffix(".parquet")) for path, _ in group]
    clips = [entry["clip_id"] for entry in tables[0]]
    if any([entry["clip_id"] for entry in table] != clips for table in tables):
        raise UserError(
            f"table: the seeds of {first['method']} saw different clips; run stage generate again"
        )
    row = Row(
        first["method"],
        first,
        [value["seed"] for _, value in group],
        clips,
        classes=first["classes"],
        missing=first["missing"],
    )
    rank = np.array([[entry["rank"] or 0 for entry in table] for table in tables])
    rank = rank[:, (rank > 0).all(0)]
    if rank.size:
        row.hits = (rank <= 1).astype(np.float64)
        row.r1 = mean_interval(row.hits, bootstrap)
        row.r5 = mean_interval((rank <= 5).astype(np.float64), bootstrap)
    if first["IS"] is not None:
        tensors = [load_tensors(path.with_suffix(".safetensors")) for path, _ in group]
        _distribution(row, tensors, first["inception_splits"], bootstrap)
    if first["KID"] is not None:
        row.kid = float(np.mean([value["KID"] for _, value in group]))
    return row


def _distribution(row: Row, tensors: list[dict[str, Tensor]], splits: int, bootstrap: int) -> None:
    n, count = len(row.clips), min(200, max(20, bootstrap // 10))
    probabilities = [t["probabilities"] for t in tensors]
    row.inception = statistic_interval(
        lambda s, index: inception_score(probabilities[s][torch.from_numpy(index)], splits)[0],
        n,
        len(tensors),
        count,
    )
    if row.info["FID"] is None:
        return
    features, reference = [t["features"] for t in tensors], Reference.of(tensors[0]["reference"])
    wide = features[0].shape[1] >= WIDE
    row.fid = statistic_interval(
        lambda s, index: frechet_distance(features[s][torch.from_numpy(index)], reference),
        n,
        len(tensors),
        20 if wide else count,
    )


__all__ = ["Row", "load_rows"]
