"""s2v.data.coverage: every clip once, every lost clip named, and no cell that breaks a table or runs as a formula."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from s2v.data import coverage
from s2v.data.coverage import (
    COLUMNS,
    COVERED,
    MAX_LISTED,
    Share,
    by_class_text,
    csv_cell,
    read_shares,
    summary_text,
    write_csv,
)
from s2v.data.manifest import MANIFEST
from s2v.data.status import FETCHED, STATUS, ClipError, failed_row, ok_row, upstream_row, with_path
from s2v.errors import Reason, UserError
from s2v.files import write_parquet
from s2v.report import coverage as coverage_figure


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(COLUMNS) | row for row in rows], schema=COVERED)


def lost(clip_id: str, reason: Reason, label: str | None = "dog", split: str = "train") -> dict[str, Any]:
    about = {"clip_id": clip_id, "source_id": clip_id, "split": split, "label": label}
    return {**about, "status": "failed", "stage": "fetch", "reason": str(reason)}


def clip(clip_id: str, source_id: str, label: str | None = "dog") -> dict[str, Any]:
    row = {"clip_id": clip_id, "source": "folder", "source_id": source_id, "start_s": None, "end_s": None}
    return {**row, "split": "train", "label": label, "shard": 0, "extra": "{}"}


def write(tmp_path: Path) -> tuple[str, str, str]:
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
    written = {"csv": tmp_path / "c.csv", "by_class": tmp_path / "b.csv", "summary": tmp_path / "c.md"}
    coverage.run(manifest=manifests, stages=stages, **written)
    return written["csv"].read_text(), written["summary"].read_text(), written["by_class"].read_text()


def test_every_clip_has_a_row_with_the_first_stage_that_lost_it(tmp_path: Path) -> None:
    rows = {row["clip_id"]: row for row in csv.DictReader(io.StringIO(write(tmp_path)[0]))}
    assert list(rows) == ["a", "b", "c", "d"]
    assert rows["a"]["status"] == "ok" and rows["a"]["stage"] == "" and rows["a"]["reason"] == ""
    assert (rows["b"]["stage"], rows["b"]["reason"], rows["b"]["detail"]) == ("extract", "silent", "loudest 50 ms")
    assert (rows["c"]["stage"], rows["c"]["reason"]) == ("fetch", "missing")
    assert (rows["d"]["status"], rows["d"]["stage"]) == ("failed", "extract")  # it left no row: never taken for fine


def test_what_is_odd_about_a_used_clip_is_said(tmp_path: Path) -> None:
    odd = "its picture never changes"
    write_parquet(tmp_path / "m.parquet", [clip("a", "a.mp4"), clip("b", "b.mp4"), clip("c", "c.mp4")], MANIFEST)
    rows = [ok_row("a", "extract") | {"detail": odd}, ok_row("b", "extract"), ok_row("c", "extract") | {"detail": odd}]
    write_parquet(tmp_path / "e.parquet", rows, STATUS)
    copied = failed_row("c", "duplicates", ClipError(Reason.DUPLICATE, "of b"))
    write_parquet(tmp_path / "d.parquet", [ok_row("a", "duplicates"), ok_row("b", "duplicates"), copied], STATUS)
    written = {"csv": tmp_path / "c.csv", "by_class": tmp_path / "b.csv", "summary": tmp_path / "c.md"}
    stages = [tmp_path / "e.parquet", tmp_path / "d.parquet"]
    coverage.run(manifest=[tmp_path / "m.parquet"], stages=stages, **written)
    covered = {row["clip_id"]: row for row in csv.DictReader(io.StringIO(written["csv"].read_text()))}
    assert [covered[name]["detail"] for name in "abc"] == [odd, "", "of b"]
    assert covered["a"]["status"] == "ok" and f"| {odd} | 1 |" in written["summary"].read_text()


def test_the_summary_counts_and_names(tmp_path: Path) -> None:
    text = write(tmp_path)[1]
    assert "1 of 4 clips went through; 3 were left out." in text
    assert "| train | 4 | 1 | 3 |" in text and "| dog | 2 | 1 | 1 |" in text and "| (none) | 1 | 0 | 1 |" in text
    assert f"| silent | 1 | {Reason.SILENT.help} |" in text
    assert "| =b\\|\\`x\\`\\\\n.mp4 | train | extract | silent |" in text


def test_classes_and_splits_are_counted_with_a_column_for_each_reason(tmp_path: Path) -> None:
    assert write(tmp_path)[2].splitlines() == [
        "class,split,wanted,got,lost,missing,silent,upstream",
        ",train,1,0,1,1,0,0",
        "cat,train,1,0,1,0,1,0",
        "dog,train,2,1,1,0,0,1",
    ]
    read = read_shares(tmp_path / "b.csv")
    assert read[2] == Share("dog", "train", 1, {"upstream": 1}) and (read[2].wanted, read[2].lost) == (2, 1)
    with pytest.raises(UserError, match="has no column"):
        read_shares(tmp_path / "c.csv")


def test_a_class_cannot_break_the_table_of_classes() -> None:
    rows = list(csv.reader(io.StringIO(by_class_text(table(lost("a", Reason.SILENT, '=x",\n'))))))
    assert rows == [["class", "split", "wanted", "got", "lost", "silent"], ["'=x\",\\n", "train", "1", "0", "1", "1"]]


def test_nothing_lost_needs_no_list() -> None:
    text = summary_text(table({"clip_id": "a", "source_id": "a", "split": "train", "status": "ok"}))
    assert "1 of 1 clips" in text and "Reasons" not in text


def test_a_long_list_of_one_reason_is_cut_and_says_so() -> None:
    many = [lost(f"r{i:04d}", Reason.REMOVED) for i in range(MAX_LISTED + 7)]
    text = summary_text(table(lost("p", Reason.PRIVATE), *many))
    page = text.split("## Left out")[1].splitlines()
    listed = Counter(line.split("|")[4].strip() for line in page if line.startswith("|"))
    assert (listed["removed"], listed["private"]) == (MAX_LISTED, 1)
    assert f"At most {MAX_LISTED} clips of a reason; `coverage.csv` also has the others: `removed` 7." in text
    assert f"| removed | {MAX_LISTED + 7} |" in text
    assert "At most" not in summary_text(table(*many[:MAX_LISTED]))


def test_the_figure_shows_the_worst_classes_first_and_the_same_every_time(tmp_path: Path) -> None:
    shares = [Share(f"class {i:03d}", split, 400 - i, {"removed": i, "silent": 1}) for i in range(309)
              for split in ("train", "test")]  # fmt: skip
    shares += [Share("of no loss", "train", 5, {}), Share("all $lost", "train", 0, {"network": 3})]
    names = [share.label for share in coverage_figure.worst(shares)]
    assert names[:3] == ["all $lost", "class 308", "class 307"] and len(names) == coverage_figure.WORST
    figure = coverage_figure.draw(shares)
    splits, classes = figure.axes
    assert "30 of 311 classes" in classes.get_title(loc="left")
    assert [tick.get_text() for tick in splits.get_yticklabels()] == ["test", "train"]
    for axes, bars in ((splits, 2), (classes, 30)):
        widths = np.array([[bar.get_width() for bar in part] for part in axes.containers])
        assert widths.shape == (4, bars) and np.allclose(widths.sum(0), 100), "used and three reasons make up each bar"
    by_class = tmp_path / "b.csv"
    by_class.write_text(by_class_text(table(lost("a", Reason.SILENT), {"clip_id": "b", "split": "x", "status": "ok"})))
    for name in ("a.png", "b.png"):
        coverage_figure.run(by_class=by_class, output=tmp_path / name, dpi=50)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").width == 500


@pytest.mark.parametrize("shares", [[], [Share("", "train", 3, {})], [Share("", "train", 3, {"silent": 1})]])
def test_the_figure_needs_neither_classes_nor_losses(shares: list[Share]) -> None:
    assert len(coverage_figure.draw(shares).axes) == 1


def test_more_reasons_than_colours_are_one() -> None:
    reasons = {str(reason): 2 + i for i, reason in enumerate(Reason)}
    (axes, _) = coverage_figure.draw([Share("dog", "train", 10, reasons)]).axes
    names = axes.get_legend_handles_labels()[1]
    assert len(names) == 1 + coverage_figure.MAX_REASONS + 1 and names[-1] == "other reasons"
    assert sum(part[0].get_width() for part in axes.containers) == pytest.approx(100)


MEASURE = """
import resource, sys
from pathlib import Path
from s2v.data.coverage import run
folder = Path(sys.argv[1])
written = {"csv": folder / "c.csv", "by_class": folder / "b.csv", "summary": folder / "c.md"}
run(manifest=[folder / "m.parquet"], stages=[folder / "f.parquet", folder / "e.parquet"], **written)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_200000_clips_take_little_memory(tmp_path: Path) -> None:
    """305 MB were measured with libraries, where rows as objects took 713."""
    n = 200_000
    ids = pa.array([f"v{i:011d}_000030_000040" for i in range(n)])
    failed = np.arange(n) % 5 == 0
    detail = pa.array([f"ERROR: [youtube] {i}: Video unavailable" if bad else None for i, bad in enumerate(failed)])
    clips = {"clip_id": ids, "source_id": ids, "split": ["train"] * n, "label": [f"class {i % 309}" for i in range(n)]}
    pq.write_table(pa.table(clips), tmp_path / "m.parquet")
    for stage in ("fetch", "extract"):
        reason = ["removed" if stage == "fetch" else "upstream"] * n
        status = {"status": np.where(failed, "failed", "ok"), "reason": pa.array(reason, mask=~failed)}
        rows = {"clip_id": ids, "stage": [stage] * n, **status, "detail": detail}
        pq.write_table(pa.table(rows), tmp_path / f"{stage[0]}.parquet")
    # The system counts a parent's memory as its child's, so this process would be seen, too: a small one is between.
    command = [sys.executable, "-S", "-c", "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"]
    command += [sys.executable, "-c", MEASURE, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(coverage.__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 450
    with open(tmp_path / "c.csv") as stream:
        assert sum(1 for _ in stream) == n + 1
    assert "160000 of 200000 clips" in (tmp_path / "c.md").read_text()


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
    out = io.StringIO()
    write_csv(table(row), out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 2 and len(next(csv.reader(lines[1:]))) == len(COLUMNS)
    page = [line for line in summary_text(table(row)).split("\n") if line.startswith("|")]
    assert len(page) == 4 * 3 and page[-1].replace("\\|", "").count("|") == 6
