"""Configuration files: how they are merged, and what is said when one of them is wrong.

Files are layers. Mappings merge key by key, everything else (numbers, texts, lists, null) replaces what lay below;
that is Snakemake's own rule for `--configfile`, so both ways of giving overlays mean the same. A file may name another
one, its `base`, that is laid under it.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import ValidationError

from s2v.config import Config, inherited
from s2v.configchecks import cross_checks
from s2v.errors import UserError

DEFAULT_FILE = "config.yaml"
_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_RENAMED = {"speaker": "backbone"}
"""Keys by their older names."""
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


class _Loader(yaml.SafeLoader):
    """Safe YAML in which a key may not come twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = getattr(key, "value", None)
            if isinstance(name, str) and name in seen:
                problem = f"the key {name!r} is there twice"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(name if isinstance(name, str) else id(key))
        return super().construct_mapping(node, deep)


def read(path: str | Path) -> dict[str, Any]:
    """The mapping of one YAML (or JSON) file, as it is written.

    Raises:
        UserError: it cannot be read, or is no mapping.
    """
    try:
        value = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or " ".join(str(error).split())
        raise UserError(f"{path}:{where} not readable as YAML ({what})") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: a configuration is a mapping of keys to values; see {DEFAULT_FILE}")
    return value


def merge(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lay mappings over each other, the last on top."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                merged[key] = merge([below, value])
            elif isinstance(value, Mapping) and (value or key not in merged):
                merged[key] = merge([value])
            elif not isinstance(value, Mapping):
                merged[key] = value
    return merged


def typed(given: Any) -> Any:
    """What `--config 'align={epochs: 5}'` gave, as a file has it: all within a mapping is text for Snakemake."""
    if isinstance(given, Mapping):
        return {key: typed(value) for key, value in given.items()}
    if isinstance(given, list):
        return [typed(value) for value in given]
    try:
        read = yaml.load(given, Loader=_Loader) if isinstance(given, str) else given  # noqa: S506
    except yaml.YAMLError:
        return given
    return given if isinstance(read, Mapping | list) else read


def with_bases(files: Sequence[str | Path]) -> list[str | Path]:
    """The files, and before each its `base`, a path from its own folder, with the base of that one.

    Raises:
        UserError: a file cannot be read, or a base is not there or lies over itself.
    """
    found: list[str | Path] = []
    for file in files:
        chain: list[str | Path] = [file]
        while isinstance(named := read(chain[0]).get("base"), str):
            base = os.path.normpath(Path(chain[0]).parent / named)
            if not os.path.isfile(base):
                raise UserError(f"{chain[0]}: base: {base} is not there; name a file from the folder of this one")
            if base in map(os.path.normpath, chain):
                raise UserError(f"{chain[0]}: base: {base} lies over this file itself")
            chain.insert(0, base)
        known = {os.path.normpath(one) for one in found}
        found += [one for one in chain if os.path.normpath(one) not in known]
    return found


def load(files: Sequence[str | Path]) -> Config:
    """The configuration that `files` give together, later ones over earlier ones.

    Raises:
        UserError: one line with the file, the key and what is allowed.
    """
    if not files:
        raise UserError("no configuration file is given")
    files = with_bases(files)
    return check(merge([read(path) for path in files]), files)


def check(values: Mapping[str, Any], files: Sequence[str | Path]) -> Config:
    """Validate merged `values`; `files` are those they came from (first the lowest), to name the one at fault.

    Values that none of the files has are called those of `--config`.

    Raises:
        UserError: one line with the file, the key and what is allowed.
    """
    sources = _Sources(values, files)
    for name, key in sources.idle():
        raise UserError(f"{name}: {key}: {{}} takes nothing away, as mappings merge; name its keys, or leave it out")
    try:
        # As JSON and strict, so that this is as exact as config.schema.json: "3" is no number.
        Config.model_validate_json(json.dumps(values, default=str), strict=True)
        # Twice: what is wrong with a section is told of it, not of one that takes values from it.
        config = Config.model_validate_json(json.dumps(inherited(dict(values)), default=str), strict=True)
    except ValidationError as error:
        problems = error.errors()
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UserError(_problem(problems[0], sources) + more) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{sources.name([])}: {' '.join(str(error).split())}") from error
    for key, message in cross_checks(config):
        raise UserError(f"{sources.name(key.split('.'))}: {key}: {message}")
    return config


def with_more_classes(values: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """Values of the configuration that `scaling.world` makes of this one: what the file says lies over it.

    Its results lie in a folder of this one's.
    """
    over = read(str(config.scaling.world))
    whole = merge([values, over, {"scaling": {"world": None}}])
    return whole | {"output": f"{config.output}/{whole['name']}"}


def _problem(error: Any, sources: _Sources) -> str:
    """One line of a pydantic error: file, key, what is wrong, what is allowed."""
    path = [part for part in error["loc"] if part not in ("[key]", "number", "names")]  # no keys, but pydantic's tags
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    key = ".".join(str(part) for part in path)
    origin = sources.name(path)
    if kind == "extra_forbidden":
        allowed = _keys(path[:-1])
        close = difflib.get_close_matches(str(path[-1]), allowed, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        if _RENAMED.get(str(path[-1])) in allowed:
            hint = f"; it is called {_RENAMED[str(path[-1])]} now."
        return f"{origin}: {key}: unknown key{hint or '.'} Allowed: {', '.join(allowed)}"
    if kind == "missing":
        return f"{origin}: {key}: missing; it has no default"
    shown = json.dumps(value, default=str, ensure_ascii=False)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if kind == "literal_error":
        return f"{origin}: {key}: {shown} is not allowed; allowed: {context['expected']}"
    if kind in _TYPES:
        hint = ""
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            hint = " (YAML takes 1e-3 for a text; write 1.0e-3)"
        return f"{origin}: {key}: {shown} is not allowed; allowed: {_TYPES[kind]}{hint}"
    return f"{origin}: {key}: {shown} is not allowed; {error['msg'][0].lower()}{error['msg'][1:]}"


def _keys(path: Sequence[Any]) -> list[str]:
    """Names that a section of the configuration may have."""
    kind: Any = Config
    for part in path:
        # A mapping of names to sections has its values' type for every name.
        kind = kind.model_fields[part].annotation if hasattr(kind, "model_fields") else get_args(kind)[1]
        options = (kind, *(get_args(kind) if get_origin(kind) is not dict else ()))
        kind = next(option for option in options if hasattr(option, "model_fields") or get_origin(option) is dict)
    return list(kind.model_fields)


def _empty(layer: Mapping[str, Any]) -> Iterator[list[str]]:
    """Paths of the empty mappings of a layer."""
    for key, value in layer.items():
        if isinstance(value, Mapping):
            yield from ([str(key), *inner] for inner in (_empty(value) if value else [[]]))


class _Sources:
    """Which file a value comes from."""

    def __init__(self, values: Mapping[str, Any], files: Sequence[str | Path]) -> None:
        self.values = values
        self.layers = [(str(path), read(path)) for path in files]
        self.merged = merge([layer for _, layer in self.layers])

    def idle(self) -> Iterator[tuple[str, str]]:
        """Files and keys of empty mappings over some that are not: they look as if they cleared these."""
        below: dict[str, Any] = {}
        for name, layer in self.layers:
            yield from ((name, ".".join(path)) for path in _empty(layer) if _at(below, path))
            below = merge([below, layer])

    def name(self, path: Sequence[Any]) -> str:
        """The uppermost file that sets `path` (or its nearest section), or --config where that has the last word."""
        if not self.layers or _at(self.values, path) != _at(self.merged, path):
            return "--config"
        while path:
            for name, layer in reversed(self.layers):
                if _at(layer, path) is not None:
                    return name
            path = path[:-1]
        return self.layers[-1][0]


def _at(value: Any, path: Sequence[Any]) -> Any:
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


__all__ = ["DEFAULT_FILE", "check", "load", "merge", "read", "typed", "with_bases"]
