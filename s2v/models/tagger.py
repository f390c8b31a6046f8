"""An audio tagger, trained here: what AudioToken hears with where BEATs' weights are not there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.spectrogram import encoder_input
from s2v.models.bounds import Hearing
from s2v.models.resnet import ResNet

STAGES_HEARD = 3
"""Last stages whose maps are joined, as three layers of BEATs are in AudioToken."""


class AudioTagger(nn.Module):
    """ResNet-10 on the log-spectrogram, and a linear classifier.

    Args:
        class_names: that it tells apart.
        width: channels of its first layer.
        audio: n_fft, hop, log_floor, sample_rate_hz and window_s of the spectrogram.
    """

    def __init__(self, class_names: list[str], width: int, audio: Hearing) -> None:
        super().__init__()
        self.class_names, self.audio = class_names, audio
        self.backbone = ResNet(10, width, in_channels=1)
        self.classify = nn.Linear(self.backbone.dim, len(class_names))
        self.dim = width * (2 + 4 + 8)
        """Of a moment's features."""

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Standardised log-spectrogram [B, F, T] -> logits of the classes [B, K]."""
        logits: Tensor = self.classify(self.backbone(spectrogram[:, None]))
        return logits

    def moments(self, spectrogram: Tensor) -> Tensor:
        """Standardised log-spectrogram [B, F, T] -> features over time [B, T', dim].

        Of the last three stages, each averaged over frequency and brought to the last one's steps of time.
        """
        maps = [stage.mean(2) for stage in self.backbone.stages(spectrogram[:, None])[-STAGES_HEARD:]]
        joined = torch.cat([F.adaptive_avg_pool1d(one, maps[-1].shape[-1]) for one in maps], 1)
        return joined.transpose(1, 2)

    def spectrogram(self, wave: Tensor, window_s: float | None = None) -> Tensor:
        """Waveform float [B, N] in [-1, 1] at 16 kHz -> standardised log-spectrogram [B, F, T]."""
        return encoder_input(wave, **{**self.audio, "window_s": window_s or self.audio["window_s"]})

    @torch.no_grad()
    def name(self, wave: Tensor, window_s: float | None = None) -> list[str]:
        """Waveform float [B, N] at 16 kHz -> the likeliest class of each."""
        spectrogram = self.spectrogram(wave.to(self.classify.weight.device), window_s)
        return [self.class_names[i] for i in self(spectrogram).argmax(1).tolist()]


__all__ = ["AudioTagger"]
