"""The audio encoder of Lee et al. (2022), sound-guided image manipulation: sounds in CLIP ViT-B/32's space.

Its spectrogram is relative to the loudest point of the clip, so that how loud a sound is cannot be heard by it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.spectrogram import SAMPLE_RATE_HZ, to_float
from s2v.models.resnet import ResNet

RATE_HZ, FFT, HOP, MEL_BANDS = 44_100, 2048, 512, 128
"""Of librosa's mel spectrogram, whose defaults the authors take."""
FRAMES, RESIZED = 864, 512
RANGE_DB = 80.0
QUIETEST = 1e-10
CLIP_PX = 224


class LeeAudio(nn.Module):
    """A convolution to three channels and a ResNet-18.

    Args:
        width: of the ResNet's first stage; 64 as published.
        dim: of the embedding; CLIP ViT-B/32's 512.
    """

    def __init__(self, width: int = 64, dim: int = 512) -> None:
        super().__init__()
        self.dim = dim
        self.conv = nn.Conv2d(1, 3, 3)
        self.backbone = ResNet(18, width)
        self.head = nn.Linear(self.backbone.dim, dim)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """What `spectrogram` gives, [B, 128, 512] -> embeddings [B, dim], of any length."""
        out: Tensor = self.head(self.backbone(self.conv(spectrogram[:, None])))
        return out

    @torch.inference_mode()
    def encode(self, wave: Tensor, rate_hz: int = SAMPLE_RATE_HZ, batch_size: int = 32) -> Tensor:
        """Waveform float [B, N] -> raw embeddings [B, dim] on the CPU."""
        weight = self.head.weight
        parts = [self(spectrogram(part, rate_hz).to(weight.device)).float().cpu() for part in wave.split(batch_size)]
        return torch.cat(parts) if parts else torch.empty(0, self.dim)


def spectrogram(wave: Tensor, rate_hz: int = SAMPLE_RATE_HZ) -> Tensor:
    """Waveform float [B, N] at `rate_hz` -> [B, 128, 512], in 0 (80 dB below the clip's loudest point) to 1.

    The first 864 frames (10 s) are taken, where the authors' code begins at random; shorter ones are filled up with
    zeros. Their resize has its sides the other way round: the 128 bands become 512 rows and the 864 frames 128 columns,
    and that is read, row by row, as 128 x 512. The net learned from it, so it stays.
    """
    import torchaudio

    heard = torchaudio.functional.resample(to_float(wave), rate_hz, RATE_HZ)
    # A frame reaches half its length to both sides; the mirror wants more samples than that.
    heard = F.pad(heard, (0, max(0, FFT // 2 + 1 - heard.shape[-1])))
    power = torchaudio.transforms.MelSpectrogram(
        RATE_HZ, FFT, hop_length=HOP, n_mels=MEL_BANDS, power=2.0, norm="slaney", mel_scale="slaney", pad_mode="reflect"
    ).to(heard.device)(heard)
    level = 10 * power.clamp_min(QUIETEST).log10()
    loudest = level.amax((1, 2), keepdim=True)
    level = ((level - loudest).clamp_min(-RANGE_DB) / RANGE_DB + 1)[..., :FRAMES]
    level = F.pad(level, (0, FRAMES - level.shape[-1]))
    resized = F.interpolate(level[:, None], (RESIZED, MEL_BANDS), mode="bilinear", align_corners=False)
    return resized.reshape(-1, MEL_BANDS, RESIZED)


def shown_to_clip(pictures: Tensor) -> Tensor:
    """Pictures [B, 3, R, R] in [-1, 1] -> what the authors show CLIP, [B, 3, 224, 224]: resized, and in [-1, 1] still.

    R is a power of two from 32. CLIP's own statistics are not taken off, as in their code.
    """
    return F.avg_pool2d(F.interpolate(pictures, scale_factor=CLIP_PX // 32), pictures.shape[-1] // 32)


__all__ = ["LeeAudio", "shown_to_clip", "spectrogram"]
