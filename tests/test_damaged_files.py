"""A file that decides a verdict and is damaged names itself and what to do, in one line, in every reader."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from made_results import made_result
from shards import RATE, flac, write_tar
from test_checkpoint import ONE, Net
from tiny_run import pack

from s2v import files
from s2v.config import DuplicatesConfig
from s2v.control.training_frames import Frames
from s2v.data.coverage import read_shares
from s2v.data.coverage import run as cover
from s2v.data.duplicates import run as find_duplicates
from s2v.data.reader import decode_wave, read_images, read_waves, samples
from s2v.data.subset import read_classes
from s2v.data.table import Pictures, Spectrograms, Store
from s2v.errors import MachineError, UserError
from s2v.evaluate.quantities import read_quantities
from s2v.evaluate.result import read_result
from s2v.export import _measured
from s2v.files import read_csv, read_json, read_parquet, read_table, write_json, write_parquet
from s2v.report.fig06_07 import fig_gap
from s2v.report.rows import load_rows
from s2v.tensors import load_tensors, save_tensors
from s2v.train.checkpoint import State

SCHEMA = pa.schema([("clip_id", pa.string()), ("rank", pa.int32())])


def told(act: Callable[[], object], path: Path) -> str:
    with pytest.raises(UserError) as error:
        act()
    message = str(error.value)
    assert "\n" not in message and path.name in message and "again" in message, message
    return message


def halves(data: bytes) -> list[bytes]:
    """What is left of a file: nothing, a byte, some of it, all but the end; and other bytes in its midst."""
    cut = [data[: round(share * len(data))] for share in (0.0, 0.1, 0.5, 0.9)] + [data[:1], data[:-1]]
    return [*cut, data[: len(data) // 3] + os.urandom(len(data) // 3) + data[2 * len(data) // 3 :], b"<html>" * 99]


def table(path: Path) -> Path:
    write_parquet(path, [{"clip_id": f"c{i}", "rank": i % 7} for i in range(500)], SCHEMA)
    return path


READERS: dict[str, Callable[[Path], object]] = {
    "read_parquet": read_parquet,
    "read_table": lambda path: read_table(path, ["clip_id"]),
    "read_table with a filter": lambda path: read_table(path, filters=[("clip_id", "=", "c3")]),
    "coverage": lambda path: cover(
        manifest=[path], stages=[path], csv=path.with_suffix(".csv"), by_class=path.with_suffix(".b.csv"),
        summary=path.with_suffix(".md")),
    "duplicates": lambda path: find_duplicates(
        config=DuplicatesConfig(max_distance=3), manifest=[path], extracted=[path], test_split="test",
        outputs=[path.with_name("out.parquet")]),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_a_half_written_parquet_is_named(name: str, tmp_path: Path) -> None:
    path = table(tmp_path / "000.parquet")
    for damaged in halves(path.read_bytes())[:6]:
        path.write_bytes(damaged)
        told(lambda: READERS[name](path), path)
    path.unlink()
    told(lambda: READERS[name](path), path)
    os.mkfifo(path)
    assert "not a regular file" in told(lambda: READERS[name](path), path)


def test_a_parquet_of_another_stage_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "000.parquet")
    assert "no column label" in told(lambda: read_table(path, ["clip_id", "label"]), path)


def test_other_bytes_within_a_parquet_are_an_error_or_a_table_but_never_a_traceback(tmp_path: Path) -> None:
    path = table(tmp_path / "000.parquet")
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        for at in rng.integers(4, len(data) - 4, 3):
            damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            read_parquet(path)
        except UserError as error:
            assert "000.parquet" in str(error) and "\n" not in str(error)


def test_a_damaged_result_is_named_by_the_table(tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    made_result(path, "icgan", np.ones(6, dtype=bool))
    for suffix in (".json", ".parquet", ".safetensors"):
        file = path.with_suffix(suffix)
        whole = file.read_bytes()
        for damaged in halves(whole)[:5]:
            file.write_bytes(damaged)
            told(lambda: load_rows([path], 100), file)
        file.write_bytes(whole)
    load_rows([path], 100)
    tensors = load_tensors(path.with_suffix(".safetensors"))
    save_tensors(path.with_suffix(".safetensors"), {name: t for name, t in tensors.items() if name != "reference"})
    told(lambda: load_rows([path], 100), path.with_suffix(".safetensors"))
    save_tensors(path.with_suffix(".safetensors"), {**tensors, "features": tensors["features"][:-1]})
    told(lambda: load_rows([path], 100), path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "5", '{"a": 1}', '{"method": 3, "seed": "x", "n": 1}', "[" * 99999]
)
def test_a_json_that_is_no_result_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    path.write_text(text)
    told(lambda: read_result(path), path)
    if text not in ("[]", "null"):
        told(lambda: read_quantities(path), path)


@pytest.mark.parametrize("text", ["", "5", "{}", "[1]", "null"])
def test_classes_that_are_no_list_of_names_are_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "classes.json"
    path.write_text(text)
    told(lambda: read_classes(path), path)


def test_a_json_of_any_kind_is_read_with_bounds(tmp_path: Path) -> None:
    path = tmp_path / "about.json"
    os.mkfifo(path)
    assert "not a regular file" in told(lambda: read_json(path), path)
    path.unlink()
    path.touch()
    os.truncate(path, 2**40)
    assert "more than" in told(lambda: read_json(path), path)
    for value in (float("nan"), [1.0, float("inf")]):
        with pytest.raises(UserError, match=r"other\.json: not written"):
            write_json(tmp_path / "other.json", {"a": value})
    assert not (tmp_path / "other.json").exists()


def test_a_damaged_csv_of_results_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    good = "row,training,shown,magnitude,R@1\nF,0,total,0.5,0.25\nF,1,,0.6,0.5\n"
    path.write_text(good)
    assert [row["R@1"] for row in read_csv(path, ["row", "R@1"], ["R@1"])] == ["0.25", "0.5"]
    for damaged in ("", "row,training\nF,0\n", good[:-12], good + "F,1\n", good.replace("0.25", "0.2x"), good + 'F,"1',
                    good.replace("0.25", "nan"), "\0" + good[:20], "\x89PNG\r\n"):  # fmt: skip
        path.write_text(damaged)
        told(lambda: fig_gap(runs_table=path, output=tmp_path / "gap.png"), path)
    path.write_bytes(b"\xff\xfe" + good.encode("utf-16"))
    told(lambda: fig_gap(runs_table=path, output=tmp_path / "gap.png"), path)
    shares = tmp_path / "coverage_by_class.csv"
    for damaged in ("", "class,split,wanted,got,lost\ncow,test,3,x,0\n", "class,split,wanted,got,lost\ncow,test,3\n",
                    "class,split,wanted,got,lost,black\ncow,test,3,3,0,many\n"):  # fmt: skip
        shares.write_text(damaged)
        told(lambda: read_shares(shares), shares)
    (tmp_path / "table1.csv").write_text("row,R@1\nB,3\n")
    told(lambda: _measured(tmp_path, half=False), tmp_path / "table1.csv")


def packs(folder: Path) -> Path:
    return pack(folder / "000.tar", 3)


def decoded(store: Store, form: Any) -> Callable[[Path], object]:
    return lambda path: store.load([path], form)


@pytest.mark.parametrize("kind", ["in memory", "in a file", "pictures", "waves"])
def test_a_damaged_packed_shard_is_named(kind: str, tmp_path: Path) -> None:
    path = packs(tmp_path)
    heard = Spectrograms(1.0, 512, 159, 1e-7, RATE)
    readers: dict[str, Callable[[Path], object]] = {
        "in memory": decoded(Store(tmp_path / "store", 1e12), heard),
        "in a file": decoded(Store(tmp_path / "store", 0), Pictures(8)),
        "pictures": lambda path: read_images([path], 8),
        "waves": lambda path: read_waves([path], RATE),
    }
    whole = path.read_bytes()
    for damaged in halves(whole.rstrip(b"\0")):  # zeros follow the end
        path.write_bytes(damaged)
        told(lambda: readers[kind](path), path)
    # One byte of a member's contents, which the tar says nothing of: what decodes it notices, or it is no damage.
    suffix = ".jpg" if kind in ("in a file", "pictures") else ".flac"
    at = whole.index(suffix.encode()) // 512 * 512 + 512
    path.write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
    told(lambda: readers[kind](path), path)


def test_decoded_samples_that_were_cut_off_are_made_again(tmp_path: Path) -> None:
    path, form = packs(tmp_path), Pictures(8)
    store = Store(tmp_path / "store", 0)
    rows = store.load([path], form).rows.clone()
    (place,) = (tmp_path / "store").iterdir()
    for name in ("rows", "about.json"):
        whole = (place / name).read_bytes()
        (place / name).write_bytes(whole[: len(whole) // 2])
        assert torch.equal(store.load([path], form).rows, rows)


@pytest.mark.parametrize("claimed", [4000, 2**27])
def test_a_sound_that_is_shorter_than_it_says_is_cut_off(claimed: int) -> None:
    data = bytearray(flac((np.sin(np.arange(3000)) * 9000).astype(np.int16)))
    data[22:26] = claimed.to_bytes(4, "big")  # of STREAMINFO's 36 bits
    with pytest.raises(UserError, match="ends after 3000|not readable sound"):
        decode_wave(bytes(data), RATE)


def test_features_and_names_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    (tmp_path / "embed").mkdir()
    (tmp_path / "pack/train").mkdir(parents=True)
    packs(tmp_path / "pack/train")
    keys = tmp_path / "embed/train.parquet"
    save_tensors(tmp_path / "embed/train.safetensors", {"features": torch.rand(3, 4)})
    write_parquet(keys, [{"key": "a"}], pa.schema([("key", pa.string())]))
    told(lambda: Frames.of(tmp_path), keys)
    save_tensors(tmp_path / "embed/train.safetensors", {"other": torch.rand(1, 4)})
    told(lambda: Frames.of(tmp_path), tmp_path / "embed/train.safetensors")


NOTES = {
    "nothing": "", "a list": "[]", "a number": "5", "a number for a key": '{"key": 1}',
    "groups that are a number": '{"key": "KEY", "state": {"step": 2}, "groups": 5}',
    "a state that is a list": '{"key": "KEY", "state": [], "groups": {}}',
    "a step in words": '{"key": "KEY", "state": {"step": "two"}, "groups": {}}',
    "a state with more": '{"key": "KEY", "state": {"step": 2, "more": 1}, "groups": {}}',
    "another step": '{"key": "KEY", "state": {"step": 3}, "groups": {}}',
    "a best that is none": '{"key": "KEY", "state": {"step": 2, "best": NaN}, "groups": {}}',
}  # fmt: skip


@pytest.mark.parametrize("name", NOTES)
def test_a_damaged_checkpoint_falls_back_or_is_named(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = Net()
    for step in (1, 2):
        net.save(tmp_path, step)
    newest = tmp_path / "checkpoints/00000002.json"
    newest.write_text(NOTES[name].replace("KEY", ONE))
    try:
        assert Net().load(tmp_path).step == 1
        assert "00000002.json: damaged" in caplog.text and caplog.text.count("\n") == 1
    except UserError as error:
        assert "00000002.json: does not fit this training" in str(error) and "remove it" in str(error)


def test_a_checkpoint_is_read_however_much_of_it_is_left(tmp_path: Path) -> None:
    net = Net()
    for step in (1, 2):
        net.save(tmp_path, step)
    newest = tmp_path / "checkpoints/00000002.safetensors"
    whole = newest.read_bytes()
    for left in (*range(0, 200, 7), len(whole) - 1):
        newest.write_bytes(whole[:left])
        assert Net().load(tmp_path) == State(1, records=[{"step": 1}])
    (tmp_path / "checkpoints/12abc.json").write_text(json.dumps({}))
    newest.write_bytes(whole)
    assert Net().load(tmp_path).step == 2


def test_an_odd_tar_is_refused_by_the_reader_at_once(tmp_path: Path) -> None:
    """Sizes that a header claims: below 0, and more than there is."""
    tar = write_tar(tmp_path / "s.tar", {"a.jpg": b"x"})
    whole = tar.read_bytes()
    for size in ((-1).to_bytes(12, "big", signed=True), b"\x80" + (2**60).to_bytes(11, "big")):
        header = bytearray(whole[:512])
        header[124:136] = size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        tar.write_bytes(header + whole[512:])
        told(lambda: read_images([tar], 4), tar)


def test_a_disk_that_fails_is_not_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    files.write_parquet(path, [{"a": 1}], pa.schema([("a", pa.int64())]))

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(files.pq, "read_table", fail)
    with pytest.raises(MachineError, match="see to its disk"):
        files.read_table(path)


def test_a_pipe_in_the_place_of_a_shard_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "000.tar")
    with pytest.raises(UserError, match="000.tar.*no plain file"):
        next(samples(tmp_path / "000.tar"))
