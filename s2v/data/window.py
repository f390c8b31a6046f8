"""The part of a clip's sound that is heard, where it is longer than the window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s2v.data.reader import Sample, decode_record, decoded
from s2v.errors import UserError


@dataclass(frozen=True)
class Window:
    """Where a window lies in a clip.

    Attributes:
        at: `start` of the clip, or around the `moment` of its chosen frame, as far as the clip goes.
        seconds: its length.
        rate_hz: of the sounds.
    """

    at: str
    seconds: float
    rate_hz: int

    def of(self, tar: Path | str, sample: Sample, wave: NDArray[np.int16]) -> NDArray[np.int16]:
        """A waveform [N] from where the window begins; what lies behind its end is kept.

        Raises:
            UserError: the window is to lie around the moment, and the clip's record names none.
        """
        if self.at == "start":
            return wave
        record: dict[str, Any] = decoded(tar, sample, "json", decode_record) if "json" in sample else {}
        chosen, fps = record.get("chosen"), record.get("fps")
        if not isinstance(chosen, int) or not isinstance(fps, (int, float)) or fps <= 0 or not 0 <= chosen < 2**31:
            raise UserError(
                f"{tar}: clip {sample['__key__']} names no chosen frame to hear the sound around; take window_at: start"
            )
        half_s = self.seconds / 2
        start = round(((chosen + 0.5) / fps - half_s) * self.rate_hz)
        return wave[max(0, min(start, len(wave) - round(self.seconds * self.rate_hz))) :]


__all__ = ["Window"]
