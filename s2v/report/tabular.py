"""Tables: columns are said once, and rows are written by them as CSV for programs and as Markdown for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

import pandas as pd
from tabulate import tabulate

from s2v.evaluate.interval import Interval
from s2v.files import write_text

T = TypeVar("T")
Cell = str | int | float | Interval | None


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column.

    Attributes:
        name: its head; columns `{name} low` and `{name} high` follow it in CSV where it is of intervals.
        of: a row's cell; None is an empty cell in CSV and a dash in Markdown.
        digits: decimals of its numbers.
        title: its head in Markdown, where that is another.
        shown: decimals in Markdown, where these are others.
        interval: whether its cells are intervals.
        only: the one of the two files that has it.
        number: whether text is a number, and so aligned to the right.
    """

    name: str
    of: Callable[[T], Cell]
    digits: int = 2
    title: str | None = None
    shown: int | None = None
    interval: bool = False
    only: Literal["csv", "markdown"] | None = None
    number: bool = False

    def heads(self) -> list[str]:
        """Its columns of a CSV file."""
        return [self.name, f"{self.name} low", f"{self.name} high"] if self.interval else [self.name]

    def cells(self, row: T) -> list[str]:
        """A row's cells in them."""
        cell = self.of(row)
        if not self.interval:
            return [_text(cell, self.digits)]
        if cell is None:
            return ["", "", ""]
        assert isinstance(cell, Interval)
        return [_text(value, self.digits) for value in (cell.value, cell.low, cell.high)]

    def markdown(self, row: T) -> str:
        """A row's cell in Markdown."""
        text = _text(self.of(row), self.digits if self.shown is None else self.shown)
        return text.replace("|", r"\|") or "-"


def _text(cell: Cell, digits: int) -> str:
    if isinstance(cell, Interval):
        return f"{cell.value:.{digits}f} [{cell.low:.{digits}f}, {cell.high:.{digits}f}]"
    return "" if cell is None else f"{cell:.{digits}f}" if isinstance(cell, float) else str(cell)


def shown(interval: Interval, digits: int = 2) -> str:
    """A number with its interval, as tables show it."""
    return _text(interval, digits)


def to_csv(columns: Sequence[Column[T]], rows: Iterable[T]) -> str:
    """A line of heads, and one for each row. Cells are text before pandas sees them, so that no number changes."""
    kept = [column for column in columns if column.only != "markdown"]
    heads = [head for column in kept for head in column.heads()]
    table = pd.DataFrame([[cell for column in kept for cell in column.cells(row)] for row in rows], columns=heads)
    return table.to_csv(index=False, lineterminator="\n")


def write_csv(path: Path, columns: Sequence[Column[T]], rows: Iterable[T]) -> None:
    """Write `to_csv` to a file."""
    write_text(path, to_csv(columns, rows))


def to_markdown(columns: Sequence[Column[T]], rows: Iterable[T]) -> str:
    """The same for people; columns of numbers are aligned to the right."""
    kept = [column for column in columns if column.only != "csv"]
    given = list(rows)
    cells = [[column.markdown(row) for column in kept] for row in given]
    heads = [column.title or column.name for column in kept]
    numbers = [
        column.number or any(isinstance(column.of(row), int | float | Interval) for row in given) for column in kept
    ]
    align = ["right" if number else "left" for number in numbers]
    return str(tabulate(cells, heads, tablefmt="pipe", disable_numparse=True, colalign=align))


def bullets(lines: Iterable[str]) -> str:
    """A list in Markdown."""
    return "\n".join(f"- {line}" for line in lines)


def page(*parts: str) -> str:
    """A page of Markdown from its parts; empty ones are left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


__all__ = ["Cell", "Column", "T", "bullets", "page", "shown", "to_csv", "to_markdown", "write_csv"]
