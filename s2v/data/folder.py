"""A user's own folder of videos as a source: names clips, gives them classes and splits."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from s2v.data.listed import Listed, by_file, read_csv
from s2v.data.lists import clean_label
from s2v.data.splits import assign
from s2v.data.tree import SUFFIXES, find_videos
from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import FolderConfig

Row = dict[str, Any]


def manifest_rows(config: FolderConfig) -> list[Row]:
    """Manifest rows (without shard) of the folder's videos.

    All clips of a file are in one split: that of the list, else the one that `s2v.data.splits` gives it.

    Raises:
        UserError: no such folder, no videos in it, or a mistake in the CSV (with its line).
    """
    root = Path(config.path)
    if not root.is_dir():
        raise UserError(
            f"data.folder.path: {config.path!r} is no folder; put videos there, or name the one they are in"
        )
    shares = {split: share for split, share in config.splits.items() if share > 0}
    if not shares:
        raise UserError("data.folder.splits: all shares are 0")
    paths = find_videos(root)
    if config.labels == "csv":
        if config.csv is None:
            raise UserError("data.folder.csv: missing, although data.folder.labels is csv")
        listed = read_csv(Path(config.csv), set(config.splits))
        unlisted = len(set(paths) - {one.path for one in listed})
        if unlisted:
            print(f"{config.csv}: {unlisted} videos of {root} are not listed and not used", file=sys.stderr)
    else:
        if not paths:
            raise UserError(f"data.folder.path: no video files ({' '.join(sorted(SUFFIXES))}) in {config.path!r}")
        by_folder = config.labels == "subfolder"
        listed = [Listed(path, label_of_folder(path) if by_folder else None) for path in paths]
    without = sum(one.label is None for one in listed)
    if without and config.labels != "none":
        why = "their label is blank" if config.labels == "csv" else "they lie in no sub-folder"
        print(f"{root}: {without} of {len(listed)} clips have no class, since {why}", file=sys.stderr)
    files = by_file(listed, root)
    # A file whose clips are of several classes is shared out with the first of them by name.
    labels = {clips[0].path: min(filter(None, (one.label for one in clips)), default=None) for clips, _ in files}
    drawn = assign({clips[0].path: labels[clips[0].path] for clips, split in files if split is None}, shares)
    return [row("folder", one, split or drawn[clips[0].path]) for clips, split in files for one in clips]


def label_of_folder(path: str) -> str | None:
    """Class of a video: the first folder of its relative path; None for a file that is in no sub-folder."""
    parts = PurePosixPath(path).parts
    return clean_label(parts[0], path) if len(parts) > 1 else None


def clip_id_of(path: str, start_s: float | None = None, end_s: float | None = None) -> str:
    """Clip id of a relative path, or of a part of that file: ASCII slug of its name and ten hex digits of a SHA-1."""
    stem = unicodedata.normalize("NFKD", PurePosixPath(path).stem)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", stem.encode("ascii", "ignore").decode())[:40].strip("-") or "clip"
    part = "" if start_s is end_s is None else f"\0{start_s}\0{end_s}"
    return f"{slug}-{hashlib.sha1(os.fsencode(path + part)).hexdigest()[:10]}"


def source_id_of(path: str, start_s: float | None = None, end_s: float | None = None) -> str:
    """The path as people know it, and the part of it as a URI names one (Media Fragments): `a.mp4#t=30,40`."""
    end = "" if end_s is None else f",{end_s:.10g}"
    part = "" if start_s is end_s is None else f"#t={start_s or 0:.10g}{end}"
    return path.encode("utf-8", "backslashreplace").decode() + part


def row(source: str, clip: Listed, split: str) -> Row:
    """A manifest row of a source that knows its clips by their paths."""
    named = (clip.path, clip.start_s, clip.end_s)
    return {
        "clip_id": clip_id_of(*named),
        "source": source,
        "source_id": source_id_of(*named),
        "start_s": clip.start_s,
        "end_s": clip.end_s,
        "split": split,
        "label": clip.label,
        # The exact path; a name that is not UTF-8 survives as JSON's escapes, and only there.
        "extra": json.dumps({"path": clip.path}),
    }


__all__ = ["clip_id_of", "label_of_folder", "manifest_rows", "row", "source_id_of"]
