"""How many clips and images a configuration has, as its data set was published: nothing of it is read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2v.config import Config

VGGSOUND_CLASSES, VGGSOUND_TRAIN, VGGSOUND_TEST = 309, 600, 50
"""Classes of VGGSound and clips of a class: about 184,000 and 15,400 in all (Chen et al. 2020)."""

VEGAS_CLASSES = 10
CELEBVHQ_CLIPS = 35_666  # Zhu et al. 2022
FOLDER_CLIPS = 10_000  # nobody knows; more than a person collects by hand
CLIP_S = 10.0
"""Length of a clip of the published data sets."""

LISTED_BYTES = 30
"""Least length of a row of a list: id, start, class and split; VGGSound's have 40."""


def clips(config: Config) -> dict[str, int]:
    """Clips of each split, as the data set was published; a folder's are a guess."""
    data = config.data
    if (made := data.rendered()) is not None:
        return made.counts()
    if data.vggsound is not None and data.source == "vggsound":
        n = classes(config)
        return _split(n * VGGSOUND_TRAIN, n * VGGSOUND_TEST, data.vggsound.val_share)
    if data.vegas is not None and data.source == "vegas":
        n = classes(config)
        return _split(n * data.vegas.train, n * data.vegas.test, data.vegas.val_share)
    if data.celebvhq is not None and data.source == "celebvhq":
        train = min(data.celebvhq.train, CELEBVHQ_CLIPS)
        return _split(train, CELEBVHQ_CLIPS - train, data.celebvhq.val_share)
    if data.folder is not None and data.source == "folder":
        return {split: round(FOLDER_CLIPS * share) for split, share in data.folder.splits.items()}
    return {}


def _split(train: int, test: int, val_share: float) -> dict[str, int]:
    val = round(train * val_share)
    return {"train": train - val, "val": val, "test": test}


def classes(config: Config) -> int:
    """Classes of the data set, as it was published or as the configuration says; 1 where there are none."""
    data = config.data
    if data.vggsound is not None and data.source == "vggsound":
        return len(data.vggsound.classes or ()) or data.vggsound.n_classes or VGGSOUND_CLASSES
    if data.vegas is not None and data.source == "vegas":
        return len(data.vegas.classes or ()) or VEGAS_CLASSES
    return 1


def rows_as_published(config: Config) -> list[dict[str, Any]]:
    """Rows as of a manifest, each a clip of a video of its own, for counts where no list is there."""
    n = classes(config)
    return [
        {"clip_id": f"{split}{i}", "split": split, "label": str(i % n) if n > 1 else None, "start_s": 0.0,
         "end_s": CLIP_S, "extra": "{}"}
        for split, count in clips(config).items() for i in range(count)
    ]  # fmt: skip


def images(config: Config, *splits: str) -> int:
    """Packed images of some splits: one of each clip, or all frames."""
    found, made = clips(config), config.data.rendered()
    total = 0
    for split in splits:
        frames = 1
        if config.pack.keep.get(split) == "all":
            frames = round(config.extract.fps * (made.clip_s(split) if made is not None else CLIP_S))
            if made is not None and split in made.reels:
                frames = made.photos_per_reel
        total += found.get(split, 0) * frames
    return total


def rows(config: Config) -> float:
    """Rows that the manifest is made from: at most those that a user's list has room for, where there is one."""
    section = config.data.section()
    lists = [path for path in (section.watched()[1] if section is not None else []) if path and os.path.isfile(path)]
    return max(sum(clips(config).values()), *(os.path.getsize(path) / LISTED_BYTES for path in lists), 0)


__all__ = ["CLIP_S", "classes", "clips", "images", "rows", "rows_as_published"]
