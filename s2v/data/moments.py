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
from s2v.media.spectrogram import HOP, LOG_FLOOR, N_FFT, SAMPLE_RATE_HZ, fit_window, log_spectrogram, standardise

BINS, COLUMNS = 4, 2  # spectrogram cells averaged into one: what a moment sounds like needs no more


@dataclass(frozen=True)
class Ear:
    """How a clip's sound becomes what the localisation model hears."""

    n_fft: int = N_FFT
    hop: int = HOP
    log_floor: float = LOG_FLOOR
    sample_rate_hz: int = SAMPLE_RATE_HZ
    window_s: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        """(bins, columns) of a window."""
        return (self.n_fft // 2 + 1) // BINS, max(1, round(self.window_s * self.sample_rate_hz / (self.hop * COLUMNS)))

    def hear(self, wave: Tensor) -> Tensor:
        """Waveform int16 or float [N] to the clip's log-spectrogram, float16 [bins, T].

        It is standardised over the whole clip, never over a window: within a clip, loud moments stay loud.
        """
        if len(wave) < self.n_fft + self.hop * (COLUMNS - 1):
            wave = fit_window(wave, self.n_fft + self.hop * (COLUMNS - 1))
        else:
            wave = fit_window(wave, len(wave))
        spec = standardise(log_spectrogram(wave[None], self.n_fft, self.hop, self.log_floor, self.sample_rate_hz))
        return F.avg_pool2d(spec, (BINS, COLUMNS))[0].half()

    def windows(self, spectrogram: Tensor, times_s: Tensor) -> Tensor:
        """Cut the sound around each moment out of `hear`'s result.

        Args:
            spectrogram: [bins, T].
            times_s: [M] middle of each window, in s from the clip's start.

        Returns:
            float32 [M, bins, columns]. What lies before the start or after the end is mirrored, so that the first
            and last moments of a clip have a window of their own.
        """
        n, width = spectrogram.shape[-1], self.shape[1]
        # Column c covers samples from hop * COLUMNS * c on, and its middle lies half a frame and half a hop later.
        middle = (times_s * self.sample_rate_hz - (self.n_fft + self.hop) / 2) / (self.hop * COLUMNS)
        index = (middle - (width - 1) / 2).round().long()[:, None] + torch.arange(width)
        index = index.remainder(2 * n)
        index = torch.where(index < n, index, 2 * n - 1 - index)
        return spectrogram[:, index].permute(1, 0, 2).float()


@dataclass(frozen=True)
class Moments:
    """Some moments of one clip."""

    clip_id: str
    split: str
    n_frames: int
    images: Tensor  # uint8 [M, 3, px, px]
    times_s: Tensor  # float32 [M]
    spectrogram: Tensor | None  # float16 [bins, T]; None for a clip without sound


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
            yield Moments(
                clip_id=sample["__key__"],
                split=record["split"],
                n_frames=record["n_frames"],
                images=torch.cat(pictures),
                times_s=(torch.tensor([int(s.split(".")[0]) for s in chosen]) + 0.5) / record["fps"],
                spectrogram=None if sound is None else ear.hear(sound),
            )


def clips_with_sound(tars: Sequence[Path], split: str) -> list[str]:
    """Ids of the clips of a split that have sound, in file order. Only their records are read.

    Raises:
        UserError: as `read_moments`.
    """

    def pick(key: str, suffixes: list[str]) -> list[str] | None:
        return ["json"] if {"flac", "json"} <= set(suffixes) else None

    return [s["__key__"] for tar in tars for s in samples(tar, pick) if clip_record(tar, s)["split"] == split]
