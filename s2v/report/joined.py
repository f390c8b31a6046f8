"""One table of the same rows on two data sets, as the paper prints Tables 1 and 3: VGGSound / VEGAS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.interval import Interval
from s2v.files import read_csv, write_text
from s2v.report.tables import METRICS
from s2v.report.tabular import Column, bullets, page, to_csv, to_markdown

_NUMBERS = [f"{metric}{bound}" for metric in METRICS for bound in ("", " low", " high")]
_MADE_BY = ("data set", "evaluator", "n clips", "seeds")


@dataclass(frozen=True)
class _Row:
    """A method, and its cells in each of the tables that have it."""

    letter: str
    method: str
    cells: list[dict[str, str] | None]


def join(tables: list[Path]) -> tuple[str, str]:
    """CSV and Markdown of several runs' table1.csv, or of several runs' table3.csv: a row a method, a column for each
    metric and data set. Intervals are those of the runs; nothing is computed anew.

    Raises:
        UserError: a file is no such table, two are of one data set, or no method is in two of them.
    """
    read = [read_csv(path, ["row", "method", *_NUMBERS, *_MADE_BY], _NUMBERS) for path in tables]
    names = []
    for path, rows in zip(tables, read, strict=True):
        if not rows:
            raise UserError(f"{path}: has no rows; run its stage again")
        if rows[0]["data set"] in names:
            raise UserError(f"{path}: another table is of the data set {rows[0]['data set']}, too; join different ones")
        names.append(rows[0]["data set"])
    found: dict[tuple[str, str], _Row] = {}
    for i, rows in enumerate(read):
        for row in rows:
            for metric in METRICS:
                if row[metric] and not (row[f"{metric} low"] and row[f"{metric} high"]):
                    raise UserError(f"{tables[i]}: {metric} of {row['method']} has no interval; run its stage again")
            key = row["row"], row["method"]
            found.setdefault(key, _Row(*key, [None] * len(tables))).cells[i] = row
    if not any(sum(cell is not None for cell in row.cells) > 1 for row in found.values()):
        raise UserError(f"{tables[-1]}: has no method of {tables[0]}; join tables of one kind")
    columns = [Column[_Row]("row", lambda row: row.letter), Column[_Row]("method", lambda row: row.method)]
    for metric in METRICS:
        columns += [_column(metric, i, name) for i, name in enumerate(names)]
    said = [
        f"{name}: {first['n clips']} clips, generation seeds {first['seeds']}, evaluator {first['evaluator']} ({path})."
        for name, path, (first, *_) in zip(names, tables, read, strict=True)
    ]
    together = sorted(found.values(), key=lambda row: (not row.letter, row.letter))
    note = "FID and IS compare rows of one data set alone."
    return to_csv(columns, together), page(
        f"# {' / '.join(names)}", bullets([*said, note]), to_markdown(columns, together)
    )


def _column(metric: str, number: int, name: str) -> Column[_Row]:
    def cell(row: _Row) -> Interval | None:
        values = row.cells[number]
        if values is None or not values[metric]:
            return None
        value, low, high = (float(values[f"{metric}{bound}"]) for bound in ("", " low", " high"))
        return Interval(value, low, high)

    return Column(f"{metric} {name}", cell, interval=True)


def write_joined(tables: list[Path], output: Path) -> None:
    """Write the joined table as `output`, a .csv or a .md.

    Raises:
        UserError: as `join`, or the name ends otherwise.
    """
    if output.suffix not in (".csv", ".md"):
        raise UserError(f"{output}: give a name that ends in .csv or .md")
    csv, markdown = join(tables)
    write_text(output, csv if output.suffix == ".csv" else markdown)


__all__ = ["join", "write_joined"]
