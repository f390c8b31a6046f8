"""ImageBind's encoders of sounds and of pictures (Girdhar et al. 2023), in the space of CLIP ViT-H's embeddings.

With their default arguments they are those of the published `imagebind_huge`.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window

CLIPS, CLIP_S = 3, 2
"""So many pieces of so many seconds are heard of a sound, evenly from its start to its end."""
FBANK_MEAN, FBANK_STD = -4.268, 9.138
LARGEST_SCALE = 100.0


class ImageBindAudio(nn.Module):
    """A ViT over overlapping patches of filter banks.

    Args:
        dim: of an embedding.
        width: of a token.
        depth: blocks.
        heads: of attention.
        bands: of the mel scale.
        frames: of 10 ms, of a piece of sound; shorter ones are filled up with zeros.
        patch_px: side of a patch.
        stride: from patch to patch, smaller than `patch_px` where they overlap.
    """

    def __init__(
        self,
        dim: int = 1024,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        bands: Annotated[int, Field(le=4096)] = 128,
        frames: Annotated[int, Field(le=4096)] = 204,
        patch_px: int = 16,
        stride: int = 10,
    ) -> None:
        super().__init__()
        self.dim, self.bands, self.frames = dim, bands, frames
        count = math.prod((side - patch_px) // stride + 1 for side in (bands, frames))
        self.patches = nn.Conv2d(1, width, patch_px, stride, bias=False)
        self.patch_norm = nn.LayerNorm(width)
        self.start = nn.Parameter(torch.zeros(1, 1, width))
        self.place = nn.Parameter(torch.zeros(1, 1 + count, width))
        # A learned key and value stand beside those of the tokens.
        self.blocks = nn.ModuleList(_Block(width, heads, bias_kv=True) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, dim, bias=False)
        self.log_scale: Tensor
        self.register_buffer("log_scale", torch.tensor(math.log(20.0)))

    def forward(self, pieces: Tensor) -> Tensor:
        """Standardised filter banks [B, S, bands, frames] of pieces of sounds -> [B, dim].

        The embedding of a piece has the length of the published scale, 20; that of a sound is their mean.
        """
        x = self.patch_norm(self.patches(pieces.flatten(0, 1)[:, None]).flatten(2).transpose(1, 2))
        x = torch.cat([self.start.expand(len(x), -1, -1), x], 1) + self.place
        for block in self.blocks:
            x = block(x)
        z = F.normalize(self.head(self.norm(x)[:, 0]), dim=-1) * self.log_scale.exp().clamp_max(LARGEST_SCALE)
        return z.unflatten(0, pieces.shape[:2]).mean(1)

    @torch.inference_mode()
    def encode(self, wave: Tensor, window_s: float, batch_size: int = 16) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window -> embeddings [B, dim] on the CPU."""
        weight = self.head.weight
        heard = fit_window(wave, round(window_s * SAMPLE_RATE_HZ))
        parts = [
            self(fbank(part, self.bands, self.frames).to(weight.device, weight.dtype)).float().cpu()
            for part in heard.split(batch_size)
        ]
        return torch.cat(parts) if parts else torch.empty(0, self.dim)


class ImageBindVision(nn.Module):
    """A ViT over patches of pictures.

    Args:
        dim: of an embedding.
        width: of a token.
        depth: blocks.
        heads: of attention.
        image_px: side of the pictures.
        patch_px: side of a patch.
    """

    def __init__(
        self,
        dim: int = 1024,
        width: int = 1280,
        depth: int = 32,
        heads: int = 16,
        image_px: Annotated[int, Field(le=4096)] = 224,
        patch_px: int = 14,
    ) -> None:
        super().__init__()
        self.dim, self.image_px = dim, image_px
        # Theirs is of two frames of a video; a picture is shown twice, so that one sum of both is enough.
        self.patches = nn.Conv2d(3, width, patch_px, patch_px, bias=False)
        self.start = nn.Parameter(torch.zeros(1, 1, width))
        self.place = nn.Parameter(torch.zeros(1, 1 + (image_px // patch_px) ** 2, width))
        self.first_norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.ModuleList(_Block(width, heads, bias_kv=False) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, dim, bias=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, image_px, image_px], standardised as CLIP's -> [B, dim] of unit norm."""
        x = self.patches(pictures).flatten(2).transpose(1, 2)
        x = self.first_norm(torch.cat([self.start.expand(len(x), -1, -1), x], 1) + self.place)
        for block in self.blocks:
            x = block(x)
        return F.normalize(self.head(self.norm(x[:, 0])), dim=-1)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, bias_kv: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attention = nn.MultiheadAttention(width, heads, add_bias_kv=bias_kv, batch_first=True)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, width] -> same."""
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return out


def fbank(wave: Tensor, bands: int, frames: int) -> Tensor:
    """Waveform float [B, N] in [-1, 1] at 16 kHz -> standardised log-mel filter banks [B, CLIPS, bands, frames]."""
    from torchaudio.compliance.kaldi import fbank as kaldi

    size = CLIP_S * SAMPLE_RATE_HZ
    starts = [max(wave.shape[1] - size, 0) * i // (CLIPS - 1) for i in range(CLIPS)]
    rows = []
    for one in wave.float().cpu():
        for start in starts:
            piece = one[None, start : start + size]
            found = kaldi(
                piece - piece.mean(), htk_compat=True, sample_frequency=SAMPLE_RATE_HZ, use_energy=False,
                window_type="hanning", num_mel_bins=bands, dither=0.0, frame_length=25, frame_shift=10,
            )[:frames]  # fmt: skip
            rows.append(F.pad(found, (0, 0, 0, frames - len(found))).T)
    return ((torch.stack(rows) - FBANK_MEAN) / FBANK_STD).unflatten(0, (len(wave), CLIPS))


__all__ = ["ImageBindAudio", "ImageBindVision", "fbank"]
