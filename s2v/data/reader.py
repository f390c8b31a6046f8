"""Reading shards, from a file or from the web.

`samples` trusts nothing in a tar: names, kinds and sizes of members are checked, nothing is unpacked to disk,
nothing is unpickled, and an archive that ends early is an error, not a shorter data set.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2v.data.tars import Tar
from s2v.errors import UserError, machine_fault
from s2v.media.picture import Policy, decode_image, resize, to_tensor

Sample = dict[str, Any]  # "__key__" -> str, every other suffix ("flac", "mid.jpg", "json") -> bytes
Pick = Callable[[str, list[str]], Iterable[str] | None]
Part = Callable[[Path, Sample, NDArray[np.int16]], NDArray[np.int16]]

MAX_MEMBER_BYTES = 256 * 2**20
MAX_WAVE_SAMPLES = 2**28
MAX_TEXT_BYTES = 4096
_NAME = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_-]{0,99})\.([a-z0-9]+(?:\.[a-z0-9]+)?)")


def samples(tar: Path | str, pick: Pick | None = None, opened: IO[bytes] | None = None) -> Iterator[Sample]:
    """Samples of an uncompressed tar in file order: consecutive members of one key, read in one pass.

    Args:
        tar: the shard.
        pick: given the key and suffixes of a sample, names the suffixes to read, or returns None to leave the
            sample out. Without it everything is read.
        opened: the shard's bytes, where `tar` is but a name for them. Closed at the end.

    Yields:
        `{"__key__": key, suffix: bytes, ...}`; `a.mid.jpg` has key `a` and suffix `mid.jpg`.

    Raises:
        UserError: the tar is missing, damaged or cut off, or a member has an odd name, kind or size, or comes
            twice.
    """
    try:
        if opened is None and Path(tar).exists() and not Path(tar).is_file():
            raise _damaged(tar, "it is no plain file")
        with opened or open(tar, "rb") as stream:
            seen: set[str] = set()
            for key, group in _groups(tar, Tar(stream)):
                if key in seen:
                    raise _damaged(tar, f"the members of {key} are not side by side")
                seen.add(key)
                suffixes = group.keys() if pick is None else pick(key, list(group))
                if suffixes is not None:
                    yield {"__key__": key} | {s: _bytes(tar, stream, group[s]) for s in suffixes}
    except FileNotFoundError as error:
        raise UserError(f"{tar}: the shard is missing; run its stage again") from error
    except (OSError, tarfile.TarError) as error:
        raise (machine_fault(error) or _damaged(tar, " ".join(str(error).split()))) from error


def _groups(tar: Path | str, archive: Tar) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    current: str | None = None
    group: dict[str, tarfile.TarInfo] = {}
    for member in archive:
        match = _NAME.fullmatch(member.name)
        if match is None:
            raise _damaged(tar, f"a member has the odd name {member.name[:120]!r}")
        if not member.isreg():
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


def _bytes(tar: Path | str, stream: IO[bytes], member: tarfile.TarInfo) -> bytes:
    stream.seek(member.offset_data)
    data = stream.read(member.size)
    if len(data) != member.size:
        raise _damaged(tar, f"{member.name} is cut off")
    return data


def _damaged(tar: Path | str, what: str) -> UserError:
    return UserError(f"{tar}: not a usable shard ({what}); remove it and run its stage again")


def decode_wave(data: bytes, sample_rate_hz: int) -> NDArray[np.int16]:
    """Mono waveform, int16 [N], of FLAC or WAV bytes.

    Raises:
        UserError: not such bytes, cut off, another rate, more than one channel, or longer than any clip may be.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            if sound.samplerate != sample_rate_hz or sound.channels != 1:
                found = f"{sound.samplerate} Hz and {sound.channels} channels"
                raise UserError(f"sound has {found}; expected {sample_rate_hz} Hz mono")
            if sound.frames > MAX_WAVE_SAMPLES:
                raise UserError(f"sound of {sound.frames} samples is above the limit of {MAX_WAVE_SAMPLES}")
            wave: NDArray[np.int16] = sound.read(dtype="int16")
            if len(wave) != sound.frames:
                raise UserError(f"sound of {sound.frames} samples ends after {len(wave)}")
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


def decoded(tar: Path | str, sample: Sample, suffix: str, decode: Callable[[bytes], Any]) -> Any:
    """`decode` one member; a `UserError` of it gets the shard's and the member's name in front."""
    try:
        return decode(sample[suffix])
    except UserError as error:
        raise _damaged(tar, f"{sample['__key__']}.{suffix}: {error}") from error


def picture(tar: Path | str, sample: Sample, column: str, px: int, policy: Policy) -> Tensor:
    """The picture of a sample, uint8 [3, px, px]."""
    return resize(to_tensor([decoded(tar, sample, column, decode_image)]), px, policy)[0]


def label_of(tar: Path | str, sample: Sample) -> str | None:
    """The class that a sample's record names, None where it names none."""
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
                images.append(picture(tar, sample, column, px, policy))
                keys.append(sample["__key__"])
                labels.append(label_of(tar, sample))
    return torch.stack(images) if images else torch.empty(0, 3, px, px, dtype=torch.uint8), keys, labels


def decode_text(data: bytes) -> str:
    """A sentence of UTF-8.

    Raises:
        UserError: it is not, or longer than any sentence.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise UserError(f"a text of {len(data)} bytes, more than {MAX_TEXT_BYTES}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"not UTF-8 ({error.reason})") from error


def read_labels(tars: Sequence[Path]) -> tuple[list[str], list[str | None]]:
    """Keys and labels (None where there is none) of all samples of some packed shards."""
    found = [(sample["__key__"], label_of(tar, sample)) for tar in tars for sample in samples(tar, Only("json"))]
    return [key for key, _ in found], [label for _, label in found]


def read_captioned(tars: Sequence[Path], px: int, policy: Policy = "squash") -> tuple[Tensor, list[str]]:
    """The pictures uint8 [N, 3, px, px] of some packed shards that have a sentence, and the sentences."""
    images: list[Tensor] = []
    captions: list[str] = []
    for tar in tars:
        for sample in samples(tar, Only("jpg", "txt")):
            if {"jpg", "txt"} <= sample.keys():
                images.append(picture(tar, sample, "jpg", px, policy))
                captions.append(decoded(tar, sample, "txt", decode_text))
    return torch.stack(images) if images else torch.empty(0, 3, px, px, dtype=torch.uint8), captions


def read_waves(
    tars: Sequence[Path], sample_rate_hz: int, part: Part | None = None
) -> tuple[list[NDArray[np.int16]], list[str], list[str | None]]:
    """All waveforms of some packed shards: int16 arrays of any lengths, keys, and labels or None.

    Samples without sound are left out. `part` takes a part of each.
    """
    decode = partial(decode_wave, sample_rate_hz=sample_rate_hz)
    waves: list[NDArray[np.int16]] = []
    keys: list[str] = []
    labels: list[str | None] = []
    for tar in tars:
        for sample in samples(tar, Only("flac", "json")):
            if "flac" in sample:
                wave = decoded(tar, sample, "flac", decode)
                waves.append(wave if part is None else part(tar, sample, wave))
                keys.append(sample["__key__"])
                labels.append(label_of(tar, sample))
    return waves, keys, labels
