"""Download published weights: resumable, whole or not at all, and compared with their checksums."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from s2v.config import DownloadConfig
from s2v.errors import UserError, without_passwords
from s2v.files import hold_lock, read_json, sha256, write_json
from s2v.progress import bar
from s2v.remote import CannotResume, Remote, TooLarge
from s2v.weights.catalogue import Entry, File
from s2v.weights.checksums import NOTED, expected, note

# So much is lost, and asked for again, where a connection breaks off.
_CHUNK = 2**16


def fetch(
    entry: Entry,
    folder: Path,
    *,
    url: str | None = None,
    mirror: str | None = None,
    download: DownloadConfig | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Bring the files of `entry` into `folder`, as far as they are not there.

    A file of which no checksum is known has its own noted in `SHA256.json`; each later fetch must then give the same.

    Args:
        entry: what is wanted.
        folder: the weights folder; it is made.
        url: another address of the file, or of the folder of all files where the entry has several.
        mirror: address of a folder in which files lie as in a weights folder.
        download: proxy, retries, time limit.
        say: takes lines for people.

    Raises:
        UserError: it can't be had (the message says which file to put where by hand), is not what it should be, or the
            address is not http(s).
    """
    say(f"{entry.name}: {entry.what}")
    say(f"  licence: {entry.terms()}; {entry.source}")
    if entry.package:
        say(f"  the same file lies in the Python package {entry.package}")
    if entry.note:
        say(f"  note: {entry.note}")
    folder.mkdir(parents=True, exist_ok=True)
    lock = hold_lock(folder / ".lock")
    try:
        for file in entry.files:
            _fetch_file(entry, file, folder, _address(entry, file, url, mirror), download or DownloadConfig(), say)
    finally:
        lock.close()


def _address(entry: Entry, file: File, url: str | None, mirror: str | None) -> str:
    found = file.url
    if mirror is not None:
        found = f"{mirror.rstrip('/')}/{quote(file.path)}"
    elif url is not None:
        # Files in a folder of their own lie in the same tree there.
        found = url if len(entry.files) == 1 else f"{url.rstrip('/')}/{file.path.split('/', 1)[1]}"
    if urlsplit(found).scheme not in ("http", "https"):
        raise UserError(f"{found!r}: not an address of the web (allowed: http://, https://)")
    return found


def _fetch_file(
    entry: Entry,
    file: File,
    folder: Path,
    url: str,
    download: DownloadConfig,
    say: Callable[[str], None],
) -> None:
    path = folder / file.path
    if path.is_file():
        digest = sha256(path)
        _compare(path, digest, expected(folder, file), remove=None)
        say(f"  {file.path}: is there")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        there = sum((folder / one.path).stat().st_size for one in entry.files if (folder / one.path).is_file())
        try:
            _download(url, part, download, file.path, max(0, entry.most_bytes() - there))
        except TooLarge as error:
            _remove(part)
            size = "" if entry.size_mb is None else f" and should have {entry.size_mb} with all its files"
            raise UserError(f"{entry.name}: {url} is not it: {error}{size}; what came was removed") from error
        except OSError as error:
            raise UserError(_by_hand(entry, file, folder, url, error)) from error
        _refuse_other_things(part, entry, url)
        digest = sha256(part)
        _compare(part, digest, expected(folder, file), remove=part)
        os.replace(part, path)
        _record(part).unlink(missing_ok=True)
        say(f"  {file.path}: fetched, {path.stat().st_size / 1e6:.1f} MB")
    if expected(folder, file) is None:
        note(folder, file, digest)
        say(f"  no checksum is published: its SHA-256 {digest} is noted in {folder / NOTED}, later ones must equal it")


def _compare(path: Path, digest: str, wanted: str | None, remove: Path | None) -> None:
    if wanted is None or wanted == digest:
        return
    if remove is not None:
        _remove(remove)
    done = "it was removed" if remove is not None else "remove it and fetch it again"
    raise UserError(f"{path}: its SHA-256 is {digest}, and must be {wanted}; {done}")


def _record(part: Path) -> Path:
    """Beside what is there of a file: whose beginning it is."""
    return part.with_name(f"{part.name}.json")


def _remove(part: Path) -> None:
    part.unlink(missing_ok=True)
    _record(part).unlink(missing_ok=True)


def _download(url: str, part: Path, download: DownloadConfig, name: str, most: int) -> None:
    """Bring the bytes of `url` to `part`, going on with what an earlier attempt left of the same version.

    Raises:
        OSError: not all of them can be had; what there is stays for the next attempt.
        TooLarge: there are more than `most`.
    """
    at, version = _left(url, part)
    try:
        _receive(url, part, download, name, most, at, version)
    except CannotResume:
        if not at:
            raise
        _receive(url, part, download, name, most, 0, None)


def _left(url: str, part: Path) -> tuple[int, str | None]:
    if part.is_file() and _record(part).is_file():
        try:
            record = read_json(_record(part))
        except UserError:
            return 0, None
        if (
            isinstance(record, dict)
            and record.get("url") == without_passwords(url)
            and isinstance(record.get("version"), str)
        ):
            return part.stat().st_size, record["version"]
    return 0, None


def _receive(
    url: str, part: Path, download: DownloadConfig, name: str, most: int, at: int, version: str | None
) -> None:
    with Remote(url, download, at, version, most) as remote, open(part, "ab" if at else "wb") as out:
        data = remote.read(_CHUNK) or b""
        if not at:
            # Without a version it can't be known later whether the rest belongs to the same file.
            _record(part).unlink(missing_ok=True)
            if remote.version:
                write_json(_record(part), {"url": without_passwords(url), "version": remote.version})
        with bar(name, total=remote.total or 0, done=at) as advance:
            while data:
                out.write(data)
                advance(len(data))
                data = remote.read(_CHUNK) or b""


def _refuse_other_things(part: Path, entry: Entry, url: str) -> None:
    """What a server sends in place of a file is removed, and said to be what it is.

    Raises:
        UserError: it is a web page, or no file of its kind.
    """
    with open(part, "rb") as stream:
        head = stream.read(1024)
    kind = part.name.removesuffix(".part")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        what = "a web page in place of the file"
    elif not _plausible(part, kind, head):
        what = f"no {'.'.join(kind.split('.')[1:])} file"
    else:
        return
    _remove(part)
    raise UserError(
        f"{entry.name}: {url} gave {what}; see {entry.source}, put the file there by hand, or name a mirror with --url"
    )


def _plausible(path: Path, kind: str, head: bytes) -> bool:
    """Whether the bytes begin as a file of that name does. Nothing is unpickled."""
    if kind.endswith(".safetensors"):
        length = int.from_bytes(head[:8], "little")
        return head[8:9] == b"{" and length < path.stat().st_size
    if kind.endswith(".tar.gz"):
        return head.startswith(b"\x1f\x8b")
    if kind.endswith((".pth", ".pt", ".pth.tar", ".bin")):
        # torch's present format is a zip, its older one a chain of pickles.
        return zipfile.is_zipfile(path) or head.startswith(b"\x80\x02")
    if kind.endswith(".json"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            return False
    return True


def _by_hand(entry: Entry, file: File, folder: Path, url: str, error: Exception) -> str:
    return (
        f"{entry.name}: {url} can't be had ({' '.join(str(error).split())}); run the command again to go on, or, where "
        f"there is no network, put the file as {folder / file.path} (from {entry.source}) and run it again"
    )


__all__ = ["fetch"]
