"""What lies in a folder of videos. Whatever is not taken is said, so that nothing is lost without a word."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path

from s2v.errors import UserError

SUFFIXES = frozenset(
    f".{ending}"
    for endings in (
        "mp4 m4v mp4v mov qt 3gp 3gpp 3g2 3gp2 f4v mj2",  # QuickTime's kind
        "mkv mk3d webm avi divx xvid amv flv wmv asf wtv dvr-ms",
        "mpg mpeg mpe mpv m1v m2v mp2 mp2v m2p mod vob vro evo",  # MPEG streams: cameras, DVD
        "ts mts m2ts m2t trp tod",  # MPEG transport streams: cameras, television, Blu-ray
        "ogv ogm ogx rm rmvb dv dif mxf gxf nut nuv swf",
        "264 h264 265 h265 hevc vc1 ivf obu y4m",  # without a container
    )
    for ending in endings.split()
)
"""Endings of the containers that are opened (`s2v.media.ffmpeg.CONTAINERS`), as cameras, recorders and the web give
them. What is something else under such a name (a `.ts` of TypeScript) stage `extract` leaves out, with its reason."""

_LINKS = {
    "out": "lead out of the folder and are not followed",
    "folder": "lead to folders and are not followed",
    "nowhere": "lead nowhere or in a circle",
}
_SHOWN = 5
_KINDS = 20


def find_videos(root: Path) -> list[str]:
    """Relative paths (with `/`) of all video files below `root`, sorted. What else lies there is said.

    Hidden files and folders are left out. Symbolic links to folders are not entered, and links to files are
    used only where they stay inside `root` and lead to no file that is found anyway (one video must not be in
    two splits).

    Raises:
        UserError: a folder cannot be read, for another reason than that it may not be.
    """
    videos, again, said = scan(root)
    if again:
        said.append(f"{len(again)} symbolic links lead to videos that are found anyway{_shown(again)}")
    for line in said:
        print(f"{root}: {line}", file=sys.stderr)
    return videos


def scan(root: Path) -> tuple[list[str], list[str], list[str]]:
    """Videos below `root`, links to such videos, both as sorted relative paths; and lines about all else.

    Raises:
        UserError: as `find_videos`.
    """
    videos: list[str] = []
    links: dict[str, list[str]] = {what: [] for what in ("again", *_LINKS)}
    closed: list[str] = []
    kinds: Counter[str] = Counter()
    hidden, base, todo = 0, root.resolve(), [""]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    path, suffix = f"{folder}{entry.name}", os.path.splitext(entry.name)[1].lower()
                    if entry.name.startswith("."):
                        hidden += 1
                    elif entry.is_symlink() and (what := _leads(entry.path, base, suffix)):
                        links[what].append(path)
                    elif entry.is_dir(follow_symlinks=False):
                        todo.append(f"{path}/")
                    elif suffix in SUFFIXES:
                        videos.append(path)
                    else:
                        kinds[suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else "no usual ending"] += 1
        except OSError as error:
            if not folder or not isinstance(error, PermissionError):
                raise UserError(f"{root / folder}: cannot be read ({error.strerror})") from error
            closed.append(folder)
    said = []
    if kinds:
        many = [f"{kind} {n}" for kind, n in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))]
        shown = ", ".join(many[:_KINDS]) + (", ..." if len(many) > _KINDS else "")
        said.append(f"{kinds.total()} files of other kinds ({shown}) are not videos")
    if hidden:
        said.append(f"{hidden} hidden files and folders are passed over")
    said += [
        f"{len(links[key])} symbolic links {what}{_shown(links[key])}" for key, what in _LINKS.items() if links[key]
    ]
    if closed:
        said.append(f"{len(closed)} folders may not be read{_shown(closed)}")
    return sorted(videos, key=os.fsencode), sorted(links["again"], key=os.fsencode), said


def _leads(link: str, base: Path, suffix: str) -> str | None:
    """Where a symbolic link leads, if that is a reason not to take it: a key of `_LINKS`, or `again`."""
    try:
        target = Path(os.path.realpath(link, strict=True))
    except OSError:
        return "nowhere"
    if not target.is_relative_to(base):
        return "out"
    if target.is_dir():
        return "folder"
    hidden = any(part.startswith(".") for part in target.relative_to(base).parts)
    return "again" if suffix in SUFFIXES and target.suffix.lower() in SUFFIXES and not hidden else None


def _shown(paths: list[str]) -> str:
    """The first of some paths, on one line."""
    names = sorted(path.encode("utf-8", "backslashreplace").decode() for path in paths)
    return f" ({', '.join(map(repr, names[:_SHOWN]))}{', ...' if len(names) > _SHOWN else ''})"


__all__ = ["SUFFIXES", "find_videos", "scan"]
