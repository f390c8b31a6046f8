"""Manifests of published data sets: right splits, no leaks, and hostile lists are refused in one line."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s2v.config import CelebVHqConfig, DataConfig, VegasConfig, VggSoundConfig
from s2v.data import celebvhq, vegas, vggsound
from s2v.data.extract import face_box
from s2v.data.lists import read_object
from s2v.data.manifest import CLIP_ID, MANIFEST, manifest_rows, run
from s2v.data.status import ClipError
from s2v.data.vggsound_classes import PAPER_50
from s2v.errors import Reason, UserError
from s2v.files import read_parquet


def _video(n: int) -> str:
    return f"{'-' if n % 3 == 0 else '_'}vid{n:07d}"


def _list(path: Path, classes: list[str], per_class: int = 20) -> Path:
    lines = []
    for c, name in enumerate(classes):
        for i in range(per_class):
            lines.append(f'{_video(1000 * c + i)},{i},"{name}",{"test" if i % 5 == 0 else "train"}')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _vgg(path: Path, **values: object) -> list[dict]:
    return vggsound.manifest_rows(VggSoundConfig(csv=str(path), **values))


def test_vggsound_rows_name_clip_video_section_and_class(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text('-aBcDeFgHi_,30,"railroad car, train wagon",test\n')
    assert _vgg(tmp_path / "v.csv", classes=["railroad car, train wagon"]) == [
        {"clip_id": "y-aBcDeFgHi__30000_40000", "source": "vggsound", "source_id": "-aBcDeFgHi__000030",
         "start_s": 30.0, "end_s": 40.0, "split": "test", "label": "railroad car, train wagon",
         "extra": '{"video_id": "-aBcDeFgHi_"}'}
    ]  # fmt: skip


def test_nested_sets_hold_each_other_and_begin_with_the_papers_50(tmp_path: Path) -> None:
    others = [f"class {i:03d}" for i in range(100)]
    path = _list(tmp_path / "v.csv", [*PAPER_50, *others], 5)
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(f"{_video(999_999)},0,class 077,train\n")  # one row more than the rest: the first of them
    sets = {n: {row["label"] for row in _vgg(path, n_classes=n)} for n in (50, 51, 100, 150)}
    assert sets[50] == set(PAPER_50) and sets[51] - sets[50] == {"class 077"}
    assert sets[50] < sets[51] < sets[100] < sets[150] and {n: len(s) for n, s in sets.items()} == {n: n for n in sets}
    assert len({row["label"] for row in _vgg(path, n_classes=None)}) == 150
    with pytest.raises(UserError, match="n_classes: 200"):
        _vgg(path, n_classes=200)


def test_no_video_is_in_two_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{_video(i % 40)},{i},dog barking,{'test' if i == 3 else 'train'}" for i in range(200)]
    (tmp_path / "v.csv").write_text("\n".join(lines))
    rows = _vgg(tmp_path / "v.csv", classes=["dog barking"], val_share=0.4)
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(json.loads(row["extra"])["video_id"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values()) and Counter(map(str, splits.values())).keys() == {
        "{'train'}", "{'val'}", "{'test'}"}  # fmt: skip
    assert "4 train rows are of videos of the test split" in capsys.readouterr().err


def test_a_list_with_header_bom_windows_lines_and_repeats_is_the_same_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _list(tmp_path / "v.csv", ["dog barking", "hail"])
    plain = _vgg(path, classes=["hail"])
    text = path.read_text()
    odd = "\ufeff# YouTube ID,start seconds,label,split\n" + text + text.splitlines()[0] + "\n\n"
    (tmp_path / "odd.csv").write_bytes(odd.replace("\n", "\r\n").encode())
    assert _vgg(tmp_path / "odd.csv", classes=["hail"]) == plain
    assert "1 rows are there twice and used once" in capsys.readouterr().err


def test_start_seconds_of_every_variant_of_the_list_are_the_same_clip(tmp_path: Path) -> None:
    """Some have six digits, AudioSet's have decimals."""
    rows = []
    for second in ("30", "000030", "30.0", "30.000"):
        (tmp_path / "v.csv").write_text(f"aBcDeFgHiJk,{second},hail,test\n")
        rows += _vgg(tmp_path / "v.csv", classes=["hail"])
    assert all(row == rows[0] for row in rows) and rows[0]["source_id"] == "aBcDeFgHiJk_000030"
    (tmp_path / "v.csv").write_text("aBcDeFgHiJk,12.25,hail,test\n")
    (row,) = _vgg(tmp_path / "v.csv", classes=["hail"])
    assert (row["clip_id"], row["source_id"]) == ("yaBcDeFgHiJk_12250_22250", "aBcDeFgHiJk_000012.250")
    assert (row["start_s"], row["end_s"]) == (12.25, 22.25)


