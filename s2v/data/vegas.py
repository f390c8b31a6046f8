"""VEGAS (Zhou et al. 2018) as a source: a folder for each of ten classes with its videos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.data.folder import label_of_folder, row
from s2v.data.listed import Listed, by_file, read_csv
from s2v.data.lists import point
from s2v.data.tree import find_videos
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
        unsplit = next((one.path for one in listed if one.split is None), None)
        if unsplit is not None:
            raise UserError(f"{config.csv}: {unsplit!r} has no split; allowed: {', '.join(sorted(SPLITS))}")
        by_file(listed, root)
        wanted = {one.label for one in listed} if config.classes is None else set(config.classes)
        return [row("vegas", one, str(one.split)) for one in listed if one.label in wanted]
    classes: dict[str, list[str]] = {}
    for path in find_videos(root):
        name, _, rest = path.partition("/")
        classes.setdefault(name if rest else "", []).append(path)
    loose = classes.pop("", [])
    if loose:
        print(f"{root}: {len(loose)} videos lie in no class's folder and are not used", file=sys.stderr)
    names = sorted(classes) if config.classes is None else config.classes
    unknown = set(names) - classes.keys()
    if unknown:
        there = ", ".join(sorted(classes))
        raise UserError(f"data.vegas.classes: no folder {min(unknown)!r} in {config.path}; there: {there}")
    return [found for name in names for found in _draw(root / name, classes[name], config)]


def _draw(folder: Path, paths: list[str], config: VegasConfig) -> list[Row]:
    paths = sorted(paths, key=lambda path: (point(config.seed, path), path))
    test, train = paths[: config.test], paths[config.test : config.test + config.train]
    if len(train) < config.train:
        print(
            f"{folder}: {len(paths)} videos, so {len(test)} for test and {len(train)} for training instead of "
            f"{config.test} and {config.train}",
            file=sys.stderr,
        )
    splits = dict.fromkeys(test, "test") | {
        path: "val" if point("val", path) < config.val_share else "train" for path in train
    }
    return [row("vegas", Listed(path, label_of_folder(path)), split) for path, split in splits.items()]


__all__ = ["manifest_rows"]
