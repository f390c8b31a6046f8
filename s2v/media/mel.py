"""A sound as a grey picture: mel bands in decibels below the loudest, brought to a number of columns, in [-1, 1].

The front end of systems that see a spectrogram as a picture, S2I, Pedersoli et al. and Lee et al.: numbers are those of
`librosa.power_to_db(mel, ref=max)`. The volume of a clip does not show in it. librosa's own floor of 1e-10 is absolute,
and lets that of very soft sounds through; here the power is divided by its maximum first.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor

from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window

TINY = torch.finfo(torch.float32).tiny


@functools.lru_cache(maxsize=8)
def _power(n_fft: int, hop: int, bands: int) -> torchaudio.transforms.MelSpectrogram:
    # Slaney's scale and norm are librosa's.
    return torchaudio.transforms.MelSpectrogram(
        SAMPLE_RATE_HZ, n_fft, hop_length=hop, n_mels=bands, pad_mode="constant", norm="slaney", mel_scale="slaney"
    )


def mel_picture(
    wave: Tensor, *, window_s: float, n_fft: int, hop: int, bands: int, columns: int, range_db: float
) -> Tensor:
    """Waveform float or int16 [B, N] at 16 kHz, tiled or cut to the window -> float32 [B, bands, columns].

    Args:
        wave: the sound, of any level: a gain changes nothing.
        window_s: seconds that are heard.
        n_fft: samples of a frame (Hann window).
        hop: samples between frames.
        bands: mel bands, the lowest first.
        columns: of the result; frames are brought to as many by one antialiased resize.
        range_db: what lies as far below the loudest is -1, the loudest is 1. Silence is -1 throughout.
    """
    # The level goes at once: single precision then has as many digits for a soft sound as for a loud one.
    wave = wave.float() / wave.float().abs().amax(1, keepdim=True).clamp_min(TINY)
    window = fit_window(wave, round(window_s * SAMPLE_RATE_HZ))
    power: Tensor = _power(n_fft, hop, bands)(window.cpu()).to(window.device)
    relative = power / power.amax((1, 2), keepdim=True).clamp_min(TINY)
    grey = 10 * relative.clamp_min(10 ** (-range_db / 10)).log10() / range_db * 2 + 1
    shown = F.interpolate(grey[:, None], (bands, columns), mode="bilinear", antialias=True, align_corners=False)
    return shown[:, 0].clamp(-1, 1)


__all__ = ["mel_picture"]