GOOD = "aBcDeFgHiJk,1,hail,test\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "../../x,1,hail,test", "line 2: '../../x' is no YouTube id"),
        (GOOD + "-rf,1,hail,test", "line 2: '-rf' is no YouTube id"),
        (GOOD + "$(touch x)1,1,hail,test", r"line 2: '\$\(touch x\)1' is no YouTube id"),
        (GOOD + "a/bcdefghij,1,hail,test", "line 2: 'a/bcdefghij' is no YouTube id"),
        (GOOD + "a" * 10_000 + ",1,hail,test", "line 2: 'aaaa"),
        (GOOD + "aBcDeFgHi\0k,1,hail,test", r"line 2"),
        (GOOD + "aBcDeFgHiJk,1,dog,test", "line 2: aBcDeFgHiJk at second 1 has another label or split in line 1"),
        (GOOD + "aBcDeFgHiJk,1,hail,train", "another label or split in line 1"),
        (GOOD + "aBcDeFgHiJk,-1,hail,test", "line 2: '-1' is no start second"),
        (GOOD + "aBcDeFgHiJk,1e9,hail,test", "no start second"),
        (GOOD + "aBcDeFgHiJk,99995,hail,test", "line 2: '99995' is no start second"),
        (GOOD + "aBcDeFgHiJk,1.,hail,test", "line 2: '1.' is no start second"),
        (GOOD + "aBcDeFgHiJk,2,hail,validation", "'validation' is no split; allowed: train, test"),
        (GOOD + "aBcDeFgHiJk,2,train wagon, old,test", "line 2: has 5 cells"),
        (GOOD + "aBcDeFgHiJk,2", "line 2: has 2 cells"),
        (GOOD + "aBcDeFgHiJk,2, ,test", "line 2: the label is empty"),
        (GOOD + "aBcDeFgHiJk,2," + "x" * 101 + ",test", "line 2: a label of 101 characters"),
        (GOOD + 'aBcDeFgHiJk,2,"hail,test', "after line"),
        (GOOD + "aBcDeFgHiJk,2," + "x" * 200_000 + ",test", "after line 1"),
    ],
)
def test_a_hostile_list_is_refused_in_one_line_that_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "v.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        _vgg(tmp_path / "v.csv", classes=["hail"])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 and "v.csv" in str(caught.value)


def test_mixed_encodings_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_bytes(GOOD.encode() + "aBcDeFgHiJk,2,bélier,test\n".encode("latin-1"))
    with pytest.raises(UserError, match="is not UTF-8"):
        _vgg(tmp_path / "v.csv", classes=["hail"])
    with pytest.raises(UserError, match=r"none\.csv: cannot be read"):
        _vgg(tmp_path / "none.csv")
    with pytest.raises(UserError, match="no class 'airplane flyby'"):
        (tmp_path / "v.csv").write_text(GOOD)
        _vgg(tmp_path / "v.csv", n_classes=50)


def test_a_list_without_an_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with open(tmp_path / "large.csv", "wb") as stream:
        stream.truncate(2**30)
    for path, what in (("pipe.csv", "is no file"), ("/dev/zero", "is no file"), ("large.csv", "larger than 512 MB")):
        with pytest.raises(UserError, match=f"{path}: {what}"):
            _vgg(tmp_path / path)
        with pytest.raises(UserError, match=f"{path}: {what}"):
            read_object(tmp_path / path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.lists(st.tuples(*(st.text(max_size=n) for n in (14, 4, 9))), max_size=4))
def test_any_bytes_give_rows_or_one_line(tmp_path: Path, raw: bytes, cells: list[tuple[str, ...]]) -> None:
    for data in (raw, "\n".join(f"{a},{b},{c},test" for a, b, c in cells).encode("utf-8", "replace")):
        (tmp_path / "v.csv").write_bytes(data)
        try:
            rows = _vgg(tmp_path / "v.csv", n_classes=None)
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert all(CLIP_ID.fullmatch(row["clip_id"]) for row in rows)


def _tree(root: Path, counts: dict[str, int]) -> Path:
    for name, n in counts.items():
        (root / name / "videos").mkdir(parents=True)
        for i in range(n):
            (root / name / "videos" / f"video_{i:05d}.mp4").write_bytes(b"x")
    return root


