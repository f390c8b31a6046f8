"""Reading shards: whole ones into memory for small sizes, a WebDataset stream for the full size.

Both go through `samples`, which trusts nothing in a tar: names, kinds and sizes of members are checked,
nothing is unpacked to disk, nothing is unpickled, and an archive that ends early is an error, not a shorter
data set.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import webdataset as wds
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from s2v.errors import UserError
from s2v.media.picture import Policy, decode_image, resize, to_tensor

Sample = dict[str, Any]  # "__key__" -> str, every other suffix ("flac", "mid.jpg", "json") -> bytes
Pick = Callable[[str, list[str]], Iterable[str] | None]

MAX_MEMBER_BYTES = 256 * 2**20
MAX_WAVE_SAMPLES = 2**28
_NAME = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_-]{0,99})\.([a-z0-9]+(?:\.[a-z0-9]+)?)")


def samples(tar: Path, pick: Pick | None = None) -> Iterator[Sample]:
    """Samples of an uncompressed tar in file order: consecutive members of one key, read in one pass.

    Args:
        tar: the shard.
        pick: given the key and suffixes of a sample, names the suffixes to read, or returns None to leave the
            sample out. Without it everything is read.

    Yields:
        `{"__key__": key, suffix: bytes, ...}`; `a.mid.jpg` has key `a` and suffix `mid.jpg`.

    Raises:
        UserError: the tar is missing, damaged or cut off, or a member has an odd name, kind or size, or comes
            twice.
    """
    try:
        with open(tar, "rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            seen: set[str] = set()
            for key, group in _groups(tar, archive):
                if key in seen:
                    raise _damaged(tar, f"the members of {key} are not side by side")
                seen.add(key)
                suffixes = group.keys() if pick is None else pick(key, list(group))
                if suffixes is not None:
                    yield {"__key__": key} | {s: _bytes(tar, archive, group[s]) for s in suffixes}
            # tarfile takes a broken header for the end; a true end is made of zeros.
            stream.seek(archive.offset)
            if stream.read(1024) not in (b"\0" * 1024, b"\0" * 512):
                raise _damaged(tar, "it has no end mark, so it was cut off or overwritten")
    except FileNotFoundError as error:
        raise UserError(f"{tar}: the shard is missing; run its stage again") from error
    except (OSError, EOFError, tarfile.TarError) as error:
        raise _damaged(tar, " ".join(str(error).split())) from error


def _groups(tar: Path, archive: tarfile.TarFile) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    current: str | None = None
    group: dict[str, tarfile.TarInfo] = {}
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # else every header is kept until the end
        match = _NAME.fullmatch(member.name)
        if match is None:
            raise _damaged(tar, f"a member has the odd name {member.name[:120]!r}")
        if not member.isreg() or member.issparse():
            raise _damaged(tar, f"{member.name} is not a plain file")
        if member.size > MAX_MEMBER_BYTES:
            raise _damaged(tar, f"{member.name} has {member.size} bytes, more than {MAX_MEMBER_BYTES}")
        key, suffix = match.groups()
        if current is not None and key != current:
            yield current, group
            group = {}
        if suffix in group:
            raise _damaged(tar, f"{member.name} is there twice")
        current, group[suffix] = key, member
    if current is not None:
        yield current, group


def _bytes(tar: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    handle = archive.extractfile(member)
    data = handle.read() if handle is not None else b""
    if len(data) != member.size:
        raise _damaged(tar, f"{member.name} is cut off")
    return data


def _damaged(tar: Path, what: str) -> UserError:
    return UserError(f"{tar}: not a usable shard ({what}); remove it and run its stage again")


def decode_wave(data: bytes, sample_rate_hz: int) -> NDArray[np.int16]:
    """Mono waveform, int16 [N], of FLAC or WAV bytes.

    Raises:
        UserError: not such bytes, another rate, more than one channel, or longer than any clip may be.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            if sound.samplerate != sample_rate_hz or sound.channels != 1:
                found = f"{sound.samplerate} Hz and {sound.channels} channels"
                raise UserError(f"sound has {found}; expected {sample_rate_hz} Hz mono")
            if sound.frames > MAX_WAVE_SAMPLES:
                raise UserError(f"sound of {sound.frames} samples is above the limit of {MAX_WAVE_SAMPLES}")
            wave: NDArray[np.int16] = sound.read(dtype="int16")
            return wave
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, MemoryError) as error:
        raise UserError(f"not readable sound ({' '.join(str(error).split())})") from error


def decode_record(data: bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        UserError: not JSON, or not an object.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"not readable JSON ({' '.join(str(error).split())})") from error
    if not isinstance(value, dict):
        raise UserError("not a JSON object")
    return value


