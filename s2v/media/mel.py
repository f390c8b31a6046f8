"""The audio front end of Lee et al. 2022: a mel spectrogram relative to the clip's own maximum, so without its volume.

Numbers are those of `librosa.power_to_db(mel, ref=max) / 80 + 1`. But librosa's floor of 1e-10 is absolute, so that it
lets the volume of very soft sounds through; here the power is divided by its maximum first.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor

RANGE_DB = 80.0
"""What lies this far below the clip's maximum is 0."""


@functools.lru_cache(maxsize=8)
def _mel(sample_rate_hz: int, n_fft: int, hop: int, n_mels: int) -> torchaudio.transforms.MelSpectrogram:
    # librosa's mel scale, on which theirs is.
    return torchaudio.transforms.MelSpectrogram(
        sample_rate_hz, n_fft, hop_length=hop, n_mels=n_mels, norm="slaney", mel_scale="slaney"
    )


def relative_mel(
    wave: Tensor, *, window_s: float, n_fft: int, hop: int, n_mels: int, columns: int | None, sample_rate_hz: int
) -> Tensor:
    """A mel spectrogram in decibels below the clip's maximum, over 80, plus 1.

    Args:
        wave: int16 or float [B, N] of any level; short ones are repeated to the window, long ones cut.
        window_s: seconds.
        n_fft: samples of a frame.
        hop: samples between frames.
        n_mels: F, bands.
        columns: T, to which the frames are resampled; None leaves them.
        sample_rate_hz: of the wave.

    Returns:
        float32 [B, F, T] in [0, 1]; 0 throughout for silence. The same for any gain of the wave.
    """
    n = round(window_s * sample_rate_hz)
    repeats = -(-n // wave.shape[-1])
    wave = wave.float().repeat(1, repeats)[:, :n]
    # The level is taken off at once: single precision then has as many digits for a soft sound as for a loud one.
    wave = wave / wave.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    power: Tensor = _mel(sample_rate_hz, n_fft, hop, n_mels)(wave.cpu()).to(wave.device)
    relative = power / power.amax((1, 2), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    levels = 10 * relative.clamp_min(10 ** (-RANGE_DB / 10)).log10() / RANGE_DB + 1
    if columns is not None and columns != levels.shape[-1]:
        levels = F.interpolate(levels[:, None], (n_mels, columns), mode="bilinear", align_corners=False)[:, 0]
    return levels.clamp(0, 1)


def n_columns(*, window_s: float, hop: int, columns: int | None, sample_rate_hz: int) -> int:
    """T of `relative_mel`."""
    return columns or round(window_s * sample_rate_hz) // hop + 1


__all__ = ["n_columns", "relative_mel"]
