"""Published lists of clips, read as what they are: files from strangers."""

from __future__ import annotations

import csv
import hashlib
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from s2v.errors import UserError

MAX_BYTES = 512 * 2**20
MAX_LABEL = 100


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of a CSV in UTF-8, with or without a byte order mark, of any line ends; blank lines are left out.

    Raises:
        UserError: it cannot be read, is too large, is no UTF-8, or a cell breaks CSV's rules; the line is named.
    """
    line = 0
    try:
        _check(path)
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, strict=True)
            for cells in reader:
                line = reader.line_num
                if cells:
                    yield line, cells
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); see docs/data.md for where to get it") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}, after line {line}: is not UTF-8 text") from error
    except csv.Error as error:
        raise UserError(f"{path}, after line {line}: {error}") from error


def read_object(path: Path) -> dict[str, Any]:
    """The object of a JSON file.

    Raises:
        UserError: it cannot be read, or is something else.
    """
    try:
        _check(path)
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); see docs/data.md for where to get it") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not readable as JSON ({' '.join(str(error).split())})") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: is JSON, but no object")
    return value


def _check(path: Path) -> None:
    """Refuse what has no end, or none that a list has."""
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"{path}: larger than {MAX_BYTES // 2**20} MB; this is not a published list")
    if not path.is_file():
        raise UserError(f"{path}: is no file; this is not a published list")


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


def point(*parts: object) -> float:
    """A number in [0, 1) that follows from `parts`: the same on every machine, whatever else a list holds."""
    text = "\0".join(str(part) for part in parts)
    return int(hashlib.sha1(text.encode("utf-8", "surrogateescape")).hexdigest()[:13], 16) / 16**13


__all__ = ["clean_label", "point", "read_object", "read_rows"]
