"""Whose answers count: rules that stand in the key since before anybody answered, and who falls under them."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from s2v.errors import UserError
from s2v.study.files import Key, QuestionKey, Record


@dataclass(frozen=True)
class People:
    """Those who answered.

    Attributes:
        kept: whose answers count.
        left_out: (who, why) of the others.
    """

    kept: list[Record]
    left_out: list[tuple[str, str]]


def sort_out(key: Key, records: Sequence[Record]) -> People:
    """Apply the key's rules.

    Raises:
        UserError: some answers are of another study, or of people and of programs both.
    """
    for record in records:
        if record.study != key.study:
            raise UserError(
                f"study: answers of {_called(record)} are of study {record.study}, and the key is of {key.study}"
            )
    if len({record.simulated for record in records}) > 1:
        raise UserError("study: some answers are of people and some are simulated; score them apart")
    best: dict[str, Record] = {}
    left_out: list[tuple[str, str]] = []
    for record in sorted(records, key=lambda one: (one.finished is None, -len(one.answers), one.started)):
        if record.person in best:
            left_out.append((_called(record), "a second time; the first that is whole counts"))
        else:
            best[record.person] = record
    kept = []
    for record in best.values():
        why = _why(key, record)
        if why:
            left_out.append((_called(record), why))
        else:
            kept.append(record)
    return People(sorted(kept, key=lambda one: one.person), sorted(left_out))


def asked(key: Key, record: Record) -> dict[str, QuestionKey]:
    """{name: question} of a person's list."""
    return {one.name: one for part in key.lists[record.listed] for one in part.questions}


def reasons(people: People) -> str:
    """Why people are left out, each reason with how many there are."""
    found = Counter(why for _, why in people.left_out)
    return "; ".join(f"{n} x {why}" for why, n in sorted(found.items())) or "there are none"


def _why(key: Key, record: Record) -> str | None:
    if record.listed >= len(key.lists):
        return f"list {record.listed} is not of this study"
    questions, names = asked(key, record), [one.question for one in record.answers]
    if len(set(names)) < len(names) or not set(names) <= set(questions):
        return "answers to questions that were not asked"
    if any(not _possible(key, questions[one.question], one.chosen) for one in record.answers):
        return "choices that were not there"
    if key.rules.unfinished and (record.finished is None or len(names) < len(questions)):
        return f"{len(names)} of {len(questions)} questions answered"
    wrong = sum(not _attended(questions[one.question], one.chosen) for one in record.answers)
    if wrong >= key.rules.failed_checks:
        return f"{wrong} questions that show who attends answered wrong (rule: {key.rules.failed_checks})"
    times = [one.rt_ms / 1000 for one in record.answers if questions[one.question].wanted is None]
    if times and statistics.median(times) < key.rules.fastest_s:
        return f"median time {statistics.median(times):.1f} s (rule: {key.rules.fastest_s:g} s)"
    return None


def _attended(question: QuestionKey, chosen: list[str]) -> bool:
    """Where a place is asked for, that picture alone; where real frames are shown, the right one, and half at most."""
    if question.wanted is None or chosen == [question.wanted]:
        return True
    return question.sound is not None and question.wanted in chosen and 2 * len(chosen) <= len(question.pictures)


def _possible(key: Key, question: QuestionKey, chosen: list[str]) -> bool:
    if key.other is None:
        return len(chosen) == 1 and chosen[0] in key.classes
    single = question.name.startswith("match")
    return (
        set(chosen) <= set(question.pictures)
        and len(set(chosen)) == len(chosen) >= 1
        and (not single or len(chosen) == 1)
    )


def _called(record: Record) -> str:
    """An id of somebody else's, on one line."""
    return "".join(letter if letter.isprintable() and letter not in "|`<>" else "?" for letter in record.person)[:60]


__all__ = ["People", "asked", "reasons", "sort_out"]
