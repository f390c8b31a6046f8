"""SHA-256 of the files in a weights folder: published ones, and those that the first fetch noted (`SHA256.json`)."""

from __future__ import annotations

import re
from pathlib import Path

from s2v.errors import UserError
from s2v.files import read_json, sha256, write_json
from s2v.weights.catalogue import Entry, File

NOTED = "SHA256.json"


def noted(folder: Path) -> dict[str, str]:
    """{path under the folder: SHA-256} of first fetches.

    Raises:
        UserError: the file is damaged.
    """
    if not (folder / NOTED).exists():
        return {}
    value = read_json(folder / NOTED)
    if not isinstance(value, dict) or not all(
        isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) for digest in value.values()
    ):
        raise UserError(f"{folder / NOTED}: not a list of SHA-256; remove it, and the next fetch begins a new one")
    return value


def note(folder: Path, file: File, digest: str) -> None:
    """Remember the SHA-256 of a first fetch."""
    write_json(folder / NOTED, noted(folder) | {file.path: digest})


def expected(folder: Path, file: File) -> str | None:
    """What the SHA-256 of a file must be: as published, else as noted; None where neither is known."""
    return file.sha256 or noted(folder).get(file.path)


def states(folder: Path, entry: Entry) -> list[tuple[File, str, bool]]:
    """(file, what is to be said of it, whether it is wrong) for each file of `entry` that is there."""
    found = []
    for file in entry.files:
        path = folder / file.path
        if not path.is_file():
            continue
        wanted, digest = expected(folder, file), sha256(path)
        if wanted is None:
            found.append((file, f"no checksum to compare with; its own is {digest}", False))
        elif wanted != digest:
            found.append((file, f"WRONG: SHA-256 {digest}, must be {wanted}; remove it and fetch it again", True))
        else:
            found.append((file, f"right ({'published' if file.sha256 else 'as first fetched'})", False))
    return found


def there(folder: Path, entry: Entry) -> bool:
    """Whether all files of `entry` are there; their bytes are not looked at."""
    return all(is_there(folder, file) for file in entry.files)


def is_there(folder: Path, file: File) -> bool:
    """Whether a file is there, under its name or one that its reader takes as well: full precision, OpenAI's own."""
    names = {file.path, file.path.replace(".fp16.", "."), file.path.replace("ViT-B-32.safetensors", "ViT-B-32.pt")}
    return any((folder / name).is_file() for name in names)


__all__ = ["NOTED", "expected", "is_there", "note", "noted", "states", "there"]
