"""Decoded samples are the same in memory and in a file, made once, found again, and gone when a training is done."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from shards import RATE, flac, write_tar

from s2v.config import RuntimeConfig
from s2v.data import table
from s2v.data.reader import read_images
from s2v.data.table import FOLDER, Pictures, Spectrograms, Store, sha256_of, store
from s2v.errors import UserError
from s2v.files import sha256, write_json
from s2v.media.picture import encode_png
from s2v.models.audio_encoder import AudioEncoder
from s2v.runtime import Runtime
from s2v.train.prefetch import Prefetch

AUDIO = {"window_s": 0.5, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": RATE}


@pytest.fixture
def tars(tmp_path: Path) -> list[Path]:
    """Three shards; in the second a sample lacks its sound, in the third one its picture."""
    rng = np.random.default_rng(0)
    made = []
    for s in range(3):
        members: dict[str, bytes] = {}
        for i in range(4):
            key = f"c{s}-{i}"
            if (s, i) != (2, 1):
                members[f"{key}.jpg"] = encode_png(rng.integers(0, 256, (12, 16, 3), np.uint8))
            if (s, i) != (1, 0):
                members[f"{key}.flac"] = flac(rng.integers(-9000, 9000, 3000 + 4000 * i).astype(np.int16))
            members[f"{key}.json"] = b'{"label": "dog barking"}'
        made.append(write_tar(tmp_path / f"{s:03d}.tar", members))
        index = {"samples": 4, "bytes": made[-1].stat().st_size, "sha256": sha256(made[-1])}
        write_json(made[-1].with_suffix(".json"), index)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("form", [Pictures(8), Spectrograms(**AUDIO)])
def test_a_file_holds_what_memory_holds(
    tmp_path: Path, tars: list[Path], form: Pictures | Spectrograms, workers: int
) -> None:
    inside = Store(tmp_path / "none", 1e9).load(tars, form)
    outside = Store(tmp_path / "scratch", 0, workers).load(tars, form)
    assert torch.equal(inside.rows, outside.rows) and inside.rows.dtype == form.dtype
    assert inside.keys == outside.keys and len(inside.keys) == 11 and inside.rows.shape == (11, *form.shape)
    assert inside.labels == outside.labels == ["dog barking"] * 11
    assert not (tmp_path / "none").exists()
    index = torch.tensor([10, 0, 3])
    assert torch.equal(inside.rows[index], outside.rows[index])


def test_rows_are_what_the_models_are_given_elsewhere(tars: list[Path], tmp_path: Path) -> None:
    pictures, keys, _ = read_images(tars, 8)
    made = Store(tmp_path, 1e9).load(tars, Pictures(8))
    assert torch.equal(made.rows, pictures) and made.keys == keys
    from s2v.data.reader import read_waves

    model = AudioEncoder(8, 4, False, AUDIO)
    waves, _, _ = read_waves(tars, RATE)
    heard = torch.cat([model.spectrogram(torch.from_numpy(wave)[None].float() / 32768).half() for wave in waves])
    assert torch.equal(Store(tmp_path, 1e9).load(tars, Spectrograms(**AUDIO)).rows, heard)


def test_a_finished_file_is_not_made_again_but_one_of_other_shards_is(
    tmp_path: Path, tars: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    fill = table.fill
    monkeypatch.setattr(table, "fill", lambda **job: made.append(job["tar"]) or fill(**job))
    keep = Store(tmp_path / "s", 0)
    first = keep.load(tars, Pictures(8))
    assert len(made) == 3 and torch.equal(keep.load(tars, Pictures(8)).rows, first.rows) and len(made) == 3
    keep.load(tars, Pictures(6))
    keep.load(tars[:2], Pictures(8))
    assert len(made) == 8


def test_one_that_was_killed_half_way_is_made_anew(tmp_path: Path, tars: list[Path]) -> None:
    program = (
        "import os, sys; from pathlib import Path; from s2v.data import table\n"
        "fill = table.fill\n"
        "table.fill = lambda **job: os._exit(9) if job['start'] else fill(**job)\n"
        "table.Store(Path(sys.argv[1]), 0).load([Path(p) for p in sys.argv[2:]], table.Pictures(8))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "s"), *map(str, tars)]
    assert subprocess.run(command).returncode == 9
    assert list((tmp_path / "s").glob("*/rows")) and not list((tmp_path / "s").glob("*/about.json"))
    got = Store(tmp_path / "s", 0).load(tars, Pictures(8))
    assert torch.equal(got.rows, Store(tmp_path, 1e9).load(tars, Pictures(8)).rows)


def test_another_process_waits_for_the_first(tmp_path: Path, tars: list[Path]) -> None:
    found: list[table.Table] = []
    second = Store(tmp_path / "s", 0, makes=False)
    waiting = threading.Thread(target=lambda: found.append(second.load(tars, Pictures(8))))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive() and not found
    first = Store(tmp_path / "s", 0).load(tars, Pictures(8))
    waiting.join(10)
    assert torch.equal(found[0].rows, first.rows)


def test_files_lie_where_they_should_and_go_when_all_is_done(tmp_path: Path, tars: list[Path]) -> None:
    place = Runtime(torch.device("cpu"), False)
    for scratch in (None, str(tmp_path / "disk")):
        config = RuntimeConfig(memory_gb=0, scratch=scratch)
        root = tmp_path / "out" / FOLDER if scratch is None else Path(scratch)
        with pytest.raises(RuntimeError, match="lost"), store(tmp_path / "out", config, place) as tables:
            tables.load(tars, Pictures(8))
            raise RuntimeError("lost")
        assert list(root.rglob("rows")), "a training that failed finds it again"
        with store(tmp_path / "out", config, place) as tables:
            tables.load(tars, Pictures(8))
        assert not list(root.rglob("rows"))


def test_each_node_of_a_training_has_files_of_its_own_on_its_own_disk(tmp_path: Path, tars: list[Path]) -> None:
    config = RuntimeConfig(memory_gb=0, scratch=str(tmp_path / "disk"))
    nodes = [Runtime(torch.device("cpu"), False, rank=2 * node, node=node) for node in (0, 1)]
    with store(tmp_path / "out", config, nodes[0]) as first, store(tmp_path / "out", config, nodes[1]) as second:
        both = [tables.load(tars, Pictures(8)).rows for tables in (first, second)]
        assert torch.equal(*both) and len(list((tmp_path / "disk").rglob("rows"))) == 2
    assert not list((tmp_path / "disk").rglob("rows"))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_shard_is_named_in_one_line(tmp_path: Path, tars: list[Path], workers: int) -> None:
    tars[1].write_bytes(tars[1].read_bytes()[:2000])
    with pytest.raises(UserError, match=r"001\.tar") as caught:
        Store(tmp_path / "s", 0, workers).load(tars, Pictures(8))
    assert "\n" not in str(caught.value)


def test_the_checksum_of_an_index_is_taken_only_where_it_is_of_this_file(tars: list[Path]) -> None:
    write_json(tars[0].with_suffix(".json"), {"samples": 4, "bytes": tars[0].stat().st_size, "sha256": "of the index"})
    assert sha256_of(tars[0]) == "of the index"
    write_json(tars[0].with_suffix(".json"), {"samples": 4, "bytes": 1, "sha256": "of the index"})
    assert sha256_of(tars[0]) == sha256(tars[0])


def test_batches_read_ahead_are_those_of_their_steps() -> None:
    asked: list[int] = []

    def read(step: int) -> dict[str, torch.Tensor]:
        asked.append(step)
        return {"x": torch.tensor([step])}

    ahead = Prefetch(read, torch.device("cpu"), ahead=True)
    assert [int(ahead.get(step)["x"]) for step in (5, 6, 7, 3)] == [5, 6, 7, 3]
    assert ahead.pool is not None
    ahead.pool.shutdown()
    assert asked == [5, 6, 7, 8, 3, 4] or asked == [5, 6, 7, 3, 8, 4], "each was read once, and one more ahead"
    plain = Prefetch(read, torch.device("cpu"))
    asked.clear()
    assert [int(plain.get(step)["x"]) for step in (0, 1)] == [0, 1] and asked == [0, 1]