def decoded(tar: Path, sample: Sample, suffix: str, decode: Callable[[bytes], Any]) -> Any:
    """`decode` one member; a `UserError` of it gets the shard's and the member's name in front."""
    try:
        return decode(sample[suffix])
    except UserError as error:
        raise _damaged(tar, f"{sample['__key__']}.{suffix}: {error}") from error


def _picture(tar: Path, sample: Sample, column: str, px: int, policy: Policy) -> Tensor:
    return resize(to_tensor([decoded(tar, sample, column, decode_image)]), px, policy)[0]


def _label(tar: Path, sample: Sample) -> str | None:
    if "json" not in sample:
        return None
    label = decoded(tar, sample, "json", decode_record).get("label")
    return None if label is None else str(label)


def frame_suffixes(suffixes: Iterable[str]) -> list[str]:
    """Those of `000.jpg`, `001.jpg` ..., in order of time."""
    return sorted((s for s in suffixes if s.endswith(".jpg") and s[:-4].isdigit()), key=lambda s: int(s[:-4]))


def clip_record(tar: Path, sample: Sample) -> dict[str, Any]:
    """The clip's record as stage `extract` wrote it.

    Raises:
        UserError: it is missing, or lacks what the stages after it read.
    """
    if "json" not in sample:
        raise UserError(f"{tar}: clip {sample['__key__']} has no record; run stage extract again")
    record: dict[str, Any] = decoded(tar, sample, "json", decode_record)
    kinds: dict[str, Any] = {"clip_id": str, "split": str, "n_frames": int, "fps": (int, float)}
    for name, kind in kinds.items():
        if not isinstance(record.get(name), kind):
            raise UserError(f"{tar}: clip {sample['__key__']}: no usable {name}; run stage extract again")
    if record["fps"] <= 0:
        raise UserError(f"{tar}: clip {sample['__key__']}: {record['fps']} frames a second cannot be")
    return record


class Only:
    """A `Pick` of named suffixes (a class, so that it can be sent to a data loading worker)."""

    def __init__(self, *wanted: str) -> None:
        self.wanted = wanted

    def __call__(self, key: str, suffixes: list[str]) -> list[str]:
        return [suffix for suffix in suffixes if suffix in self.wanted]


def read_images(
    tars: Sequence[Path], px: int, column: str = "jpg", policy: Policy = "squash"
) -> tuple[Tensor, list[str], list[str | None]]:
    """All pictures of some packed shards.

    Args:
        tars: shards, read in this order.
        px: side that every picture is resized to.
        column: which picture of a sample: `jpg` (the chosen frame), `mid.jpg` or `top1.jpg`.
        policy: see `s2v.media.picture.resize`.

    Returns:
        Pictures uint8 [N, 3, px, px], keys and labels (None where there is none). Samples without the column
        are left out.
    """
    images: list[Tensor] = []
    keys: list[str] = []
    labels: list[str | None] = []
    for tar in tars:
        for sample in samples(tar, Only(column, "json")):
            if column in sample:
                images.append(_picture(tar, sample, column, px, policy))
                keys.append(sample["__key__"])
                labels.append(_label(tar, sample))
    return torch.stack(images) if images else torch.empty(0, 3, px, px, dtype=torch.uint8), keys, labels


def read_waves(
    tars: Sequence[Path], sample_rate_hz: int
) -> tuple[list[NDArray[np.int16]], list[str], list[str | None]]:
    """All waveforms of some packed shards: int16 arrays of any lengths, keys, and labels or None.

    Samples without sound are left out.
    """
    decode = partial(decode_wave, sample_rate_hz=sample_rate_hz)
    waves: list[NDArray[np.int16]] = []
    keys: list[str] = []
    labels: list[str | None] = []
    for tar in tars:
        for sample in samples(tar, Only("flac", "json")):
            if "flac" in sample:
                waves.append(decoded(tar, sample, "flac", decode))
                keys.append(sample["__key__"])
                labels.append(_label(tar, sample))
    return waves, keys, labels


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
    tars: Sequence[Path],
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
        tars: shards.
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
        UserError: no shards; when iterated, another number of readers than that of `position`, and what `samples`
            raises.
    """
    if not tars:
        raise UserError("a stream needs at least one shard")
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
    found = ({**sample, "__url__": url} for url in urls for sample in samples(Path(url), pick))
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
    tar = Path(sample["__url__"])
    wave = partial(decode_wave, sample_rate_hz=sample_rate_hz)
    return {
        "key": sample["__key__"],
        "label": _label(tar, sample),
        "image": _picture(tar, sample, column, px, policy) if column in sample else None,
        "wave": torch.from_numpy(decoded(tar, sample, "flac", wave)) if "flac" in sample else None,
        "place": sample["__place__"],
    }
