"""coverage: what became of every clip. Tables for programs, and a page that names lost clips.

The tables are columns of Arrow from end to end: a large data set's rows as Python objects would take most of a
gigabyte.
"""

from __future__ import annotations

import csv as csv_module
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from s2v.errors import Reason, UserError
from s2v.files import atomic_path, read_csv, read_table, write_text

COLUMNS = ("clip_id", "source_id", "split", "label", "status", "stage", "reason", "detail")
COVERED = pa.schema([pa.field(name, pa.string()) for name in COLUMNS])
"""A table with a row for each clip. `stage`, `reason`, `detail` are those of the stage that left it out; the `detail`
of a clip that is used says what is odd about it. Else they are null."""

MAX_LISTED = 200
"""Lost clips of one reason that the summary names; the CSV names all."""

MAX_ODD = 20

_CLIP = ["clip_id", "source_id", "split", "label"]
_OUTCOME = ["clip_id", "stage", "status", "reason", "detail"]
_CLASS = ("class", "split", "wanted", "got", "lost")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CHUNK = 10_000


@dataclass
class Share:
    """What became of the clips of one class in one split."""

    label: str
    split: str
    got: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Clips that some stage left out."""
        return sum(self.reasons.values())

    @property
    def wanted(self) -> int:
        """Clips of the manifest."""
        return self.got + self.lost


def run(*, manifest: list[Path], stages: list[Path], csv: Path, by_class: Path, summary: Path) -> None:
    """Join manifests with the status rows of the stages.

    Args:
        manifest: manifest shards.
        stages: status shards of the stages, in the order of the chain.
        csv: written, one row a clip, as `COVERED` says.
        by_class: written, one row for each class of each split: clips wanted, got, lost, and lost for each reason.
        summary: written, Markdown.
    """
    covered = cover(_read(manifest, _CLIP), _read(stages, _OUTCOME))
    with atomic_path(csv) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        write_csv(covered, stream)
    write_text(by_class, by_class_text(covered))
    write_text(summary, summary_text(covered))


def _read(paths: Sequence[Path], columns: list[str]) -> pa.Table:
    return pa.concat_tables([read_table(path, columns=columns) for path in paths])


def cover(clips: pa.Table, outcomes: pa.Table) -> pa.Table:
    """A table of schema COVERED, sorted by clip id: a clip is `ok` if every stage says so.

    Args:
        clips: clip_id, source_id, split, label.
        outcomes: clip_id, stage, status, reason, detail; a stage counts from where its first row stands.
    """
    clips = clips.sort_by("clip_id")
    going = pa.array(np.ones(clips.num_rows, bool))
    lost = {name: pa.nulls(clips.num_rows, pa.string()) for name in ("stage", "reason", "detail")}
    for stage in pc.unique(outcomes["stage"]).to_pylist():
        rows = outcomes.filter(pc.equal(outcomes["stage"], stage))
        at = pc.index_in(clips["clip_id"], value_set=rows["clip_id"].combine_chunks()).combine_chunks()
        absent = pc.is_null(at)
        failed = pc.fill_null(pc.not_equal(rows["status"].take(at), "ok"), True)
        here = pc.and_(going, failed)
        found = {
            "stage": pa.scalar(stage, pa.string()),
            "reason": pc.if_else(absent, str(Reason.UPSTREAM), rows["reason"].take(at)),
            "detail": pc.if_else(absent, "left no row here", rows["detail"].take(at)),
        }
        lost = {name: pc.if_else(here, found[name], before) for name, before in lost.items()}
        odd = pc.and_(pc.and_not(going, here), pc.is_valid(found["detail"]))
        lost["detail"] = pc.if_else(odd, found["detail"], lost["detail"])
        going = pc.and_not(going, here)
    status = pc.if_else(going, "ok", "failed")
    columns = {name: clips[name] for name in _CLIP} | {"status": status} | lost
    return pa.table([columns[name] for name in COLUMNS], schema=COVERED)


def write_csv(covered: pa.Table, stream: Any) -> None:
    """Write rows to a text stream as CSV in which no cell breaks a line or is taken for a formula by a spreadsheet."""
    writer = csv_module.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for part in covered.to_batches(max_chunksize=_CHUNK):
        for cells in zip(*(column.to_pylist() for column in part.columns), strict=True):
            writer.writerow([csv_cell(cell) for cell in cells])


def csv_cell(value: str | None) -> str:
    """A cell: unprintable characters escaped, and a leading = + - @ disarmed by an apostrophe."""
    text = _escape(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def shares(covered: pa.Table) -> list[Share]:
    """The clips of each class in each split, sorted; a class without a name is an empty text."""
    found: dict[tuple[str, str], Share] = {}
    for row in covered.group_by(["label", "split", "status", "reason"]).aggregate([([], "count_all")]).to_pylist():
        label, split, n = row["label"] or "", row["split"] or "", row["count_all"]
        share = found.setdefault((label, split), Share(label, split))
        if row["status"] == "ok":
            share.got += n
        else:
            reason = str(row["reason"])
            share.reasons[reason] = share.reasons.get(reason, 0) + n
    return [found[key] for key in sorted(found)]


def by_class_text(covered: pa.Table) -> str:
    """`shares` as CSV, with a column for each reason that occurs."""
    rows = shares(covered)
    reasons = sorted({reason for share in rows for reason in share.reasons})
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow([*_CLASS, *reasons])
    for share in rows:
        names = [csv_cell(share.label), csv_cell(share.split)]
        counts = [share.reasons.get(reason, 0) for reason in reasons]
        writer.writerow([*names, share.wanted, share.got, share.lost, *counts])
    return out.getvalue()


def read_shares(path: Path) -> list[Share]:
    """The rows that `by_class_text` wrote, names as they stand there.

    Raises:
        UserError: it is another file.
    """
    rows = []
    for row in read_csv(path, _CLASS, ("wanted", "got", "lost")):
        try:
            reasons = {name: int(n) for name, n in row.items() if name not in _CLASS and int(n)}
            rows.append(Share(row["class"], row["split"], int(row["got"]), reasons))
        except ValueError as error:
            raise UserError(f"{path}: is not a table of stage coverage; remove it and run that stage again") from error
    return rows


def summary_text(covered: pa.Table) -> str:
    """The summary page."""
    lost = covered.filter(pc.not_equal(covered["status"], "ok"))
    lines = [
        "# Coverage",
        "",
        f"{len(covered) - len(lost)} of {len(covered)} clips went through; {len(lost)} were left out.",
        "",
    ]
    for title, column in (("split", "split"), ("class", "label")):
        if covered[column].null_count == len(covered):
            continue
        everything, missing = _count(covered[column]), _count(lost[column])
        lines += [f"| {title} | clips | used | left out |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(name)} | {n} | {n - missing[name]} | {missing[name]} |" for name, n in sorted(everything.items())
        ]
        lines.append("")
    if len(lost):
        lines += _lost_lines(lost)
    lines += _odd_lines(covered.filter(pc.equal(covered["status"], "ok")))
    lines.append("In `coverage.csv` unprintable characters are escaped, and an apostrophe precedes a leading = + - @.")
    return "\n".join(lines) + "\n"


def _lost_lines(lost: pa.Table) -> list[str]:
    """How many clips each reason took, and the first of them by name."""
    reasons = sorted(_count(lost["reason"]).items())
    lines = ["## Reasons", "", "| reason | clips | meaning |", "|---|---|---|"]
    lines += [f"| {name} | {n} | {Reason[name.upper()].help} |" for name, n in reasons]
    lines += ["", "## Left out", ""]
    more = [f"`{name}` {n - MAX_LISTED}" for name, n in reasons if n > MAX_LISTED]
    if more:
        lines += [f"At most {MAX_LISTED} clips of a reason; `coverage.csv` also has the others: {', '.join(more)}.", ""]
    lines += ["| video | split | stage | reason | detail |", "|---|---|---|---|---|"]
    for name, _ in reasons:
        order = [("source_id", "ascending"), ("clip_id", "ascending")]
        rows = lost.filter(pc.equal(lost["reason"], name)).sort_by(order)
        for row in rows.slice(0, MAX_LISTED).to_pylist():
            cells = (row["source_id"], row["split"], row["stage"], row["reason"], row["detail"])
            lines.append("| " + " | ".join(_cell(cell or "") for cell in cells) + " |")
    return [*lines, ""]


def _odd_lines(used: pa.Table) -> list[str]:
    """What is odd about clips that are used, the commonest first."""
    odd = _count(used["detail"].drop_null()).most_common()
    if not odd:
        return []
    lines = ["## Used, and yet", "", "| what is odd | clips |", "|---|---|"]
    lines += [f"| {_cell(what)} | {n} |" for what, n in odd[:MAX_ODD]]
    lines += ["", f"`coverage.csv` has {len(odd) - MAX_ODD} more."] if len(odd) > MAX_ODD else []
    return [*lines, ""]


def _count(column: pa.ChunkedArray) -> Counter[str]:
    counts: Counter[str] = Counter()
    for entry in pc.value_counts(column).to_pylist():
        counts[entry["values"] or "(none)"] += entry["counts"]
    return counts


def _escape(text: str) -> str:
    """Printable text: a line break becomes \\n, and so on."""
    if text.isprintable() and "\\" not in text:
        return text
    escaped = (
        character if character.isprintable() and character != "\\" else character.encode("unicode_escape").decode()
        for character in text
    )
    return "".join(escaped)


def _cell(text: str) -> str:
    """A Markdown table cell that shows `text` as it is."""
    shown = _escape(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{character}" if character in "\\`*_[]|" else character for character in shown)
