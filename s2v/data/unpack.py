"""Stage `unpack`: the wanted videos of one tar, read in one pass from a file or from the web.

One job a tar, since a tar has no table of contents: to look into all tars from every shard would read each of them as
many times as there are shards. Nothing is ever written under a member's own name.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa

from s2v.data.ids import parse
from s2v.data.local_tree import locate
from s2v.data.status import Row
from s2v.data.tree import SUFFIXES
from s2v.errors import UserError
from s2v.files import atomic_path, read_parquet, write_parquet
from s2v.progress import track
from s2v.remote import open_url

if TYPE_CHECKING:
    from s2v.config import DownloadConfig

UNPACKED = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("offset_s", pa.float64(), nullable=False),
    ]
)
MAX_VIDEO_BYTES = 2 * 2**30
_CHUNK = 2**20


def run(*, tar: str, manifest: list[Path], video_dir: Path, output: Path, download: DownloadConfig) -> None:
    """Write the videos of `tar` that the manifest names into `video_dir`, and a list of them to `output`.

    A video that is there in full size is not written again, so a killed job loses the one it was at.

    Args:
        tar: path or http(s) URL of a .tar, .tar.gz, .tar.bz2 or .tar.xz.
        manifest: all manifest shards.
        video_dir: where videos go, as {shard}/{clip_id}{suffix}.
        output: written; schema `UNPACKED`.
        download: proxy, time limit and retries for a URL.

    Raises:
        UserError: the tar cannot be read to its end.
    """
    wanted = _wanted(manifest)
    rows: list[Row] = []
    odd: Counter[str] = Counter()
    try:
        with _open(tar, download) as raw, _Whole(raw).archive() as (stream, archive):
            for member in track(archive, total=None, description=f"unpack {tar}"):
                path = PurePosixPath(member.name)
                if not member.isreg():
                    odd["no plain files"] += not member.isdir()
                elif path.is_absolute() or ".." in path.parts:
                    odd["of names that leave the folder"] += 1
                elif member.size > MAX_VIDEO_BYTES:
                    odd[f"above {MAX_VIDEO_BYTES // 2**30} GiB"] += 1
                elif path.suffix.lower() in SUFFIXES:
                    said = parse(path.stem)
                    name = said.names[0] if said is not None else ""
                    for row in wanted.get(name, []):
                        place = locate(row, {name: path.stem})
                        if place is not None:
                            target = video_dir / f"{row['shard']:03d}" / f"{row['clip_id']}{path.suffix.lower()}"
                            _write(archive, member, target)
                            rows.append({"clip_id": row["clip_id"], "path": str(target), "offset_s": place[1]})
            stream.check_end()
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        what = " ".join(str(error).split())
        advice = "run again, or take it out of data.videos.tars"
        raise UserError(f"{tar}: cannot be read to its end ({what}); {advice}") from error
    for what, count in odd.items():
        print(f"{tar}: {count} members {what}, not used", file=sys.stderr)
    unique = {row["clip_id"]: row for row in rows}
    write_parquet(output, [unique[clip_id] for clip_id in sorted(unique)], UNPACKED)


def _wanted(manifest: list[Path]) -> dict[str, list[Row]]:
    """Manifest rows by all that the name of a file of theirs may say, in one writing each."""
    wanted: dict[str, list[Row]] = {}
    for path in manifest:
        for row in read_parquet(path):
            part = parse(row["clip_id"])
            for name in part.names if part is not None else []:
                wanted.setdefault(name, []).append(row)
    return wanted


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if target.is_file() and target.stat().st_size == member.size:
        return
    source = archive.extractfile(member)
    assert source is not None
    with atomic_path(target) as temporary, open(temporary, "wb") as out:
        left = member.size
        while left:
            data = source.read(min(_CHUNK, left))
            if not data:
                raise EOFError(f"{member.name[:60]!r} is cut off")
            out.write(data)
            left -= len(data)


class _Whole:
    """A tar's bytes, which must end as a tar does: tarfile takes a lost connection for the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.tail = stream, b""

    @contextmanager
    def archive(self) -> Iterator[tuple[_Whole, tarfile.TarFile]]:
        """This, and the tar that is read through it."""
        with tarfile.open(fileobj=self, mode="r|") as archive:  # type: ignore[call-overload]
            yield self, archive

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        data = self.stream.read(size)
        self.tail = (self.tail + data)[-tarfile.BLOCKSIZE :]
        return data

    def check_end(self) -> None:
        """Read on to the end.

        Raises:
            EOFError: there are no zeros, which end every tar.
        """
        while self.read(_CHUNK):
            pass
        if self.tail != bytes(tarfile.BLOCKSIZE):
            raise EOFError("it has no end mark, so it was cut off")


@contextmanager
def _open(tar: str, download: DownloadConfig) -> Iterator[IO[bytes]]:
    address = urlsplit(tar)
    if address.scheme.lower() in ("http", "https"):
        with open_url(tar, download) as response, _plain(response, address.path) as stream:
            yield stream
    else:
        with open(tar, "rb") as file, _plain(file, tar) as stream:
            yield stream


def _plain(stream: IO[bytes], name: str) -> IO[bytes]:
    """The decompressed stream, by the name's suffix."""
    if name.endswith((".gz", ".tgz")):
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if name.endswith(".bz2"):
        return bz2.BZ2File(stream)  # type: ignore[return-value]
    return lzma.LZMAFile(stream) if name.endswith(".xz") else stream  # type: ignore[return-value]


__all__ = ["UNPACKED", "run"]
