"""Reading shards: right values, nothing lost or doubled between readers, and no trust in what a tar holds."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from shards import RATE, flac, write_tar
from torch.utils.data import DataLoader

from s2v.data.reader import decode_record, decode_wave, read_images, read_waves, samples
from s2v.data.stream import stream
from s2v.errors import UserError
from s2v.media.picture import encode_png


def _packed(folder: Path, n_shards: int, per_shard: int = 5) -> list[Path]:
    tars = []
    for shard in range(n_shards):
        members: dict[str, bytes] = {}
        for i in range(per_shard):
            number = shard * per_shard + i
            key = f"c{number:03d}"
            members[f"{key}.flac"] = flac(np.full(600 + number, number, np.int16))
            members[f"{key}.jpg"] = encode_png(np.full((6, 8, 3), number, np.uint8))
            members[f"{key}.json"] = json.dumps({"label": None if number == 1 else f"class {number % 3}"}).encode()
            members[f"{key}.mid.jpg"] = encode_png(np.full((6, 8, 3), 200, np.uint8))
        tars.append(write_tar(folder / f"{shard:03d}.tar", members))
    return tars


def _error(tar: Path) -> str:
    with pytest.raises(UserError) as error:
        list(samples(tar))
    assert str(tar) in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


def test_images_and_waves_come_in_file_order_with_keys_and_labels(tmp_path: Path) -> None:
    tars = _packed(tmp_path, 2)
    images, keys, labels = read_images(tars, 4)
    assert images.shape == (10, 3, 4, 4) and images.dtype == torch.uint8
    assert images[:, 0, 0, 0].tolist() == list(range(10))
    assert keys == [f"c{i:03d}" for i in range(10)]
    assert labels[:4] == ["class 0", None, "class 2", "class 0"]
    assert read_images(tars, 4, "mid.jpg")[0].unique().tolist() == [200]
    waves, wave_keys, wave_labels = read_waves(tars, RATE)
    assert (wave_keys, wave_labels) == (keys, labels)
    assert [(len(w), int(w[0]), w.dtype) for w in waves] == [(600 + i, i, np.int16) for i in range(10)]


def test_empty_shards_and_missing_columns_give_nothing(tmp_path: Path) -> None:
    empty = write_tar(tmp_path / "empty.tar", {})
    assert read_images([empty], 4)[0].shape == (0, 3, 4, 4)
    no_sound = write_tar(tmp_path / "pictures.tar", {"a.jpg": encode_png(np.zeros((3, 3, 3), np.uint8))})
    assert read_waves([no_sound, empty], RATE) == ([], [], [])
    assert read_images([no_sound], 4)[2] == [None]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../a.jpg", "a/b.jpg", "a", ".jpg", "-rf.jpg", "a b.jpg", "a\n.jpg", "a.jpg\x1b[2J", "a'.jpg",
     "ä.jpg", "a.JPG", "a.b.c.jpg", "x" * 101 + ".jpg"],
)  # fmt: skip
def test_odd_member_names_are_refused(tmp_path: Path, name: str) -> None:
    assert "odd name" in _error(write_tar(tmp_path / "s.tar", {"good.json": b"{}", name: b"x"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_members_that_are_no_plain_files_are_refused(tmp_path: Path, kind: bytes) -> None:
    tar = tmp_path / "s.tar"
    with tarfile.open(tar, "w") as archive:
        info = tarfile.TarInfo("a.jpg")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    assert "plain file" in _error(tar)


def test_a_member_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.jpg")
    info.size = 2**40
    (tmp_path / "s.tar").write_bytes(info.tobuf() + b"\0" * 2048)
    assert "bytes, more than" in _error(tmp_path / "s.tar")


def test_doubled_and_scattered_members_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "twice.tar", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("a.jpg"), io.BytesIO())
    assert "twice" in _error(tmp_path / "twice.tar")
    assert "side by side" in _error(write_tar(tmp_path / "s.tar", {"a.jpg": b"", "b.jpg": b"", "a.json": b""}))


def test_a_cut_or_overwritten_shard_is_never_just_shorter(tmp_path: Path) -> None:
    whole = _packed(tmp_path, 1)[0].read_bytes()
    tar = tmp_path / "cut.tar"
    for length in [0, 1, 511, 512, 700, *range(1024, len(whole) - 10240, 3584)]:
        tar.write_bytes(whole[:length])
        _error(tar)
    broken = bytearray(whole)
    second = whole.index(b"c002.flac")
    broken[second : second + 40] = b"#" * 40
    tar.write_bytes(broken)
    assert "no end mark" in _error(tar)
    tar.write_bytes(b"text, not a tar\n" * 200)
    _error(tar)
    assert "the shard is missing" in _error(tmp_path / "missing.tar")


def test_members_of_the_wrong_kind_are_named(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "s.tar", {"a.flac": b"noise", "a.jpg": b"pixels", "a.json": b"[1]"})
    with pytest.raises(UserError, match=r"s\.tar.*a\.jpg"):
        read_images([tar], 4)
    with pytest.raises(UserError, match=r"s\.tar.*a\.flac"):
        read_waves([tar], RATE)


def test_sound_of_another_rate_or_channels_is_refused() -> None:
    with pytest.raises(UserError, match="8000 Hz"):
        decode_wave(flac(np.zeros(100, np.int16), 8000), RATE)
    with pytest.raises(UserError, match="2 channels"):
        decode_wave(flac(np.zeros((100, 2), np.int16)), RATE)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 200_000])
def test_records_that_are_no_json_objects_are_refused(data: bytes) -> None:
    with pytest.raises(UserError) as error:
        decode_record(data)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("n_shards", "world_size", "workers"), [(4, 1, 0), (4, 2, 2), (3, 2, 2), (1, 2, 2), (5, 2, 0)])
def test_readers_share_an_epoch_without_loss_or_duplicates(
    tmp_path: Path, n_shards: int, world_size: int, workers: int
) -> None:
    tars = _packed(tmp_path, n_shards, per_shard=4)
    found: list[str] = []
    for rank in range(world_size):
        part = stream(tars, px=4, sample_rate_hz=RATE, buffer=3, rank=rank, world_size=world_size)
        found += [sample["key"] for sample in DataLoader(part, batch_size=None, num_workers=workers)]
    assert sorted(found) == [f"c{i:03d}" for i in range(4 * n_shards)]


def test_stream_order_follows_from_seed_and_epoch(tmp_path: Path) -> None:
    tars = _packed(tmp_path, 4)

    def keys(seed: int, epoch: int) -> list[str]:
        part = stream(tars, px=4, sample_rate_hz=RATE, seed=seed, epoch=epoch, buffer=6)
        return [sample["key"] for sample in part]

    assert keys(0, 3) == keys(0, 3)
    assert len({tuple(keys(*order)) for order in ((0, 0), (0, 1), (1, 0), (1, 1))}) == 4
    assert keys(0, 0) != sorted(keys(0, 0))


def test_stream_decodes_like_the_reader_of_whole_shards(tmp_path: Path) -> None:
    tars = _packed(tmp_path, 2)
    streamed = {sample["key"]: sample for sample in stream(tars, px=4, sample_rate_hz=RATE)}
    images, keys, labels = read_images(tars, 4)
    waves = read_waves(tars, RATE)[0]
    for key, image, label, wave in zip(keys, images, labels, waves, strict=True):
        assert torch.equal(streamed[key]["image"], image)
        assert streamed[key]["label"] == label
        assert np.array_equal(streamed[key]["wave"].numpy(), wave)


def test_stream_takes_any_file_name_for_a_file_name(tmp_path: Path) -> None:
    odd = _packed(tmp_path / "pipe:touch hurt; {000..002}", 1)
    assert len(list(stream(odd, px=4, sample_rate_hz=RATE))) == 5
    with pytest.raises(UserError, match="at least one"):
        stream([], px=4, sample_rate_hz=RATE)
