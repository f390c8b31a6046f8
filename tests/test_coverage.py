"""s2v.data.coverage: every clip once, every lost clip named, and no cell that breaks a table or runs as a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from s2v.data import coverage
from s2v.data.coverage import COLUMNS, csv_cell, csv_text, summary_text
from s2v.data.manifest import MANIFEST
from s2v.data.status import FETCHED, STATUS, ClipError, failed_row, ok_row, upstream_row, with_path
from s2v.errors import Reason
from s2v.files import write_parquet


def clip(clip_id: str, source_id: str, label: str | None = "dog") -> dict[str, Any]:
    row = {"clip_id": clip_id, "source": "folder", "source_id": source_id, "start_s": None, "end_s": None}
    return {**row, "split": "train", "label": label, "shard": 0, "extra": "{}"}


def write(tmp_path: Path) -> tuple[str, str]:
    clips = [clip("a", "a.mp4"), clip("b", "=b|`x`\n.mp4", "cat"), clip("c", "-c.mp4", None), clip("d", "d.mp4")]
    write_parquet(tmp_path / "m0.parquet", clips[:2], MANIFEST)
    write_parquet(tmp_path / "m1.parquet", clips[2:], MANIFEST)
    gone = failed_row("c", "fetch", ClipError(Reason.MISSING))
    fetched = [with_path(ok_row(name, "fetch"), name) for name in "abd"]
    write_parquet(tmp_path / "f.parquet", [*fetched, with_path(gone, None)], FETCHED)
    bad = failed_row("b", "extract", ClipError(Reason.SILENT, "loudest\n50 ms"))
    write_parquet(tmp_path / "e.parquet", [ok_row("a", "extract"), bad, upstream_row("c", "extract", gone)], STATUS)
    stages = [tmp_path / "f.parquet", tmp_path / "e.parquet"]
    manifests = [tmp_path / "m0.parquet", tmp_path / "m1.parquet"]
    coverage.run(manifest=manifests, stages=stages, csv=tmp_path / "c.csv", summary=tmp_path / "c.md")
    return (tmp_path / "c.csv").read_text(), (tmp_path / "c.md").read_text()


def test_every_clip_has_a_row_with_the_first_stage_that_lost_it(tmp_path: Path) -> None:
    rows = {row["clip_id"]: row for row in csv.DictReader(io.StringIO(write(tmp_path)[0]))}
    assert list(rows) == ["a", "b", "c", "d"]
    assert rows["a"]["status"] == "ok" and rows["a"]["stage"] == "" and rows["a"]["reason"] == ""
    assert (rows["b"]["stage"], rows["b"]["reason"], rows["b"]["detail"]) == ("extract", "silent", "loudest 50 ms")
    assert (rows["c"]["stage"], rows["c"]["reason"]) == ("fetch", "missing")
    assert (rows["d"]["status"], rows["d"]["stage"]) == ("failed", "extract")  # it left no row: never taken for fine


def test_the_summary_counts_and_names(tmp_path: Path) -> None:
    text = write(tmp_path)[1]
    assert "1 of 4 clips went through; 3 were left out." in text
    assert "| train | 4 | 1 | 3 |" in text and "| dog | 2 | 1 | 1 |" in text and "| (none) | 1 | 0 | 1 |" in text
    assert f"| silent | 1 | {Reason.SILENT.help} |" in text
    assert "| =b\\|\\`x\\`\\\\n.mp4 | train | extract | silent |" in text


def test_nothing_lost_needs_no_list() -> None:
    row = dict.fromkeys(COLUMNS, None) | {"clip_id": "a", "source_id": "a", "split": "train", "status": "ok"}
    assert "1 of 1 clips" in summary_text([row]) and "Reasons" not in summary_text([row])


@given(st.text())
def test_a_cell_is_one_line_and_no_formula(text: str) -> None:
    cell = csv_cell(text)
    assert cell.isprintable() and not cell.startswith(("=", "+", "-", "@"))
    # Nothing is lost: the name can be read back.
    shown = cell.removeprefix("'") if text.startswith(("=", "+", "-", "@")) else cell
    assert shown.encode("ascii", "backslashreplace").decode("unicode_escape") == text or "\\" in text


@given(st.lists(st.text(), min_size=4, max_size=4))
def test_the_table_survives_any_text(texts: list[str]) -> None:
    source_id, split, label, detail = texts
    row = {"clip_id": "a", "source_id": source_id, "split": split or "x", "label": label, "status": "failed"}
    row |= {"stage": "extract", "reason": "silent", "detail": detail}
    lines = csv_text([row]).splitlines()
    assert len(lines) == 2 and len(next(csv.reader(lines[1:]))) == len(COLUMNS)
    page = [line for line in summary_text([row]).split("\n") if line.startswith("|")]
    assert len(page) == 4 * 3 and page[-1].replace("\\|", "").count("|") == 6