def test_vegas_draws_by_seed_and_the_draw_does_not_hang_on_other_classes(tmp_path: Path) -> None:
    root = _tree(tmp_path / "vegas", {"dog": 30, "baby_cry": 12})
    config = VegasConfig(path=str(root), train=15, test=5, val_share=0.3)
    rows = vegas.manifest_rows(config)
    counts = Counter((row["label"], row["split"]) for row in rows)
    assert counts["dog", "test"] == counts["baby_cry", "test"] == 5
    assert counts["dog", "train"] + counts["dog", "val"] == 15 and counts["dog", "val"] > 0
    assert counts["baby_cry", "train"] + counts["baby_cry", "val"] == 7
    assert len({row["clip_id"] for row in rows}) == 32 and rows == vegas.manifest_rows(config)
    dogs = [row for row in rows if row["label"] == "dog"]
    assert vegas.manifest_rows(config.model_copy(update={"classes": ["dog"]})) == dogs
    assert vegas.manifest_rows(config.model_copy(update={"seed": 1})) != rows
    with pytest.raises(UserError, match="no folder 'cat'.*there: baby_cry, dog"):
        vegas.manifest_rows(config.model_copy(update={"classes": ["cat"]}))


def test_vegas_says_what_it_does_not_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _tree(tmp_path / "vegas", {"dog": 3})
    (root / "dog/videos/01.MTS").write_bytes(b"x")
    (root / "loose.mp4").write_bytes(b"x")
    (root / "cat").symlink_to("dog")
    (root / "circle").symlink_to("circle")
    (root / "readme.txt").touch()
    rows = vegas.manifest_rows(VegasConfig(path=str(root), train=2, test=2))
    assert {row["label"] for row in rows} == {"dog"} and len(rows) == 4
    said = capsys.readouterr().err
    for line in ("1 videos lie in no class's folder", "(.txt 1)", "lead to folders and are not followed ('cat')",
                 "lead nowhere or in a circle ('circle')"):  # fmt: skip
        assert line in said


def test_vegas_takes_a_list_of_splits_instead(tmp_path: Path) -> None:
    root = _tree(tmp_path / "vegas", {"dog": 3})
    (tmp_path / "l.csv").write_text("path,label,split\ndog/videos/video_00000.mp4,dog,test\ndog/a.mp4,dog,train\n")
    config = VegasConfig(path=str(root), csv=str(tmp_path / "l.csv"))
    assert [(r["source_id"], r["split"]) for r in vegas.manifest_rows(config)] == [
        ("dog/videos/video_00000.mp4", "test"), ("dog/a.mp4", "train")]  # fmt: skip
    (tmp_path / "l.csv").write_text("path,label\ndog/a.mp4,dog\n")
    with pytest.raises(UserError, match="has no split"):
        vegas.manifest_rows(config)
    parts = "path,label,split,start,end\ndog/a.mp4,dog,train,0,9\ndog/a.mp4,dog,{},9,18\n"
    (tmp_path / "l.csv").write_text(parts.format("train"))
    assert [(row["start_s"], row["end_s"]) for row in vegas.manifest_rows(config)] == [(None, 9.0), (9.0, 18.0)]
    (tmp_path / "l.csv").write_text(parts.format("test"))
    with pytest.raises(UserError, match="all clips of a file are in one"):
        vegas.manifest_rows(config)


def _celeb(path: Path, clips: object) -> CelebVHqConfig:
    path.write_text(json.dumps({"meta_info": {}, "clips": clips}))
    return CelebVHqConfig(json_file=str(path), train=12, val_share=0.3)


def _clip(video: str, start: float, end: float) -> dict:
    box = {"top": 0.1, "bottom": 0.6, "left": 0.2, "right": 1.2}
    return {"ytb_id": video, "duration": {"start_sec": start, "end_sec": end}, "bbox": box, "version": "v0.1"}


