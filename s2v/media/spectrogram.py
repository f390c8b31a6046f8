"""Waveform to log-spectrogram: the audio front end of the paper's authors, once, for every stage.

Numbers are those of `scipy.signal.spectrogram(wave, 16000, nperseg=512, noverlap=353)`: Tukey 0.25 window,
mean of each frame removed, one-sided power spectral *density*, no padding; then ln(x + floor). Loudness survives
the per-clip standardisation only through that floor, so nothing here may normalise the level of a waveform.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from s2v.media import SAMPLE_RATE_HZ as SAMPLE_RATE_HZ

N_FFT = 512
HOP = 159
LOG_FLOOR = 1e-7


def n_frames(n_samples: int, n_fft: int = N_FFT, hop: int = HOP) -> int:
    """Spectrogram columns that `n_samples` give (160000 give 1004); 0 when shorter than one frame."""
    return max(0, (n_samples - n_fft) // hop + 1)


def fit_window(wave: Tensor, n_samples: int) -> Tensor:
    """Tile or cut a waveform to `n_samples` and clip it to [-1, 1]; the level is left alone.

    A short clip is repeated from its start as often as needed. (The authors' code repeats ten times, so that
    a clip under a tenth of the window ends short there and does not here.)

    Args:
        wave: [..., N] float in units of full scale, or int16, which is divided by 32768.
        n_samples: length of the result.

    Returns:
        [..., n_samples] float32 in [-1, 1].

    Raises:
        ValueError: the waveform has no samples.
    """
    if wave.shape[-1] == 0:
        raise ValueError("a waveform without samples cannot fill a window")
    repeats = -(-n_samples // wave.shape[-1])
    if repeats > 1:
        wave = wave[..., : min(wave.shape[-1], n_samples)].repeat(*[1] * (wave.ndim - 1), repeats)
    return to_float(wave[..., :n_samples])


def to_float(wave: Tensor) -> Tensor:
    """Waveform as float32 clipped to [-1, 1]; int16 is divided by 32768. Not-a-number becomes silence."""
    scaled = wave.float() / 32768.0 if wave.dtype == torch.int16 else wave.float()
    return torch.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=-1.0).clamp(-1.0, 1.0)


@functools.lru_cache(maxsize=8)
def _window(n_fft: int) -> Tensor:
    # Periodic Tukey window, taper 0.25: that of one sample more, whose last sample is dropped.
    n = torch.arange(n_fft, dtype=torch.float64)
    taper = 0.25 * n_fft / 2
    edge = torch.minimum(n, n_fft - n)
    return torch.where(edge < taper, 0.5 * (1 - torch.cos(torch.pi * edge / taper)), torch.ones_like(n))


def log_spectrogram(
    wave: Tensor,
    n_fft: int = N_FFT,
    hop: int = HOP,
    log_floor: float = LOG_FLOOR,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> Tensor:
    """Natural logarithm of the power spectral density plus a floor.

    Args:
        wave: [B, N] float in [-1, 1].
        n_fft: samples of a frame.
        hop: samples between frames.
        log_floor: added to the density before the logarithm; it alone lets loudness through `standardise`.
        sample_rate_hz: the density is per Hz, so the floor's meaning depends on it.

    Returns:
        [B, n_fft // 2 + 1, T] float32 with T = `n_frames(N)`; 257 x 1004 for ten seconds.

    Raises:
        ValueError: fewer samples than one frame.
    """
    if wave.shape[-1] < n_fft:
        raise ValueError(f"{wave.shape[-1]} samples are less than one spectrogram frame of {n_fft}")
    window = _window(n_fft)
    # One-sided density: every bin but DC and, for even n_fft, Nyquist stands for two.
    sides = torch.full((n_fft // 2 + 1,), 2.0, dtype=torch.float64)
    sides[0] = 1.0
    if n_fft % 2 == 0:
        sides[-1] = 1.0
    scale = (sides / (sample_rate_hz * (window**2).sum())).to(wave.device, torch.float32)
    frames = wave.float().unfold(-1, n_fft, hop)  # [B, T, n_fft]
    frames = (frames - frames.mean(-1, keepdim=True)) * window.to(wave.device, torch.float32)
    spectrum = torch.view_as_real(torch.fft.rfft(frames))
    density = spectrum.square_().sum(-1).mul_(scale)
    return density.add_(log_floor).log_().transpose(-1, -2).contiguous()


def standardise(spectrogram: Tensor) -> Tensor:
    """Subtract the mean of each clip and divide by its standard deviation + 1e-9, as the authors' code does.

    Args:
        spectrogram: [..., F, T] as `log_spectrogram` gives it.

    Returns:
        Same shape, per-clip mean 0 and standard deviation 1 (all 0 for a constant one).
    """
    centred = spectrogram - spectrogram.mean((-2, -1), keepdim=True)
    # A near-silent clip varies by thousandths around ln(floor) = -16, where single precision's mean is too
    # coarse: the mean of what is left is taken off once more.
    centred = centred - centred.mean((-2, -1), keepdim=True)
    return centred / (centred.square().mean((-2, -1), keepdim=True).sqrt() + 1e-9)


def encoder_input(
    wave: Tensor, *, window_s: float, n_fft: int, hop: int, log_floor: float, sample_rate_hz: int
) -> Tensor:
    """What the audio encoder hears of a waveform float or int16 [B, N]: float32 [B, F, T], standardised per clip."""
    window = fit_window(wave, round(window_s * sample_rate_hz))
    return standardise(log_spectrogram(window, n_fft, hop, log_floor))
