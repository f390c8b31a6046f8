"""Resemblyzer's speaker encoder (GE2E, Wan et al. 2018): an LSTM that hears stretches of 1.6 s."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.spectrogram import SAMPLE_RATE_HZ

N_FFT, HOP, BANDS = 400, 160, 40
"""Of its mel spectrogram: 25 ms every 10 ms."""
FRAMES, STEP = 160, 77
"""Of a stretch, and between the beginnings of two: 1.3 a second."""
LEAST_COVERED = 0.75
"""A last stretch that less of the sound reaches into is left out."""
QUIETEST_DBFS = -30.0


class Resemblyzer(nn.Module):
    """Three LSTM layers, a linear one, a ReLU.

    Args:
        hidden: numbers of the LSTM, and of the embedding; 256 as published.
    """

    def __init__(self, hidden: int = 256) -> None:
        super().__init__()
        self.dim = hidden
        self.lstm = nn.LSTM(BANDS, hidden, 3, batch_first=True)
        self.linear = nn.Linear(hidden, hidden)

    def forward(self, mel: Tensor) -> Tensor:
        """Stretches [B, T, 40] of a mel spectrogram -> embeddings [B, dim] of unit norm, none below 0."""
        _, (last, _) = self.lstm(mel)
        return F.normalize(self.linear(last[-1]).relu(), dim=1)

    @torch.inference_mode()
    def embed(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> embeddings [B, dim] of unit norm on the CPU: the mean over stretches.

        A quiet sound is raised to -30 dBFS, as there; silence is not cut out, which there takes a detector of voices.
        """
        starts = _stretches(wave.shape[1])
        rms = wave.square().mean(1, keepdim=True).sqrt().clamp_min(1e-7)
        raised = wave * (10 ** (QUIETEST_DBFS / 20) / rms).clamp_min(1)
        heard = mel(F.pad(raised, (0, max(0, (starts[-1] + FRAMES) * HOP - wave.shape[1])))).to(self.linear.weight)
        parts = [self(heard[:, start : start + FRAMES]) for start in starts]
        return F.normalize(torch.stack(parts).mean(0), dim=1).float().cpu()


def _stretches(n: int) -> list[int]:
    """First frames of the stretches of a sound of n samples."""
    frames = -(-(n + 1) // HOP)
    starts = list(range(0, max(1, frames - FRAMES + STEP + 1), STEP))
    covered = (n - starts[-1] * HOP) / (FRAMES * HOP)
    return starts[:-1] if covered < LEAST_COVERED and len(starts) > 1 else starts


def mel(wave: Tensor) -> Tensor:
    """Waveform float [B, N] at 16 kHz -> power mel spectrogram [B, T, 40] without a logarithm, as librosa's defaults
    have it (Slaney's scale and norm)."""
    from torchaudio.functional import melscale_fbanks

    window = torch.hann_window(N_FFT, device=wave.device)
    spectrum = torch.stft(
        wave.float(), N_FFT, HOP, window=window, center=True, pad_mode="constant", return_complex=True
    )
    banks = melscale_fbanks(
        N_FFT // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, BANDS, SAMPLE_RATE_HZ, norm="slaney", mel_scale="slaney"
    )
    return spectrum.abs().square().transpose(1, 2) @ banks.to(wave.device)


__all__ = ["Resemblyzer", "mel"]
