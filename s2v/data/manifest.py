"""manifest: what clips there are. One schema for every source, split over a fixed number of shards."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from s2v.errors import UserError
from s2v.files import atomic_path, write_parquet

if TYPE_CHECKING:
    from s2v.config import DataConfig

MANIFEST = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),  # CLIP_ID; the WebDataset key
        pa.field("source", pa.string(), nullable=False),  # a data.source
        pa.field("source_id", pa.string(), nullable=False),  # the clip's name there: relative path, recipe name
        pa.field("start_s", pa.float64()),  # part of the video; null is its start or end
        pa.field("end_s", pa.float64()),
        pa.field("split", pa.string(), nullable=False),
        pa.field("label", pa.string()),  # class name, null where unknown
        pa.field("captions", pa.list_(pa.string())),  # a sentence for each frame, where the source has them
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("extra", pa.string(), nullable=False),  # JSON of the source's own
    ],
    metadata={"s2v.manifest": "1"},  # counts up when a column changes its name, type or meaning
)
CLIP_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
SPLIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")

MODULES = {
    "world": "s2v.world",
    "speakers": "s2v.speakers",
    "folder": "s2v.data.folder",
    "vggsound": "s2v.data.vggsound",
    "vegas": "s2v.data.vegas",
    "celebvhq": "s2v.data.celebvhq",
}
"""Where each `data.source` is: a module with `manifest_rows(section)`. The rule digests the one that is used."""

Row = dict[str, Any]


def shard_of(clip_id: str, shards: range) -> int:
    """The shard of a clip among some, from a hash of its id: adding or dropping clips moves no other."""
    return shards[int(hashlib.sha1(clip_id.encode()).hexdigest(), 16) % len(shards)]


def manifest_rows(config: DataConfig) -> list[Row]:
    """All rows of the configured source, sorted by clip id.

    Raises:
        UserError: the source is not configured, has no clips, or names two clips alike.
    """
    section = getattr(config, config.source)
    if section is None:
        raise UserError(f"data.{config.source}: missing, although it is data.source; add the section")
    rows: list[Row] = source(config.source).manifest_rows(section)
    if not rows:
        raise UserError(f"data.{config.source}: no clips were found")
    seen: set[str] = set()
    for row in rows:
        clip_id = row["clip_id"]
        if not CLIP_ID.fullmatch(clip_id) or clip_id in seen:
            raise UserError(f"data.{config.source}: clip id {clip_id!r} is used twice, or not of A-Z a-z 0-9 _ -")
        seen.add(clip_id)
    for split in {row["split"] for row in rows}:
        if not SPLIT.fullmatch(split):
            raise UserError(f"data.{config.source}: {split!r} is no name for a split; use letters, digits, _ and -")
    alike = len(seen) - len({clip_id.casefold() for clip_id in seen})
    if alike:
        what = "clip ids differ from another in case alone; the file system must tell case apart"
        print(f"{alike} {what}", file=sys.stderr)
    for row in rows:  # in place: a second list of a large data set's rows would be as large as the first
        row["shard"] = shard_of(row["clip_id"], config.shards_of(row["split"]))
    return sorted(rows, key=lambda row: str(row["clip_id"]))


def source(name: str) -> Any:
    """The module of a `data.source`."""
    return importlib.import_module(MODULES[name])


def run(*, config: DataConfig, output_dir: Path, truth: Path | None) -> None:
    """Write {shard}.parquet for every shard (000, 001, ...; some may be empty) into `output_dir`.

    Args:
        config: the `data` slice.
        output_dir: where the shards go.
        truth: of clips that are rendered here, where their ground truth goes, which evaluation alone may read.

    Raises:
        UserError: as `manifest_rows`.
    """
    shards: list[list[Row]] = [[] for _ in range(config.shards)]
    for row in manifest_rows(config):
        shards[row["shard"]].append(row)
    for shard, rows in enumerate(shards):
        write_parquet(output_dir / f"{shard:03d}.parquet", rows, MANIFEST)
    if truth is not None:
        records = source(config.source).truth_rows(config.section())
        with atomic_path(truth) as temporary:
            pq.write_table(pa.Table.from_pylist(records), temporary)
