"""A user's own folder of videos as a source: finds files, names clips, gives them classes and splits."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import sys
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import FolderConfig

SUFFIXES = frozenset([".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".mpg", ".mpeg", ".3gp", ".wmv", ".flv", ".ogv"])
MAX_LABEL = 100

Row = dict[str, Any]


def manifest_rows(config: FolderConfig) -> list[Row]:
    """Manifest rows (without shard) of the folder's videos.

    Raises:
        UserError: no such folder, no videos in it, or a mistake in the CSV (with its line).
    """
    root = Path(config.path)
    if not root.is_dir():
        raise UserError(f"data.folder.path: {config.path!r} is no folder")
    shares = {split: share for split, share in config.splits.items() if share > 0}
    if not shares:
        raise UserError("data.folder.splits: all shares are 0")
    if config.labels == "csv":
        if config.csv is None:
            raise UserError("data.folder.csv: missing, although data.folder.labels is csv")
        listed = read_csv(Path(config.csv), set(config.splits))
        unlisted = len(set(find_videos(root)) - {path for path, _, _ in listed})
        if unlisted:
            print(
                f"{config.csv}: {unlisted} videos of {config.path} are not listed and not used",
                file=sys.stderr,
            )
        return [_row(path, label, split, shares) for path, label, split in listed]
    paths = find_videos(root)
    if not paths:
        raise UserError(f"data.folder.path: no video files ({' '.join(sorted(SUFFIXES))}) in {config.path!r}")
    by_folder = config.labels == "subfolder"
    return [_row(path, label_of_folder(path) if by_folder else None, None, shares) for path in paths]


def find_videos(root: Path) -> list[str]:
    """Relative paths (with `/`) of all video files below `root`, sorted.

    Hidden files and folders are left out. Symbolic links to folders are not entered, and links to files are
    used only where they stay inside `root` and lead to no file that is found anyway (one video must not be in
    two splits).
    """
    found: list[str] = []
    outside = 0
    base = root.resolve()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if path.is_symlink():
                target = path.resolve()
                if not target.is_relative_to(base):
                    outside += 1
                    continue
                hidden = any(part.startswith(".") for part in target.relative_to(base).parts)
                if target.suffix.lower() in SUFFIXES and not hidden:
                    continue
            found.append(path.relative_to(root).as_posix())
    if outside:
        print(f"{root}: {outside} symbolic links lead out of the folder and are not followed", file=sys.stderr)
    return sorted(found, key=os.fsencode)


def read_csv(path: Path, splits: set[str]) -> list[tuple[str, str | None, str | None]]:
    """Rows (relative path, label or None, split or None) of a CSV with columns path, label[, split].

    Raises:
        UserError: it can't be read, lacks a column, or a line is wrong; the line is named.
    """
    rows: list[tuple[str, str | None, str | None]] = []
    lines: dict[str, int] = {}
    line = 1
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = {"path", "label"} - set(reader.fieldnames or [])
            if missing:
                raise UserError(
                    f"{path}: no column {' and '.join(sorted(missing))} in line 1; needed: path,label[,split]"
                )
            for cells in reader:
                where, line = f"{path}, line {reader.line_num}", reader.line_num
                if None in cells or cells["label"] is None:
                    raise UserError(f"{where}: has {'more' if None in cells else 'fewer'} cells than the first line")
                name = _relative(cells["path"], where)
                if name in lines:
                    raise UserError(f"{where}: {name!r} was already in line {lines[name]}")
                lines[name] = reader.line_num
                split = (cells.get("split") or "").strip() or None
                if split is not None and split not in splits:
                    allowed = ", ".join(sorted(splits))
                    raise UserError(f"{where}: split {split!r} is not in data.folder.splits; allowed: {allowed}")
                rows.append((name, clean_label(cells["label"], where), split))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise UserError(f"{path}, after line {line}: {error}") from error
    return rows


def label_of_folder(path: str) -> str | None:
    """Class of a video: the first folder of its relative path; None for a file that is in no sub-folder."""
    parts = PurePosixPath(path).parts
    return clean_label(parts[0], path) if len(parts) > 1 else None


def clean_label(text: str, where: str) -> str | None:
    """A class name as one printable line, in Unicode normal form; None where nothing is left.

    Raises:
        UserError: it is longer than 100 characters; `where` says where it stands.
    """
    text = unicodedata.normalize("NFC", text.encode("utf-8", "backslashreplace").decode())
    label = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    if len(label) > MAX_LABEL:
        raise UserError(f"{where}: a label of {len(label)} characters; {MAX_LABEL} are allowed")
    return label or None


def clip_id_of(path: str) -> str:
    """Clip id of a relative path: ASCII slug of the file's name and ten hex digits of the path's SHA-1."""
    stem = unicodedata.normalize("NFKD", PurePosixPath(path).stem)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", stem.encode("ascii", "ignore").decode())[:40].strip("-") or "clip"
    return f"{slug}-{hashlib.sha1(os.fsencode(path)).hexdigest()[:10]}"


def split_of(clip_id: str, shares: dict[str, float]) -> str:
    """Split of a clip from a hash of its id; `shares` need not add up to 1, their order does not matter."""
    point = int(hashlib.sha1(f"split:{clip_id}".encode()).hexdigest()[:13], 16) / 16**13 * sum(shares.values())
    reached = 0.0
    for split in sorted(shares):
        reached += shares[split]
        if point < reached:
            return split
    return max(shares)


def _row(path: str, label: str | None, split: str | None, shares: dict[str, float]) -> Row:
    clip_id = clip_id_of(path)
    return {
        "clip_id": clip_id,
        "source": "folder",
        "source_id": path.encode("utf-8", "backslashreplace").decode(),
        "start_s": None,
        "end_s": None,
        "split": split or split_of(clip_id, shares),
        "label": label,
        # The exact path; a name that is not UTF-8 survives as JSON's escapes, and only there.
        "extra": json.dumps({"path": path}),
    }


def _relative(cell: str, where: str) -> str:
    """A path cell as a normal relative path.

    Raises:
        UserError: it is empty, absolute, or leaves the folder.
    """
    path = PurePosixPath(cell)
    if not cell.strip() or "\0" in cell:
        raise UserError(f"{where}: the path is empty or holds a NUL character")
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise UserError(f"{where}: {cell!r} leaves the folder; paths are relative to data.folder.path")
    return path.as_posix()
