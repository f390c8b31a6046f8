"""Classes that are easily taken for each other: how often pictures show their own, how often the other (paper 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from s2v.evaluate.crossed import crossed
from s2v.evaluate.quantities import Missing, Quantity
from s2v.report.rows import Row
from s2v.report.tabular import Column, page, to_markdown

Pairs = Sequence[tuple[str, str]]


def told_apart(row: Row | None, pairs: Pairs) -> Quantity | Missing:
    """Share of pictures that are taken for their class, less the share taken for the other of its pair."""
    if row is None:
        return Missing("generate.methods does not name sound2vision")
    known = _known(row, pairs)
    if not known:
        return Missing("no two classes of evaluate.similar have test clips with an evaluator's answer")
    labels = np.array([label for label in row.labels if label])
    parts = [_balance(row, labels, own, other) for pair in known for own, other in (pair, pair[::-1])]
    of = [own for pair in known for own in pair]
    values = row.by_training(np.concatenate(parts, axis=-1))
    classes = [name for name, part in zip(of, parts, strict=True) for _ in range(part.shape[-1])]
    trainings = list(dict.fromkeys(row.trainings))
    alone = [float(value) for value in values.mean((0, 2))] if len(trainings) > 1 else []
    about = f"evaluator {row.result.evaluator}; {', '.join(' and '.join(pair) for pair in known)}"
    return Quantity.of(crossed(values, classes), values.shape[-1], alone, trainings, about)


def similar_section(rows: Sequence[tuple[str, Row]], pairs: Pairs) -> str:
    """The section of Table 1's twin; empty where no two classes of a pair have clips."""
    known = list(dict.fromkeys(pair for _, row in rows for pair in _known(row, pairs)))
    if not known:
        return ""
    columns = [Column[tuple[str, Row]]("Row", lambda one: one[0])]
    columns += [
        Column(" / ".join(pair), lambda one, pair=pair: _cell(one[1], pair), number=True)  # type: ignore[misc]
        for pair in known
    ]
    said = (
        "Of the pictures of two classes, the share that is taken for its own class, and for the other one of the pair, "
        "in percent; what is left is taken for any other class. The mean over evaluators, trainings and seeds."
    )
    return page("## Classes that are easily taken for each other", said, to_markdown(columns, list(rows))).rstrip()


def _known(row: Row, pairs: Pairs) -> list[tuple[str, str]]:
    return [(a, b) for a, b in pairs if row.named.size and {a, b} <= set(row.labels)]


def _balance(row: Row, labels: NDArray[np.str_], own: str, other: str) -> NDArray[np.float64]:
    """Of the clips of a class [E, S, n]: 1 where it is named, -1 where the other is."""
    named = row.named[..., labels == own]
    return (named == own).astype(np.float64) - (named == other)


def _cell(row: Row, pair: tuple[str, str]) -> str | None:
    if not _known(row, [pair]):
        return None
    labels = np.array([label for label in row.labels if label])
    named, own = row.named[..., np.isin(labels, pair)], labels[np.isin(labels, pair)]
    other = np.where(own == pair[0], pair[1], pair[0])
    return f"{100 * (named == own).mean():.1f} / {100 * (named == other).mean():.1f}"


__all__ = ["similar_section", "told_apart"]
