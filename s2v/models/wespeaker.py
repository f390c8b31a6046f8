"""WeSpeaker's speaker encoder ResNet221 (Wang et al. 2023), which the paper's authors hear speech with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from s2v.media.spectrogram import SAMPLE_RATE_HZ

BANDS = 80


class _Block(nn.Module):
    """Three convolutions around a narrow one, and a way past them."""

    def __init__(self, n_in: int, n: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n)
        self.conv2 = nn.Conv2d(n, n, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n)
        self.conv3 = nn.Conv2d(n, 4 * n, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * n)
        self.shortcut = nn.Sequential()
        if stride != 1 or n_in != 4 * n:
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, 4 * n, 1, stride, bias=False), nn.BatchNorm2d(4 * n))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return (self.bn3(self.conv3(y)) + self.shortcut(x)).relu()


class WeSpeaker(nn.Module):
    """A ResNet without pooling before its end; mean and deviation over time; a linear layer. Names are theirs.

    Args:
        depths: blocks of the four stages; those of ResNet221 as published.
        width: channels of the first.
        dim: of the embedding.
    """

    def __init__(self, depths: Sequence[int] = (6, 16, 48, 3), width: int = 32, dim: int = 256) -> None:
        super().__init__()
        self.dim = dim
        self.conv1 = nn.Conv2d(1, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        n_in = width
        for i, depth in enumerate(depths):
            n = width * 2**i
            blocks = [_Block(n_in if j == 0 else 4 * n, n, 2 if i and j == 0 else 1) for j in range(depth)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
            n_in = 4 * n
        self.stages = len(depths)
        self.seg_1 = nn.Linear(2 * n_in * (BANDS // 2 ** (self.stages - 1)), dim)

    def forward(self, banks: Tensor) -> Tensor:
        """Filter banks [B, T, 80] without their mean -> embeddings [B, dim], of any length."""
        x = self.bn1(self.conv1(banks.transpose(1, 2)[:, None])).relu()
        for i in range(self.stages):
            x = getattr(self, f"layer{i + 1}")(x)
        deviation = (x.float().var(-1, correction=min(1, x.shape[-1] - 1)) + 1e-8).sqrt()
        found: Tensor = self.seg_1(torch.cat([x.mean(-1).flatten(1), deviation.flatten(1)], 1))
        return found

    @torch.inference_mode()
    def embed(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> embeddings [B, dim] on the CPU.

        Silence at the ends is heard, too; their command line cuts it off where another network finds no voice.
        """
        return self(filter_banks(wave).to(self.seg_1.weight)).float().cpu()


def filter_banks(wave: Tensor) -> Tensor:
    """Waveform float [B, N] in [-1, 1] at 16 kHz -> log-mel filter banks [B, T, 80] of Kaldi, each less its mean.

    With Hamming's window, as in their training; their command line leaves Kaldi's own.
    """
    from torchaudio.compliance.kaldi import fbank

    rows = [
        fbank(
            one[None] * 2**15, num_mel_bins=BANDS, frame_length=25, frame_shift=10, energy_floor=0.0, dither=0.0,
            sample_frequency=SAMPLE_RATE_HZ, window_type="hamming", use_energy=False,
        )
        for one in wave.float().cpu()
    ]  # fmt: skip
    banks = torch.stack(rows)
    return banks - banks.mean(1, keepdim=True)


__all__ = ["WeSpeaker", "filter_banks"]
