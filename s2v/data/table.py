"""The decoded samples of a training as one tensor: in memory where they fit, else in a file that is mapped.

A file is decoded once, by several programs, and read at random for all epochs. The processes of a node share it through
the page cache, and a training that was killed finds it again. What a batch holds does not depend on where it lies.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from s2v.data.reader import Only, Sample, decode_wave, decoded, label_of, picture, samples
from s2v.data.window import Window
from s2v.data.workers import WorkerError, map_jobs
from s2v.errors import UserError
from s2v.files import digest, file_size, read_json, sha256, write_json
from s2v.identity import code_digest
from s2v.media.mel import mel_picture
from s2v.media.picture import Policy
from s2v.media.spectrogram import SAMPLE_RATE_HZ, encoder_input, n_frames
from s2v.progress import track

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig
    from s2v.runtime import Runtime

FOLDER = ".decoded"
_TIMEOUT_S = 24 * 3600.0  # of one shard
_POLL_S = 0.5


class Form(Protocol):
    """What becomes of a sample. Its fields are plain values, since they go to other programs as JSON."""

    @property
    def suffix(self) -> str:
        """The member of a sample that it needs; samples without it are left out."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Of a row's values."""
        ...

    def decode(self, tar: Path, sample: Sample) -> Tensor:
        """One row."""
        ...


@dataclass(frozen=True)
class Pictures:
    """uint8 [3, px, px]."""

    px: int
    column: str = "jpg"
    policy: Policy = "squash"
    dtype = torch.uint8

    @property
    def suffix(self) -> str:
        """The picture's member."""
        return self.column

    @property
    def shape(self) -> tuple[int, ...]:
        """[3, px, px]."""
        return 3, self.px, self.px

    def decode(self, tar: Path, sample: Sample) -> Tensor:
        """Decoded and resized."""
        return picture(tar, sample, self.column, self.px, self.policy)


@dataclass(frozen=True)
class Spectrograms:
    """What the audio encoder hears: standardised log-spectrogram, float16 [F, T]."""

    window_s: float
    n_fft: int
    hop: int
    log_floor: float
    sample_rate_hz: int
    at: str = "start"
    """Of `s2v.data.window`."""
    dtype = torch.float16
    suffix = "flac"

    @property
    def shape(self) -> tuple[int, ...]:
        """[F, T]."""
        return self.n_fft // 2 + 1, n_frames(round(self.window_s * self.sample_rate_hz), self.n_fft, self.hop)

    def decode(self, tar: Path, sample: Sample) -> Tensor:
        """Of the sound's window."""
        wave = decoded(tar, sample, "flac", partial(decode_wave, sample_rate_hz=self.sample_rate_hz))
        values = asdict(self)
        wave = Window(values.pop("at"), self.window_s, self.sample_rate_hz).of(tar, sample, wave)
        return encoder_input(torch.from_numpy(wave)[None], **values)[0].half()


@dataclass(frozen=True)
class MelPictures:
    """A sound as a grey picture in [-1, 1], float16 [bands, columns]."""

    window_s: float
    n_fft: int
    hop: int
    bands: int
    columns: int
    range_db: float
    dtype = torch.float16
    suffix = "flac"

    @property
    def shape(self) -> tuple[int, ...]:
        """[bands, columns]."""
        return self.bands, self.columns

    def decode(self, tar: Path, sample: Sample) -> Tensor:
        """Of the sound's first window."""
        wave = decoded(tar, sample, "flac", partial(decode_wave, sample_rate_hz=SAMPLE_RATE_HZ))
        return mel_picture(torch.from_numpy(wave)[None], **asdict(self))[0].half()


