"""The columns of R@1, R@5, FID and IS, which Tables 1 to 3 and Figure 16 have alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from s2v.evaluate.bootstrap import Interval
from s2v.report.rows import Row
from s2v.report.tabular import Column, T

METRICS = ("R@1", "R@5", "FID", "IS")
PaperTable = Mapping[str, Mapping[str, str]]
"""Row -> metric -> the paper's number."""


def metric(row: Row | None, name: str) -> Interval | None:
    """A metric as tables show it: R@k in percent, no FID and IS of real pictures."""
    if row is None:
        return None
    if name in ("R@1", "R@5"):
        share = row.r1 if name == "R@1" else row.r5
        return share and Interval(100 * share.value, 100 * share.low, 100 * share.high)
    return None if row.real else row.fid if name == "FID" else row.inception


def metric_columns(row_of: Callable[[T], Row | None], names: tuple[str, ...] = METRICS) -> list[Column[T]]:
    """A column for each metric."""
    return [
        Column(
            name,
            lambda given, name=name: metric(row_of(given), name),  # type: ignore[misc]
            shown=1 if name in ("R@1", "R@5") else 2,
            title=f"{name} (lower is better)" if name == "FID" else name,
            interval=True,
        )
        for name in names
    ]


def beside_paper(row_of: Callable[[T], Row | None], letter: Callable[[T], str], paper: PaperTable) -> list[Column[T]]:
    """The same, each with the paper's number beside it in Markdown."""
    columns: list[Column[T]] = []
    for column in metric_columns(row_of):
        columns += [
            column,
            Column(
                f"{column.name} paper",
                lambda given, name=column.name: paper.get(letter(given), {}).get(name, "-"),  # type: ignore[misc]
                title="paper",
                only="markdown",
                number=True,
            ),
        ]
    return columns


def made_by(row_of: Callable[[T], Row], dataset: str, trainings: bool = False) -> list[Column[T]]:
    """What the numbers rest on, for CSV."""
    seeds: list[Column[T]] = [Column("seeds", lambda given: row_of(given).drawn.replace(",", ""), only="csv")]
    if trainings:
        seeds = [
            Column("trainings", lambda given: " ".join(map(str, row_of(given).trainings)), only="csv"),
            Column("seeds", lambda given: " ".join(map(str, row_of(given).seeds)), only="csv"),
        ]
    return [
        Column("n clips", lambda given: len(row_of(given).clips), only="csv"),
        *seeds,
        Column("evaluator", lambda given: row_of(given).result.evaluator, only="csv"),
        Column("data set", lambda given: dataset, only="csv"),
    ]


__all__ = ["METRICS", "PaperTable", "beside_paper", "made_by", "metric", "metric_columns"]
