"""s2v.data.manifest and its folder source: which clips there are, their ids, classes, splits and shards."""

from __future__ import annotations

import csv
import io
import os
import string
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import HOSTILE_NAMES

from s2v.config import DataConfig, FolderConfig, WorldConfig
from s2v.data import folder, manifest
from s2v.data.folder import clean_label, clip_id_of, find_videos, read_csv, split_of
from s2v.data.manifest import CLIP_ID, MANIFEST, manifest_rows, shard_of
from s2v.errors import UserError
from s2v.files import read_parquet

SHARES = {"train": 0.7, "val": 0.1, "test": 0.1, "judge": 0.1}
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
def test_shards_and_splits_are_functions_of_the_id(clip_id: str, shards: int) -> None:
    assert 0 <= shard_of(clip_id, shards) < shards
    backwards = dict(reversed(SHARES.items()))
    assert split_of(clip_id, SHARES) == split_of(clip_id, backwards)
    assert split_of(clip_id, {"train": 0.2}) == "train"


def test_shares_are_kept_and_shards_are_even() -> None:
    ids = [clip_id_of(f"{index}.mp4") for index in range(4000)]
    counts = Counter(split_of(clip_id, SHARES) for clip_id in ids)
    assert all(abs(counts[split] / 4000 - share) < 0.03 for split, share in SHARES.items())
    assert min(Counter(shard_of(clip_id, 8) for clip_id in ids).values()) > 400


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
    (inside / "loop").symlink_to(inside)
    (inside / "again.mp4").symlink_to(inside / "a.mp4")
    (inside / "b.mp4").symlink_to(inside / "data.bin")
    assert find_videos(inside) == ["a.mp4", "b.mp4"]
    assert "1 symbolic links lead out" in capsys.readouterr().err


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


@pytest.mark.parametrize(
    ("rows", "message"),
    [
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
    for name, label, _ in rows:
        assert not name.startswith("/") and ".." not in name.split("/")
        assert label is None or label.isprintable()


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
    # One more clip moves none.
    touch(root, "c0/new.mp4")
    before = {row["clip_id"]: row for row in rows}
    assert {row["clip_id"]: row for row in manifest_rows(data_config(root)) if row["clip_id"] in before} == before


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


def test_suffixes_are_lower_case() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in folder.SUFFIXES)
