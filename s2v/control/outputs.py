"""Files that are written where somebody says: never over an input, nor over what this program did not write."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from s2v import __version__
from s2v.errors import UserError
from s2v.files import sha256, write_json

MADE = "made"
"""Of a recipe: SHA-256 of the files that it stands beside, by name. Whether they are still ours is seen by it."""
LARGEST_RECIPE = 2**24


def check(outputs: Sequence[Path], inputs: Sequence[Path] = (), force: bool = False) -> None:
    """See that files and the recipe beside them can be written, before anything is computed.

    Args:
        outputs: of one folder; the recipe has the name of the first, and ends in .json.
        inputs: what they are made from.
        force: write over files that this program did not write; not over inputs, and not over another's .json.

    Raises:
        UserError: one of them is an input, is there and not ours, is no plain file, or its folder cannot be written.
    """
    recipe = _recipe(outputs)
    for path in (*outputs, recipe):
        for given in inputs:
            if path.exists() and given.exists() and os.path.samefile(path, given):
                raise UserError(f"{path}: is the input {given} itself; give another name")
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise UserError(f"{path}: is there, and no plain file (a folder, a link or a device); give another name")
    made = _made(recipe) if recipe.exists() else {}
    if made is None:
        raise UserError(f"{recipe}: is there, and not written by s2v, whose recipe has this name; give another -o")
    for path in outputs:
        if not force and path.exists() and made.get(path.name) != sha256(path):
            raise UserError(f"{path}: is there, and not as s2v wrote it; give another name, or --force")
    folder = next(parent for parent in recipe.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{folder}: nothing can be written there; give another name")


def write_recipe(outputs: Sequence[Path], command: Sequence[str], facts: dict[str, Any]) -> Path:
    """Beside what was made: the command line that makes it again, and what it stood for."""
    made = {path.name: sha256(path) for path in outputs}
    recipe = _recipe(outputs)
    write_json(recipe, {"again": list(command), "s2v": __version__, MADE: made, **facts})
    return recipe


def _recipe(outputs: Sequence[Path]) -> Path:
    return outputs[0].with_suffix(".json")


def _made(recipe: Path) -> dict[str, str] | None:
    """What a recipe stands beside; None for a file that is no recipe."""
    try:
        if recipe.stat().st_size > LARGEST_RECIPE:
            return None
        found = json.loads(recipe.read_bytes())
        return dict(found.get(MADE, {})) if found["again"][0] == "s2v" and found["s2v"] else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


__all__ = ["check", "write_recipe"]
