"""f_A: the audio encoder (paper 3.2)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from s2v.media.spectrogram import encoder_input
from s2v.models.bounds import Hearing
from s2v.models.resnet import ResNet


class AudioEncoder(nn.Module):
    """f_A: ResNet-18 on the log-spectrogram, adaptive average pool, head (paper 3.2: linear).

    Args:
        dim: size of the visual feature it is aligned to (2048 for ResNet-50).
        width: 64 in the paper's ResNet-18.
        final_relu: the authors' code ends in a ReLU, as f_V's feature does; the paper does not say so.
        audio: n_fft, hop, log_floor, sample_rate_hz and window_s of the spectrogram.
        head: linear, or fc2: two layers with a ReLU between, the first as wide as the second.
    """

    def __init__(
        self, dim: int, width: int, final_relu: bool, audio: Hearing, head: Literal["linear", "fc2"] = "linear"
    ) -> None:
        super().__init__()
        self.audio, self.dim = audio, dim
        self.backbone = ResNet(18, width, in_channels=1)
        self.head: nn.Module = nn.Linear(self.backbone.dim, dim)
        if head == "fc2":
            self.head = nn.Sequential(nn.Linear(self.backbone.dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.final_relu = final_relu

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Standardised log-spectrogram [B, 257, T] -> raw feature [B, dim]."""
        z: Tensor = self.head(self.backbone(spectrogram[:, None]))
        return z.relu() if self.final_relu else z

    def spectrogram(self, wave: Tensor, window_s: float | None = None) -> Tensor:
        """Waveform float [B, N] in [-1, 1] at 16 kHz -> standardised log-spectrogram [B, 257, T]."""
        return encoder_input(wave, **{**self.audio, "window_s": window_s or self.audio["window_s"]})

    @torch.inference_mode()
    def encode(self, wave: Tensor, window_s: float | None = None, batch_size: int = 32) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> raw features [B, dim] on the CPU."""
        device = next(self.parameters()).device
        parts = [self(self.spectrogram(part.to(device), window_s)).float().cpu() for part in wave.split(batch_size)]
        return torch.cat(parts)


__all__ = ["AudioEncoder"]
