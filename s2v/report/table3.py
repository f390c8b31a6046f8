"""Stage `table3`: the GAN and the latent diffusion model on the same sounds (paper 6.1), as CSV and readable twin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2v.errors import UserError
from s2v.report.comparisons import of_table3
from s2v.report.rows import Row, load_rows
from s2v.report.tables import PaperTable, TableJob, beside_paper, facts, made_by, write_table
from s2v.report.tabular import Column

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


def run(*, results: list[Path], methods: dict[str, str], job: TableJob) -> None:
    """Write table3.csv, what the claims take, and table3.md (the same, the paper's numbers, what holds).

    Args:
        results: JSON files of stage evaluate, both methods and all seeds.
        methods: row -> method, of A and B.
        job: what it is given, and what it writes.

    Raises:
        UserError: results are missing or do not belong together.
    """
    rows = load_rows(results, job.bootstrap)
    absent = [method for method in methods.values() if method not in rows]
    if absent:
        raise UserError(f"table3: there are no results of {', '.join(absent)}; run stage evaluate again")
    gan, ldm = (rows[methods[letter]] for letter in "AB")
    generators = [Generator("A", "GAN", gan), Generator("B", "LDM", ldm)]
    columns: list[Column[Generator]] = [
        Column("row", lambda one: one.letter, title="Row"),
        Column("method", lambda one: one.title, title="Image generator"),
        Column("encoder", lambda one: one.done.result.encoder, only="csv"),
        Column("generator", lambda one: one.done.result.generator, only="csv"),
        *beside_paper(lambda one: one.row, lambda one: one.letter, PAPER_TABLE3),
        *made_by(lambda one: one.done, job.dataset),
    ]
    title, both, open_ = "Table 3: image generators", [gan, ldm], [Generator("C", "AudioToken (not yet run)")]
    measured = of_table3(gan, ldm, job.bootstrap)
    write_table(job, title, "table3", columns, generators, facts(both, job), both, measured, more=open_)


__all__ = ["PAPER_TABLE3", "run"]
