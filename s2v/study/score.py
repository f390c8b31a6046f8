"""Answers become Table 1 (b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2v.errors import UserError
from s2v.evaluate.corrected import holm
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Measured, Quantity, write_quantities
from s2v.files import write_text
from s2v.report.findings import what_was_found
from s2v.report.tabular import Column, bullets, page, to_markdown, write_csv
from s2v.study.files import ItemKey, Key, Record, read_key, read_records
from s2v.study.people import sort_out
from s2v.study.said import about, agreed, by_item, percent, said
from s2v.study.statistics import Mixed, Observed, above_chance, interval, mixed, one_rather_than_other

CHANCE = 0.25
PAPER = "83.8"
"""Precision in Table 1 (b), of which the text has no other number."""
SIMULATED = "# Simulated: no person answered, nothing here is a result"


@dataclass(frozen=True)
class Row:
    """A method of Table 1 (b): shares with intervals."""

    title: str
    recall: Interval
    precision: Interval | None
    people: int
    answers: int


@dataclass(frozen=True)
class Scored:
    """What answers say.

    Attributes:
        rows: of the table.
        measured: quantities for the claims.
        lines: of the twin, {heading: lines}.
        simulated: whether programs answered.
    """

    rows: list[Row]
    measured: Measured
    lines: dict[str, list[str]]
    simulated: bool


def score(key: Key, records: Sequence[Record], count: int = 2000) -> Scored:
    """Table 1 (b).

    Raises:
        UserError: nobody's answers count, or the study is of another kind.
    """
    if key.other is None:
        raise UserError(
            "study: people named pictures in it, so it gives no Table 1 (b); `s2v study score` says what it gives"
        )
    people = sort_out(key, records)
    fit, match = said(key, people, "fit"), said(key, people, "match")
    chosen = {
        method: Observed.of([(who, item.name, float(_of(item, method) in answer.chosen)) for who, item, answer in fit])
        for method in (key.ours, key.other)
    }
    ours, other = chosen[key.ours], chosen[key.other]
    more = Observed(ours.person, ours.item, ours.value - other.value)
    right = Observed.of(
        [(who, item.name, float(answer.chosen[0] == item.pictures[0].name)) for who, item, answer in match]
    )
    recalls = {method: interval(seen, count) for method, seen in chosen.items()}
    difference, precision = interval(more, count), interval(right, count)
    n = len(people.kept)
    title, against = key.titles[key.ours], key.titles[key.other]
    rows = [
        Row(against, recalls[key.other], None, n, len(fit)),
        Row(title, recalls[key.ours], precision, n, len(match)),
    ]
    of_what = f"{n} people, {ours.items} and {right.items} sounds; {key.dataset}"
    measured: Measured = {
        "recall_ours_minus_icgan": Quantity.of(difference, ours.items, about=of_what),
        "precision_minus_chance": Quantity.of(
            Interval(precision.value - CHANCE, precision.low - CHANCE, precision.high - CHANCE),
            right.items,
            about=of_what,
        ),
    }
    only = [int(((a.value == 1) & (b.value == 0)).sum()) for a, b in ((ours, other), (other, ours))]
    hits = int(right.value.sum())
    tests = holm([one_rather_than_other(*only), above_chance(hits, len(right.value), CHANCE)])
    both = Observed(
        np.concatenate([ours.person, other.person]), np.concatenate([ours.item, other.item]),
        np.concatenate([ours.value, other.value]),
    )  # fmt: skip
    group = np.concatenate([np.ones(len(ours.value)), np.zeros(len(other.value))])
    lines = {
        "Tests": [
            f"(i) Only {title} was chosen {only[0]} times, only {against} {only[1]} times: McNemar, exact, "
            f"p {_p(tests[0])} after Holm.",
            f"(ii) {hits} of {len(right.value)} right, where chance gives 25 %: binomial, exact, p {_p(tests[1])} "
            "after Holm.",
            "Both take answers for independent, which those of one person, or to one sound, are not; the intervals, "
            "over people and sounds together, do not. The claims follow the intervals.",
            f"Mixed logistic regression, a check: (i) {_logit(mixed(both, 0.5, group))}; (ii) "
            f"{_logit(mixed(right, CHANCE))}.",
        ],
        "Agreement": [
            agreed("(i), each picture chosen or not", [
                ["yes" if picture.name in answer.chosen else "no" for answer in answers]
                for item, answers in by_item(fit) for picture in item.pictures
            ]),
            agreed("(ii), the picture chosen", [[one.chosen[0] for one in answers] for _, answers in by_item(match)]),
        ],
        "People": about(people, key, [*fit, *match]),
    }  # fmt: skip
    return Scored(rows, measured, lines, any(record.simulated for record in people.kept))


def _of(item: ItemKey, method: str) -> str:
    """The picture that a method made of the item's sound."""
    return next(one.name for one in item.pictures[:2] if one.method == method)


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "below 0.001"


