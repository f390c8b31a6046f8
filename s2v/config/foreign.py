"""How a configuration names a method, and what is asked of one that is somebody else's (docs/methods.md).

Such a method is named `package.module:Class`, or by its name where an installed package has it as an entry point of the
group `s2v.methods`. Foreign code runs only when a configuration names it.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from s2v.config.methods import METHODS, PARTS, Entry
from s2v.errors import UserError

GROUP = "s2v.methods"


def find(named: str) -> Entry:
    """The entry of a method: of its name, or of `package.module:Class`, which joins `METHODS`.

    Raises:
        UserError: there is no such method, or it is not what a method has to be.
    """
    if named in METHODS:
        return METHODS[named]
    if ":" in named:
        return _join(named)
    installed = {point.name: point.value for point in entry_points(group=GROUP)}
    if named not in installed:
        raise UserError(f"method {named!r} is not one of {_known(named, *installed)}")
    entry = _join(installed[named])
    if entry.name != named:
        raise UserError(f"method {named!r}: the entry point has another name than {entry.source}, {entry.name!r}")
    return entry


def _known(named: str, *installed: str) -> str:
    names = list(dict.fromkeys([*METHODS, *installed]))
    close = difflib.get_close_matches(named, names, 1)
    return ", ".join(names) + (f"; did you mean {close[0]}?" if close else "; or package.module:Class")


def _join(source: str) -> Entry:
    entry = getattr(foreign_class(source), "entry", None)
    if not isinstance(entry, Entry):
        raise UserError(f"method {source}: has no `entry` of s2v.config.methods.Entry; see docs/methods.md")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", entry.name):
        raise UserError(f"method {source}: {entry.name!r} is no name; allowed: small letters, digits and _")
    for part, folder in entry.parts.items():
        if folder not in PARTS.get(part, []):
            allowed = "; ".join(f"{name}: {', '.join(folders)}" for name, folders in PARTS.items())
            raise UserError(f"method {source}: no run has {folder!r} as the part {part!r}; allowed: {allowed}")
    known = METHODS.get(entry.name)
    if known is not None and known.source != source:
        owner = known.source or "s2v itself"
        raise UserError(f"method {source}: {entry.name!r} is a method of {owner}; give it another name")
    METHODS[entry.name] = replace(entry, letter=entry.name, source=source)
    return METHODS[entry.name]


def foreign_class(source: str) -> Any:
    """The class that `package.module:Class` names.

    Raises:
        UserError: it cannot be imported.
    """
    module, _, name = source.partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:  # whatever somebody else's code raises
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise UserError(f"method {source}: cannot be imported ({reason}); install it beside s2v") from error


@cache
def source_digest(source: str) -> str | None:
    """Short hash over the Python files of the package (or the module) that `package.module:Class` lies in.

    None where `source` is empty: the method is one of this package, whose code `s2v.identity` knows.
    """
    if not source:
        return None
    foreign_class(source)
    top = import_module(source.partition(":")[0].partition(".")[0])
    folders = [Path(folder) for folder in getattr(top, "__path__", [])]
    files = [(path.relative_to(folder), path) for folder in folders for path in sorted(folder.rglob("*.py"))]
    if not folders:
        files = [(Path(Path(str(top.__file__)).name), Path(str(top.__file__)))]
    whole = hashlib.sha256()
    for name, path in files:
        whole.update(f"{name.as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def _named(value: str) -> str:
    try:
        return find(value).name
    except UserError as error:
        raise PydanticCustomError("method", "{why}", {"why": str(error)}) from error


MethodName = Annotated[
    str,
    AfterValidator(_named),
    WithJsonSchema({"anyOf": [{"enum": list(METHODS)}, {"type": "string", "pattern": r"^[A-Za-z_][\w.]*(:\w+)?$"}]}),
]
"""A method as a configuration names it; checked, it is the name of an entry of `METHODS`."""


def _own(given: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for name, values in given.items():
        allowed = find(_named(name)).defaults
        for key in values:
            if key not in allowed:
                why = f"{name} has no setting {key!r} of its own; allowed: {', '.join(allowed) or 'none'}"
                raise PydanticCustomError("method", "{why}", {"why": why})
    return given


OwnSettings = Annotated[dict[str, dict[str, Any]], AfterValidator(_own)]
"""Settings of methods by name, each of them one that the method has."""


__all__ = ["GROUP", "MethodName", "OwnSettings", "find", "foreign_class", "source_digest"]
