"""Videos by id from a mirror: a folder in which they lie under any of the usual names (`s2v.data.ids`)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from s2v.data.folder import SUFFIXES
from s2v.data.ids import parse, section
from s2v.data.status import FETCHED_STAGE, Row, failed_row, ok_row, with_path
from s2v.errors import Reason, UserError
from s2v.media.diagnosis import ClipError, check_file

if TYPE_CHECKING:
    from s2v.config import VideosConfig


def index(root: Path) -> dict[str, str]:
    """Path of each video below `root` by its name without suffix, of those whose name is an id in any style.

    Hidden folders are left out, links to folders are not entered, and a link to a file counts only if it stays inside.
    Of equal names the first in order of path is taken.
    """
    found: dict[str, str] = {}
    base = os.path.realpath(root)
    todo = [str(root)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                stem, suffix = os.path.splitext(entry.name)
                if entry.name.startswith(".") and parse(stem) is None:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                elif suffix.lower() in SUFFIXES and parse(stem) is not None:
                    if entry.is_symlink() and not os.path.realpath(entry.path).startswith(base + os.sep):
                        continue
                    if stem not in found or entry.path < found[stem]:
                        found[stem] = entry.path
    return found


def locate(row: Row, files: dict[str, str]) -> tuple[str, float] | None:
    """(path, second of the source at which the file begins) of a manifest row's clip; None where it is not there."""
    video_id = str(json.loads(row["extra"])["video_id"])
    start_s, end_s = row["start_s"], row["end_s"]
    if start_s is not None and end_s is not None:
        for stem in section(video_id, start_s, end_s).stems:
            if stem in files:
                return files[stem], float(start_s)
    return (files[video_id], 0.0) if video_id in files else None


def fetch(config: VideosConfig, rows: list[Row]) -> Iterator[Row]:
    """Rows of stage fetch for `rows` of the manifest: nothing is copied.

    Raises:
        UserError: no folder is named, or there is none.
    """
    if config.path is None or not Path(config.path).is_dir():
        raise UserError(f"data.videos.path: {config.path!r} is no folder; name the one in which the videos lie")
    yield from look(rows, index(Path(config.path)), "the folder has it under no usual name")


def look(rows: list[Row], files: dict[str, str], missing: str) -> Iterator[Row]:
    """Rows of stage fetch: those in `files` that are there and not empty; `missing` says of others what is wrong."""
    for row in rows:
        clip_id = row["clip_id"]
        place = locate(row, files)
        try:
            if place is None:
                raise ClipError(Reason.MISSING, missing)
            check_file(Path(place[0]))
            yield with_path(ok_row(clip_id, FETCHED_STAGE), *place)
        except ClipError as error:
            yield with_path(failed_row(clip_id, FETCHED_STAGE, error), None)


__all__ = ["fetch", "index", "locate", "look"]
