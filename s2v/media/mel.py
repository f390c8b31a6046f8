"""A sound as a grey picture: mel bands in decibels below the loudest, brought to a number of columns, in [-1, 1].

The front end of systems that see a spectrogram as a picture. The level of a clip does not show in it.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window


@functools.lru_cache(maxsize=8)
def _bands(n_fft: int, bands: int) -> Tensor:
    from torchaudio.functional import melscale_fbanks

    return melscale_fbanks(n_fft // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, bands, SAMPLE_RATE_HZ, "slaney", "slaney")


def mel_picture(
    wave: Tensor, *, window_s: float, n_fft: int, hop: int, bands: int, columns: int, range_db: float
) -> Tensor:
    """Waveform float or int16 [B, N] at 16 kHz, tiled or cut to the window -> float32 [B, bands, columns].

    Args:
        wave: the sound.
        window_s: seconds that are heard.
        n_fft: samples of a frame (Hann window).
        hop: samples between frames.
        bands: mel bands (Slaney's scale and norm, which are librosa's), the lowest first.
        columns: of the result; frames are brought to as many by one antialiased resize.
        range_db: what lies as far below the loudest is -1, the loudest is 1.
    """
    window = fit_window(wave, round(window_s * SAMPLE_RATE_HZ))
    hann = torch.hann_window(n_fft, device=window.device)
    spectrum = torch.stft(window, n_fft, hop, window=hann, pad_mode="constant", return_complex=True)
    power = torch.einsum("bft,fm->bmt", spectrum.abs().square(), _bands(n_fft, bands).to(window.device))
    level = 10 * power.clamp_min(1e-10).log10()
    grey = ((level - level.amax((1, 2), keepdim=True)) / range_db).clamp(-1, 0) * 2 + 1
    shown = F.interpolate(grey[:, None], (bands, columns), mode="bilinear", antialias=True, align_corners=False)
    return shown[:, 0].clamp(-1, 1)


__all__ = ["mel_picture"]
