"""Stage `table3`: the GAN and the latent diffusion model on the same sounds (paper 6.1), as CSV and readable twin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.quantities import write_quantities
from s2v.files import write_text
from s2v.report.comparisons import of_table3
from s2v.report.facts import coverage_line, facts, left_out
from s2v.report.findings import what_holds
from s2v.report.metrics import PaperTable, beside_paper, made_by
from s2v.report.rows import Row, load_rows
from s2v.report.tabular import Column, bullets, page, to_markdown, write_csv

PAPER_TABLE3: PaperTable = {
    "A": {"R@1": "40.71 / 57.44", "R@5": "77.36 / 84.08", "FID": "17.97", "IS": "19.46"},
    "B": {"R@1": "50.37 / 64.40", "R@5": "81.61 / 85.40", "FID": "17.23", "IS": "19.55"},
    "C": {"R@1": "43.11 / -", "R@5": "78.24 / -", "FID": "17.12", "IS": "16.92"},
}
"""Table 3: R@k on VGGSound (50 classes) / VEGAS, FID and IS on VGGSound."""


@dataclass(frozen=True)
class Generator:
    """A row of the table: its letter, its name in the paper's, and its metrics, where it is run."""

    letter: str
    title: str
    row: Row | None = None

    @property
    def done(self) -> Row:
        """The metrics of one that is run."""
        assert self.row is not None
        return self.row


def run(
    *,
    results: list[Path],
    methods: dict[str, str],
    coverage: Path,
    splits: list[str],
    dataset: str,
    deviations: list[str],
    bootstrap: int,
    output: Path,
    markdown: Path,
    quantities: Path,
) -> None:
    """Write table3.csv and table3.md (the same, the paper's numbers, what holds).

    Numbers and intervals are those of Table 1: see `s2v.report.table1.run`, which has the same arguments but for
    `methods`: {row: method} of A and B.

    Raises:
        UserError: results are missing or do not belong together.
    """
    rows = load_rows(results, bootstrap)
    absent = [method for method in methods.values() if method not in rows]
    if absent:
        raise UserError(f"table3: there are no results of {', '.join(absent)}; run stage evaluate again")
    gan, ldm = (rows[methods[letter]] for letter in "AB")
    generators = [Generator("A", "GAN", gan), Generator("B", "LDM", ldm)]
    measured = of_table3(gan, ldm, bootstrap)
    write_quantities(quantities, measured)
    columns: list[Column[Generator]] = [
        Column("row", lambda one: one.letter, title="Row"),
        Column("method", lambda one: one.title, title="Image generator"),
        Column("encoder", lambda one: one.done.result.encoder, only="csv"),
        Column("generator", lambda one: one.done.result.generator, only="csv"),
        *beside_paper(lambda one: one.row, lambda one: one.letter, PAPER_TABLE3),
        *made_by(lambda one: one.done, dataset),
    ]
    write_csv(output, columns, generators)
    text = page(
        "# Table 3: image generators",
        bullets(facts([gan, ldm], dataset, coverage_line(coverage, splits), bootstrap).lines()),
        to_markdown(columns, [*generators, Generator("C", "AudioToken (not yet run)")]),
        bullets(left_out([gan, ldm])),
        what_holds("table3", measured),
        "## What this is and is not",
        bullets(deviations),
    )
    write_text(markdown, text)


__all__ = ["PAPER_TABLE3", "run"]
