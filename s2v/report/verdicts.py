"""What is claimed of Table 1, and what holds of it here: computed from the rows, never by hand."""

from __future__ import annotations

from s2v.evaluate.bootstrap import Interval, paired_difference
from s2v.report.rows import Row

HOLDS, FAILS = "**holds**", "**does not hold**"


def percent(interval: Interval) -> str:
    """A share with its interval, in percent."""
    return f"{100 * interval.value:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def plain(interval: Interval) -> str:
    """A number with its interval."""
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def verdicts(rows: dict[str, Row], bootstrap: int) -> list[str]:
    """One line per statement; a statement whose rows or metrics are not there is left out."""
    found = (
        _real_frames(rows),
        _level(rows),
        _beats(rows, "icgan", bootstrap),
        _beats(rows, "icgan_top1", bootstrap),
        _between(rows),
        _shuffled(rows),
        _scrambled(rows),
    )
    return [line for line in found if line]


def say(statement: str, holds: bool, evidence: str) -> str:
    """A line about a statement."""
    return f"{statement}: {HOLDS if holds else FAILS} ({evidence})."


def _real_frames(rows: dict[str, Row]) -> str:
    row = rows.get("upper_bound")
    if row is None or row.r1 is None:
        return ""
    return say("The evaluator tells real frames (D) apart, R@1 >= 90 %", row.r1.value >= 0.9, percent(row.r1))


def _level(rows: dict[str, Row]) -> str:
    row = rows.get("sound2vision")
    if row is None or row.r1 is None:
        return ""
    holds = row.r1.value >= 0.6 and row.classes >= 10
    return say("B has R@1 >= 60 % with at least 10 classes", holds, f"{percent(row.r1)}, {row.classes} classes")


def _beats(rows: dict[str, Row], other: str, bootstrap: int) -> str:
    ours, theirs = rows.get("sound2vision"), rows.get(other)
    if ours is None or theirs is None or ours.r1 is None or theirs.r1 is None:
        return ""
    evidence = f"B {percent(ours.r1)}, A {percent(theirs.r1)}"
    if ours.hits.shape[1] == theirs.hits.shape[1] and ours.clips == theirs.clips:
        difference = paired_difference(ours.hits, theirs.hits, bootstrap)
        evidence += f"; paired difference {percent(difference)}"
    name = f"A with the {theirs.info['input']}"
    return say(f"B is above {name} in R@1, intervals disjoint", ours.r1.above(theirs.r1), evidence)


def _between(rows: dict[str, Row]) -> str:
    values = [row.r1 for name in ("sound2vision", "retrieval", "upper_bound") if (row := rows.get(name))]
    if len(values) < 3 or None in values:
        return ""
    b, c, d = (value.value for value in values if value)
    evidence = f"B {100 * b:.1f}, C {100 * c:.1f}, D {100 * d:.1f}"
    return say("C lies between B and D in R@1", b <= c <= d, evidence)


def _shuffled(rows: dict[str, Row]) -> str:
    row = rows.get("sound2vision_shuffled")
    if row is None or row.r1 is None or not row.classes:
        return ""
    chance = 1 / row.classes
    evidence = f"{percent(row.r1)}; chance {100 * chance:.1f}"
    holds = row.r1.low <= chance <= row.r1.high
    return say("R@1 of B with features shuffled between clips is at chance", holds, evidence)


def _scrambled(rows: dict[str, Row]) -> str:
    ours, theirs = rows.get("sound2vision"), rows.get("sound2vision_scrambled")
    if ours is None or theirs is None or ours.fid is None or theirs.fid is None:
        return ""
    ratio = theirs.fid.value / max(ours.fid.value, 1e-9)
    evidence = f"B {plain(ours.fid)}, scrambled {plain(theirs.fid)}, {ratio:.1f} times"
    statement = "FID of B is below that of B with scrambled features, intervals disjoint"
    return say(statement, theirs.fid.above(ours.fid), evidence)


__all__ = ["FAILS", "HOLDS", "percent", "plain", "say", "verdicts"]