FORMS: dict[str, type[Pictures] | type[Spectrograms] | type[MelPictures]] = {
    "Pictures": Pictures, "Spectrograms": Spectrograms, "MelPictures": MelPictures,
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows [N, ...] in the order of the shards, and the key and class (or None) of each."""

    rows: Tensor
    keys: list[str]
    labels: list[str | None]


@dataclass(frozen=True)
class Store:
    """Where tables that do not fit into memory lie, and how they are made.

    Attributes:
        folder: for the files.
        memory_bytes: a table above this is a file.
        workers: programs that decode; 0 decodes here.
        makes: whether this process makes the files; the others of a training wait for it.
    """

    folder: Path
    memory_bytes: float
    workers: int = 0
    makes: bool = True

    def load(self, tars: Sequence[Path], form: Form) -> Table:
        """The samples of packed shards.

        Raises:
            UserError: a shard is damaged, or there is no room.
        """
        counts = [_count(tar) for tar in tars]
        row_bytes = math.prod(form.shape) * form.dtype.itemsize
        if sum(counts) * row_bytes <= self.memory_bytes:
            return _in_memory(tars, counts, form)
        about = {"form": asdict(form), "shards": [sha256_of(tar) for tar in tars], "code": code_digest(__name__)}  # type: ignore[call-overload]
        place = self.folder / digest([type(form).__name__, about])
        found = _whole(place, row_bytes)
        if found is None and self.makes:
            _write(tars, counts, form, place, self.workers)
            found = _whole(place, row_bytes)
            if found is None:
                raise UserError(f"{place}: decoded samples cannot be read back; set runtime.scratch to another disk")
        while found is None:
            time.sleep(_POLL_S)
            found = _whole(place, row_bytes)
        n = len(found["keys"])
        rows = torch.from_file(str(place / "rows"), shared=False, size=n * math.prod(form.shape), dtype=form.dtype)
        return Table(rows.view(n, *form.shape), found["keys"], found["labels"])


@contextmanager
def store(output_dir: Path, config: RuntimeConfig, runtime: Runtime) -> Iterator[Store]:
    """The store of one training, beside its results or in `runtime.scratch`; its files go when the training is done.

    Beside its results all nodes read one file; of `runtime.scratch`, which may be a node's own disk, each has its own.

    One that fails or is killed leaves them for the next try.
    """
    if config.scratch is None:
        folder, makes = output_dir / FOLDER, runtime.is_main
    else:
        name = f"s2v-{digest(str(output_dir.resolve()))}"
        folder, makes = Path(config.scratch) / (f"{name}-{runtime.node}" if runtime.node else name), runtime.leads_node
    yield Store(folder, config.memory_gb * 2**30, config.workers, makes)
    runtime.barrier()
    if makes:
        shutil.rmtree(folder, ignore_errors=True)


def sha256_of(tar: Path) -> str:
    """Checksum of a packed shard: that of its index where it has one of its size, so that nothing is read twice."""
    index = tar.with_suffix(".json")
    if index.is_file():
        record = read_json(index)
        if isinstance(record, dict) and record.get("bytes") == tar.stat().st_size and "sha256" in record:
            return str(record["sha256"])
    return sha256(tar)


def _whole(place: Path, row_bytes: int) -> dict[str, Any] | None:
    """Keys and classes of a table whose files are whole; None where one is missing or damaged."""
    try:
        found: dict[str, Any] = read_json(place / "about.json")
        n = len(found["keys"])
        return found if len(found["labels"]) == n and file_size(place / "rows") == n * row_bytes else None
    except (UserError, KeyError, TypeError):
        return None


def _count(tar: Path) -> int:
    """Samples of a shard, as its index says; without one they are counted."""
    index = tar.with_suffix(".json")
    if index.is_file():
        record = read_json(index)
        if isinstance(record, dict) and isinstance(record.get("samples"), int):
            return int(record["samples"])
    return sum(1 for _ in samples(tar, Only()))


def _decode(tar: Path, form: Form, most: int) -> Iterator[tuple[str, str | None, Tensor]]:
    """Key, class and row of each sample that has the member."""
    done = 0
    for sample in samples(tar, Only(form.suffix, "json")):
        if form.suffix in sample:
            done += 1
            if done > most:
                raise UserError(f"{tar}: more samples than its index says; remove it and run stage pack again")
            yield sample["__key__"], label_of(tar, sample), form.decode(tar, sample)


def _in_memory(tars: Sequence[Path], counts: list[int], form: Form) -> Table:
    rows = torch.empty(sum(counts), *form.shape, dtype=form.dtype)
    keys: list[str] = []
    labels: list[str | None] = []
    for tar, count in zip(tars, counts, strict=True):
        for key, label, row in _decode(tar, form, count):
            rows[len(keys)] = row
            keys.append(key)
            labels.append(label)
    return Table(rows[: len(keys)], keys, labels)


def _write(tars: Sequence[Path], counts: list[int], form: Form, place: Path, workers: int) -> None:
    """Make the files of a table; `about.json`, written last, says that they are whole."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    file, row_bytes = place / "rows", math.prod(form.shape) * form.dtype.itemsize
    starts = [sum(counts[:i]) for i in range(len(counts))]
    try:
        with open(file, "wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, sum(counts) * row_bytes))
    except OSError as error:
        room = f"{sum(counts) * row_bytes / 1e9:.1f} GB"
        raise UserError(f"{place}: no room for {room} of decoded samples ({error}); set runtime.scratch") from error
    jobs: list[dict[str, Any]] = [
        {"form": type(form).__name__, "values": asdict(form), "tar": str(tar), "file": str(file), "start": start,  # type: ignore[call-overload]
         "most": count}
        for tar, start, count in zip(tars, starts, counts, strict=True)
    ]  # fmt: skip
    found: dict[int, Any] = {}
    for index, result in track(_done(jobs, workers), total=len(jobs), description="decode"):
        if isinstance(result, WorkerError):
            raise UserError(str(result).removeprefix("UserError: "))
        found[index] = result
    keys: list[str] = []
    labels: list[str | None] = []
    with open(file, "r+b") as stream:
        for index in range(len(jobs)):
            # A shard with samples that lack the member leaves a gap behind it: the next one moves up.
            _move(stream.fileno(), starts[index] * row_bytes, len(keys) * row_bytes, len(found[index][0]) * row_bytes)
            keys, labels = keys + found[index][0], labels + found[index][1]
        stream.truncate(len(keys) * row_bytes)
    write_json(place / "about.json", {"keys": keys, "labels": labels})


def _done(jobs: list[dict[str, Any]], workers: int) -> Iterator[tuple[int, Any]]:
    if workers:
        yield from map_jobs(fill, jobs, workers=workers, timeout_s=_TIMEOUT_S)
    else:
        yield from ((index, fill(**job)) for index, job in enumerate(jobs))


def fill(
    *, form: str, values: dict[str, Any], tar: str, file: str, start: int, most: int
) -> tuple[list[str], list[str | None]]:
    """Decode a shard into rows `start` and on of `file`; returns keys and labels."""
    made: Form = FORMS[form](**values)
    keys: list[str] = []
    labels: list[str | None] = []
    with open(file, "r+b") as stream:
        stream.seek(start * math.prod(made.shape) * made.dtype.itemsize)
        for key, label, row in _decode(Path(tar), made, most):
            stream.write(row.contiguous().numpy().tobytes())
            keys.append(key)
            labels.append(label)
    return keys, labels


def _move(descriptor: int, start: int, to: int, length: int, chunk: int = 2**24) -> None:
    if start != to:
        for at in range(0, length, chunk):
            data = os.pread(descriptor, min(chunk, length - at), start + at)
            os.pwrite(descriptor, data, to + at)


__all__ = ["FOLDER", "Form", "MelPictures", "Pictures", "Spectrograms", "Store", "Table", "fill", "sha256_of", "store"]
