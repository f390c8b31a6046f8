"""Files that appear under their final name only when they are whole, and with the same bytes every time."""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import fnmatch
import glob
import hashlib
import json
import math
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from s2v.errors import UserError, machine_fault

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
    """Write `value` as indented JSON with sorted keys, atomically; NaN or infinity in it is a `UserError`."""
    try:
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise UserError(f"{path}: not written, since a number of it is not finite ({error})") from error
    write_bytes(path, text.encode(), durable)


def file_size(path: str | Path) -> int:
    """Bytes of a file.

    Raises:
        UserError: it is no regular file. A pipe would be waited for, and a device read, without end.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise (machine_fault(error) or UserError(f"{path}: cannot be read ({reason}); run its stage again")) from error
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path}: is not a regular file; remove it and run its stage again")
    return found.st_size


def read_json(path: str | Path, most_bytes: int = 2**28) -> Any:
    """Read a JSON file of at most `most_bytes`; a broken one is a `UserError` that names it."""
    size = file_size(path)
    if size > most_bytes:
        raise UserError(f"{path}: has {size} bytes, more than {most_bytes}; remove it and run its stage again")
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise (
            machine_fault(error)
            or UserError(f"{path}: cannot be read as JSON ({error}); remove it and run its stage again")
        ) from error


def write_parquet(path: str | Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write `rows` as one Parquet table of `schema`, atomically."""
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)


def read_table(path: str | Path, columns: list[str] | None = None, filters: Any = None) -> pa.Table:
    """Read a Parquet table, or some of its columns and rows; a broken one is a `UserError` that names it."""
    file_size(path)
    try:
        absent = set(columns or ()).difference(pq.read_schema(path).names)
        if absent:
            raise UserError(f"{path}: has no column {min(absent)}; remove it and run its stage again")
        table = pq.read_table(path, columns=columns, filters=filters)
        table.validate(full=True)
    except MemoryError:
        raise  # of pyarrow's errors, too, but of the machine, not of the file
    except (pa.ArrowException, OSError, ValueError) as error:
        line = " ".join(str(error).split())[:200]
        raise (
            machine_fault(error)
            or UserError(f"{path}: not a readable Parquet table ({line}); remove it and run its stage again")
        ) from error
    return table


def read_parquet(path: str | Path, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """Read a Parquet table as a list of rows; errors are those of `read_table`."""
    rows: list[dict[str, Any]] = read_table(path, columns).to_pylist()
    return rows


def read_csv(path: str | Path, columns: Sequence[str], numbers: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read a table that this program wrote as CSV.

    Args:
        path: of the table.
        columns: that its first line has at least.
        numbers: those of them whose cells are finite numbers, or empty.

    Raises:
        UserError: it is missing, another table, or broken; the message names it, and the line.
    """
    file_size(path)
    rows: list[dict[str, str]] = []
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            absent = [name for name in columns if name not in (reader.fieldnames or ())]
            if absent:
                raise UserError(f"{path}: has no column {absent[0]}; remove it and run its stage again")
            for row in reader:
                cells = [row[name] for name in numbers if row[name]]
                if None in row or None in row.values() or not all(math.isfinite(float(cell)) for cell in cells):
                    raise UserError(f"{path}, line {reader.line_num}: is damaged; remove it and run its stage again")
                rows.append(row)
    except (OSError, ValueError, csv.Error) as error:
        raise (
            machine_fault(error)
            or UserError(f"{path}: not a readable table ({error}); remove it and run its stage again")
        ) from error
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
