"""Clips that decode well and yet hold nothing to learn from: too short, silent, black, still."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from s2v.errors import Reason
from s2v.media.decode import Decoded, Wave
from s2v.media.diagnosis import ClipError
from s2v.media.frames import Pictures

_LOUDNESS_WINDOW_S = 0.05


def loudest_dbfs(wave: Wave, sample_rate_hz: int) -> float:
    """RMS of the loudest 50 ms around their mean, in dB of full scale (a full-scale square wave is 0, silence -inf).

    A constant is silence, as it is to the spectrogram, which takes the mean off each frame.
    """
    window = max(1, round(_LOUDNESS_WINDOW_S * sample_rate_hz))
    if len(wave) == 0:
        return float("-inf")
    padded = np.pad(wave.astype(np.float64) / 32768.0, (0, -len(wave) % window), "edge")
    power = float(padded.reshape(-1, window).var(axis=1).max())
    return 10.0 * float(np.log10(power)) if power > 0 else float("-inf")


def brightest_mean(pictures: Pictures, enough: float = 1.0) -> float:
    """Mean level (0 to 1) of the brightest picture, or of the first one that has `enough`."""
    return _largest((float(pictures.thumbnail(i).mean()) / 255.0 for i in range(len(pictures))), enough)


def largest_change(pictures: Pictures, enough: float = 1.0) -> float:
    """Largest mean difference (0 to 1) of a picture from the first, or that of the first one that has `enough`."""
    if len(pictures) < 2:
        return 0.0
    first = pictures.thumbnail(0).astype(np.int16)
    changes = (np.abs(pictures.thumbnail(i) - first).mean() / 255.0 for i in range(1, len(pictures)))
    return _largest(map(float, changes), enough)


def _largest(values: Iterable[float], enough: float) -> float:
    """Largest value; what comes after one that is enough is not looked at."""
    largest = 0.0
    for value in values:
        largest = max(largest, value)
        if largest >= enough:
            break
    return largest


def check_content(
    decoded: Decoded,
    *,
    min_duration_s: float,
    silence_dbfs: float,
    black_level: float,
    still_difference: float = 0.0,
    need_audio: bool,
) -> None:
    """Refuse a clip that holds nothing to learn from.

    Raises:
        ClipError: too_short, silent (only where sound is needed), black or still.
    """
    if decoded.duration_s < min_duration_s - 1e-9:
        raise ClipError(Reason.TOO_SHORT, f"{decoded.duration_s:.2f} s, shorter than {min_duration_s:g} s")
    if need_audio and decoded.wave is not None:
        level = loudest_dbfs(decoded.wave, decoded.sample_rate_hz)
        if level < silence_dbfs:
            raise ClipError(Reason.SILENT, f"loudest 50 ms at {level:.1f} dBFS, below {silence_dbfs:g}")
    brightest = brightest_mean(decoded.pictures, black_level)
    if brightest < black_level:
        raise ClipError(Reason.BLACK, f"brightest frame's mean is {brightest:.3f}, below {black_level:g}")
    if still_difference > 0:
        change = largest_change(decoded.pictures, still_difference)
        if change < still_difference:
            raise ClipError(Reason.STILL, f"frames differ from the first by {change:.4f}, below {still_difference:g}")
