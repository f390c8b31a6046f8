"""Stage `table`: Table 1 (a) as CSV in the paper's layout, and its readable twin with the paper's numbers."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from s2v.data.coverage import read_shares
from s2v.errors import UserError
from s2v.evaluate.bootstrap import Interval
from s2v.evaluate.fidelity import IS_SHUFFLE_SEED
from s2v.evaluate.quantities import write_quantities
from s2v.files import write_text
from s2v.report.comparisons import of_table1
from s2v.report.rows import Row, load_rows
from s2v.report.verdicts import percent, plain, verdicts

PAPER_TABLE1: dict[str, dict[str, str]] = {
    "A": {"R@1": "30.06 / 46.60", "R@5": "62.59 / 82.48", "FID": "16.11", "IS": "12.61"},
    "B": {"R@1": "40.71 / 57.44", "R@5": "77.36 / 84.08", "FID": "17.97", "IS": "19.46"},
    "C": {"R@1": "51.28 / 67.20", "R@5": "80.37 / 85.00", "FID": "-", "IS": "-"},
    "D": {"R@1": "57.82 / 73.60", "R@5": "85.79 / 88.2", "FID": "-", "IS": "-"},
}
"""Table 1 (a): R@k on VGGSound (50 classes) / VEGAS (10 classes), FID and IS on VGGSound."""

NO_DISTRIBUTION = ("C", "D")
"""Rows of real pictures, for which the paper gives no FID and IS."""

METRICS = ("R@1", "R@5", "FID", "IS")


def run(
    *,
    results: list[Path],
    coverage: Path,
    splits: list[str],
    dataset: str,
    deviations: list[str],
    bootstrap: int,
    output: Path,
    markdown: Path,
    quantities: Path,
) -> None:
    """Write table1.csv (rows A-D), what the claims take from it, and table1.md (the same, the paper's numbers,
    verdicts, controls, deviations).

    R@k is in percent, as in the paper. Values are means over generation seeds; low and high bound the 95 %
    bootstrap interval over test clips. A metric that could not be had is an empty cell, and the twin says
    why.

    Args:
        results: JSON files of stage evaluate, all methods and seeds.
        coverage: coverage_by_class.csv.
        splits: those of which the twin says how many clips were left out.
        dataset: what the clips are, in words.
        deviations: every difference from the paper, in words, computed from the configuration.
        bootstrap: number of resamples.
        output: CSV.
        markdown: its twin.
        quantities: JSON of `s2v.evaluate.quantities`.

    Raises:
        UserError: results are missing or do not belong together.
    """
    rows = load_rows(results, bootstrap)
    write_quantities(quantities, of_table1(rows, bootstrap))
    main = [row for row in rows.values() if row.info["main"]]
    if not main:
        raise UserError("table: there are only controls; add one of the paper's rows to generate.methods")
    write_text(output, to_csv(main, dataset))
    write_text(markdown, to_markdown(rows, dataset, coverage_line(coverage, splits), deviations, bootstrap))


def coverage_line(path: Path, splits: list[str]) -> str:
    """How many clips of some splits were wanted, used and left out, in one line.

    Args:
        path: coverage_by_class.csv.
        splits: names; one without clips has none wanted.
    """
    shares = read_shares(path)
    counts = []
    for split in dict.fromkeys(splits):
        own = [share for share in shares if share.split == split]
        wanted, lost = sum(share.wanted for share in own), sum(share.lost for share in own)
        counts.append(f"{split}: {wanted:,} clips wanted, {wanted - lost:,} used, {lost:,} left out")
    return f"Coverage: {'; '.join(counts)}. Why, and which: coverage.md."


def intervals(row: Row) -> dict[str, Interval | None]:
    """A row's metrics as the table shows them: R@k in percent, no FID and IS for real pictures."""
    shown = row.info["letter"] not in NO_DISTRIBUTION
    return {
        "R@1": _hundred(row.r1),
        "R@5": _hundred(row.r5),
        "FID": row.fid if shown else None,
        "IS": row.inception if shown else None,
    }


def _hundred(interval: Interval | None) -> Interval | None:
    return interval and Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)


def to_csv(rows: list[Row], dataset: str) -> str:
    """The rows of Table 1."""
    return csv_text([(row.info["letter"], row.info["title"], row) for row in rows], dataset)


def csv_text(rows: list[tuple[str, str, Row]], dataset: str) -> str:
    """(letter, title, row) in the paper's layout, with intervals, numbers of clips, seeds, evaluator and data set."""
    head = ["row", "method", "encoder", "generator"]
    for metric in METRICS:
        head += [metric, f"{metric} low", f"{metric} high"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*head, "n clips", "seeds", "evaluator", "data set"])
    for letter, title, row in rows:
        cells: list[Any] = [letter, title, row.info["encoder"], row.info["generator"]]
        for interval in intervals(row).values():
            cells += ["", "", ""] if interval is None else [f"{v:.2f}" for v in _triple(interval)]
        seeds = row.drawn.replace(",", "")
        writer.writerow([*cells, len(row.clips), seeds, row.info["evaluator"], dataset])
    return buffer.getvalue()


