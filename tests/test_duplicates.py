"""Clips that show what a test clip shows are found by their hashes, and packing leaves them out."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2v.config import DuplicatesConfig
from s2v.data import duplicates
from s2v.data.duplicates import nearest, run

WORDS = st.integers(1, 2**64 - 1)
CLIPS = st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=6)


def _hashes(rows: list[tuple[int, ...]]) -> np.ndarray:
    return np.array(rows, dtype=np.uint64).reshape(-1, 3)


@given(CLIPS, CLIPS, st.integers(0, 16))
def test_nearest_is_what_counting_bits_one_by_one_gives(
    clips: list[tuple[int, ...]], test: list[tuple[int, ...]], distance: int
) -> None:
    test = [*test, clips[0], (clips[-1][0] ^ 0b111, clips[-1][1], 0)]
    expected = []
    for clip in clips:
        rows = [sum((a ^ b).bit_count() <= distance and a * b != 0 for a, b in zip(clip, t, strict=True)) for t in test]
        expected.append(next((i for i, alike in enumerate(rows) if alike >= 2), -1))
    assert nearest(_hashes(clips), _hashes(test), distance).tolist() == expected


@pytest.mark.parametrize("distance", [0, 1, 4, 7])
@pytest.mark.parametrize("at_once", [1, 50, 2**22])
def test_bands_of_bits_find_what_all_pairs_find(monkeypatch: pytest.MonkeyPatch, distance: int, at_once: int) -> None:
    """Frames that differ in some bits more and some fewer than is allowed, several of them alike, some blank."""
    rng = np.random.default_rng(distance)
    test = rng.integers(0, 2**64, (300, 3), dtype=np.uint64)
    test[:40] = test[40:80]
    clips = test[rng.integers(0, len(test), 500)].copy()
    for _ in range(distance + 2):
        bits = np.uint64(1) << rng.integers(0, 64, clips.shape, dtype=np.uint64)
        clips ^= np.where(rng.random(clips.shape) < 0.6, bits, np.uint64(0))
    clips[rng.random(clips.shape) < 0.1] = 0
    monkeypatch.setattr(duplicates, "_AT_ONCE", at_once)
    monkeypatch.setattr(duplicates, "_MOST_BANDS", 0)
    expected = nearest(clips, test, distance)
    monkeypatch.setattr(duplicates, "_of_all_pairs", None)
    monkeypatch.setattr(duplicates, "_MOST_BANDS", 8)
    assert nearest(clips, test, distance).tolist() == expected.tolist()
    assert 0 < (expected >= 0).sum() < len(expected)


def test_frames_that_share_their_bands_by_the_thousand_are_compared_in_pairs() -> None:
    crowd = np.full((3000, 3), 0xABCDEF0123456789, dtype=np.uint64)
    assert duplicates._by_bands(crowd, crowd, 4) is None
    assert nearest(crowd, crowd, 4).tolist() == [0] * 3000


def test_plain_frames_are_like_no_other() -> None:
    blank = _hashes([(0, 0, 5)])
    assert nearest(blank, blank, 16).tolist() == [-1]


def _shard(folder: Path, number: int, rows: list[tuple[str, str, tuple[int, ...] | None]]) -> tuple[Path, Path, Path]:
    manifest, extracted = folder / f"m{number}.parquet", folder / f"e{number}.parquet"
    pq.write_table(pa.table({"clip_id": [r[0] for r in rows], "split": [r[1] for r in rows]}), manifest)
    data = [None if r[2] is None else np.array(r[2], dtype=">u8").tobytes() for r in rows]
    # Not in the manifest's order.
    table = pa.table({"clip_id": [r[0] for r in rows][::-1], "phash": pa.array(data[::-1], pa.binary())})
    pq.write_table(table, extracted)
    return manifest, extracted, folder / f"d{number}.parquet"


@pytest.mark.parametrize("distance", [0, 4])
def test_a_test_clip_that_also_stands_in_train_is_dropped_from_train(tmp_path: Path, distance: int) -> None:
    a, b, c = (0xF0F0, 0xABCDEF, 0x1), (0xFFFF0000FFFF, 0x1234567, 0x777), (0x55, 0xAA << 40, 0x99 << 20)
    near = (a[0] ^ 0b1011, a[1] ^ 0b1, a[2])
    one = _shard(tmp_path, 0, [("t1", "test", a), ("x1", "train", b), ("x2", "train", near)])
    two = _shard(tmp_path, 1, [("t2", "test", b), ("x3", "val", c), ("x4", "train", None)])
    manifest, extracted, outputs = (list(paths) for paths in zip(one, two, strict=True))
    run(config=DuplicatesConfig(max_distance=distance), manifest=manifest, extracted=extracted, test_split="test",
        outputs=outputs)  # fmt: skip
    rows = {row["clip_id"]: row for path in outputs for row in pq.read_table(path).to_pylist()}
    dropped = {name: row["detail"] for name, row in rows.items() if row["status"] != "ok"}
    expected = {"x1": "shows the same as t2", "x2": "shows the same as t1"}
    assert dropped == (expected if distance == 4 else {"x1": "shows the same as t2"}) and len(rows) == 6
    assert pq.read_table(outputs[1])["clip_id"].to_pylist() == ["t2", "x3", "x4"]
