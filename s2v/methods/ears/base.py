"""What every audio encoder can be asked for."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Ear(Protocol):
    """An audio encoder."""

    dim: int
    """D, size of a feature."""

    def encode(self, wave: Tensor, window_s: float) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window -> raw features [B, D] on the CPU."""
        ...


__all__ = ["Ear"]
