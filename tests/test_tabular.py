"""Tables: one list of columns gives both files, and no number changes on its way."""

from __future__ import annotations

import csv

from hypothesis import given
from hypothesis import strategies as st

from s2v.evaluate.interval import Interval
from s2v.report.tabular import Column, page, to_csv, to_markdown

ROWS = [("a|b", Interval(12.345, 1.0, 20.005), 3), ("c, d", None, 4)]
COLUMNS: list[Column[tuple[str, Interval | None, int]]] = [
    Column("row", lambda row: row[0], title="Row"),
    Column("R@1", lambda row: row[1], shown=1, interval=True),
    Column("clips", lambda row: row[2], only="csv"),
    Column("paper", lambda row: "1.50", only="markdown", number=True),
]


def test_an_interval_is_three_columns_of_csv_and_one_of_markdown() -> None:
    assert to_csv(COLUMNS, ROWS) == (
        'row,R@1,R@1 low,R@1 high,clips\na|b,12.35,1.00,20.00,3\n"c, d",,,,4\n'
    )  # fmt: skip
    lines = [" ".join(line.split()) for line in to_markdown(COLUMNS, ROWS).splitlines()]
    assert lines[0] == "| Row | R@1 | paper |"
    assert lines[2:] == [r"| a\|b | 12.3 [1.0, 20.0] | 1.50 |", "| c, d | - | 1.50 |"]
    left, *right = to_markdown(COLUMNS, ROWS).splitlines()[1].strip("|").split("|")
    assert left.startswith(":-") and all(head.endswith("-:") for head in right), "numbers stand at the right"


def test_a_table_without_rows_has_its_heads() -> None:
    assert to_csv(COLUMNS, []) == "row,R@1,R@1 low,R@1 high,clips\n"
    assert to_markdown(COLUMNS, []).splitlines()[0].split() == ["|", "Row", "|", "R@1", "|", "paper", "|"]


def test_a_page_leaves_out_what_is_empty() -> None:
    assert page("# A", "", "b") == "# A\n\nb\n"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.integers(0, 8))
def test_numbers_are_python_s_own_roundings(values: list[float], digits: int) -> None:
    columns: list[Column[float]] = [Column("x", lambda value: value, digits=digits)]
    _, *cells = [row[0] for row in csv.reader(to_csv(columns, values).splitlines())]
    assert cells == [f"{value:.{digits}f}" for value in values]