def test_celebvhq_draws_whole_videos_and_keeps_the_face(tmp_path: Path) -> None:
    clips = {f"{_video(i // 3)}_{i % 3}": _clip(_video(i // 3), 1.5 * i, 1.5 * i + 3.25) for i in range(30)}
    rows = celebvhq.manifest_rows(_celeb(tmp_path / "c.json", clips))
    counts = Counter(row["split"] for row in rows)
    assert counts["train"] + counts["val"] == 12 and counts["test"] == 18 and counts["val"] > 0
    videos: dict[str, set[str]] = {}
    for row in rows:
        videos.setdefault(json.loads(row["extra"])["video_id"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in videos.values())
    first = next(row for row in rows if row["source_id"] == f"{_video(1)}_0")
    assert (first["start_s"], first["end_s"], first["label"]) == (4.5, 7.75, None)
    assert json.loads(first["extra"])["face"] == {"top": 0.1, "bottom": 0.6, "left": 0.2, "right": 1.0}


def test_a_face_is_cut_out_with_a_margin() -> None:
    def row(**box: float) -> dict[str, object]:
        return {"extra": json.dumps({"face": box})}

    assert face_box(row(top=0.1, bottom=0.5, left=0.0, right=0.99), 0.02) == pytest.approx((0.08, 0.52, 0.0, 1.0))
    for flat in (
        {"top": 0.5, "bottom": 0.5, "left": 0.1, "right": 0.2},
        {"top": 0.1, "bottom": 0.2, "left": 1.0, "right": 1.0},
    ):
        with pytest.raises(ClipError) as caught:
            face_box(row(**flat), 0.02)
        assert caught.value.reason is Reason.NO_FACE


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([], "has no object `clips`"), ({}, "has no object `clips`"), ({"a": 3}, "clip 'a': lacks"),
        ({"a\nb": {}}, r"clip 'a\\nb': lacks 'duration'"), ({"a": _clip("../../../x", 0, 1)}, "no YouTube id"),
        ({"a": _clip("aBcDeFgHiJk", 5, 4)}, "no section from 5 s to 4 s"),
        ({"a": {**_clip("aBcDeFgHiJk", 0, 1), "bbox": {"top": "x"}}}, "clip 'a'"),
    ],
)  # fmt: skip
def test_a_hostile_celebvhq_list_is_refused_in_one_line(tmp_path: Path, clips: object, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        celebvhq.manifest_rows(_celeb(tmp_path / "c.json", clips))
    assert "\n" not in str(caught.value)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=12) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["ytb_id", "duration", "bbox", "start_sec", "end_sec", "top", "left", "x"]), inner, max_size=5
    ),
    max_leaves=12,
)  # fmt: skip
_spans = st.builds(_clip, st.text(max_size=12) | st.just("aBcDeFgHiJk"), st.floats(), st.floats())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=12), _json | _spans, max_size=4) | _json)
def test_any_celebvhq_list_gives_rows_or_one_line(tmp_path: Path, clips: object) -> None:
    try:
        rows = celebvhq.manifest_rows(_celeb(tmp_path / "c.json", clips))
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert rows and all(CLIP_ID.fullmatch(row["clip_id"]) and row["source_id"].isprintable() for row in rows)
        assert all(0 <= row["start_s"] < row["end_s"] for row in rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=8), st.sampled_from(["val", "x", ""])), max_size=4))
def test_any_vegas_list_gives_rows_or_one_line(tmp_path: Path, cells: list[tuple[str, str, str]]) -> None:
    (tmp_path / "vegas").mkdir(exist_ok=True)
    with open(tmp_path / "l.csv", "w", encoding="utf-8", errors="replace", newline="") as stream:
        csv.writer(stream).writerows([("path", "label", "split"), *cells])
    try:
        rows = vegas.manifest_rows(VegasConfig(path=str(tmp_path / "vegas"), csv=str(tmp_path / "l.csv")))
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert all(CLIP_ID.fullmatch(row["clip_id"]) and row["split"] in vegas.SPLITS for row in rows)
        assert all(".." not in json.loads(row["extra"])["path"].split("/") for row in rows)


def test_shards_of_a_data_set_do_not_move_when_ids_come_and_go(tmp_path: Path) -> None:
    path = _list(tmp_path / "v.csv", ["hail"], 60)
    section = VggSoundConfig(csv=str(path), classes=["hail"])
    config = DataConfig(source="vggsound", shards=4, vggsound=section)
    before = {row["clip_id"]: row["shard"] for row in manifest_rows(config)}
    run(config=config, output_dir=tmp_path / "m", truth=None)
    written = [row for shard in range(4) for row in read_parquet(tmp_path / "m" / f"{shard:03d}.parquet")]
    assert {row["clip_id"]: row["shard"] for row in written} == before and list(written[0]) == MANIFEST.names
    path.write_text("".join(path.read_text().splitlines(keepends=True)[10:]) + "aBcDeFgHiJk,1,hail,train\n")
    after = {row["clip_id"]: row["shard"] for row in manifest_rows(config)}
    assert len(after) == 51 and all(before[clip] == shard for clip, shard in after.items() if clip in before)
