"""What was said to which item, by those whose answers count, and how far they agree."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from s2v.errors import UserError
from s2v.evaluate.interval import Interval
from s2v.study.design import Experiment
from s2v.study.files import Answer, ItemKey, Key
from s2v.study.people import People, reasons
from s2v.study.statistics import alpha, fleiss

Said: TypeAlias = list[tuple[str, ItemKey, Answer]]
"""(person, item, answer)"""


def said(key: Key, people: People, experiment: Experiment) -> Said:
    """Answers to the items of an experiment; questions that show who attends are none.

    Raises:
        UserError: there are none.
    """
    items = {item.name: item for part in key.items.get(experiment, []) for item in part}
    found = [
        (record.person, items[answer.question], answer)
        for record in people.kept
        for answer in record.answers
        if answer.question in items
    ]
    if not found:
        raise UserError(f"study: nobody's answers count: {reasons(people)}")
    return found


def by_item(given: Said) -> list[tuple[ItemKey, list[Answer]]]:
    """Each item with all answers to it."""
    found: dict[str, tuple[ItemKey, list[Answer]]] = {}
    for _, item, answer in given:
        found.setdefault(item.name, (item, []))[1].append(answer)
    return [found[name] for name in sorted(found)]


def agreed(what: str, units: Sequence[Sequence[str]]) -> str:
    """How far people agree on units, in words."""
    one, two = alpha(units), fleiss(units)
    return (
        f"{what}: Krippendorff's alpha {'not to be had' if one is None else f'{one:.2f}'}, Fleiss' kappa "
        + ("not to be had" if two is None else f"{two[0]:.2f} (over {two[1]} with as many answers as most)")
        + "."
    )


def about(people: People, key: Key, given: Said) -> list[str]:
    """Who counts, by which rules, how long they took, and who does not count, in words."""
    rules = key.rules
    times = [answer.rt_ms / 1000 for _, _, answer in given]
    replays = [answer.replays for _, _, answer in given]
    return [
        f"{len(people.kept)} count, {len(people.left_out)} do not. The rules stand in the key since the study was "
        f"made: left out is who has not answered all{'' if rules.unfinished else ' (off)'}, answers "
        f"{rules.failed_checks} questions wrong that show who attends, or takes less than {rules.fastest_s:g} s in "
        "the median.",
        f"An answer took {statistics.median(times):.1f} s in the median; a sound was played again "
        f"{np.mean(replays):.2f} times in the mean.",
        *(f"Left out: {who}: {why}." for who, why in people.left_out),
    ]


def percent(one: Interval | None) -> Interval | None:
    """A share for a table."""
    return one and Interval(100 * one.value, 100 * one.low, 100 * one.high)


__all__ = ["Said", "about", "agreed", "by_item", "percent", "said"]
