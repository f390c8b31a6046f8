"""A sound that is silent makes a picture as any other does, of which it says nothing: that is told in words."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from s2v.media.checks import loudest_dbfs
from s2v.media.diagnosis import one_line
from s2v.media.spectrogram import SAMPLE_RATE_HZ, to_float

SILENT_DBFS = -60.0
"""A sound whose loudest 50 ms lie below this is silent, as `extract.silence_dbfs` has it for clips."""


def silences(sounds: Iterable[tuple[str, Tensor]], window_s: float) -> list[str]:
    """A sentence for each sound that is silent in the part that is heard.

    Args:
        sounds: names, and waveforms [N] at 16 kHz.
        window_s: seconds that are heard.
    """
    said = []
    for name, wave in sounds:
        heard = to_float(wave[: round(window_s * SAMPLE_RATE_HZ)])
        level = loudest_dbfs((heard * 32768).numpy(), SAMPLE_RATE_HZ)
        if level < SILENT_DBFS:
            loudest = f"loudest 50 ms at {level:.1f} dBFS"
            said.append(f"{one_line(name, 100)} is silent ({loudest}): the picture says nothing about it")
    return said


__all__ = ["SILENT_DBFS", "silences"]
