"""Stage `table3`: the GAN and the latent diffusion model on the same sounds (paper 6.1), as CSV and readable twin."""

from __future__ import annotations

from pathlib import Path

from s2v.evaluate.bootstrap import paired_difference
from s2v.evaluate.quantities import write_quantities
from s2v.files import write_text
from s2v.report.comparisons import of_table3
from s2v.report.rows import Row, load_rows
from s2v.report.table1 import METRICS, bullets, cell, coverage_line, csv_text, facts, intervals, metric_head, missing
from s2v.report.verdicts import percent, say

ROWS = {"A": "GAN", "B": "LDM", "C": "AudioToken"}
"""Row, and name in the paper's table."""

PAPER_TABLE3: dict[str, dict[str, str]] = {
    "A": {"R@1": "40.71 / 57.44", "R@5": "77.36 / 84.08", "FID": "17.97", "IS": "19.46"},
    "B": {"R@1": "50.37 / 64.40", "R@5": "81.61 / 85.40", "FID": "17.23", "IS": "19.55"},
    "C": {"R@1": "43.11 / -", "R@5": "78.24 / -", "FID": "17.12", "IS": "16.92"},
}
"""Table 3: R@k on VGGSound (50 classes) / VEGAS, FID and IS on VGGSound."""


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
    """Write table3.csv (the rows that were run) and table3.md (all rows, the paper's numbers, what holds).

    Numbers and intervals are those of Table 1: see `s2v.report.table1.run`, which has the same arguments but for
    `methods`: {row: method}, rows that are not named there are not yet run.

    Raises:
        UserError: results are missing or do not belong together.
    """
    rows = load_rows(results, bootstrap)
    lines = {letter: (title, rows.get(methods.get(letter, ""))) for letter, title in ROWS.items()}
    done = [row for _, row in lines.values() if row]
    write_quantities(quantities, of_table3(lines["A"][1], lines["B"][1], bootstrap))
    write_text(output, csv_text([(letter, title, row) for letter, (title, row) in lines.items() if row], dataset))
    parts = [
        "# Table 3: image generators",
        bullets(facts(done, dataset, coverage_line(coverage, splits), bootstrap)),
        _table(lines),
        missing(done),
    ]
    held = verdicts(lines["A"][1], lines["B"][1], bootstrap)
    if held:
        parts += ["## What holds", "Computed from the rows.", bullets(held)]
    parts += ["## What this is and is not", bullets(deviations)]
    write_text(markdown, "\n\n".join(part for part in parts if part) + "\n")


def _table(lines: dict[str, tuple[str, Row | None]]) -> str:
    found = metric_head("| Row | Image generator |", 2)
    for letter, (title, row) in lines.items():
        line = f"| {letter} | {title} |"
        measured = intervals(row) if row else dict.fromkeys(METRICS)
        for metric, interval in measured.items():
            shown = cell(interval, metric) if row else "not yet run"
            line += f" {shown} | {PAPER_TABLE3[letter][metric]} |"
        found.append(line)
    return "\n".join(found)


def verdicts(gan: Row | None, ldm: Row | None, bootstrap: int) -> list[str]:
    """What the paper says of the two generators, and what holds of it here."""
    if gan is None or ldm is None:
        return []
    found = []
    if gan.r1 is not None and ldm.r1 is not None:
        evidence = f"LDM {percent(ldm.r1)}, GAN {percent(gan.r1)}"
        if gan.clips == ldm.clips and gan.hits.shape == ldm.hits.shape:
            evidence += f"; paired difference {percent(paired_difference(ldm.hits, gan.hits, bootstrap))}"
        found.append(say("The LDM is above the GAN in R@1, intervals disjoint", ldm.r1.above(gan.r1), evidence))
    if gan.fid is not None and ldm.fid is not None:
        evidence = f"LDM {ldm.fid.value:.2f}, GAN {gan.fid.value:.2f}"
        found.append(say("The LDM is below the GAN in FID", ldm.fid.value < gan.fid.value, evidence))
    if gan.inception is not None and ldm.inception is not None:
        evidence = f"LDM {ldm.inception.value:.2f}, GAN {gan.inception.value:.2f}"
        found.append(say("The LDM is above the GAN in IS", ldm.inception.value > gan.inception.value, evidence))
    return found


__all__ = ["PAPER_TABLE3", "ROWS", "run", "verdicts"]
