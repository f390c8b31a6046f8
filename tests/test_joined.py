"""The same table of two data sets, side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from s2v.cli import app
from s2v.errors import UserError
from s2v.report.joined import join

HEAD = "row,method,R@1,R@1 low,R@1 high,R@5,R@5 low,R@5 high,FID,FID low,FID high,IS,IS low,IS high"
HEAD += ",n clips,seeds,evaluator,data set"


def _table(path: Path, dataset: str, *rows: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEAD, *(f"{row},240,0 1 2,judge,{dataset}" for row in rows)]) + "\n", encoding="utf-8")
    return path


def _two(tmp_path: Path) -> list[Path]:
    one = "B,ours,40.71,40.00,41.00,77.36,77.00,78.00,17.97,17.00,18.00,19.46,19.00,20.00"
    other = "B,ours,57.44,57.00,58.00,84.08,84.00,85.00,,,,4.00,3.90,4.10"
    alone = "C,AudioToken,43.11,43.00,44.00,78.24,78.00,79.00,17.12,17.00,18.00,16.92,16.00,17.00"
    return [_table(tmp_path / "a.csv", "vggsound50", one, alone), _table(tmp_path / "b" / "b.csv", "vegas", other)]


def test_rows_stand_side_by_side_with_their_own_intervals(tmp_path: Path) -> None:
    csv, markdown = join(_two(tmp_path))
    head, ours, token = csv.splitlines()
    assert head.startswith("row,method,R@1 vggsound50,R@1 vggsound50 low,R@1 vggsound50 high,R@1 vegas,R@1 vegas low")
    assert ours.startswith("B,ours,40.71,40.00,41.00,57.44,57.00,58.00,77.36")
    assert token.startswith("C,AudioToken,43.11,43.00,44.00,,,,78.24"), "a run without the method has empty cells"
    assert "40.71 [40.00, 41.00]" in markdown and "57.44 [57.00, 58.00]" in markdown and "evaluator judge" in markdown


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    first, second = _two(tmp_path)
    with pytest.raises(UserError, match=r"another table is of the data set vggsound50, too"):
        join([first, first])
    strange = _table(tmp_path / "c.csv", "other", "A,GAN,1,1,1,1,1,1,1,1,1,1,1,1")
    with pytest.raises(UserError, match=r"c.csv: has no method of .*a.csv; join tables of one kind"):
        join([first, strange])
    (tmp_path / "d.csv").write_text("row,method\nA,GAN\n")
    with pytest.raises(UserError, match=r"d.csv: has no column R@1"):
        join([first, tmp_path / "d.csv"])
    half = _table(tmp_path / "e.csv", "vegas", "B,ours,57.44,,58.00,84.08,84.00,85.00,,,,4.00,3.90,4.10")
    with pytest.raises(UserError, match=r"e.csv: R@1 of ours has no interval"):
        join([first, half])
    assert second.is_file()


def test_the_command_writes_either_kind_and_says_where(tmp_path: Path) -> None:
    tables = [str(path) for path in _two(tmp_path)]
    for name in ("joined.md", "joined.csv"):
        result = CliRunner().invoke(app, ["join", *tables, "-o", str(tmp_path / name)])
        assert result.exit_code == 0 and (tmp_path / name).is_file(), result.output
    result = CliRunner().invoke(app, ["join", *tables, "-o", str(tmp_path / "joined.pdf")])
    assert result.exit_code == 1 and "ends in .csv or .md" in result.output
    assert CliRunner().invoke(app, ["join", tables[0]]).exit_code == 1
