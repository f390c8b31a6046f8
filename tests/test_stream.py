"""The training stream goes on where it stopped, and damaged shards are named."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import RATE, write_tar
from torch.utils.data import DataLoader
from typer.testing import CliRunner
from web import site as web_site

from s2v.cli import app
from s2v.data import reader
from s2v.data.stream import Position, stream
from s2v.errors import UserError
from s2v.files import sha256, write_json
from s2v.media.picture import encode_png


def _tars(folder: Path, n: int, each: int = 6) -> list[Path]:
    picture = encode_png(np.zeros((3, 3, 3), np.uint8))
    return [write_tar(folder / f"{s:03d}.tar", {f"c{s}-{i}.jpg": picture for i in range(each)}) for s in range(n)]


def _batches(tars: list[Path], workers: int, **settings: Any) -> list[list[dict[str, Any]]]:
    part = stream(tars, px=3, sample_rate_hz=RATE, buffer=4, **settings)
    return list(DataLoader(part, batch_size=2, num_workers=workers, collate_fn=list))


@pytest.mark.parametrize(("workers", "ranks", "n_shards"), [(0, 1, 3), (2, 1, 3), (0, 2, 3), (2, 2, 5), (2, 2, 1)])
def test_a_resumed_epoch_gives_the_rest(tmp_path: Path, workers: int, ranks: int, n_shards: int) -> None:
    tars = _tars(tmp_path, n_shards)
    everything: list[str] = []
    for rank in range(ranks):
        place: dict[str, Any] = {"rank": rank, "world_size": ranks, "seed": 3, "epoch": 2}
        whole = _batches(tars, workers, **place)
        for k in (0, 1, len(whole) - 1, len(whole)):
            position = Position()
            for batch in whole[:k]:
                position = position.after(batch)
            position = Position(**json.loads(json.dumps(asdict(position))))  # as a checkpoint keeps it
            rest = [s["key"] for batch in _batches(tars, workers, **place, position=position) for s in batch]
            assert sorted(rest) == sorted(s["key"] for batch in whole[k:] for s in batch)
        everything += [s["key"] for batch in whole for s in batch]
    assert sorted(everything) == sorted(f"c{s}-{i}" for s in range(n_shards) for i in range(6))


def test_what_is_skipped_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tars, calls, decode = _tars(tmp_path, 2), [], reader.decode_image
    monkeypatch.setattr(reader, "decode_image", lambda data: calls.append(1) or decode(data))
    assert len(list(stream(tars, px=3, sample_rate_hz=RATE, position=Position(1, {"0": 9})))) == 3 == len(calls)


def test_another_number_of_readers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="4 readers cannot be gone on with by 1"):
        list(stream(_tars(tmp_path, 1), px=3, sample_rate_hz=RATE, position=Position(4, {"0": 1})))


def test_damaged_shards_are_named_and_removed(tmp_path: Path) -> None:
    tars = _tars(tmp_path / "pack" / "train", 3)
    for tar in tars:
        record = {"samples": 6, "keys": [], "bytes": tar.stat().st_size, "sha256": sha256(tar)}
        write_json(tar.with_suffix(".json"), record)
    check = ["shards", "check", str(tmp_path)]
    assert CliRunner().invoke(app, check).exit_code == 0
    data = bytearray(tars[1].read_bytes())
    data[600] ^= 1
    tars[1].write_bytes(data)
    done = CliRunner().invoke(app, [*check, "--remove"])
    assert done.exit_code == 1 and done.output.count("\n") == 1 and str(tars[1]) in done.output
    left = sorted(path.name for path in tars[0].parent.iterdir())
    assert left == ["000.json", "000.tar", "002.json", "002.tar"]


def test_shards_of_the_web_are_read_like_those_here(tmp_path: Path) -> None:
    tars = _tars(tmp_path, 3)
    with web_site(tmp_path) as site:
        urls = [f"{site.url}/{tar.name}" for tar in tars]
        site.faults["/001.tar"] = ("cut", 1)  # lost once half way, and gone on with
        for workers in (0, 2):
            here, there = ([s["key"] for b in _batches(which, workers, seed=1) for s in b] for which in (tars, urls))
            assert sorted(here) == sorted(there) and len(there) == 18
        assert site.requests["/001.tar"] == 3, "once for each of two readings, and once more after the break"
        site.faults["/002.tar"] = (404, None)
        with pytest.raises(UserError, match=r"/002.tar: the shard cannot be fetched \(.*404"):
            _batches(urls, 0)
        (tmp_path / "000.tar").write_bytes(tars[0].read_bytes()[:3000])
        with pytest.raises(UserError, match=r"http.*/000.tar: not a usable shard"):
            _batches(urls[:1], 0)


@pytest.mark.parametrize("address", ["pipe:cat x.tar", "file:///x.tar", "s3://bucket/x.tar", "gs://a/b.tar"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(UserError, match="a shard is a path or an http"):
        stream([address], px=3, sample_rate_hz=RATE)
