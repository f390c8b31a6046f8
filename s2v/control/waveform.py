"""Manipulations of the waveform (paper 5.1). Nothing here normalises a level: loudness is the control."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from s2v.control.limits import GAINS_DB
from s2v.media.spectrogram import SAMPLE_RATE_HZ

LONGEST_OFFSET_S = 3600.0


def gain(wave: Tensor, db: float) -> Tensor:
    """A waveform made louder or softer.

    Args:
        wave: float [..., N].
        db: decibels, within `GAINS_DB`; 6 is about twice, -6 about half the amplitude.

    Returns:
        Same shape. What exceeds [-1, 1] is clipped where it is heard (`s2v.media.spectrogram.fit_window`), not here.

    Raises:
        ValueError: the gain lies outside, or is no number.
    """
    if not GAINS_DB[0] <= db <= GAINS_DB[1]:
        raise ValueError(f"a gain of {db:g} dB: give one from {GAINS_DB[0]:g} to {GAINS_DB[1]:g}")
    return wave * float(10 ** (db / 20))


def mix(
    waves: Sequence[Tensor],
    gains_db: Sequence[float] | None = None,
    offsets_s: Sequence[float] | None = None,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> Tensor:
    """The sum of several sounds, each at its own gain and from its own time on.

    Args:
        waves: float [N_i] each.
        gains_db: of each; None is 0.
        offsets_s: seconds of silence before each, from 0 to `LONGEST_OFFSET_S`; None is 0.
        sample_rate_hz: of all.

    Returns:
        Float [N], as long as the one that ends last. Shorter ones are not repeated.

    Raises:
        ValueError: there is no sound, or the numbers of sounds, gains and offsets differ, or a gain or an offset lies
            outside or is no number.
    """
    gains = list(gains_db) if gains_db is not None else [0.0] * len(waves)
    offsets = list(offsets_s) if offsets_s is not None else [0.0] * len(waves)
    if not waves or not len(waves) == len(gains) == len(offsets):
        raise ValueError(f"{len(waves)} sounds, {len(gains)} gains, {len(offsets)} offsets: give one of each a sound")
    for offset in offsets:
        if not 0 <= offset <= LONGEST_OFFSET_S:
            raise ValueError(f"an offset of {offset:g} s: a sound cannot begin before the mix does, or after an hour")
    starts = [round(offset * sample_rate_hz) for offset in offsets]
    mixed = torch.zeros(max(start + len(wave) for start, wave in zip(starts, waves, strict=True)))
    for start, wave, db in zip(starts, waves, gains, strict=True):
        mixed[start : start + len(wave)] += gain(wave.float(), db)
    return mixed


__all__ = ["LONGEST_OFFSET_S", "gain", "mix"]
