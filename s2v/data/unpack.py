"""Stage `unpack`: the wanted videos of one tar, read in one pass from a file or from the web.

One job a tar, since a tar has no table of contents: to look into all tars from every shard would read each of them as
many times as there are shards. Nothing is ever written under a member's own name.
"""

from __future__ import annotations

import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa

from s2v.data.local_tree import names, says
from s2v.data.status import Row
from s2v.data.tars import MAX_TAR_BYTES, Tar, tar_of
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
        UserError: the tar cannot be read to its end, or a video cannot be written.
    """
    wanted = _wanted(manifest)
    rows: dict[str, Row] = {}
    odd: Counter[str] = Counter()
    try:
        with _open(tar, download) as archive:
            for member in track(archive, total=None, description=f"unpack {tar}"):
                path = PurePosixPath(member.name)
                if not member.isreg():
                    odd["no plain files"] += not member.isdir()
                elif path.is_absolute() or ".." in path.parts:
                    odd["of names that leave the folder"] += 1
                elif path.suffix.lower() in SUFFIXES:
                    for row, offset_s in (found for name in says(path.stem) for found in wanted.get(name, [])):
                        clip_id = row["clip_id"]
                        if member.size > MAX_VIDEO_BYTES:
                            odd[f"above {MAX_VIDEO_BYTES // 2**30} GiB"] += 1
                        elif clip_id in rows:
                            odd["of clips that are in it twice"] += 1
                        else:
                            target = video_dir / f"{row['shard']:03d}" / f"{clip_id}{path.suffix.lower()}"
                            _write(archive, member, target)
                            rows[clip_id] = {"clip_id": clip_id, "path": str(target), "offset_s": offset_s}
    except tarfile.TarError as error:
        advice = "run again, or take it out of data.videos.tars"
        raise UserError(f"{tar}: cannot be read to its end ({error}); {advice}") from error
    except OSError as error:
        raise UserError(f"{video_dir}: cannot be written ({error.strerror or error}); run again then") from error
    for what, count in odd.items():
        print(f"{tar}: {count} members {what}, not used", file=sys.stderr)
    write_parquet(output, [rows[clip_id] for clip_id in sorted(rows)], UNPACKED)


def _wanted(manifest: list[Path]) -> dict[str, list[tuple[Row, float]]]:
    """Manifest rows, and where a file begins, by all that the name of a file of theirs may say."""
    wanted: dict[str, list[tuple[Row, float]]] = {}
    for path in manifest:
        for row in read_parquet(path):
            for name, offset_s in names(row).items():
                wanted.setdefault(name, []).append((row, offset_s))
    return wanted


def _write(archive: Tar, member: tarfile.TarInfo, target: Path) -> None:
    if target.is_file() and target.stat().st_size == member.size:
        return
    with atomic_path(target) as temporary, open(temporary, "wb") as out:
        out.writelines(archive.content(member))


@contextmanager
def _open(tar: str, download: DownloadConfig) -> Iterator[Tar]:
    address = urlsplit(tar)
    remote = address.scheme.lower() in ("http", "https")
    try:
        if not remote and Path(tar).exists() and not Path(tar).is_file():
            raise OSError("it is no plain file")
        stream = open_url(tar, download, MAX_TAR_BYTES) if remote else open(tar, "rb")  # noqa: SIM115 - closed below
        stream.peek(1)  # an answer of the web then says its size
    except OSError as error:
        raise tarfile.ReadError(" ".join(str(error).split())) from error
    with stream:
        yield tar_of(stream, address.path if remote else tar, getattr(stream.raw, "total", None))


__all__ = ["UNPACKED", "run"]
