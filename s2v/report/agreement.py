"""Whether the evaluators of a table agree, and how many of its pictures are of any class at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s2v.evaluate.interval import LEAST_RANKED, Interval, spearman
from s2v.report.measures import GATED, metric_of
from s2v.report.rows import Row
from s2v.report.tabular import Column, bullets, page, to_markdown

APART = 0.03
"""Evaluators whose R@1 of a row differ by more than this do not agree on it."""
Named = tuple[str, Row]


def agreement(rows: Sequence[Named]) -> str:
    """The section of a table's twin; empty where there is one evaluator, which can only name classes."""
    several = any(len(row.hits) > 1 for _, row in rows)
    rejecting = any(row.accepted.size for _, row in rows)
    if not (several or rejecting):
        return ""
    first = rows[0][1].result
    columns: list[Column[Named]] = [Column("Row", lambda one: one[0])]
    said = []
    if several:
        columns += [
            Column("R@1 by evaluator", lambda one: ", ".join(f"{100 * value:.1f}" for value in by_evaluator(one[1]))),
            Column("apart", lambda one: 100 * apart(one[1]), digits=1),
            Column("FID by evaluator", lambda one: ", ".join(f"{value:.1f}" for value in one[1].fids)),
            Column("IS by evaluator", lambda one: ", ".join(f"{value:.2f}" for value in one[1].inceptions)),
        ]
        said += [f"Evaluator {i}: {label}." for i, label in enumerate((first.evaluator, *first.further), 1)]
        wide = [name for name, row in rows if apart(row) > APART]
        points = f"{100 * APART:g} points"
        said.append(
            f"They are further apart than {points} in R@1 of {', '.join(wide)}."
            if wide
            else f"They agree within {points} in R@1 of every row."
        )
        said += _orders(rows)
    if rejecting:
        columns += [
            Column("of any class", lambda one: 100 * float(one[1].accepted.mean()) if one[1].accepted.size else None,
                   digits=1),
            *(_percent(name) for name in ("precision", *(one.name for one in GATED))),
        ]  # fmt: skip
        said.append(
            "In percent. Of any class: the evaluators do not answer none of these. Precision: inside the balls of real "
            "frames' 5th nearest neighbours. Gated: named, of any class, and inside."
        )
    return page("## Evaluators", bullets(said), to_markdown(columns, list(rows))).rstrip()


def _orders(rows: Sequence[Named]) -> list[str]:
    """Whether FID and IS of the evaluators, whose sizes do not compare, put rows in one order."""
    found = []
    for name, values in (("FID", [row.fids for _, row in rows]), ("IS", [row.inceptions for _, row in rows])):
        several = np.array([each for each in values if len(each) > 1])
        if len(several) >= LEAST_RANKED:
            alike = [spearman(several[:, 0], column).value for column in several.T[1:]]
            found.append(
                f"{name} of the rows, by evaluator 1 and by another: rank correlation "
                f"{', '.join(f'{value:.2f}' for value in alike)}."
            )
    return found


def by_evaluator(row: Row) -> list[float]:
    """R@1 by each evaluator."""
    return [float(value) for value in row.hits.mean((1, 2))] if row.hits.size else []


def apart(row: Row) -> float:
    """How far the evaluators are apart in R@1."""
    found = by_evaluator(row)
    return max(found) - min(found) if found else 0.0


def _percent(name: str) -> Column[Named]:
    metric = metric_of(name)

    def cell(one: Named) -> Interval | None:
        return None if metric.lacks(one[1]) else metric.interval(one[1], 20).times(100)

    return Column(name, cell, digits=1)


__all__ = ["agreement", "apart", "by_evaluator"]
