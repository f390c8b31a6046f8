"""coverage: what became of every clip. A table for programs, and a page that names each lost clip."""

from __future__ import annotations

import csv as csv_module
import io
from collections import Counter
from pathlib import Path
from typing import Any

from s2v.errors import Reason
from s2v.files import read_parquet, write_text

COLUMNS = ("clip_id", "source_id", "split", "label", "status", "stage", "reason", "detail")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, Any]


def run(*, manifest: list[Path], stages: list[Path], csv: Path, summary: Path) -> None:
    """Join manifests with the status rows of the stages.

    Args:
        manifest: manifest shards.
        stages: status shards of the stages, in the order of the chain.
        csv: written, one row a clip. `stage`, `reason`, `detail` are those of the stage that left it out.
        summary: written, Markdown.
    """
    rows = [row for path in manifest for row in read_parquet(path)]
    outcomes: dict[str, dict[str, Row]] = {}
    order: list[str] = []
    for path in stages:
        for outcome in read_parquet(path):
            outcomes.setdefault(outcome["clip_id"], {})[outcome["stage"]] = outcome
            if outcome["stage"] not in order:
                order.append(outcome["stage"])
    covered = [_cover(row, outcomes.get(row["clip_id"], {}), order) for row in rows]
    covered.sort(key=lambda row: str(row["clip_id"]))
    write_text(csv, csv_text(covered))
    write_text(summary, summary_text(covered))


def csv_text(rows: list[Row]) -> str:
    """Rows as CSV in which no cell breaks a line or is taken for a formula by a spreadsheet."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([csv_cell(row[column]) for column in COLUMNS])
    return out.getvalue()


def csv_cell(value: str | None) -> str:
    """A cell: unprintable characters escaped, and a leading = + - @ disarmed by an apostrophe."""
    text = _escape(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def summary_text(rows: list[Row]) -> str:
    """The summary page."""
    lost = [row for row in rows if row["status"] != "ok"]
    lines = [
        "# Coverage",
        "",
        f"{len(rows) - len(lost)} of {len(rows)} clips went through; {len(lost)} were left out.",
        "",
    ]
    for title, column in (("split", "split"), ("class", "label")):
        if all(row[column] is None for row in rows):
            continue
        everything: Counter[str] = Counter(row[column] or "(none)" for row in rows)
        missing: Counter[str] = Counter(row[column] or "(none)" for row in lost)
        lines += [f"| {title} | clips | used | left out |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(name)} | {n} | {n - missing[name]} | {missing[name]} |" for name, n in sorted(everything.items())
        ]
        lines.append("")
    if lost:
        lines += ["## Reasons", "", "| reason | clips | meaning |", "|---|---|---|"]
        reasons = Counter(str(row["reason"]) for row in lost)
        lines += [f"| {name} | {n} | {Reason[name.upper()].help} |" for name, n in sorted(reasons.items())]
        lines += [
            "",
            "## Left out",
            "",
            "| video | split | stage | reason | detail |",
            "|---|---|---|---|---|",
        ]
        for row in sorted(lost, key=lambda row: (str(row["reason"]), str(row["source_id"]))):
            cells = (row["source_id"], row["split"], row["stage"], row["reason"], row["detail"])
            lines.append("| " + " | ".join(_cell(cell or "") for cell in cells) + " |")
        lines.append("")
    lines.append("In `coverage.csv` unprintable characters are escaped, and an apostrophe precedes a leading = + - @.")
    return "\n".join(lines) + "\n"


def _cover(row: Row, outcomes: dict[str, Row], order: list[str]) -> Row:
    """One clip: `ok` if every stage says so, else the first stage that left it out."""
    found = {key: row[key] for key in ("clip_id", "source_id", "split", "label")}
    for stage in order:
        outcome = outcomes.get(stage)
        if outcome is None:
            return {
                **found,
                "status": "failed",
                "stage": stage,
                "reason": str(Reason.UPSTREAM),
                "detail": "left no row here",
            }
        if outcome["status"] != "ok":
            lost = {key: outcome[key] for key in ("stage", "reason", "detail")}
            return {**found, "status": "failed", **lost}
    return {**found, "status": "ok", "stage": None, "reason": None, "detail": None}


def _escape(text: str) -> str:
    """Printable text: a line break becomes \\n, and so on."""
    escaped = (
        character if character.isprintable() and character != "\\" else character.encode("unicode_escape").decode()
        for character in text
    )
    return "".join(escaped)


def _cell(text: str) -> str:
    """A Markdown table cell that shows `text` as it is."""
    shown = _escape(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{character}" if character in "\\`*_[]|" else character for character in shown)
