"""Table 1 shows R@1 of those clips apart that the world's truth calls harder."""

from __future__ import annotations

from pathlib import Path

from made_results import made_result

from s2v.evaluate.kinds import kinds
from s2v.files import write_parquet
from s2v.report.by_kind import kinds_section
from s2v.report.rows import load_rows
from s2v.world import TRUTH


def truth(path: Path) -> Path:
    """Eight test clips, of which the first half hears another source and the last quarter looks odd; all are near."""
    rows = [
        dict.fromkeys(TRUTH.names)
        | {"clip_id": f"c{i:03d}", "split": "test" if i < 8 else "train", "class": "x", "distance": 1.5}
        | {"interference": "horn" if i < 4 else None, "out_of_range": i >= 6}
        for i in range(12)
    ]
    write_parquet(path, rows, TRUTH)
    return path


def test_kinds_are_of_the_split_and_one_of_all_or_no_clips_is_none(tmp_path: Path) -> None:
    found = kinds(truth(tmp_path / "truth.parquet"), "test")
    assert {name: len(clips) for name, clips in found.items()} == {
        "no other source is heard": 4, "another source is heard": 4, "looks as in training": 6,
        "looks outside what training sees": 2,
    }  # fmt: skip


def test_each_kind_has_its_own_number(tmp_path: Path) -> None:
    ranks: list[int | None] = [7, 7, 7, 1, 1, 1, 1, 7]
    row = load_rows([made_result(tmp_path / "0.json", "sound2vision", ranks)], 20)["sound2vision"]
    page = kinds_section([("B", row)], kinds(truth(tmp_path / "truth.parquet"), "test"))
    shown = {line.split("|")[1].strip(): line.split("|")[2:4] for line in page.splitlines() if line.startswith("| ")}
    numbers = {name: (int(n), float(cell.split()[0])) for name, (n, cell) in shown.items() if name != "Clips"}
    assert numbers == {
        "all": (8, 50.0), "another source is heard": (4, 25.0), "no other source is heard": (4, 75.0),
        "looks as in training": (6, 50.0), "looks outside what training sees": (2, 50.0),
    }  # fmt: skip
    assert kinds_section([("B", row)], {}) == ""
