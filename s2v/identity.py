"""What decides a result: the code that a stage runs through, the files that it watches, the values it is given.

Snakemake sees a rule and its script, not the modules that the script imports. So each rule has the digest of its
stage's import closure among its params, and a training has it in the key of its checkpoints: a change of what the
code computes reruns the stage, and nothing else does.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import Config

ROOT = Path(__file__).parent
PACKAGE = __package__ or "s2v"

VALUES_ONLY = f"{PACKAGE}.config"
"""A stage's values reach it through its rule's params, so that a key that is new elsewhere does not rerun it."""

NEUTRAL = frozenset(
    f"{PACKAGE}.{name}" if name else PACKAGE
    for name in ("", "errors", "extras", "files", "identity", "progress", "provenance", "tensors", "train.checkpoint")
)
"""Modules that speak, move files or compare identities, and compute nothing: they do not count, nor what they import.
The bytes that they write are pinned by tests."""


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_UNREAD = frozenset({"ctx", "kind", "type_comment", "type_ignores", "returns"})


def code_digest(*modules: str, without: Iterable[str] = ()) -> str:
    """Short hash (16 hex digits) over what the modules that `modules` run through compute (`computes`).

    Args:
        modules: names of modules of this package.
        without: modules that this configuration never enters, though the code could.

    Raises:
        UserError: there is no such module, or one of its sources is not Python.
    """
    whole = hashlib.sha256()
    for name in sorted(import_closure(*modules, without=without)):
        whole.update(f"{name}\0{_module_digest(name)}\0".encode())
    return whole.hexdigest()[:16]


def import_closure(*modules: str, without: Iterable[str] = ()) -> frozenset[str]:
    """Names of all modules of this package that `modules` import, directly or not, themselves included.

    Found in the syntax trees, so nothing is executed. Imports inside functions count; those under
    `if TYPE_CHECKING` do not, since they never run. Of a package, `__init__` runs with each of its modules. A module
    that lists a package at run time (`pkgutil`, then `import_module("...")` of a package it names) takes all modules
    of that package in. What else is imported by name cannot be seen: such a stage names it as a further module.
    """
    left_out = NEUTRAL | frozenset(without)
    todo = list(modules)
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in found or name in left_out or name == VALUES_ONLY or name.startswith(f"{VALUES_ONLY}."):
            continue
        if _path(name) is None:
            raise UserError(f"{name}: no module of {PACKAGE}")
        found.add(name)
        parts = name.split(".")
        todo += [".".join(parts[:i]) for i in range(1, len(parts))]
        todo += _imports(name)
    return frozenset(found)


def computes(source: bytes, name: str = "<source>") -> str:
    """What a source computes, as text: its syntax tree without what only people read.

    Left out are comments, layout, docstrings, annotations of functions and of their variables, imports for type
    checkers, `__all__`, what `raise` says, and calls of a `log`. The text is our own, since that of `ast.dump` differs
    between versions of Python; fields that are empty are not written, so that new ones do not count either.

    Raises:
        UserError: the source is not Python.
    """
    return _text(_parse(source, name))


def _text(tree: ast.Module) -> str:
    parts: list[str] = []
    _write(tree, parts, in_function=False)
    return "".join(parts)


def _write(value: Any, parts: list[str], in_function: bool) -> None:
    if isinstance(value, list):
        parts.append("[")
        for inner in value:
            _write(inner, parts, in_function)
        parts.append("]")
        return
    if not isinstance(value, ast.AST):
        parts.append(f"{type(value).__name__}:{value!r},")
        return
    if isinstance(value, ast.stmt):
        if _is_speech(value):
            return
        if in_function and isinstance(value, ast.AnnAssign):
            if value.value is None:
                return
            value = ast.Assign(targets=[value.target], value=value.value)
        if isinstance(value, ast.Raise) and isinstance(value.exc, ast.Call):
            value = ast.Raise(exc=value.exc.func, cause=value.cause)
    in_function = in_function or isinstance(value, _FUNCTIONS)
    parts.append(f"{type(value).__name__}(")
    for field in value._fields:
        if field in _UNREAD or field == "annotation" and isinstance(value, ast.arg):
            continue
        inner = getattr(value, field, None)
        if inner is None and not isinstance(value, ast.Constant) or inner == []:
            continue
        parts.append(f"{field}=")
        _write(inner, parts, in_function)
    parts.append(")")


def _is_speech(node: ast.AST) -> bool:
    """Whether a statement only speaks: a docstring (or any bare constant), a line for the log, a list of names."""
    if isinstance(node, ast.If) and _is_type_checking(node.test) and not node.orelse:
        return True
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    if not isinstance(node, ast.Expr):
        return False
    call = node.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        return isinstance(call.func.value, ast.Name) and call.func.value.id == "log"
    return isinstance(call, ast.Constant)


@cache
def _path(name: str) -> Path | None:
    """Source file of a module of this package, or None where there is none."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return None
    base = ROOT.joinpath(*parts[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


@cache
def _tree(name: str) -> tuple[Path, ast.Module]:
    path = _path(name)
    assert path is not None
    return path, _parse(path.read_bytes(), str(path))


def _parse(source: bytes, name: str) -> ast.Module:
    try:
        return ast.parse(source, name)
    except SyntaxError as error:
        raise UserError(f"{name}, line {error.lineno}: {error.msg}") from error


@cache
def _module_digest(name: str) -> str:
    """Hash over what a module computes, and over the tables that lie beside a package's `__init__`."""
    path, tree = _tree(name)
    whole = hashlib.sha256(_text(tree).encode(errors="surrogatepass"))
    if path.name == "__init__.py":
        for table in sorted(p for p in path.parent.iterdir() if p.suffix in {".yaml", ".json", ".csv", ".toml"}):
            whole.update(f"{table.name}\0".encode())
            whole.update(table.read_bytes())
    return whole.hexdigest()


@cache
def _imports(name: str) -> tuple[str, ...]:
    """Modules of this package that the source of `name` imports."""
    path, tree = _tree(name)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: list[str] = []
    for node in _running(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            if "pkgutil" in names:
                found += _listed(tree)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
                base = f"{parent}.{base}".rstrip(".")
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        # The longest part that is a module: `import a.b` and `from a import b` name modules or things in them.
        for imported in names:
            while imported and _path(imported) is None:
                imported = imported.rpartition(".")[0]
            if imported:
                found.append(imported)
    return tuple(found)


def _listed(tree: ast.AST) -> list[str]:
    """All modules of the packages that a source names in `import_module("...")`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "import_module" and node.args:
            value = getattr(node.args[0], "value", None)
            path = _path(value) if isinstance(value, str) else None
            if path is not None and path.name == "__init__.py":
                found += [f"{value}.{other.stem}" for other in sorted(path.parent.glob("*.py")) if other != path]
    return found


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements but those under `if TYPE_CHECKING`; expressions, which import nothing, are not walked."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        skipped = part == "body" and isinstance(tree, ast.If) and _is_type_checking(tree.test)
        for node in [] if skipped else getattr(tree, part, ()):
            yield node
            yield from _running(node)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def tree_digest(folder: str | Path | None, *files: str | Path | None) -> str:
    """Short hash over the names, sizes and times of all files below `folder` and of `files`; contents are not read.

    Whoever adds, removes or replaces a video in a watched folder changes it.
    """
    whole = hashlib.sha256()
    paths = [Path(top, name) for top, _, names in os.walk(folder or os.devnull) for name in names]
    for path in sorted([*paths, *(Path(file) for file in files if file)]):
        try:
            about = path.stat()
        except OSError:
            continue
        whole.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return whole.hexdigest()[:16]


def seedless_digest(config: Config) -> str:
    """Short hash of a configuration without its seeds and without how the work is done: other seeds are another draw of
    the same."""
    from s2v.files import digest

    how: dict[str, Any] = {"runtime": True, "output": True, "extract": {"max_failed_share"}}
    return digest(_seedless(config.model_dump(mode="json", exclude=how)))


def _seedless(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _seedless(inner) for key, inner in value.items() if key not in ("seed", "seeds")}


__all__ = ["NEUTRAL", "code_digest", "computes", "import_closure", "seedless_digest", "tree_digest"]
