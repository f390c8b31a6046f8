"""VGGSound (Chen et al. 2020) as a source: its list of YouTube id, start second, label, split; clips of 10 s."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from s2v.data.ids import LAST_S, VIDEO_ID, section
from s2v.data.lists import clean_label, point, read_rows
from s2v.data.vggsound_classes import PAPER_50
from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import VggSoundConfig

CLIP_S = 10.0
SPLITS = ("train", "test")
_SECOND = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_COLUMNS = "YouTube id, start second, label, split"

Row = dict[str, Any]


class Entry(NamedTuple):
    """A row of the list."""

    video_id: str
    start_s: float
    label: str
    split: str


def read_list(path: Path) -> list[Entry]:
    """The list's rows in its order, each clip once.

    Raises:
        UserError: a line is wrong, or two lines contradict each other; they are named.
    """
    found: dict[tuple[str, float], tuple[int, Entry]] = {}
    names: dict[str, str | None] = {}
    again = 0
    for line, cells in read_rows(path):
        where = f"{path}, line {line}"
        if len(cells) != 4:
            raise UserError(f"{where}: has {len(cells)} cells; a row is {_COLUMNS}, a label with a comma in quotes")
        video_id, second, label, split = (cell.strip() for cell in cells)
        if not found and second.casefold().startswith("start"):
            continue
        if not VIDEO_ID.fullmatch(video_id):
            raise UserError(f"{where}: {video_id[:40]!r} is no YouTube id (11 characters of A-Z a-z 0-9 _ -)")
        if not _SECOND.fullmatch(second) or float(second) + CLIP_S > LAST_S:
            raise UserError(f"{where}: {second[:40]!r} is no start second")
        if split not in SPLITS:
            raise UserError(f"{where}: {split[:40]!r} is no split; allowed: {', '.join(SPLITS)}")
        name = names[label] = names.get(label) or clean_label(label, where)
        if name is None:
            raise UserError(f"{where}: the label is empty")
        entry = Entry(video_id, float(second), name, split)
        first = found.setdefault((video_id, entry.start_s), (line, entry))
        if first[1] != entry:
            raise UserError(f"{where}: {video_id} at second {second} has another label or split in line {first[0]}")
        again += first[0] != line
    if again:
        print(f"{path}: {again} rows are there twice and used once", file=sys.stderr)
    return [entry for _, entry in found.values()]


def nested_classes(entries: list[Entry], n_classes: int | None) -> list[str]:
    """Class names of the set of a size; a larger set holds every smaller one.

    The paper's 50 come first (their list is public), then, since the paper names no others, the classes with the most
    rows, equal ones by name.

    Raises:
        UserError: the list has fewer classes, or lacks one of the paper's.
    """
    counts = Counter(entry.label for entry in entries)
    if n_classes is None:
        return sorted(counts)
    rest = sorted(counts.keys() - set(PAPER_50), key=lambda name: (-counts[name], name))
    chosen = [*PAPER_50, *rest][:n_classes]
    missing = [name for name in chosen if name not in counts]
    if missing:
        raise UserError(f"data.vggsound: the list has no class {missing[0]!r} ({len(missing)} of the set are missing)")
    if len(chosen) < n_classes:
        raise UserError(f"data.vggsound.n_classes: {n_classes}, but the list has {len(chosen)} classes")
    return chosen


def manifest_rows(config: VggSoundConfig) -> list[Row]:
    """Manifest rows (without shard) of the configured classes.

    A video of which some clip is for test gives none for training, and its training clips are in one split.

    Raises:
        UserError: a mistake in the list or in the names of classes.
    """
    entries = read_list(Path(config.csv))
    names = config.classes if config.classes is not None else nested_classes(entries, config.n_classes)
    unknown = set(names) - {entry.label for entry in entries}
    if unknown:
        raise UserError(f"data.vggsound.classes: {min(unknown)!r} is no class of {config.csv}")
    wanted = set(names)
    entries = [entry for entry in entries if entry.label in wanted]
    tested = {entry.video_id for entry in entries if entry.split == "test"}
    leaks = [entry for entry in entries if entry.split == "train" and entry.video_id in tested]
    if leaks:
        print(f"{config.csv}: {len(leaks)} train rows are of videos of the test split and not used", file=sys.stderr)
    return [_row(entry, config.val_share) for entry in entries if entry.split == "test" or entry.video_id not in tested]


def _row(entry: Entry, val_share: float) -> Row:
    split = entry.split
    if split == "train" and point("val", entry.video_id) < val_share:
        split = "val"
    end_s = entry.start_s + CLIP_S
    start = f"{entry.start_s:06.0f}" if entry.start_s.is_integer() else f"{entry.start_s:010.3f}"
    return {
        "clip_id": section(entry.video_id, entry.start_s, end_s).clip_id,
        "source": "vggsound",
        "source_id": f"{entry.video_id}_{start}",
        "start_s": entry.start_s,
        "end_s": end_s,
        "split": split,
        "label": entry.label,
        "extra": json.dumps({"video_id": entry.video_id}),
    }


__all__ = ["Entry", "manifest_rows", "nested_classes", "read_list"]
