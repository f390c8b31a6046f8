"""R@1 of each kind of clips that the world's truth tells apart, beside that of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from s2v.evaluate.interval import Interval
from s2v.report.rows import Row
from s2v.report.tabular import Column, page, to_markdown

Named = tuple[str, Row]


def kinds_section(rows: Sequence[Named], kinds: Mapping[str, frozenset[str]]) -> str:
    """The section of a table's twin; empty where nobody knows of kinds, or the rows have no R@1.

    Args:
        rows: of the table, by name.
        kinds: ids of the clips of each (`s2v.evaluate.kinds`).
    """
    ranked = [(name, row) for name, row in rows if row.r1 is not None]
    known = {name: clips for name, clips in kinds.items() if any(clips & set(row.clips) for _, row in ranked)}
    if not known:
        return ""
    counted = ranked[0][1].clips
    lines: list[tuple[str, frozenset[str]]] = [("all", frozenset(counted)), *known.items()]
    columns: list[Column[tuple[str, frozenset[str]]]] = [
        Column("Clips", lambda line: line[0]),
        Column("n", lambda line: len(line[1] & set(counted))),
    ]
    columns += [Column(name, lambda line, row=row: _r1(row, line[1]), digits=1) for name, row in ranked]  # type: ignore[misc]
    return page(
        "## Kinds of clips",
        "R@1 in percent, of some clips alone, as the world's truth tells them apart.",
        to_markdown(columns, lines),
    ).rstrip()


def _r1(row: Row, clips: frozenset[str]) -> Interval | None:
    own = row.only(clips)
    return own.r1.within(0, 1).times(100) if own is not None and own.r1 is not None else None


__all__ = ["kinds_section"]
