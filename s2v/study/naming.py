"""The study that validates evaluators: how often each says of a picture what people say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2v.evaluate.interval import Interval
from s2v.files import write_text
from s2v.report.tabular import Column, bullets, page, to_markdown, write_csv
from s2v.study.files import Key, Record
from s2v.study.people import sort_out
from s2v.study.said import about, agreed, by_item, percent, said
from s2v.study.score import SIMULATED
from s2v.study.statistics import Observed, interval


@dataclass(frozen=True)
class Agreement:
    """How often an evaluator says of a method's pictures what people say.

    Attributes:
        evaluator: its label.
        method: that made the pictures.
        agree: share of people's answers that are the evaluator's.
        right: share of people's answers that are the sound's class.
        told: share of pictures of which the evaluator names the sound's class.
        answers: of people.
    """

    evaluator: str
    method: str
    agree: Interval
    right: Interval
    told: float
    answers: int


def agreements(key: Key, records: Sequence[Record], count: int = 2000) -> tuple[list[Agreement], list[str]]:
    """How often each evaluator agrees with people, for each method; and what is to be said of the people.

    Raises:
        UserError: nobody's answers count.
    """
    people = sort_out(key, records)
    given = said(key, people, "name")
    found = []
    for label, named in key.named.items():
        for method in sorted(key.titles):
            own = [one for one in given if one[1].pictures[0].method == method]
            if not own:
                continue
            shown = [
                (who, item.name, answer.chosen[0], named[item.pictures[0].name], item.label)
                for who, item, answer in own
            ]
            agree = Observed.of([(who, item, float(said == machine)) for who, item, said, machine, _ in shown])
            right = Observed.of([(who, item, float(said == label)) for who, item, said, _, label in shown])
            told = {item: machine == label for _, item, _, machine, label in shown}
            found.append(
                Agreement(
                    label, key.titles[method], interval(agree, count), interval(right, count),
                    float(np.mean(list(told.values()))), len(own),
                )
            )  # fmt: skip
    among = agreed("People among themselves", [[one.chosen[0] for one in answers] for _, answers in by_item(given)])
    return found, [among, *about(people, key, given)]


COLUMNS: list[Column[Agreement]] = [
    Column("evaluator", lambda row: row.evaluator),
    Column("method", lambda row: row.method),
    Column("agrees with people", lambda row: percent(row.agree), interval=True, shown=1),
    Column("people name the class", lambda row: percent(row.right), interval=True, shown=1),
    Column("it names the class", lambda row: 100 * row.told, shown=1),
    Column("answers", lambda row: row.answers),
]


def write(rows: list[Agreement], lines: list[str], key: Key, folder: Path, simulated: bool) -> list[Path]:
    """Write evaluators.csv and .md; of programs' answers simulated.csv and .md."""
    name = "simulated" if simulated else "evaluators"
    csv, markdown = folder / f"{name}.csv", folder / f"{name}.md"
    write_csv(csv, COLUMNS, rows)
    what = [
        f"Data set: {key.dataset}. People named pictures, out of {len(key.classes)} classes.",
        "In percent, of answers; the evaluator's own share is of the same pictures. [95 % intervals: people and "
        "pictures resampled together.]",
    ]
    head = SIMULATED if simulated else "# Evaluators beside people"
    write_text(markdown, page(head, bullets(what), to_markdown(COLUMNS, rows), "## People", bullets(lines)))
    return [csv, markdown]


__all__ = ["Agreement", "agreements", "write"]