def _logit(found: Mixed | None) -> str:
    if found is None:
        return "not to be had, since all answers are alike"
    low, high = found.effect - 1.96 * found.sd, found.effect + 1.96 * found.sd
    return (
        f"{found.effect:+.2f} [{low:+.2f}, {high:+.2f}] on the logit, people's standard deviation {found.people:.2f}, "
        f"sounds' {found.items:.2f}"
    )


COLUMNS: list[Column[Row]] = [
    Column("method", lambda row: row.title, title="Method"),
    Column("recall", lambda row: percent(row.recall), interval=True, title="(i) recall (%)", shown=1),
    Column("precision", lambda row: percent(row.precision), interval=True, title="(ii) precision (%)", shown=1),
    Column("paper", lambda row: PAPER if row.precision else None, title="paper (ii)", number=True),
    Column("people", lambda row: row.people),
    Column("answers", lambda row: row.answers),
]


def run(*, key: Path, answers: list[Path], csv: Path, markdown: Path, quantities: Path) -> None:
    """Stage `table1b`.

    Args:
        key: of the study.
        answers: files of people's answers.
        csv: the table.
        markdown: its twin.
        quantities: what the claims take, JSON of `s2v.evaluate.quantities`.

    Raises:
        UserError: a file is not what it should be, nobody's answers count, or no person gave them.
    """
    asked = read_key(key)
    scored = score(asked, read_records(answers))
    if scored.simulated:
        raise UserError("table1b: simulated answers, and Table 1 (b) is of people; `s2v study score` shows them")
    _write(scored, asked, csv, markdown)
    write_quantities(quantities, scored.measured)


def write(scored: Scored, key: Key, folder: Path) -> list[Path]:
    """Write table1b.csv and .md. Answers of programs never get that name: simulated.csv and .md say what they are."""
    name = "simulated" if scored.simulated else "table1b"
    csv, markdown = folder / f"{name}.csv", folder / f"{name}.md"
    _write(scored, key, csv, markdown)
    return [csv, markdown]


def _write(scored: Scored, key: Key, csv: Path, markdown: Path) -> None:
    write_csv(csv, COLUMNS, scored.rows)
    text = page(
        SIMULATED if scored.simulated else "# Table 1 (b): human study",
        bullets([
            f"Data set: {key.dataset}.",
            "(i) A sound and four pictures, two of them made of it, by each method one; the others are of sounds of "
            "other classes. Recall: how often a method's picture of the sound is chosen; any number may be. (ii) A "
            "sound and four pictures of one method, one of them of the sound. Precision: how often it is chosen; "
            "chance 25 %.",
            "[95 % intervals: people and sounds resampled together.] The paper asked 70 people, 20 questions each.",
        ]),
        to_markdown(COLUMNS, scored.rows),
        "" if scored.simulated else what_was_found("table1b", scored.measured),
        *(part for title, lines in scored.lines.items() for part in (f"## {title}", bullets(lines))),
    )  # fmt: skip
    write_text(markdown, text)


__all__ = ["CHANCE", "SIMULATED", "Row", "Scored", "run", "score", "write"]
