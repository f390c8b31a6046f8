"""A WebDataset stream of packed shards, for training loops that are not this project's own, or data that no disk holds.

The trainings here read `s2v.data.table`. A stream is for shards that stay where they are: on the web, or too many.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import torch
import webdataset as wds
from torch.utils.data import IterableDataset, get_worker_info

from s2v.config import DownloadConfig
from s2v.data.reader import Only, Pick, Sample, decode_wave, decoded, label_of, picture, samples
from s2v.errors import UserError
from s2v.media.picture import Policy
from s2v.remote import open_url

MAX_SHARD_BYTES = 16 * 2**30
_CHUNK = 2**20


@dataclass(frozen=True)
class Position:
    """Where a process stands in an epoch: plain numbers, for a checkpoint's JSON (`dataclasses.asdict`)."""

    readers: int = 0  # of all processes; 0 before the first sample
    taken: dict[str, int] = field(default_factory=dict)  # by reader: its samples that were used

    def after(self, used: Iterable[Sample]) -> Position:
        """The position once the samples `used`, as `stream` gave them, were used too."""
        readers, taken = self.readers, dict(self.taken)
        for sample in used:
            readers, reader, number = sample["place"]
            taken[str(reader)] = max(taken.get(str(reader), 0), number + 1)
        return Position(readers, taken)


def stream(
    tars: Sequence[Path | str],
    *,
    px: int,
    sample_rate_hz: int,
    column: str = "jpg",
    policy: Policy = "squash",
    seed: int = 0,
    epoch: int = 0,
    buffer: int = 1000,
    rank: int = 0,
    world_size: int = 1,
    position: Position | None = None,
) -> IterableDataset[Sample]:
    """One epoch of packed shards as a WebDataset pipeline, for data sets that do not fit into memory.

    Processes and data loading workers share the epoch without loss or duplicates: by shard where there are at
    least as many shards as readers, otherwise by sample. The order is a function of (seed, epoch, readers).

    Args:
        tars: shards: paths, or http(s) URLs, each of which is fetched whole (16 GiB at most) before it is read.
        px: side of the pictures.
        sample_rate_hz: rate that the sound must have.
        column: which picture of a sample.
        policy: see `s2v.media.picture.resize`.
        seed: with `epoch`, decides the order of shards and samples.
        epoch: counts up by one with every pass; an epoch can be had without those before it.
        buffer: samples held for shuffling; 1 keeps the file order within a shard.
        rank: this process among `world_size`.
        world_size: processes that share the epoch.
        position: samples of this epoch that this process has used, which are read past without being decoded.

    Returns:
        Samples `{"key", "label", "image": uint8 [3, px, px] | None, "wave": int16 [N] | None, "place"}`; `place` is
        (readers, reader, number of the sample there), for `Position.after`.

    Raises:
        UserError: no shards, or an address that is no http(s) URL; when iterated, another number of readers than that
            of `position`, what `samples` raises, and a shard that cannot be fetched.
    """
    if not tars:
        raise UserError("a stream needs at least one shard")
    for tar in tars:
        _check_address(tar)
    decode = partial(_decode, px=px, sample_rate_hz=sample_rate_hz, column=column, policy=policy)
    pick = Only(column, "flac", "json")
    pipeline: IterableDataset[Sample] = wds.DataPipeline(
        wds.SimpleShardList([str(tar) for tar in tars], seed=seed * 1_000_003 + epoch),
        partial(_share, n_shards=len(tars), pick=pick, rank=rank, world_size=world_size),
        wds.detshuffle(buffer, initial=max(1, buffer // 4), seed=seed * 1_000_003, epoch=epoch - 1),
        partial(_place, position=position or Position(), rank=rank, world_size=world_size),
        wds.map(decode),
    )
    return pipeline


def _share(
    source: Iterable[dict[str, str]], *, n_shards: int, pick: Pick, rank: int, world_size: int
) -> Iterator[Sample]:
    """This reader's part of the samples of all shards."""
    readers, reader = _reader(rank, world_size)
    by_shard = n_shards >= readers
    mine = islice(source, reader, None, readers) if by_shard else iter(source)
    urls = (shard["url"] for shard in mine)
    found = ({**sample, "__url__": url} for url in urls for sample in samples(url, pick, _fetched(url)))
    return found if by_shard else islice(found, reader, None, readers)


def _reader(rank: int, world_size: int) -> tuple[int, int]:
    """How many readers share the epoch, and which one this is."""
    worker = get_worker_info()
    workers = 1 if worker is None else worker.num_workers
    return world_size * workers, rank * workers + (0 if worker is None else worker.id)


def _place(source: Iterable[Sample], *, position: Position, rank: int, world_size: int) -> Iterator[Sample]:
    """Samples from `position` on, each with its place."""
    readers, reader = _reader(rank, world_size)
    if position.readers not in (0, readers):
        raise UserError(f"a stream left by {position.readers} readers cannot be gone on with by {readers}")
    start = position.taken.get(str(reader), 0)
    for sample, number in zip(islice(source, start, None), count(start), strict=False):
        yield {**sample, "__place__": (readers, reader, number)}


def _decode(sample: Sample, *, px: int, sample_rate_hz: int, column: str, policy: Policy) -> Sample:
    tar = sample["__url__"]
    wave = partial(decode_wave, sample_rate_hz=sample_rate_hz)
    return {
        "key": sample["__key__"],
        "label": label_of(tar, sample),
        "image": picture(tar, sample, column, px, policy) if column in sample else None,
        "wave": torch.from_numpy(decoded(tar, sample, "flac", wave)) if "flac" in sample else None,
        "place": sample["__place__"],
    }


def _check_address(tar: Path | str) -> None:
    """Refuse what is neither a path nor an http(s) URL: webdataset would take `pipe:` for a program to run."""
    scheme = urlsplit(str(tar)).scheme
    if isinstance(tar, str) and scheme not in ("http", "https", ""):
        raise UserError(f"{tar!r}: a shard is a path or an http(s) URL, not {scheme}:")


def _fetched(url: str) -> IO[bytes] | None:
    """A shard of the web as a file without a name; None for one that is here."""
    if urlsplit(url).scheme not in ("http", "https"):
        return None
    whole = tempfile.TemporaryFile()  # noqa: SIM115 - whoever reads it closes it
    try:
        with open_url(url, DownloadConfig(), MAX_SHARD_BYTES) as body:
            shutil.copyfileobj(body, whole, _CHUNK)
    except OSError as error:
        whole.close()
        raise UserError(f"{url}: the shard cannot be fetched ({' '.join(str(error).split())})") from error
    whole.seek(0)
    return whole
