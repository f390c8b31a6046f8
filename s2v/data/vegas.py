"""VEGAS (Zhou et al. 2018) as a source: a folder for each of ten classes with its videos."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.data.folder import clean_label, clip_id_of, find_videos, read_csv
from s2v.data.lists import point
from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import VegasConfig

SPLITS = {"train", "val", "test"}

Row = dict[str, Any]


def manifest_rows(config: VegasConfig) -> list[Row]:
    """Manifest rows (without shard): those of the CSV, or a number of each class drawn by seed.

    The published archive has no list of splits. The draw ranks a class's files by a hash of seed and path: the first
    `test` are for test, the next `train` for training, a share of these for validation.

    Raises:
        UserError: no such folder or class, or a mistake in the CSV.
    """
    root = Path(config.path)
    if not root.is_dir():
        raise UserError(f"data.vegas.path: {config.path!r} is no folder; unpack the published archive there")
    if config.csv is not None:
        listed = read_csv(Path(config.csv), SPLITS)
        unsplit = next((path for path, _, split in listed if split is None), None)
        if unsplit is not None:
            raise UserError(f"{config.csv}: {unsplit!r} has no split; allowed: {', '.join(sorted(SPLITS))}")
        return [_row(path, label, str(split)) for path, label, split in listed if _wanted(label, config)]
    folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
    names = folders if config.classes is None else config.classes
    unknown = set(names) - set(folders)
    if unknown:
        raise UserError(f"data.vegas.classes: no folder {min(unknown)!r} in {config.path}; there: {', '.join(folders)}")
    return [row for name in names for row in _draw(root, name, config)]


def _wanted(label: str | None, config: VegasConfig) -> bool:
    return config.classes is None or label in config.classes


def _draw(root: Path, name: str, config: VegasConfig) -> list[Row]:
    paths = sorted((f"{name}/{path}" for path in find_videos(root / name)), key=lambda p: (point(config.seed, p), p))
    test, train = paths[: config.test], paths[config.test : config.test + config.train]
    if len(train) < config.train:
        print(
            f"{root / name}: {len(paths)} videos, so {len(test)} for test and {len(train)} for training instead of "
            f"{config.test} and {config.train}",
            file=sys.stderr,
        )
    label = clean_label(name, str(root / name))
    return [_row(path, label, "test") for path in test] + [
        _row(path, label, "val" if point("val", path) < config.val_share else "train") for path in train
    ]


def _row(path: str, label: str | None, split: str) -> Row:
    return {
        "clip_id": clip_id_of(path),
        "source": "vegas",
        "source_id": path.encode("utf-8", "backslashreplace").decode(),
        "start_s": None,
        "end_s": None,
        "split": split,
        "label": label,
        "extra": json.dumps({"path": path}),
    }


__all__ = ["manifest_rows"]
