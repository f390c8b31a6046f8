"""Files that appear under their final name only when they are whole, and with the same bytes every time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import fnmatch
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from s2v.errors import UserError

_LOCK = ".lock"
_WRITE_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
_CROWD = 1000
_crowded: set[Path] = set()


@contextmanager
def atomic_path(path: str | Path, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path of the same name; move it to `path` when the block ends without an error.

    With `durable` the file and its folder are on the disk by then, so that it is whole after a power failure too.
    The temporary file lies in a hidden folder of its own beside `path`, with whatever else a writer leaves there, and
    the job holds a lock in it for as long as it lives: what a killed job left is so told from what a live one writes,
    and goes when `path` is next written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent not in _crowded:  # to look through thousands of files at each write takes too long
        sweep(path.parent, f".{glob.escape(path.stem[:40])}.{8 * '[a-z0-9_]'}.part*")
    try:
        lock, folder = _own_folder(path)
    except OSError as error:
        error.filename = str(path)
        raise
    temporary = folder / path.name
    try:
        temporary.touch()
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        if durable:
            _sync(temporary)
        os.replace(temporary, path)
        if durable:
            _sync(path.parent)
    except OSError as error:
        if error.filename is None and error.errno in _WRITE_FAULTS:
            error.filename = str(path)  # the operating system does not say which file found no room
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _own_folder(path: Path) -> tuple[int, Path]:
    """A new folder beside `path`, and the lock in it that this process holds."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.stem[:40]}.", suffix=".part", dir=path.parent))
        with contextlib.suppress(FileNotFoundError):  # another job swept it before it was locked: once more
            handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                with contextlib.suppress(OSError):  # a file system without locks: then nobody sweeps there
                    fcntl.flock(handle, fcntl.LOCK_EX)
                if os.stat(folder / _LOCK).st_ino == os.fstat(handle).st_ino:
                    return handle, folder
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)


def sweep(folder: Path, pattern: str = ".*.part*") -> None:
    """Remove what killed jobs left half written in `folder`; what a live job is writing stays."""
    try:
        names = os.listdir(folder)
    except OSError:
        return  # it may be written in, but not looked through
    if len(names) > _CROWD:
        _crowded.add(folder)
    for part in (folder / name for name in fnmatch.filter(names, pattern)):
        is_folder = part.is_dir()
        try:
            handle = os.open(part / _LOCK if is_folder else part, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            with contextlib.suppress(OSError):
                part.rmdir()  # its job was killed before it locked it
            continue
        with contextlib.suppress(OSError), os.fdopen(handle):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(part, ignore_errors=True) if is_folder else part.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_bytes(path: str | Path, data: bytes, durable: bool = False) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path, durable) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 to `path` atomically."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any, durable: bool = False) -> None:
    """Write `value` as indented JSON with sorted keys, atomically."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode(), durable)


def read_json(path: str | Path) -> Any:
    """Read a JSON file; a broken one is a `UserError` that names it."""
    try:
        return json.loads(Path(path).read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}); remove it and run its stage again") from error


def write_parquet(path: str | Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write `rows` as one Parquet table of `schema`, atomically."""
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)


def read_parquet(path: str | Path) -> list[dict[str, Any]]:
    """Read a Parquet table as a list of rows."""
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(value: Any) -> str:
    """Short stable hash of a JSON-serialisable value (16 hex digits)."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hold_lock(path: str | Path) -> IO[str]:
    """Take an exclusive lock that the operating system drops when the process dies, however it dies.

    Keep the returned object alive for as long as the lock is wanted.

    Raises:
        UserError: another live process holds it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = open(path, "a+")  # noqa: SIM115
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.close()
        raise UserError(f"{path}: another run is using this folder; wait for it to end or stop it") from error
    return stream
