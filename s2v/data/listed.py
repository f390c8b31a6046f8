"""A user's own list of clips: a CSV of files, or of parts of files, with their classes and splits."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from s2v.data.lists import clean_label, read_rows
from s2v.errors import UserError

_COLUMNS = ("path", "label", "split", "start", "end")
_SECOND = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


class Listed(NamedTuple):
    """A clip: a file, or the part of it between two seconds; None is its start or end, no class, no split."""

    path: str
    label: str | None = None
    split: str | None = None
    start_s: float | None = None
    end_s: float | None = None


def read_csv(path: Path, splits: set[str]) -> list[Listed]:
    """Rows of a CSV with the columns path, label[, split, start, end], the last two in seconds.

    All cells but the path may be blank.

    Raises:
        UserError: it can't be read, lacks a column, or a line is wrong; the line is named.
    """
    lines = read_rows(path)
    _, header = next(lines, (1, []))
    # The manifest's own names of the last two are understood, too.
    names = [re.sub(r"^(start|end)_s$", r"\1", name.strip().casefold()) for name in header]
    missing = {"path", "label"} - set(names)
    if missing:
        what = f"no column {' and '.join(sorted(missing))} in line 1"
        raise UserError(f"{path}: {what}; needed: path,label[,split,start,end]")
    for name in _COLUMNS:
        if names.count(name) > 1:
            raise UserError(f"{path}: the column {name} is there twice in line 1")
    unused = [repr(cell[:40]) for cell, name in zip(header, names, strict=True) if name not in _COLUMNS]
    if unused:
        print(
            f"{path}: columns that are not used: {', '.join(unused[:20])}; known: {', '.join(_COLUMNS)}",
            file=sys.stderr,
        )
    rows: list[Listed] = []
    seen: dict[tuple[Any, ...], int] = {}
    for line, cells in lines:
        where, row = f"{path}, line {line}", dict(zip(names, cells, strict=False))
        if len(cells) > len(names) or not {"path", "label"} <= row.keys():
            raise UserError(f"{where}: has {'more' if len(cells) > len(names) else 'fewer'} cells than the first line")
        name = _relative(row["path"], where)
        start_s, end_s = (_second(row.get(key, ""), where) for key in ("start", "end"))
        if end_s is not None and end_s <= (start_s or 0):
            raise UserError(f"{where}: ends at second {end_s:g}, and begins at {start_s or 0:g}")
        first = seen.setdefault((name, start_s, end_s), line)
        if first != line:
            raise UserError(f"{where}: {name!r} was already in line {first}")
        split = row.get("split", "").strip() or None
        if split is not None and split not in splits:
            allowed = ", ".join(sorted(splits))
            raise UserError(f"{where}: split {split!r} is not in data.folder.splits; allowed: {allowed}")
        rows.append(Listed(name, clean_label(row["label"], where), split, start_s, end_s))
    return rows


def by_file(listed: Sequence[Listed], root: Path) -> list[tuple[list[Listed], str | None]]:
    """Clips of one file below `root` together, sorted by path, and the split that the list gives the file, if any.

    Raises:
        UserError: the list gives a file two splits.
    """
    files: dict[Any, list[Listed]] = {}
    for one in sorted(listed, key=lambda one: os.fsencode(one.path)):
        try:
            # Under whatever name: links, and names that a file system takes for the same.
            about = os.stat(root / one.path)
            files.setdefault((about.st_dev, about.st_ino), []).append(one)
        except OSError:
            files.setdefault(one.path, []).append(one)
    found = []
    for rows in files.values():
        splits = sorted({row.split for row in rows if row.split})
        if len(splits) > 1:
            names = " and ".join(dict.fromkeys(repr(row.path) for row in rows))
            raise UserError(f"{names}: listed in the splits {' and '.join(splits)}; all clips of a file are in one")
        found.append((rows, splits[0] if splits else None))
    return found


def _second(cell: str, where: str) -> float | None:
    """A number of seconds; None for a blank cell, and for 0, which is where a file begins anyway."""
    if cell.strip() and not _SECOND.fullmatch(cell.strip()):
        raise UserError(f"{where}: {cell[:40]!r} is no second; give one such as 30 or 30.5, or nothing")
    return float(cell.strip() or 0) or None


def _relative(cell: str, where: str) -> str:
    """A path cell as a normal relative path.

    Raises:
        UserError: it is empty, absolute, or leaves the folder.
    """
    path = PurePosixPath(cell)
    if not cell.strip() or "\0" in cell:
        raise UserError(f"{where}: the path is empty or holds a NUL character")
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise UserError(f"{where}: {cell!r} leaves the folder; paths are relative to it")
    return path.as_posix()


__all__ = ["Listed", "by_file", "read_csv"]
