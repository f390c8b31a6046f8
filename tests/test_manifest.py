"""s2v.data.manifest and its folder source: which clips there are, their ids, classes, splits and shards."""

from __future__ import annotations

import csv
import errno
import io
import os
import string
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import FFMPEG, HOSTILE_NAMES, make_video

from s2v.config import DataConfig, DownloadConfig, ExtractConfig, FolderConfig, WorldConfig
from s2v.data import extract, fetch, manifest
from s2v.data.folder import clip_id_of
from s2v.data.listed import Listed, read_csv
from s2v.data.lists import clean_label
from s2v.data.manifest import CLIP_ID, MANIFEST, manifest_rows, shard_of
from s2v.data.tree import SUFFIXES, find_videos
from s2v.errors import UserError
from s2v.files import read_parquet

# What a POSIX file name may hold: any bytes but / and NUL; those not UTF-8 are lone surrogates in Python.
FILE_NAMES = st.binary(min_size=1, max_size=60).map(lambda name: os.fsdecode(name.translate(None, b"/\0") or b"x"))


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def data_config(root: Path, **options: object) -> DataConfig:
    return DataConfig(source="folder", shards=4, folder=FolderConfig(path=str(root), **options))  # type: ignore[arg-type]


def csv_file(path: Path, *rows: tuple[str, ...]) -> str:
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return str(path)


@given(FILE_NAMES)
def test_every_name_gives_a_safe_and_stable_id(name: str) -> None:
    clip_id = clip_id_of(name)
    assert CLIP_ID.fullmatch(clip_id) and "." not in clip_id and len(clip_id) <= 51
    assert clip_id == clip_id_of(name)


@given(st.lists(FILE_NAMES, unique=True, max_size=30))
def test_different_paths_have_different_ids(names: list[str]) -> None:
    assert len({clip_id_of(name) for name in names}) == len(names)


def test_ids_are_readable_and_do_not_change_between_versions() -> None:
    assert clip_id_of("dogs/My dog, barking!.mp4").startswith("My-dog-barking-")
    assert clip_id_of("a/b.mp4") == "b-26c7cf8b95"
    assert clip_id_of("犬.mp4").startswith("clip-")


@given(st.text(alphabet=string.ascii_letters + string.digits, min_size=1), st.integers(1, 64))
def test_a_shard_is_a_function_of_the_id(clip_id: str, shards: int) -> None:
    assert 0 <= shard_of(clip_id, range(shards)) < shards
    assert shard_of(clip_id, range(3, 3 + shards)) == 3 + shard_of(clip_id, range(shards))


def test_shards_are_even() -> None:
    ids = [clip_id_of(f"{index}.mp4") for index in range(4000)]
    assert min(Counter(shard_of(clip_id, range(8)) for clip_id in ids).values()) > 400


@given(st.text(max_size=100))
def test_labels_are_one_printable_line(text: str) -> None:
    label = clean_label(text[:25], "here")
    assert label is None or (label and label.isprintable() and label == label.strip())


def test_a_folder_is_searched_in_depth(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "dog/a.mp4",
        "dog/more/b.MKV",
        "cat/c.webm",
        "d.mov",
        "cat/notes.txt",
        ".hidden/e.mp4",
        "cat/._c.mp4",
    )
    assert find_videos(tmp_path) == ["cat/c.webm", "d.mov", "dog/a.mp4", "dog/more/b.MKV"]
    rows = {row["source_id"]: row for row in manifest_rows(data_config(tmp_path))}
    assert {name: row["label"] for name, row in rows.items()} == {
        "cat/c.webm": "cat",
        "d.mov": None,
        "dog/a.mp4": "dog",
        "dog/more/b.MKV": "dog",
    }
    assert all(row["label"] is None for row in manifest_rows(data_config(tmp_path, labels="none")))


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    names = [*HOSTILE_NAMES, os.fsdecode(b"latin-\xe9.mp4"), os.fsdecode(b"caf\xe9/x.mp4")]
    touch(tmp_path / "in", *names)
    manifest.run(config=data_config(tmp_path / "in"), output_dir=tmp_path / "out", truth=None)
    rows = [row for path in sorted((tmp_path / "out").iterdir()) for row in read_parquet(path)]
    assert len(rows) == len(names)
    assert "line\nbreak.mp4" in {row["source_id"] for row in rows}
    assert "latin-\\udce9.mp4" in {row["source_id"] for row in rows}


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    touch(tmp_path, "outside/secret.mp4", "in/a.mp4", "in/data.bin")
    inside = tmp_path / "in"
    (inside / "leak.mp4").symlink_to(tmp_path / "outside/secret.mp4")
    (inside / "leaks").symlink_to(tmp_path / "outside")
    (inside / "again.mp4").symlink_to(inside / "a.mp4")
    (inside / "b.mp4").symlink_to(inside / "data.bin")
    assert find_videos(inside) == ["a.mp4", "b.mp4"]
    said = capsys.readouterr().err
    assert "2 symbolic links lead out of the folder and are not followed ('leak.mp4', 'leaks')" in said
    assert "1 symbolic links lead to videos that are found anyway ('again.mp4')" in said


