"""Stage `table_vegas5`: the table of Figure 15, the systems that the paper is measured against and both of ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from s2v.errors import UserError
from s2v.report.comparisons import of_fig15
from s2v.report.rows import Row, load_rows
from s2v.report.tables import PaperTable, TableJob, beside_paper, controls_section, facts, made_by, write_table
from s2v.report.tabular import Column

PAPER_FIG15: PaperTable = {
    "A": {"R@1": "23.10", "FID": "118.68", "IS": "1.19"},
    "B": {"R@1": "39.19", "FID": "114.84", "IS": "1.45"},
    "C": {"R@1": "77.58", "FID": "34.68", "IS": "4.01"},
    "D": {"R@1": "79.31", "FID": "32.52", "IS": "4.04"},
}
"""Table of Figure 15: VEGAS, five classes."""

METRICS = ("R@1", "FID", "IS")
TITLES = {"A": "Pedersoli et al.", "B": "S2I", "C": "Ours (GAN)", "D": "Ours (LDM)"}


@dataclass(frozen=True)
class System:
    """A row of the table."""

    letter: str
    title: str
    row: Row


def run(*, results: list[Path], methods: dict[str, str], classes: list[str] | None, job: TableJob) -> None:
    """Write table_vegas5.csv, what the claims take, and table_vegas5.md (the same, the paper's numbers, what is found).

    Args:
        results: JSON files of stage evaluate, of the rows' methods, of the baselines' controls, and of all seeds.
        methods: row -> method, of A to D.
        classes: those that the clips are of; None is all of the data set.
        job: what it is given, and what it writes.

    Raises:
        UserError: results are missing or do not belong together.
    """
    rows = load_rows(results, job.bootstrap)
    absent = [method for method in methods.values() if method not in rows]
    if absent:
        raise UserError(f"table_vegas5: there are no results of {', '.join(absent)}; run stage evaluate again")
    systems = [System(letter, TITLES[letter], rows[method]) for letter, method in methods.items()]
    columns: list[Column[System]] = [
        Column("row", lambda one: one.letter, title="Row"),
        Column("method", lambda one: one.title, title="System"),
        Column("uses text", lambda one: "yes" if one.row.result.uses_text else "no"),
        *beside_paper(lambda one: one.row, lambda one: one.letter, PAPER_FIG15, METRICS),
        *made_by(lambda one: one.row, job.dataset),
    ]
    shown = [one.row for one in systems]
    said = replace(
        facts(shown, job),
        paper="Paper: VEGAS, the five classes baby cry, dog, rail transport, fireworks and water flowing, CLIP "
        "ViT-B/32 and the authors' own Inception. Where data and networks are not those, its numbers stand beside ours "
        "for the order of the rows, not for their level.",
    )
    if classes:
        named = f"{said.data} Test clips, names to choose from and FID's real frames are of the classes"
        said = replace(said, data=f"{named} {', '.join(classes)}.")
    controls = [row for name, row in rows.items() if name not in methods.values()]
    measured = of_fig15({letter: rows[method] for letter, method in methods.items()}, rows, job.bootstrap)
    beside = controls_section(shown, controls, lambda row: row.result.title, METRICS)
    write_table(
        job, "Figure 15: systems side by side", "table_vegas5", columns, systems, said, shown, measured, after=beside
    )


__all__ = ["PAPER_FIG15", "run"]