def _triple(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def to_markdown(rows: dict[str, Row], dataset: str, coverage: str, deviations: list[str], bootstrap: int) -> str:
    """The readable twin."""
    main = [row for row in rows.values() if row.info["main"]]
    controls = [row for row in rows.values() if not row.info["main"]]
    parts = ["# Table 1 (a): comparison to baselines", _preamble(main, dataset, coverage, bootstrap)]
    parts.append(_main_table(main))
    parts.append(missing(main))
    lines = verdicts(rows, bootstrap)
    if lines:
        parts += ["## What holds", "Computed from the rows.", bullets(lines)]
    if controls:
        note = "Not rows of the paper's table; the same clips, seeds and evaluator."
        parts += ["## Controls", note, _control_table(main, controls)]
        parts.append(bullets([f"`{row.method}`: {row.info['note']}." for row in controls if row.info["note"]]))
    parts += [
        "## What this is and is not",
        bullets(deviations or ["No deviation from the paper is configured."]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def bullets(lines: list[str]) -> str:
    """A list in Markdown."""
    return "\n".join(f"- {line}" for line in lines)


def _preamble(rows: list[Row], dataset: str, coverage: str, bootstrap: int) -> str:
    found = facts(rows, dataset, coverage, bootstrap)
    found[3] += " Rows C and D draw no noise: equal for every seed."
    database = next((row.info["database"] for row in rows if row.info["database"]), None)
    if database:
        line = f"Row C searches {database} training images, chosen without regard to their content."
        found.insert(len(found) - 1, line)
    return bullets(found)


def facts(rows: list[Row], dataset: str, coverage: str, bootstrap: int) -> list[str]:
    """How the numbers of a table were made, one line each; `coverage` is that of `coverage_line`."""
    first = rows[0].info
    found = [
        f"Data set: {dataset}; {len(rows[0].clips)} test clips, one picture a clip and seed.",
        coverage,
        f"Evaluator: {first['evaluator']}.",
        "Ours: mean over generation seeds "
        f"{rows[0].drawn} [95 % bootstrap interval over test clips, {bootstrap} "
        "resamples; for FID and IS +- 1.96 standard deviations of resampled clips].",
    ]
    if first["classes"]:
        found.append(
            f"R@k in percent over {first['classes']} class names, chance {100 / first['classes']:.1f} at "
            f"R@1; ties: {first['tie_rule']}."
        )
    if first["n_reference"]:
        found.append(
            f"FID against {first['n_reference']} real frames at the pictures' own size; it falls with the "
            "number of pictures, so it compares rows of this table only. IS over "
            f"{first['inception_splits']} parts after a shuffle with seed {IS_SHUFFLE_SEED}."
        )
    found.append(
        "Paper: VGGSound (50 classes) / VEGAS, CLIP ViT-B/32 and the authors' own Inception. Where data and "
        "networks are not those, its numbers stand beside ours for the order of the rows, not for their "
        "level."
    )
    return found


def cell(interval: Interval | None, metric: str) -> str:
    """A number with its interval, as Markdown shows it."""
    if interval is None:
        return "-"
    if metric in ("R@1", "R@5"):
        return percent(Interval(interval.value / 100, interval.low / 100, interval.high / 100))
    return plain(interval)


def _main_table(rows: list[Row]) -> str:
    lines = metric_head("| Row | Method | V/A | G/R |", 4)
    for row in rows:
        info = row.info
        line = f"| {info['letter']} | {info['title']} | {info['encoder']} | {info['generator']} |"
        for metric, interval in intervals(row).items():
            line += f" {cell(interval, metric)} | {PAPER_TABLE1.get(info['letter'], {}).get(metric, '-')} |"
        lines.append(line)
    return "\n".join(lines)


def metric_head(head: str, columns: int) -> list[str]:
    """The two head lines of a table: the given columns, then each metric beside the paper's."""
    for metric, arrow in zip(METRICS, ("", "", " (lower is better)", ""), strict=True):
        head += f" {metric}{arrow} | paper |"
    return [head, "|" + "---|" * columns + "---:|---:|" * len(METRICS)]


def _control_table(main: list[Row], controls: list[Row]) -> str:
    lines = ["| Row | Input | R@1 | R@5 | FID | IS | KID |", "|---|---|---:|---:|---:|---:|---:|"]
    for row in [*main, *controls]:
        name = f"{row.info['letter']} {row.info['title']}" if row.info["main"] else f"`{row.method}`"
        cells = [cell(interval, metric) for metric, interval in intervals(row).items()]
        kid = row.kid if row.info["letter"] not in NO_DISTRIBUTION else None
        cells.append("-" if kid is None else f"{kid:.4g}")
        lines.append(f"| {name} | {row.info['input']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def missing(rows: list[Row]) -> str:
    """Which metrics are left out, and why."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for metric, reason in row.missing.items():
            if metric not in reasons.setdefault(reason, []):
                reasons[reason].append(metric)
    return bullets([f"Left out: {', '.join(metrics)}, since {reason}." for reason, metrics in reasons.items()])


__all__ = [
    "METRICS",
    "PAPER_TABLE1",
    "bullets",
    "cell",
    "coverage_line",
    "csv_text",
    "facts",
    "intervals",
    "metric_head",
    "missing",
    "run",
    "to_csv",
    "to_markdown",
]
