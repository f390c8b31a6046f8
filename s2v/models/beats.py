"""BEATs (Chen et al. 2022): a transformer over patches of a log-mel spectrogram, here for its layers' outputs.

With its default arguments it is the published iter3+ without the classifier. The order of its patches, and so of what
it gives, is time, then frequency: eight patches of 16 mel bands to every 160 ms.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window

MEL_BANDS = 128
FBANK_MEAN, FBANK_STD = 15.41663, 6.55582
"""Statistics of its training, of filter banks of waveforms in units of 16 bits; the deviation is taken twice."""
WINDOW_S = 10.0
"""What AudioToken hears of a sound that a picture is made of."""


class Beats(nn.Module):
    """Sounds -> the outputs of some of its layers, joined.

    Args:
        width: of a token.
        depth: layers.
        heads: of attention.
        hidden: of the feed-forward part of a layer.
        patch_px: side of a patch of the spectrogram, in frames of 10 ms and in mel bands.
        patch_dim: of a patch before it is brought to `width`.
        kernel: of the convolution over tokens that says where they are.
        groups: of that convolution.
        buckets: that distances between tokens are put into.
        max_distance: from which on all are in the last bucket.
        joined: layers whose outputs are joined, the first is 1; AudioToken's three.
    """

    def __init__(
        self,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        patch_px: int = 16,
        patch_dim: int = 512,
        kernel: int = 128,
        groups: int = 16,
        buckets: int = 320,
        max_distance: int = 800,
        joined: list[int] = [4, 8, 12],  # noqa: B006
    ) -> None:
        super().__init__()
        if width % heads or max(joined, default=0) > depth or not joined:
            raise ValueError(
                f"width {width}, depth {depth}: not of {heads} heads, or without one of the layers {joined}"
            )
        if not 4 <= buckets < 4 * max_distance:
            raise ValueError(f"{buckets} buckets are too few, or too many for distances to {max_distance}")
        self.joined, self.dim = joined, width * len(joined)
        self.buckets, self.max_distance, self.kernel = buckets, max_distance, kernel
        self.patches = nn.Conv2d(1, patch_dim, patch_px, patch_px, bias=False)
        self.patch_norm = nn.LayerNorm(patch_dim)
        self.projection = nn.Linear(patch_dim, width)
        self.place = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups)
        self.norm = nn.LayerNorm(width)
        self.distance = nn.Embedding(buckets, heads)
        self.layers = nn.ModuleList(_Layer(width, heads, hidden, depth) for _ in range(depth))

    def forward(self, fbank: Tensor) -> Tensor:
        """Standardised filter banks [B, T, 128] -> [B, N, dim], N = floor(T / 16) x 8."""
        x = self.patches(fbank[:, None]).flatten(2).transpose(1, 2)
        x = self.projection(self.patch_norm(x))
        # An even kernel gives one too many.
        x = x + F.gelu(self.place(x.transpose(1, 2))[..., : x.shape[1]]).transpose(1, 2)
        x, bias, found = self.norm(x), self._bias(x.shape[1]), {}
        for number, layer in enumerate(self.layers, 1):
            found[number] = x = layer(x, bias)
        return torch.cat([found[number] for number in self.joined], 2)

    @torch.inference_mode()
    def encode(self, wave: Tensor, window_s: float = WINDOW_S, batch_size: int = 8) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window -> [B, N', dim] on the CPU."""
        weight = self.norm.weight
        heard = fit_window(wave, round(window_s * SAMPLE_RATE_HZ))
        parts = [self(fbank(part).to(weight.device, weight.dtype)).float().cpu() for part in heard.split(batch_size)]
        return torch.cat(parts)

    def _bias(self, n: int) -> Tensor:
        """[heads, N, N], of the distance from query to key alone."""
        at = torch.arange(n, device=self.distance.weight.device)
        distance = at[None, :] - at[:, None]
        half, far = self.buckets // 2, distance.abs()
        exact = half // 2
        steps = (far.clamp_min(1).float() / exact).log() / math.log(self.max_distance / exact) * (half - exact)
        bucket = torch.where(far < exact, far, (exact + steps.long()).clamp_max(half - 1))
        return self.distance(bucket + half * (distance > 0)).permute(2, 0, 1)


class _Layer(nn.Module):
    """Attention and feed-forward, each normalised after its shortcut, which is enlarged (DeepNorm)."""

    def __init__(self, width: int, heads: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.heads, self.shortcut = heads, (2 * depth) ** 0.25
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.gate = nn.Linear(width // heads, 8)
        self.gate_scale = nn.Parameter(torch.ones(1, heads, 1, 1))
        self.attention_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.out_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """[B, N, width], bias [heads, N, N] -> [B, N, width]."""
        q, k, v = (
            part(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        # The query says how much distance counts for it.
        reset, update = self.gate(q).unflatten(3, (2, 4)).sum(-1).sigmoid().split(1, 3)
        gate = reset * (update * self.gate_scale - 1) + 2
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=gate * bias)
        x = self.attention_norm(x * self.shortcut + self.out(seen.transpose(1, 2).flatten(2)))
        out: Tensor = self.out_norm(x * self.shortcut + self.fc2(F.gelu(self.fc1(x))))
        return out


def fbank(wave: Tensor) -> Tensor:
    """Waveform float [B, N] in [-1, 1] at 16 kHz -> standardised log-mel filter banks [B, T, 128], 10 ms a frame."""
    from torchaudio.compliance.kaldi import fbank as kaldi

    rows = [
        kaldi(
            one[None] * 2**15, num_mel_bins=MEL_BANDS, sample_frequency=SAMPLE_RATE_HZ, frame_length=25, frame_shift=10
        )
        for one in wave.float().cpu()
    ]
    return (torch.stack(rows) - FBANK_MEAN) / (2 * FBANK_STD)


__all__ = ["Beats", "fbank"]