def test_links_in_a_circle_or_to_nowhere_or_to_folders_stop_nothing_and_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = touch(tmp_path / "in", "dog/a.mp4")
    (inside / "dog/itself.mp4").symlink_to("itself.mp4")
    (inside / "one.mp4").symlink_to("other.mp4")
    (inside / "other.mp4").symlink_to("one.mp4")
    (inside / "gone.mp4").symlink_to("nothing.mp4")
    (inside / "dog/parent").symlink_to("..")
    (inside / "cat").symlink_to("dog")
    rows = manifest_rows(data_config(inside))
    assert [row["source_id"] for row in rows] == ["dog/a.mp4"]
    said = capsys.readouterr().err
    assert "2 symbolic links lead to folders and are not followed ('cat', 'dog/parent')" in said
    circle = "('dog/itself.mp4', 'gone.mp4', 'one.mp4', 'other.mp4')"
    assert f"4 symbolic links lead nowhere or in a circle {circle}" in said


def test_whatever_else_lies_in_a_folder_is_counted_by_its_ending(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"dog/{n}.jpg" for n in range(8)] + ["cat/a.JPG", "x/b.JPG", "notes.txt", "x/readme.txt", "Makefile"]
    inside = touch(tmp_path / "in", "dog/a.mp4", ".DS_Store", "dog/._a.mp4", ".cache/b.mp4", *names, "odd.\n\x1b[31m")
    assert find_videos(inside) == ["dog/a.mp4"]
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"{inside}: 14 files of other kinds (.jpg 10, .txt 2, no usual ending 2) are not videos",
        f"{inside}: 3 hidden files and folders are passed over",
    ]


def test_a_folder_that_may_not_be_read_is_said_and_a_disk_that_fails_stops_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, scandir = touch(tmp_path / "in", "dog/a.mp4", "lost+found/b.mp4"), os.scandir

    def refuse(error: OSError) -> None:
        def scan(path: Path) -> object:
            if "lost" in str(path):
                raise error
            return scandir(path)

        monkeypatch.setattr(os, "scandir", scan)

    refuse(PermissionError(errno.EACCES, "Permission denied"))
    assert find_videos(inside) == ["dog/a.mp4"]
    assert "1 folders may not be read ('lost+found/')" in capsys.readouterr().err
    refuse(OSError(errno.EIO, "Input/output error"))
    with pytest.raises(UserError, match=r"lost\+found: cannot be read \(Input/output error\)"):
        find_videos(inside)


def test_the_endings_of_cameras_recorders_and_discs_are_videos(tmp_path: Path) -> None:
    cameras = "00001.MTS a.m2ts b.ts VTS_01_1.VOB MOV001.MOD MOV002.TOD c.3g2 d.dv e.f4v f.m2v g.mpe h.asf i.mxf"
    recorders = "j.rmvb k.ogm l.divx m.qt n.wtv o.nut p.mp2 q.rm r.dvr-ms s.m2t t.evo"
    names = sorted(f"{cameras} {recorders}".split())
    assert find_videos(touch(tmp_path, *names)) == names
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)


