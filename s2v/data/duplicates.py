"""Stage `duplicates`: clips of the other splits that show what a clip of the test split shows are left out.

Data sets of the web hold one video under several ids; what is trained on must not be tested on. Clips are compared by
perceptual hashes of three frames at fixed shares of their length, which stage `extract` notes. A copy that is cut at
another second is not found this way.
"""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from s2v.data.status import STATUS
from s2v.errors import Reason
from s2v.files import atomic_path, read_table
from s2v.progress import track

if TYPE_CHECKING:
    from s2v.config import DuplicatesConfig

STAGE = "duplicates"
FRAMES = 3
MIN_FRAMES = 2
"""So many of the three frames must be alike: one alone may be a title or a logo."""
_CHUNK = 512
_MOST_BANDS = 8
"""Of more bands than this a hash's are too narrow to tell frames apart."""
_AT_ONCE = 2**22
"""Pairs of clips that are compared at once."""

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]


def nearest(clips: Hashes, test: Hashes, max_distance: int) -> Rows:
    """For each clip the first row of `test` that shows the same, or -1.

    Two hashes that differ in at most d bits are equal in one of d + 1 bands of bits. So clips are looked up by such
    bands, and only those that share one in two frames are compared. What is found is what comparing all pairs finds;
    that is done where bands are narrow, or so many frames share one that it is less work.

    Args:
        clips: hashes, [N, 3]; 0 is a frame without a picture (one plain colour), which is like no other.
        test: hashes, [M, 3].
        max_distance: bits of 64 in which the hashes of two like frames may differ.
    """
    bands = max_distance + 1
    found = None if bands > _MOST_BANDS else _by_bands(clips, test, max_distance)
    return _of_all_pairs(clips, test, max_distance) if found is None else found


def _of_all_pairs(clips: Hashes, test: Hashes, max_distance: int) -> Rows:
    found = np.full(len(clips), -1, dtype=np.int64)
    for start in track(range(0, len(clips), _CHUNK), total=-(-len(clips) // _CHUNK), description="duplicates"):
        part = clips[start : start + _CHUNK]
        alike = np.zeros((len(part), len(test)), dtype=np.uint8)
        for frame in range(FRAMES):
            alike += _close(part[:, frame, None], test[None, :, frame], max_distance)
        same = alike >= MIN_FRAMES
        hit = same.any(1)
        found[start : start + _CHUNK][hit] = same[hit].argmax(1)
    return found


def _close(mine: Hashes, theirs: Hashes, max_distance: int) -> NDArray[np.bool_]:
    close = np.bitwise_count(mine ^ theirs) <= max_distance
    return np.asarray(close & (mine != 0) & (theirs != 0))


def _by_bands(clips: Hashes, test: Hashes, max_distance: int) -> Rows | None:
    """The same; None where bands leave more pairs to compare than is worth it."""
    bands = max_distance + 1
    found = np.full(len(clips), len(test), dtype=np.int64)
    budget = len(clips) * len(test) // 4 + _AT_ONCE
    keys = [
        ((one, i), (other, j))
        for one, other in combinations(range(FRAMES), MIN_FRAMES)
        for i, j in product(range(bands), repeat=2)
    ]
    for key in track(keys, total=len(keys), description="duplicates"):
        frames = [frame for frame, _ in key]
        mine, theirs = (np.flatnonzero((rows[:, frames] != 0).all(1)) for rows in (clips, test))
        wanted, known = _key(clips[mine], key, bands), _key(test[theirs], key, bands)
        order = np.argsort(known, kind="stable")
        known = known[order]
        low, high = (np.searchsorted(known, wanted, side) for side in ("left", "right"))
        ends = np.cumsum(high - low)
        budget -= int(ends[-1]) if len(ends) else 0
        if budget < 0:
            return None
        start = 0
        while start < len(ends):
            done = int(ends[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, done + _AT_ONCE, "right")))
            count = (high - low)[start:stop]
            own = np.repeat(np.arange(start, stop), count)
            place = np.arange(len(own)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low[start:stop], count)
            row, column = mine[own], theirs[order[place]]
            close = [_close(clips[row, frame], test[column, frame], max_distance) for frame in frames]
            same = close[0] & close[1]
            np.minimum.at(found, row[same], column[same])
            start = stop
    return np.where(found < len(test), found, -1)


def _key(hashes: Hashes, parts: tuple[tuple[int, int], ...], bands: int) -> Hashes:
    """The band of each of some (frame, band), side by side, [N]."""
    key = np.zeros(len(hashes), dtype=np.uint64)
    for frame, band in parts:
        first, last = 64 * band // bands, 64 * (band + 1) // bands
        bits = (hashes[:, frame] >> np.uint64(first)) & np.uint64(2 ** (last - first) - 1)
        key = (key << np.uint64(last - first)) | bits
    return key


def run(
    *, config: DuplicatesConfig, manifest: list[Path], extracted: list[Path], test_split: str, outputs: list[Path]
) -> None:
    """Write one status shard for each manifest shard, in the same order.

    Args:
        config: the `duplicates` slice; its `max_distance` is set.
        manifest: manifest shards.
        extracted: status shards of stage `extract`, with their hashes.
        test_split: the split whose clips are kept.
        outputs: status shards to write.
    """
    assert config.max_distance is not None
    shards = [read_table(path, columns=["clip_id", "split"]) for path in manifest]
    states = [read_table(path, columns=["clip_id", "phash"]) for path in extracted]
    hashes: dict[str, bytes | None] = dict(zip(_column(states, "clip_id"), _column(states, "phash"), strict=True))
    clips = pa.concat_tables(shards)
    ids, is_test = clips["clip_id"].to_pylist(), np.array(clips["split"].to_pylist(), dtype=object) == test_split
    values = np.zeros((len(ids), FRAMES), dtype=np.uint64)
    for i, clip_id in enumerate(ids):
        data = hashes.get(clip_id)
        if data is not None:
            values[i] = np.frombuffer(data, dtype=">u8", count=FRAMES)
    test_ids = [clip_id for clip_id, kept in zip(ids, is_test, strict=True) if kept]
    twins: dict[str, str] = {}
    others = np.flatnonzero(~is_test)
    found = nearest(values[others], values[is_test], config.max_distance)
    for hit in np.flatnonzero(found >= 0):
        twins[ids[others[hit]]] = test_ids[found[hit]]
    for shard, output in zip(shards, outputs, strict=True):
        _write(output, shard["clip_id"].to_pylist(), twins)


def _column(tables: list[pa.Table], name: str) -> list[Any]:
    return [value for table in tables for value in table[name].to_pylist()]


def _write(path: Path, clip_ids: list[str], twins: dict[str, str]) -> None:
    found = [twins.get(clip_id) for clip_id in clip_ids]
    columns = {
        "clip_id": clip_ids,
        "stage": [STAGE] * len(clip_ids),
        "status": ["ok" if twin is None else "failed" for twin in found],
        "reason": [None if twin is None else str(Reason.DUPLICATE) for twin in found],
        "detail": [None if twin is None else f"shows the same as {twin}" for twin in found],
        "seconds": [0.0] * len(clip_ids),
    }
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns, schema=STATUS), temporary)


__all__ = ["nearest", "run"]
