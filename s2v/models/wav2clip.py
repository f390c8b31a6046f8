"""Wav2CLIP (Wu et al. 2022): a sound to the space of CLIP ViT-B/32, in the publisher's layout. For evaluation alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from s2v.models.resnet import ResNet

N_FFT, HOP, FLOOR = 512, 353, 1e-7
DIM = 512


class Wav2Clip(nn.Module):
    """ResNet-18 on the log power spectrogram, standardised as a whole, average pool, two layers with a ReLU between.

    11,170,240 parameters of the ResNet and 525,312 of the layers. The rate is 16 kHz, as that of its frames (16,000
    samples) in the publisher's page; the spectrogram is that of torchaudio (Hann window, centred, reflected ends).
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = ResNet(18, in_channels=1)
        self.transform = nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, DIM))
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.window: Tensor

    def spectrogram(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz, N > 256 -> [B, 257, T], each of mean 0 and deviation 1."""
        found = torch.stft(wave, N_FFT, HOP, window=self.window, center=True, pad_mode="reflect", return_complex=True)
        x = (found.abs().square() + FLOOR).log()
        return (x - x.mean((1, 2), keepdim=True)) / (x.std((1, 2), keepdim=True) + 1e-9)

    def forward(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> [B, 512], in the space of CLIP ViT-B/32, not of unit norm."""
        y: Tensor = self.transform(self.backbone(self.spectrogram(wave)[:, None]))
        return y


__all__ = ["DIM", "Wav2Clip"]
