"""Videos by id from a mirror: a folder in which they lie under any of the usual names (`s2v.data.ids`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from s2v.data.ids import parse, section
from s2v.data.status import FETCHED_STAGE, Row, failed_row, ok_row, with_path
from s2v.data.tree import scan
from s2v.errors import Reason, UserError
from s2v.media.diagnosis import ClipError, check_file

if TYPE_CHECKING:
    from s2v.config import VideosConfig


def says(stem: str) -> list[str]:
    """What a file's name, without suffix, says: itself, and the section of a video in one writing (`ids`)."""
    part = parse(stem)
    return [_itself(stem), *([part.names[0]] if part is not None else [])]


def names(row: Row) -> dict[str, float]:
    """What the file of a manifest row's clip may say, the most exact first: {name: second at which such a file begins}.

    A list's own name for a clip comes first. CelebV-HQ's are a video and the number of a clip of it, so that such a
    number is no second there.
    """
    start_s = float(row["start_s"])
    *exact, whole = section(str(json.loads(row["extra"])["video_id"]), start_s, row["end_s"]).names
    if row["source"] == "celebvhq":
        exact = [_itself(row["source_id"]), *exact[:1]]
    return dict.fromkeys(exact, start_s) | {whole: 0.0}


def _itself(name: str) -> str:
    return f"={name}"


def index(root: Path) -> dict[str, str]:
    """Path of each video below `root`, by what its name says.

    Links to other videos of the folder count under their own names. Of several files that say the same the first in
    order of path is taken.

    Raises:
        UserError: a folder cannot be read.
    """
    videos, links, _ = scan(root)
    paths = sorted([*videos, *links], reverse=True)
    return {name: str(root / path) for path in paths for name in says(PurePath(path).stem)}


def locate(row: Row, files: dict[str, str]) -> tuple[str, float] | None:
    """(path, second of the source at which the file begins) of a manifest row's clip; None where it is not there."""
    return next(((files[name], start_s) for name, start_s in names(row).items() if name in files), None)


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


__all__ = ["fetch", "index", "locate", "look", "names", "says"]
