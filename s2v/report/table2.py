"""Stage `table2`: what alignment is without a part of it (paper 4.3), as CSV and readable twin."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from s2v.errors import UserError
from s2v.evaluate.quantities import write_quantities
from s2v.files import write_text
from s2v.report.ablation import Ablation
from s2v.report.comparisons import of_table2
from s2v.report.rows import Row, fid_difference, hit_difference, load_rows
from s2v.report.table1 import METRICS, bullets, cell, coverage_line, facts, intervals, metric_head, missing
from s2v.report.verdicts import percent, plain

PAPER_TABLE2: dict[str, dict[str, str]] = {
    "A": {"R@1": "18.21", "R@5": "46.69", "FID": "24.05", "IS": "9.97"},
    "B": {"R@1": "31.63", "R@5": "66.04", "FID": "27.05", "IS": "12.92"},
    "C": {"R@1": "37.20", "R@5": "73.13", "FID": "21.20", "IS": "17.51"},
    "D": {"R@1": "35.85", "R@5": "72.02", "FID": "19.05", "IS": "17.87"},
    "E": {"R@1": "38.24", "R@5": "75.76", "FID": "20.43", "IS": "18.81"},
    "F": {"R@1": "40.71", "R@5": "77.36", "FID": "17.97", "IS": "19.46"},
}
"""Table 2: VGGSound (50 classes)."""


def run(
    *,
    results: dict[str, list[Path]],
    rows: dict[str, Ablation],
    coverage: Path,
    splits: list[str],
    dataset: str,
    deviations: list[str],
    bootstrap: int,
    output: Path,
    markdown: Path,
    quantities: Path,
) -> None:
    """Write table2.csv and table2.md.

    R@k is in percent. Values are means over trainings, each with pictures of one generation seed; low and high bound
    the 95 % interval over trainings and test clips, which are resampled together (`s2v.evaluate.bootstrap.crossed`).

    Args:
        results: row -> JSON files of stage evaluate, one per training.
        rows: row -> what it is.
        coverage: coverage_by_class.csv.
        splits: those of which the twin says how many clips were left out.
        dataset: what the clips are, in words.
        deviations: every difference from the paper, in words.
        bootstrap: resamples.
        output: CSV.
        markdown: its twin.
        quantities: JSON of `s2v.evaluate.quantities`, for the claims.

    Raises:
        UserError: results are missing or do not belong together.
    """
    found = load_ablation(results, bootstrap)
    write_text(output, to_csv(found, rows, dataset))
    write_quantities(quantities, of_table2(found, bootstrap))
    first = list(found.values())
    told = facts(first, dataset, coverage_line(coverage, splits), bootstrap)
    trainings = ", ".join(map(str, first[0].trainings))
    told[3] = (
        f"Ours: mean over the trainings {trainings} of the audio encoder, which share everything else; each draws "
        f"with a generation seed of its own ({', '.join(map(str, first[0].seeds))}) [95 % interval over trainings and "
        f"test clips, both resampled ({bootstrap} times); for FID and IS +- 1.96 standard deviations]."
    )
    told[-1] = (
        "Paper: VGGSound (50 classes), one training and no intervals; CLIP ViT-B/32 and the authors' own Inception."
    )
    parts = ["# Table 2: ablations", bullets(told), _table(found, rows), missing(first), "## Differences"]
    parts += [
        "Row F minus the others, over the same clips and paired by training. R@1 in points: above 0 speaks for F. FID: "
        "below 0 speaks for F. What follows from them is in claims.md.",
        _differences(found, bootstrap),
        "## What this is and is not",
        bullets([*deviations, *notes(rows)]),
    ]
    write_text(markdown, "\n\n".join(part for part in parts if part) + "\n")


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


def to_csv(found: dict[str, Row], rows: dict[str, Ablation], dataset: str) -> str:
    """A line for each row of the table."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head = ["row", "loss", "temperature", "frame", "duration s"]
    for metric in METRICS:
        head += [metric, f"{metric} low", f"{metric} high"]
    writer.writerow([*head, "n clips", "trainings", "seeds", "evaluator", "data set"])
    for name, row in found.items():
        what = rows[name]
        cells: list[Any] = [name, what.loss, f"{what.temperature:g}", what.frame, f"{what.window_s:g}"]
        for interval in intervals(row).values():
            shown = ["", "", ""] if interval is None else [interval.value, interval.low, interval.high]
            cells += [f"{value:.2f}" if value != "" else "" for value in shown]
        lists = [" ".join(map(str, numbers)) for numbers in (row.trainings, row.seeds)]
        writer.writerow([*cells, len(row.clips), *lists, row.info["evaluator"], dataset])
    return buffer.getvalue()


def _table(found: dict[str, Row], rows: dict[str, Ablation]) -> str:
    lines = metric_head("| Row | Loss | Temperature | Frame | Duration |", 5)
    for name, row in found.items():
        what = rows[name]
        line = f"| {name} | {what.loss} | {what.temperature:g} | {what.frame} | {what.window_s:g} s |"
        for metric, interval in intervals(row).items():
            line += f" {cell(interval, metric)} | {PAPER_TABLE2.get(name, {}).get(metric, '-')} |"
        lines.append(line)
    return "\n".join(lines)


def _differences(found: dict[str, Row], bootstrap: int) -> str:
    full = found.get("F")
    if full is None:
        return "There is no row F."
    lines = ["| F minus | R@1 | by training | FID | by training |", "|---|---:|---|---:|---|"]
    for name, row in found.items():
        if row is full:
            continue
        cells = ["-"] * 4
        if full.r1 is not None and row.r1 is not None:
            interval, alone = hit_difference(full, row, bootstrap)
            cells[:2] = [percent(interval), ", ".join(f"{100 * value:.1f}" for value in alone)]
        if full.fid is not None and row.fid is not None:
            interval, alone = fid_difference(full, row, bootstrap)
            cells[2:] = [plain(interval), ", ".join(f"{value:.2f}" for value in alone)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def notes(rows: dict[str, Ablation]) -> list[str]:
    """Where this table settles what the paper leaves open."""
    found = [
        "Durations are shares of the window of alignment (the paper's 1, 5 and 10 s are 1/10, 1/2 and all of its 10 "
        "s), from the start of the clip, in training and test alike; the paper does not say from where. Its row E "
        "carries no mark of selection, while its text says that only the duration changes; here E selects.",
        "Row A: mean squared error of features as the encoders give them, as in the authors' code; its pictures are "
        "made from features at unit norm like all others.",
    ]
    if any(row.temperature != 1 for row in rows.values()):
        found.append(
            "The paper's L_nce has a temperature of 1, at which cosines, which lie between -1 and 1, hardly tell one "
            "pair from another. Rows with another temperature are not the paper's; they make the comparison fair."
        )
    return found


__all__ = ["PAPER_TABLE2", "Ablation", "load_ablation", "run", "to_csv"]
