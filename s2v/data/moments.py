"""The moments of a clip: a frame, and the sound around it. What the localisation model sees, in training and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.reader import clip_record, decode_wave, decoded, frame_suffixes, samples
from s2v.errors import UserError
from s2v.media.picture import decode_image, resize, to_tensor
from s2v.models.localiser import Ear


@dataclass(frozen=True)
class Moments:
    """Some moments of one clip."""

    clip_id: str
    split: str
    n_frames: int
    images: Tensor  # uint8 [M, 3, px, px]
    times_s: Tensor  # float32 [M]
    spectrogram: Tensor | None  # float16 [bins, T]; None for a clip without sound
    heard: Tensor  # bool [M]: there is any sound around it


def evenly(n: int, count: int) -> list[int]:
    """`count` of the numbers 0..n-1 at equal distances, or all of them when there are no more."""
    return sorted({int((i + 0.5) * n / count) for i in range(count)}) if n > count else list(range(n))


def read_moments(
    tars: Sequence[Path],
    *,
    image_px: int,
    ear: Ear,
    per_clip: int | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> Iterator[Moments]:
    """Clips of extract shards, in file order.

    Args:
        tars: shards that stage `extract` wrote.
        image_px: side that frames are resized to.
        ear: how the sound is heard.
        per_clip: take so many frames at equal distances; None takes all.
        wanted: leaves out clips by their id without decoding them.

    Raises:
        UserError: a shard is damaged, or not one of stage `extract`.
    """
    wave = partial(decode_wave, sample_rate_hz=ear.sample_rate_hz)

    def pick(key: str, suffixes: list[str]) -> list[str] | None:
        if wanted is not None and not wanted(key):
            return None
        frames = frame_suffixes(suffixes)
        chosen = frames if per_clip is None else [frames[i] for i in evenly(len(frames), per_clip)]
        return [*chosen, *(s for s in suffixes if s in ("flac", "json"))]

    for tar in tars:
        for sample in samples(tar, pick):
            record = clip_record(tar, sample)
            chosen = frame_suffixes(sample)
            if not chosen:
                raise UserError(f"{tar}: clip {record['clip_id']} has no frames; run stage extract again")
            pictures = [resize(to_tensor([decoded(tar, sample, s, decode_image)]), image_px) for s in chosen]
            sound = torch.from_numpy(decoded(tar, sample, "flac", wave)) if "flac" in sample else None
            times_s = (torch.tensor([int(s.split(".")[0]) for s in chosen]) + 0.5) / record["fps"]
            sound = None if sound is None else reach(sound, record["n_frames"] / record["fps"], ear)
            yield Moments(
                clip_id=sample["__key__"],
                split=record["split"],
                n_frames=record["n_frames"],
                images=torch.cat(pictures),
                times_s=times_s,
                spectrogram=None if sound is None else ear.hear(sound),
                heard=torch.zeros(len(chosen), dtype=torch.bool) if sound is None else heard(sound, times_s, ear),
            )


def reach(wave: Tensor, end_s: float, ear: Ear) -> Tensor:
    """A clip's sound [N] up to the end of its picture: silence follows a sound that ends half a window or more before.

    (A window would mirror what it lacks, so that frames long after the sound had a sound of their own.)
    """
    missing = round(end_s * ear.sample_rate_hz) - len(wave)
    return F.pad(wave, (0, missing)) if missing >= ear.window_s / 2 * ear.sample_rate_hz else wave


def heard(wave: Tensor, times_s: Tensor, ear: Ear) -> Tensor:
    """bool [M]: whether any sample of the windows around `times_s` [M] is not zero."""
    sounding = F.pad((wave != 0).cumsum(0), (1, 0))
    ends = (times_s[:, None] + torch.tensor([-0.5, 0.5]) * ear.window_s) * ear.sample_rate_hz
    before, after = ends.round().long().clamp(0, len(wave)).T
    return sounding[after] > sounding[before]


def clips_with_sound(tars: Sequence[Path], split: str) -> list[str]:
    """Ids of the clips of a split that have sound, in file order. Only their records are read.

    Raises:
        UserError: as `read_moments`.
    """

    def pick(key: str, suffixes: list[str]) -> list[str] | None:
        return ["json"] if {"flac", "json"} <= set(suffixes) else None

    return [s["__key__"] for tar in tars for s in samples(tar, pick) if clip_record(tar, s)["split"] == split]