def test_a_camera_s_file_is_used_and_a_text_of_the_same_ending_has_its_reason(tmp_path: Path) -> None:
    """.ts and .mts are TypeScript's endings too, and .ts that of Qt's translations."""
    root = tmp_path / "in"
    for name, container in (("00001.MTS", "mpegts"), ("film.VOB", "vob")):
        make_video(root / "dog" / name, options=("-c:v", "mpeg2video", "-c:a", "mp2", "-f", container))
    (root / "dog" / "index.ts").write_text("export const rate: number = 30;\nconsole.log(rate);\n" * 50)
    (root / "dog" / "module.mts").write_text("import { a } from './a.mjs';\n")
    (root / "dog" / "de.ts").write_text("<?xml version='1.0'?><!DOCTYPE TS><TS version='2.1' language='de'></TS>\n")
    config = data_config(root).model_copy(update={"shards": 1})
    manifest.run(config=config, output_dir=tmp_path, truth=None)
    fetched, extracted = tmp_path / "fetched.parquet", tmp_path / "extracted.parquet"
    fetch.run(config=config, manifest=tmp_path / "000.parquet", status=fetched, video_dir=tmp_path / "videos",
              ffmpeg=FFMPEG, workers=1, download=DownloadConfig())  # fmt: skip
    extract.run(config=ExtractConfig(), manifest=tmp_path / "000.parquet", fetched=fetched, tar=tmp_path / "000.tar",
                status=extracted, ffmpeg=FFMPEG, workers=2)  # fmt: skip
    names = {row["clip_id"]: row["source_id"] for row in read_parquet(tmp_path / "000.parquet")}
    reasons = {names[row["clip_id"]]: row["reason"] for row in read_parquet(extracted)}
    assert reasons == {
        "dog/00001.MTS": None, "dog/film.VOB": None, "dog/index.ts": "not_a_video", "dog/module.mts": "not_a_video",
        "dog/de.ts": "not_a_video",
    }  # fmt: skip


def test_videos_without_a_class_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = touch(tmp_path / "in", "dog/a.mp4", "b.mp4", "c.mp4")
    assert [row["label"] for row in manifest_rows(data_config(inside))].count(None) == 2
    assert "2 of 3 clips have no class, since they lie in no sub-folder" in capsys.readouterr().err
    table = csv_file(tmp_path / "l.csv", ("path", "label"), ("b.mp4", "dog"), ("c.mp4", " "))
    manifest_rows(data_config(inside, labels="csv", csv=table))
    said = capsys.readouterr().err
    assert "1 of 2 clips have no class, since their label is blank" in said and "1 videos of" in said
    manifest_rows(data_config(inside, labels="none"))
    assert "no class" not in capsys.readouterr().err


def test_classes_and_splits_from_a_csv(tmp_path: Path) -> None:
    root = touch(tmp_path / "in", "a.mp4", "sub/b.mp4", "unlisted.mp4")
    table = csv_file(
        tmp_path / "l.csv",
        ("label", "path", "split", "remark"),
        (" dog \n barking ", "a.mp4", "test", "x"),
        ("=cat", "./sub//b.mp4", "", ""),
        ("", "gone.mp4", "train", ""),
    )
    rows = {row["source_id"]: row for row in manifest_rows(data_config(root, labels="csv", csv=table))}
    assert {name: row["label"] for name, row in rows.items()} == {
        "a.mp4": "dog barking",
        "sub/b.mp4": "=cat",
        "gone.mp4": None,  # it stays in the manifest, and fetch says that it is missing
    }
    assert rows["a.mp4"]["split"] == "test"


