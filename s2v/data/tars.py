"""Members of a tar in one pass, of which no claim is believed and nothing is held that was not asked for.

`tarfile` reads a header; it does not walk, since it goes back where a size is negative, skips for years where one is
huge, holds as much as a header of names claims, and takes a lost connection for the end.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from tarfile import BLOCKSIZE
from typing import IO

MAX_MEMBER_BYTES = 64 * 2**30
MAX_TAR_BYTES = 2**40
MAX_HEADER_BYTES = 2**16  # of one that holds a long name
MAX_PADDING_BYTES = 2**26  # zeros after the end mark
MAX_RATIO = 100  # bytes for each compressed one, above the first GiB; videos have one
_FREE_BYTES = 2**30
_CHUNK = 2**20


class Tar:
    """Iterate it for the members, each a TarInfo with its true `name`, `size` and `offset_data`.

    Args:
        stream: its bytes, read forward; where they can be sought in, whoever iterates may do so too.
        total: how many there are, where that is known of a stream that can't be sought in.

    Raises:
        tarfile.TarError: while it is read: it is damaged, cut off, or claims what can't be, or `stream` fails.
    """

    def __init__(self, stream: IO[bytes], total: int | None = None) -> None:
        self.stream, self.at = stream, 0
        self.total = stream.seek(0, 2) if stream.seekable() else total

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        given: dict[bytes, bytes] = {}
        while any(header := self._next(BLOCKSIZE, "it has no end mark, so it")):
            member = self._member(header)
            if member.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE,
                               tarfile.SOLARIS_XHDTYPE):  # fmt: skip
                given |= self._extension(member)
                continue
            if b"path" in given:
                name = given[b"path"].split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
                member.name = name.rstrip("/") if member.isdir() else name
            if b"size" in given:
                if not given[b"size"].isdigit() or len(given[b"size"]) > 20:
                    raise tarfile.ReadError(f"{_said(member)} has no size")
                member.size = int(given[b"size"])
            given = {}
            # Links, folders and devices have no content, whatever they claim.
            content = member.size if member.isreg() or member.type not in tarfile.SUPPORTED_TYPES else 0
            self._check(member, content)
            member.offset_data = self.at
            yield member
            self._go_to(member.offset_data + content + -content % BLOCKSIZE)
        self._check_end()

    def content(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        """The bytes of the member that the iteration is at."""
        end = member.offset_data + member.size
        while self.at < end:
            data = self._read(min(_CHUNK, end - self.at))
            if not data:
                raise tarfile.ReadError(f"{_said(member)} was cut off")
            yield data

    def _read(self, size: int) -> bytes:
        try:
            data = self.stream.read(size)
        except (OSError, EOFError, lzma.LZMAError, zlib.error, MemoryError) as error:
            raise tarfile.ReadError(" ".join(str(error).split()) or type(error).__name__) from error
        self.at += len(data)
        return data

    def _next(self, size: int, what: str) -> bytes:
        if self.stream.seekable():
            self.stream.seek(self.at)
        data = b""
        while len(data) < size and (more := self._read(size - len(data))):
            data += more
        if len(data) < size:
            raise tarfile.ReadError(f"{what} was cut off")
        return data

    def _member(self, header: bytes) -> tarfile.TarInfo:
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.TarError as error:
            where = f"at byte {self.at - BLOCKSIZE}"
            raise tarfile.ReadError(f"no end mark and no member {where}, so it was cut off or overwritten") from error
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError(f"{_said(member)} is sparse; pack it without --sparse")
        return member

    def _extension(self, member: tarfile.TarInfo) -> dict[bytes, bytes]:
        """What a header without a file says of the file after it."""
        if not 0 <= member.size <= MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {member.size} bytes, more than {MAX_HEADER_BYTES}")
        data = self._next(member.size + -member.size % BLOCKSIZE, "a header")[: member.size]
        if member.type == tarfile.GNUTYPE_LONGNAME:
            return {b"path": data}
        if member.type == tarfile.GNUTYPE_LONGLINK:
            return {}
        said = {key: value for key, value in _records(data) if key in (b"path", b"size")}
        if said and member.type == tarfile.XGLTYPE:
            raise tarfile.ReadError("one name or size is given to all members")
        return said

    def _check(self, member: tarfile.TarInfo, content: int) -> None:
        claim = f"{_said(member)} claims {content} bytes"
        if content < 0:
            raise tarfile.ReadError(claim)
        if content > MAX_MEMBER_BYTES:
            raise tarfile.ReadError(f"{claim}, more than {MAX_MEMBER_BYTES}")
        if self.total is not None and self.at + content > self.total:
            raise tarfile.ReadError(f"{claim} of {max(0, self.total - self.at)} that are left, so it was cut off")
        if self.at + content > MAX_TAR_BYTES:
            raise tarfile.ReadError(f"it is above {MAX_TAR_BYTES} bytes")

    def _go_to(self, end: int) -> None:
        if self.stream.seekable():
            self.at = end
        while self.at < end:
            if not self._read(min(_CHUNK, end - self.at)):
                raise tarfile.ReadError("its last member was cut off")

    def _check_end(self) -> None:
        end = self.at
        while data := self._read(_CHUNK):
            if data.strip(b"\0"):
                raise tarfile.ReadError(
                    "it goes on after its end mark; tars put one behind another are to be packed anew"
                )
            if self.at - end > MAX_PADDING_BYTES:
                raise tarfile.ReadError(f"more than {MAX_PADDING_BYTES} zeros follow its end mark")


def _said(member: tarfile.TarInfo) -> str:
    return repr(member.name[:120])


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of a PAX header: records of "LENGTH KEY=VALUE" and a newline."""
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 8].partition(b" ")
        end = at + int(length) if space and length.isdigit() else 0
        key, equals, value = data[at + len(length) + 1 : end - 1].partition(b"=")
        if not equals or data[end - 1 : end] != b"\n":
            raise tarfile.ReadError("a header that is no list of keys and values")
        if key.startswith(b"GNU.sparse."):
            raise tarfile.ReadError("a sparse member; pack it without --sparse")
        yield key, value
        at = end


class _Decompressed:
    """A stream out of a compressed one, and not endlessly more of it."""

    def __init__(self, stream: IO[bytes], compressed: IO[bytes]) -> None:
        self.stream, self.compressed, self.count = stream, compressed, 0

    def seekable(self) -> bool:
        return False

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.count += len(data)
        if self.count > _FREE_BYTES + MAX_RATIO * self.compressed.tell():
            raise tarfile.ReadError(f"it unpacks to more than {MAX_RATIO} times its size")
        return data


def tar_of(stream: IO[bytes], name: str, total: int | None = None) -> Tar:
    """A .tar, or, as its name ends, a .tar.gz, .tgz, .tar.bz2 or .tar.xz; `total`: bytes of `stream`, if known."""
    if name.endswith((".gz", ".tgz")):
        plain: IO[bytes] = gzip.GzipFile(fileobj=stream)  # type: ignore[assignment]
    elif name.endswith(".bz2"):
        plain = bz2.BZ2File(stream)  # type: ignore[assignment]
    elif name.endswith(".xz"):
        plain = lzma.LZMAFile(stream)  # type: ignore[assignment]  # noqa: SIM115
    else:
        return Tar(stream, total)
    return Tar(_Decompressed(plain, stream))  # type: ignore[arg-type]


__all__ = ["MAX_MEMBER_BYTES", "MAX_TAR_BYTES", "Tar", "tar_of"]
