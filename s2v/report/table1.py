"""Stage `table1`: Table 1 (a) as CSV in the paper's layout, and its readable twin with the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from s2v.errors import UserError
from s2v.report.by_kind import kinds_section
from s2v.report.comparisons import of_table1
from s2v.report.rows import Row, load_rows
from s2v.report.similar import similar_section, told_apart
from s2v.report.tables import PaperTable, TableJob, beside_paper, controls_section, facts, made_by, write_table
from s2v.report.tabular import Column, page

PAPER_TABLE1: PaperTable = {
    "A": {"R@1": "30.06 / 46.60", "R@5": "62.59 / 82.48", "FID": "16.11", "IS": "12.61"},
    "B": {"R@1": "40.71 / 57.44", "R@5": "77.36 / 84.08", "FID": "17.97", "IS": "19.46"},
    "C": {"R@1": "51.28 / 67.20", "R@5": "80.37 / 85.00"},
    "D": {"R@1": "57.82 / 73.60", "R@5": "85.79 / 88.2"},
}
"""Table 1 (a): R@k on VGGSound (50 classes) / VEGAS (10 classes), FID and IS on VGGSound."""


def run(
    *,
    results: list[Path],
    job: TableJob,
    shown: frozenset[str] | None = None,
    kinds: Mapping[str, frozenset[str]] | None = None,
) -> None:
    """Write table1.csv (rows A-D), what the claims take from it, and table1.md (the same, the paper's numbers, what
    holds, controls, deviations).

    R@k is in percent, as in the paper. Values are means over generation seeds; low and high bound the 95 % bootstrap
    interval over test clips. A metric that could not be had is an empty cell, and the twin says why.

    Args:
        results: JSON files of stage evaluate, all methods and seeds.
        job: what it is given, and what it writes.
        shown: clips whose selected frame shows the source (`s2v.evaluate.selection.showing`); None where nobody knows.
        kinds: clips that are told apart (`s2v.evaluate.kinds`).

    Raises:
        UserError: results are missing or do not belong together.
    """
    rows = load_rows(results, job.bootstrap)
    main = [row for row in rows.values() if row.result.main]
    if not main:
        raise UserError("table: there are only controls; add one of the paper's rows to generate.methods")
    said = facts(main, job)
    said = replace(said, ours=f"{said.ours} Rows C and D draw no noise: equal for every seed.")
    database = next((row.result.database for row in main if row.result.database), None)
    if database:
        line = f"Row C searches {database} training images, chosen without regard to their content."
        said = replace(said, database=line)
    others = [row for row in rows.values() if not row.result.main]
    controls = controls_section(main, others, lambda row: f"{row.result.letter} {row.result.title}")
    measured = of_table1(rows, job.bootstrap, shown)
    measured["similar_told_apart"] = told_apart(rows.get("sound2vision"), job.similar)
    named = [(row.result.letter or row.result.method, row) for row in main]
    apart = page(kinds_section(named, kinds or {}), similar_section(named, job.similar)).rstrip()
    title, columns = "Table 1 (a): comparison to baselines", _columns(job.dataset)
    write_table(job, title, "table1", columns, main, said, main, measured, before=apart, after=controls)


def _columns(dataset: str) -> list[Column[Row]]:
    return [
        Column("row", lambda row: row.result.letter, title="Row"),
        Column("method", lambda row: row.result.title, title="Method"),
        Column("encoder", lambda row: row.result.encoder, title="V/A"),
        Column("generator", lambda row: row.result.generator, title="G/R"),
        *beside_paper(_itself, lambda row: row.result.letter, PAPER_TABLE1),
        *made_by(_itself, dataset),
    ]


def _itself(row: Row) -> Row:
    return row


__all__ = ["PAPER_TABLE1", "run"]