def test_a_row_may_name_a_part_of_a_file(tmp_path: Path) -> None:
    root = touch(tmp_path / "in", "a.mp4", "b.mp4")
    table = csv_file(
        tmp_path / "l.csv",
        ("path", "label", "start", "end"),
        ("a.mp4", "dog", "30", "40.5"),
        ("a.mp4", "dog", "000040.5", ""),
        ("a.mp4", "cat", "", "7"),
        ("b.mp4", "cat", "0", " "),
    )
    rows = {row["source_id"]: row for row in manifest_rows(data_config(root, labels="csv", csv=table))}
    assert {name: (row["start_s"], row["end_s"], row["label"]) for name, row in rows.items()} == {
        "a.mp4#t=30,40.5": (30.0, 40.5, "dog"),
        "a.mp4#t=40.5": (40.5, None, "dog"),
        "a.mp4#t=0,7": (None, 7.0, "cat"),
        "b.mp4": (None, None, "cat"),
    }
    assert len({row["clip_id"] for row in rows.values()}) == 4
    assert rows["b.mp4"]["clip_id"] == clip_id_of("b.mp4"), "a whole file keeps its id"
    assert len({row["split"] for name, row in rows.items() if name.startswith("a.mp4")}) == 1
    other = csv_file(tmp_path / "o.csv", ("path", "label", "start_s", "end_s"), ("a.mp4", "dog", "30.0", "40.500"))
    (same,) = manifest_rows(data_config(root, labels="csv", csv=other))
    assert same["clip_id"] == rows["a.mp4#t=30,40.5"]["clip_id"], "neither writing nor other rows count"


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 50), st.sampled_from(["dog", "cat"])), min_size=1))
def test_all_rows_of_a_file_are_in_one_split(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, str]]
) -> None:
    root = tmp_path_factory.getbasetemp()
    listed = {(f"{file}.mp4", start): label for file, start, label in rows}
    cells = [(path, label, str(start), str(start + 9)) for (path, start), label in listed.items()]
    table = csv_file(root / "windows.csv", ("path", "label", "start", "end"), *cells)
    splits: dict[str, set[str]] = {}
    for row in manifest_rows(data_config(root, labels="csv", csv=table)):
        splits.setdefault(row["source_id"].split("#")[0], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


def test_a_file_under_two_names_is_in_one_split(tmp_path: Path) -> None:
    names = [f"{n}.mp4" for n in range(40)]
    root = touch(tmp_path / "in", *names)
    for name in names:
        (root / f"link {name}").symlink_to(name)
        os.link(root / name, root / f"hard {name}")
    cells = [(f"{kind}{name}", "dog") for name in names for kind in ("", "link ", "hard ")]
    table = csv_file(tmp_path / "l.csv", ("path", "label"), *cells)
    splits: dict[str, set[str]] = {}
    for row in manifest_rows(data_config(root, labels="csv", csv=table)):
        splits.setdefault(row["source_id"].split()[-1], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values()) and len(set(map(str, splits.values()))) == 4


def test_a_split_that_the_list_gives_one_row_is_that_of_all_rows_of_the_file(tmp_path: Path) -> None:
    root = touch(tmp_path / "in", "a.mp4")
    head, first = ("path", "label", "split", "start", "end"), ("a.mp4", "dog", "judge", "0", "9")
    table = csv_file(tmp_path / "l.csv", head, first, ("a.mp4", "dog", "", "20", "29"))
    assert {row["split"] for row in manifest_rows(data_config(root, labels="csv", csv=table))} == {"judge"}
    table = csv_file(tmp_path / "l.csv", head, first, ("a.mp4", "dog", "test", "5", "14"))
    with pytest.raises(
        UserError, match=r"'a\.mp4': listed in the splits judge and test; all clips of a file are in one"
    ):
        manifest_rows(data_config(root, labels="csv", csv=table))
    (root / "b.mp4").symlink_to("a.mp4")
    table = csv_file(tmp_path / "l.csv", head, first, ("b.mp4", "dog", "test", "", ""))
    with pytest.raises(UserError, match=r"'a\.mp4' and 'b\.mp4': listed in the splits"):
        manifest_rows(data_config(root, labels="csv", csv=table))


def test_columns_that_mean_nothing_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = csv_file(tmp_path / "l.csv", ("path", "label", "begin", "Start_s", "note"), ("a.mp4", "dog", "3", "4", "x"))
    assert read_csv(Path(table), set()) == [Listed("a.mp4", "dog", None, 4.0, None)]
    said = capsys.readouterr().err
    assert "columns that are not used: 'begin', 'note'; known: path, label, split, start, end" in said


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("path", "label", "start"), ("x.mp4", "a", "1:30")], "line 2: '1:30' is no second"),
        ([("path", "label", "start"), ("x.mp4", "a", "-1")], "line 2: '-1' is no second"),
        ([("path", "label", "end"), ("x.mp4", "a", "nan")], "line 2: 'nan' is no second"),
        ([("path", "label", "end"), ("x.mp4", "a", "1e9")], "line 2: '1e9' is no second"),
        ([("path", "label", "start", "end"), ("x.mp4", "a", "9", "9")], "line 2: ends at second 9, and begins at 9"),
        ([("path", "label", "start", "start_s")], "the column start is there twice"),
        (
            [("path", "label", "start"), ("x.mp4", "a", "0"), ("x.mp4", "a", "")],
            r"line 3: 'x\.mp4' was already in line 2",
        ),
        ([("path", "name")], "no column label"),
        ([("path", "label"), ("../x.mp4", "a")], "line 2: .*leaves the folder"),
        ([("path", "label"), ("/etc/x.mp4", "a")], "line 2: .*leaves the folder"),
        ([("path", "label"), ("a/../../x.mp4", "a")], "line 2: .*leaves the folder"),
        ([("path", "label"), ("", "a")], "line 2: the path is empty"),
        ([("path", "label"), ("x.mp4", "a"), ("./x.mp4", "b")], "line 3: .*already in line 2"),
        ([("path", "label"), ("x.mp4", "a", "b")], "line 2: has more cells"),
        ([("path", "label"), ("x.mp4",)], "line 2: has fewer cells"),
        ([("path", "label"), ("x.mp4", "a" * 101)], "line 2: a label of 101"),
        (
            [("path", "label", "split"), ("x.mp4", "a", "../up")],
            "line 2: split '../up' is not in .*allowed: judge",
        ),
    ],
)
def test_a_mistake_in_a_csv_names_its_line(tmp_path: Path, rows: list[tuple[str, ...]], message: str) -> None:
    root = touch(tmp_path / "in", "a.mp4")
    with pytest.raises(UserError, match=message):
        manifest_rows(data_config(root, labels="csv", csv=csv_file(tmp_path / "l.csv", *rows)))


