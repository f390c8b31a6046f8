"""StyleGAN2's generator (Karras et al. 2020) without operators of its own, so that it runs anywhere PyTorch does.

Every layer has a style of its own (W+): pictures of 256 px follow from 14 x 512 numbers, through which a gradient can
be taken. The noise of a layer is fixed, as the published edits have it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.models.bounds import Side

MAPPING_RATE = 0.01
"""Of the published learning rate: weights of the mapping are stored a hundred times larger than they count."""
EPS = 1e-8
MEAN_OF = 4096
"""Latents whose mean style is the middle of truncation."""


class StyleGan2(nn.Module):
    """The generator.

    Args:
        resolution: side of the picture, a power of two from 8.
        dim: of a latent, and of a style.
        mapping: layers from latent to style.
        channels: of the maps of 4 px, 8 px, ...; 512, five times, 256, 128 at 256 px as published.
    """

    def __init__(
        self,
        resolution: Side = 256,
        dim: int = 512,
        mapping: int = 8,
        channels: list[int] = [512, 512, 512, 512, 512, 256, 128],  # noqa: B006
    ) -> None:
        super().__init__()
        if 4 * 2 ** (len(channels) - 1) != resolution or len(channels) < 2:
            raise ValueError(f"{len(channels)} numbers of channels are not of {resolution} px")
        self.resolution, self.dim, self.styles = resolution, dim, 2 * len(channels)
        self.mapping = nn.ModuleList(_Linear(dim, dim, MAPPING_RATE) for _ in range(mapping))
        self.start = nn.Parameter(torch.randn(channels[0], 4, 4))
        self.layers = nn.ModuleList([_Layer(channels[0], channels[0], dim, 4, up=False)])
        self.rgb = nn.ModuleList([_Modulated(channels[0], 3, 1, dim)])
        for i, (n_in, n_out) in enumerate(zip(channels, channels[1:], strict=False)):
            px = 8 * 2**i
            self.layers += [_Layer(n_in, n_out, dim, px, up=True), _Layer(n_out, n_out, dim, px, up=False)]
            self.rgb.append(_Modulated(n_out, 3, 1, dim))
        self.rgb_bias = nn.Parameter(torch.zeros(len(channels), 3))

    def style(self, z: Tensor) -> Tensor:
        """Latents [B, dim] ~ N(0, I) -> styles [B, dim]."""
        w = z * (z.square().mean(1, keepdim=True) + EPS).rsqrt()
        for layer in self.mapping:
            w = _active(layer(w))
        return w

    @torch.no_grad()
    def middle(self, seed: int = 0) -> Tensor:
        """The mean style [dim] of many latents; the published code draws them anew each time."""
        z = torch.randn(MEAN_OF, self.dim, generator=torch.Generator().manual_seed(seed))
        return self.style(z.to(self.start)).mean(0)

    def forward(self, w: Tensor) -> Tensor:
        """Styles [B, styles, dim] -> pictures [B, 3, R, R], mostly in [-1, 1]; they are not clipped."""
        x = self.layers[0](self.start.expand(len(w), -1, -1, -1), w[:, 0])
        picture = self._rgb(0, x, w[:, 1])
        for i in range(1, len(self.rgb)):
            x = self.layers[2 * i - 1](x, w[:, 2 * i - 1])
            x = self.layers[2 * i](x, w[:, 2 * i])
            picture = _twice(picture) + self._rgb(i, x, w[:, 2 * i + 1])
        return picture

    def _rgb(self, i: int, x: Tensor, w: Tensor) -> Tensor:
        out: Tensor = self.rgb[i](x, w)
        return out + self.rgb_bias[i, :, None, None]


class _Linear(nn.Module):
    """A linear map whose weights are stored at unit variance."""

    def __init__(self, n_in: int, n_out: int, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / rate)
        self.bias = nn.Parameter(torch.full((n_out,), bias))
        self.rate, self.scale = rate, rate / math.sqrt(n_in)

    def forward(self, x: Tensor) -> Tensor:
        """[B, n_in] -> [B, n_out]."""
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class _Modulated(nn.Module):
    """A convolution of which a style scales the input channels."""

    def __init__(self, n_in: int, n_out: int, kernel: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, kernel, kernel))
        self.scale = 1 / math.sqrt(n_in * kernel**2)
        self.style = _Linear(dim, n_in, bias=1.0)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [B, n_in, H, W], style w [B, dim] -> [B, n_out, H, W]."""
        return F.conv2d(x * self.style(w)[..., None, None], self.weight * self.scale)


class _Layer(_Modulated):
    """The same of 3 x 3 with its output at unit variance, blurred after upsampling; then noise, bias, activation."""

    def __init__(self, n_in: int, n_out: int, dim: int, px: int, up: bool) -> None:
        super().__init__(n_in, n_out, 3, dim)
        self.up = up
        self.noise: Tensor
        self.register_buffer("noise", torch.randn(px, px))
        self.noise_strength = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [B, n_in, H, W], style w [B, dim] -> [B, n_out, H, W], or twice as large."""
        style, weight = self.style(w), self.weight * self.scale
        # Scaling weights by a style, as published, is scaling input and output; then one kernel serves a whole batch.
        norm = (style.square() @ weight.square().sum((2, 3)).T + EPS).rsqrt()
        x = x * style[..., None, None]
        if self.up:
            x = _blurred(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        else:
            x = F.conv2d(x, weight, padding=1)
        x = x * norm[..., None, None] + self.noise_strength * self.noise
        return _active(x + self.bias[:, None, None])


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def _kernel(x: Tensor) -> Tensor:
    """[1, 3, 3, 1] in both directions for each channel, of sum 4, since three of four values beneath it are zeros."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], device=x.device, dtype=x.dtype) / 4
    return (line[:, None] * line).expand(x.shape[1], 1, 4, 4)


def _blurred(x: Tensor) -> Tensor:
    return F.conv2d(x, _kernel(x), padding=1, groups=x.shape[1])


def _twice(x: Tensor) -> Tensor:
    return F.conv_transpose2d(x, _kernel(x), stride=2, padding=1, groups=x.shape[1])


__all__ = ["StyleGan2"]
