"""What made a result: which code a stage runs through, which versions, which revision.

Snakemake sees a rule and its script, not the modules that the script imports. So each rule has the digest of its
stage's import closure among its params: an edit anywhere in it reruns the stage, an edit elsewhere does not.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.errors import UserError
from s2v.files import digest

if TYPE_CHECKING:
    from s2v.config import Config

ROOT = Path(__file__).parent
PACKAGE = __package__ or "s2v"
VALUES_ONLY = f"{PACKAGE}.config"


def code_digest(*modules: str) -> str:
    """Short hash (16 hex digits) over the sources that `modules` run through.

    Raises:
        UserError: there is no such module, or one of its sources is not Python.
    """
    whole = hashlib.sha256()
    for name in sorted(import_closure(*modules)):
        for path in _sources(name):
            whole.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def import_closure(*modules: str) -> frozenset[str]:
    """Names of all modules of this package that `modules` import, directly or not, themselves included.

    Found in the syntax trees, so nothing is executed. Imports inside functions count; those under
    `if TYPE_CHECKING` do not, since they never run. Of a package, `__init__` runs with each of its modules. A module
    that lists a package at run time (`pkgutil`, then `import_module("...")` of a package it names) takes all modules
    of that package in. What else is imported by name cannot be seen: such a stage names it to `code_digest` as a
    further module. `s2v.config` stays out: a stage's values reach it through its rule's params, and a key that is new
    elsewhere must not rerun it.
    """
    todo = list(modules)
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in found or name == VALUES_ONLY or name.startswith(f"{VALUES_ONLY}."):
            continue
        if _path(name) is None:
            raise UserError(f"{name}: no module of {PACKAGE}")
        found.add(name)
        parts = name.split(".")
        todo += [".".join(parts[:i]) for i in range(1, len(parts))]
        todo += _imports(name)
    return frozenset(found)


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
def _imports(name: str) -> tuple[str, ...]:
    """Modules of this package that the source of `name` imports."""
    path = _path(name)
    assert path is not None
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}") from error
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
    """All nodes but those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            for other in node.orelse:
                yield other
                yield from _running(other)
            continue
        yield node
        yield from _running(node)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _sources(name: str) -> list[Path]:
    """The file of a module, and the tables that lie beside a package's `__init__`."""
    path = _path(name)
    assert path is not None
    if path.name != "__init__.py":
        return [path]
    tables = [p for p in path.parent.iterdir() if p.suffix in {".yaml", ".json", ".csv", ".toml"}]
    return [path, *sorted(tables)]


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
    return digest(_seedless(config.model_dump(mode="json", exclude={"runtime", "output"})))


def _seedless(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _seedless(inner) for key, inner in value.items() if key not in ("seed", "seeds")}


def versions(*packages: str) -> dict[str, str]:
    """Versions of installed distributions, of Python and of this package; "not installed" where that is so."""
    found = {PACKAGE: _version(PACKAGE), "python": platform.python_version()}
    return found | {name: _version(name) for name in packages}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def revision() -> str:
    """Git revision of the source tree, with `+` where tracked files were changed; "unknown" without git."""
    try:
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip() or "unknown"


__all__ = ["code_digest", "import_closure", "revision", "seedless_digest", "tree_digest", "versions"]
