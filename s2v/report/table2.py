"""Stage `table2`: what alignment is without a part of it (paper 4.3), as CSV and readable twin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Measured, Quantity
from s2v.report.ablation import Ablation
from s2v.report.comparisons import of_table2
from s2v.report.rows import Row, load_rows
from s2v.report.tables import PaperTable, TableJob, beside_paper, facts, made_by, write_table
from s2v.report.tabular import Column, to_markdown

PAPER_TABLE2: PaperTable = {
    "A": {"R@1": "18.21", "R@5": "46.69", "FID": "24.05", "IS": "9.97"},
    "B": {"R@1": "31.63", "R@5": "66.04", "FID": "27.05", "IS": "12.92"},
    "C": {"R@1": "37.20", "R@5": "73.13", "FID": "21.20", "IS": "17.51"},
    "D": {"R@1": "35.85", "R@5": "72.02", "FID": "19.05", "IS": "17.87"},
    "E": {"R@1": "38.24", "R@5": "75.76", "FID": "20.43", "IS": "18.81"},
    "F": {"R@1": "40.71", "R@5": "77.36", "FID": "17.97", "IS": "19.46"},
}
"""Table 2: VGGSound (50 classes)."""


@dataclass(frozen=True)
class Ablated:
    """A row of the table: its name, what it is, and its metrics."""

    name: str
    what: Ablation
    row: Row


def run(*, results: dict[str, list[Path]], rows: dict[str, Ablation], job: TableJob) -> None:
    """Write table2.csv and table2.md, and what the claims take.

    R@k is in percent. Values are means over trainings, each with pictures of one generation seed; low and high bound
    the 95 % interval over trainings and classes (`s2v.evaluate.crossed`).

    Args:
        results: row -> JSON files of stage evaluate, one per training.
        rows: row -> what it is.
        job: what it is given, and what it writes.

    Raises:
        UserError: results are missing or do not belong together.
    """
    found = load_ablation(results, job.bootstrap)
    every = list(found.values())
    trainings, seeds = (", ".join(map(str, numbers)) for numbers in (every[0].trainings, every[0].seeds))
    said = replace(
        facts(every, job),
        ours=f"Ours: mean over the trainings {trainings} of the audio encoder, which share everything else; each draws "
        f"with a generation seed of its own ({seeds}) [95 % interval over trainings and classes; of FID "
        "and IS over trainings and test clips].",
        paper="Paper: VGGSound (50 classes), one training and no intervals; CLIP ViT-B/32 and the authors' own "
        "Inception.",
    )
    measured = of_table2(found, job.bootstrap)
    ablated = [Ablated(name, rows[name], row) for name, row in found.items()]
    title, columns, differences = "Table 2: ablations", _columns(job.dataset), _differences(found, measured)
    write_table(job, title, "table2", columns, ablated, said, every, measured, before=differences, notes=notes(rows))


def load_ablation(results: dict[str, list[Path]], bootstrap: int) -> dict[str, Row]:
    """The rows of the table by name.

    Raises:
        UserError: a row has results of several methods, or of no label.
    """
    found = {}
    for name, paths in results.items():
        made = load_rows(paths, bootstrap)
        if len(made) != 1:
            raise UserError(f"table2: row {name} has results of {', '.join(made)}; it takes those of one method")
        (found[name],) = made.values()
    return found


def _columns(dataset: str) -> list[Column[Ablated]]:
    return [
        Column("row", lambda one: one.name, title="Row"),
        Column("loss", lambda one: one.what.loss, title="Loss"),
        Column("temperature", lambda one: f"{one.what.temperature:g}", title="Temperature"),
        Column("frame", lambda one: one.what.frame, title="Frame"),
        Column("duration s", lambda one: f"{one.what.window_s:g}", title="Duration (s)"),
        Column("window", lambda one: one.what.at, title="Window"),
        Column("audio encoder", lambda one: one.what.hears, title="Audio encoder"),
        Column("gap", lambda one: "closed afterwards" if one.what.closed else "", title="Gap"),
        *beside_paper(lambda one: one.row, lambda one: one.name, PAPER_TABLE2),
        *made_by(lambda one: one.row, dataset, trainings=True),
    ]


def _differences(rows: dict[str, Row], measured: Measured) -> str:
    """The section of the differences between row F and the others."""
    if "F" not in rows:
        return "There is no row F to compare with."

    def quantity(name: str, metric: str) -> Quantity | None:
        found = measured[f"{metric}_f_minus_{name.lower()}"]
        return found if isinstance(found, Quantity) else None

    def interval(name: str, metric: str, scale: int = 1) -> Interval | None:
        one = quantity(name, metric)
        return Interval(scale * one.value, scale * one.low, scale * one.high) if one else None

    def alone(name: str, metric: str, scale: int = 1) -> str:
        one = quantity(name, metric)
        return ", ".join(f"{scale * value:.{1 if scale > 1 else 2}f}" for value in one.by_training) if one else ""

    columns: list[Column[str]] = [
        Column("F minus", lambda name: name),
        Column("R@1", lambda name: interval(name, "r1", 100), digits=1),
        Column("R@1 by training", lambda name: alone(name, "r1", 100)),
        Column("FID", lambda name: interval(name, "fid")),
        Column("FID by training", lambda name: alone(name, "fid")),
        Column("R@5", lambda name: interval(name, "r5", 100), digits=1),
        Column("IS", lambda name: interval(name, "is")),
    ]
    head = (
        "## Differences\n\nRow F minus the others, over the same clips and paired by training. R@k (in points) and IS: "
        "above 0 speaks for F. FID: below 0 speaks for F."
    )
    return f"{head}\n\n{to_markdown(columns, [name for name in rows if name != 'F'])}"


def notes(rows: dict[str, Ablation]) -> list[str]:
    """Where this table settles what the paper leaves open."""
    found = [
        "Durations are shares of the window of alignment (the paper's 1, 5 and 10 s are 1/10, 1/2 and all of its 10 "
        "s), in training and test alike, from the start of the clip or around the moment of its chosen frame; the "
        "paper does not say from where. Its row E carries no mark of selection, while its text says that only the "
        "duration changes; here E selects.",
        "Row A: mean squared error of features as the encoders give them, as in the authors' code; its pictures are "
        "made from features at unit norm like all others.",
    ]
    if any(row.hears != "trained" for row in rows.values()):
        found.append(
            "Not in the paper: an audio encoder that is named was trained on other sounds, and stays as it is; a head "
            "on it is aligned. `trained` is f_A, from nothing."
        )
    if any(row.closed for row in rows.values()):
        found.append(
            "A gap that is closed afterwards: the features of sounds, at unit norm, are moved by the mean of f_V minus "
            "the mean of f_A over training pairs, and brought back to unit norm. Nothing is trained for it. Not a row "
            "of the paper, whose 4.4 says that a smaller gap goes with better pictures."
        )
    if any(row.temperature != 1 for row in rows.values()):
        found.append(
            "The paper's L_nce has a temperature of 1, at which cosines, which lie between -1 and 1, hardly tell one "
            "pair from another. Rows with another temperature are not the paper's; they make the comparison fair."
        )
    return found


__all__ = ["PAPER_TABLE2", "Ablation", "load_ablation", "run"]