def test_a_csv_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"path,label\na.mp4,\xe9\n")
    with pytest.raises(UserError, match="not UTF-8"):
        read_csv(tmp_path / "latin.csv", set())
    (tmp_path / "quote.csv").write_text('path,label\n"a.mp4,x\n')
    with pytest.raises(UserError, match="quote.csv, after line"):
        read_csv(tmp_path / "quote.csv", set())
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(UserError, match="no column"):
        read_csv(tmp_path / "empty.csv", set())
    with pytest.raises(UserError, match="cannot be read"):
        read_csv(tmp_path / "none.csv", set())


@given(st.lists(st.tuples(st.text(), st.text()), max_size=8))
def test_any_cells_are_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    text = io.StringIO()
    csv.writer(text).writerows([("path", "label"), *cells])
    path.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    try:
        rows = read_csv(path, {"train"})
    except UserError:
        return
    for row in rows:
        assert not row.path.startswith("/") and ".." not in row.path.split("/")
        assert row.label is None or row.label.isprintable()


def test_mistakes_in_the_configuration(tmp_path: Path) -> None:
    root = touch(tmp_path / "in", "a.mp4")
    with pytest.raises(UserError, match="is no folder"):
        manifest_rows(data_config(tmp_path / "none"))
    with pytest.raises(UserError, match="no video files"):
        manifest_rows(data_config(touch(tmp_path / "texts", "a.txt")))
    with pytest.raises(UserError, match="csv: missing"):
        manifest_rows(data_config(root, labels="csv"))
    with pytest.raises(UserError, match="data.folder: missing"):
        manifest_rows(DataConfig(source="folder"))
    with pytest.raises(UserError, match="data.world: missing"):
        manifest_rows(DataConfig(source="world"))
    with pytest.raises(UserError, match="no name for a split"):
        manifest_rows(data_config(root, splits={"../up": 1.0}))
    with pytest.raises(UserError, match="all shares are 0"):
        manifest_rows(data_config(root, splits={"train": 0.0}))


def test_shard_files_hold_every_clip_once_and_never_differ(tmp_path: Path) -> None:
    root = touch(tmp_path / "in", *(f"c{index % 3}/{index}.mp4" for index in range(40)))
    for name in ("one", "two"):
        manifest.run(config=data_config(root), output_dir=tmp_path / name, truth=None)
    paths = sorted((tmp_path / "one").iterdir())
    assert [path.name for path in paths] == ["000.parquet", "001.parquet", "002.parquet", "003.parquet"]
    rows = [row for path in paths for row in read_parquet(path)]
    assert len({row["clip_id"] for row in rows}) == 40 and set(rows[0]) == set(MANIFEST.names)
    assert all(path.read_bytes() == (tmp_path / "two" / path.name).read_bytes() for path in paths)
    assert pq.read_schema(paths[0]).metadata[b"s2v.manifest"] == b"1"
    # One more clip moves none to another shard, and none of another class to another split.
    touch(root, "c0/new.mp4")
    before, after = ({row["clip_id"]: row for row in some} for some in (rows, manifest_rows(data_config(root))))
    assert all(after[clip] | {"split": "", "captions": None} == row | {"split": ""} for clip, row in before.items())
    moved = [clip for clip, row in before.items() if after[clip]["split"] != row["split"]]
    assert len(moved) <= 3 and {before[clip]["label"] for clip in moved} <= {"c0"}


def test_the_world_has_the_same_manifest(tmp_path: Path) -> None:
    from s2v import world

    clips = {"train": 2, "test": 1, "images": 1}
    config = WorldConfig(classes=world.class_names()[:2], clips=clips)
    data = DataConfig(source="world", shards=2, world=config)
    manifest.run(config=data, output_dir=tmp_path / "m", truth=tmp_path / "truth.parquet")
    rows = [row for path in sorted((tmp_path / "m").iterdir()) for row in read_parquet(path)]
    assert Counter(row["split"] for row in rows) == {"train": 4, "test": 2, "images": 2}
    assert all(row["label"] is None for row in rows if row["split"] == "images")
    assert {row["clip_id"] for row in read_parquet(tmp_path / "truth.parquet")} == {row["clip_id"] for row in rows}
