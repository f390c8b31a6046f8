"""Stage `table3`: image generators on the same sounds (paper 6.1), as CSV and readable twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2v.errors import UserError
from s2v.report.comparisons import of_table3
from s2v.report.rows import Row, load_rows
from s2v.report.tables import PaperTable, TableJob, beside_paper, controls_section, facts, made_by, write_table
from s2v.report.tabular import Column

PAPER_TABLE3: PaperTable = {
    "A": {"R@1": "40.71 / 57.44", "R@5": "77.36 / 84.08", "FID": "17.97", "IS": "19.46"},
    "B": {"R@1": "50.37 / 64.40", "R@5": "81.61 / 85.40", "FID": "17.23", "IS": "19.55"},
    "C": {"R@1": "43.11 / -", "R@5": "78.24 / -", "FID": "17.12", "IS": "16.92"},
}
"""Table 3: R@k on VGGSound (50 classes) / VEGAS, FID and IS on VGGSound."""

TITLES = {"A": "GAN", "B": "LDM", "C": "AudioToken"}
NOTES = (
    "Rows without a letter are not the paper's. They show how much of the task is naming: they draw with the "
    "text-conditioned model of row C, told a name in place of the sound's own word.",
)


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


def run(*, results: list[Path], methods: dict[str, str], controls: Sequence[str] = (), job: TableJob) -> None:
    """Write table3.csv, what the claims take, and table3.md (the same, the paper's numbers, what was found, controls).

    Args:
        results: JSON files of stage evaluate, all methods and all seeds.
        methods: row -> method: A, B, C where it is run, and others by their names, controls among them.
        controls: methods that stand beside the table.
        job: what it is given, and what it writes.

    Raises:
        UserError: results are missing or do not belong together.
    """
    rows = load_rows(results, job.bootstrap)
    absent = [method for method in methods.values() if method not in rows]
    if absent:
        raise UserError(f"table3: there are no results of {', '.join(absent)}; run stage evaluate again")
    lettered = [
        Generator(letter, title, rows[methods[letter]]) for letter, title in TITLES.items() if letter in methods
    ]
    further = [
        Generator("", rows[method].result.title, rows[method])
        for row, method in methods.items()
        if row not in TITLES and method not in controls
    ]
    generators = [*lettered, *further]
    columns: list[Column[Generator]] = [
        Column("row", lambda one: one.letter, title="Row"),
        Column("method", lambda one: one.title, title="Image generator"),
        Column("uses text", lambda one: None if one.row is None else _yes(one.row), title="Uses text"),
        Column("input", lambda one: None if one.row is None else one.row.result.input, title="Input"),
        Column("encoder", lambda one: one.done.result.encoder, only="csv"),
        Column("generator", lambda one: one.done.result.generator, only="csv"),
        *beside_paper(lambda one: one.row, lambda one: one.letter, PAPER_TABLE3),
        *made_by(lambda one: one.done, job.dataset),
    ]
    every = [one.done for one in generators]
    open_ = [] if "C" in methods else [Generator("C", "AudioToken (not run)")]
    beside = controls_section(every, [rows[method] for method in controls], lambda row: row.result.title)
    named = {letter: rows.get(methods.get(letter, "")) for letter in TITLES}
    measured = of_table3(named["A"], named["B"], named["C"], _control_of(methods, rows, controls), job.bootstrap)
    title, said = "Table 3: image generators", facts(every, job)
    write_table(
        job,
        title,
        "table3",
        columns,
        generators,
        said,
        every,
        measured,
        more=open_,
        after=beside,
        notes=NOTES if further else [],
    )


def _yes(row: Row) -> str:
    return "yes" if row.result.uses_text else "no"


def _control_of(methods: dict[str, str], rows: dict[str, Row], controls: Sequence[str]) -> Row | None:
    """Row C with its conditions shuffled."""
    shuffled = f"{methods.get('C')}_shuffled"
    return rows.get(shuffled) if shuffled in controls else None


__all__ = ["PAPER_TABLE3", "run"]
