"""BigGAN (Brock et al. 2018) conditioned on an instance feature, as in IC-GAN (Casanova et al. 2021).

At resolution 128, 96 channels, two convolutions a block, these are the published networks: their layer names differ,
their shapes and parameter counts do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

if TYPE_CHECKING:
    from s2v.config import GeneratorConfig

G_WIDTHS = {
    32: ([4, 4, 4], [4, 4, 4]),
    64: ([16, 16, 8, 4], [16, 8, 4, 2]),
    128: ([16, 16, 8, 4, 2], [16, 8, 4, 2, 1]),
    256: ([16, 16, 8, 8, 4, 2], [16, 8, 8, 4, 2, 1]),
}
D_WIDTHS = {
    32: [4, 4, 4, 4],
    64: [1, 2, 4, 8, 16],
    128: [1, 2, 4, 8, 16, 16],
    256: [1, 2, 4, 8, 8, 16, 16],
}
D_DOWN = {32: 2, 64: 4, 128: 5, 256: 6}
ATTENTION_AT = {32: 16, 64: 32, 128: 64, 256: 64}
SN_EPS = 1e-6
STANDARD_SPREAD = 0.5
"""Standard deviation of a dimension of a standardised feature; that of the noise is 1."""


def _conv(n_in: int, n_out: int, kernel: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2), eps=SN_EPS)


def _linear(n_in: int, n_out: int, bias: bool = True) -> nn.Module:
    return spectral_norm(nn.Linear(n_in, n_out, bias), eps=SN_EPS)


def _orthogonal(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear | nn.Embedding):
            # Spectral norm keeps the weight that is trained under another name.
            original = part.parametrizations.weight.original if is_parametrized(part) else part.weight  # type: ignore
            nn.init.orthogonal_(cast(Tensor, original))


def fold_spectral_norm(net: nn.Module) -> None:
    """Put each weight of a net that learns no more in place of what spectral norm makes of it at every call.

    The numbers are the same; the names of the weights are no longer those of a training.
    """
    for part in net.modules():
        if is_parametrized(part):
            remove_parametrizations(part, "weight", leave_parametrized=True)


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain (1 + Wg y) and bias (Wb y) follow from the condition y."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=1e-5, affine=False)
        self.gain = _linear(condition, channels, bias=False)
        self.bias = _linear(condition, channels, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x [B, C, H, W], y [B, condition] -> [B, C, H, W]."""
        out: Tensor = self.norm(x) * (1 + self.gain(y))[:, :, None, None] + self.bias(y)[:, :, None, None]
        return out


class SelfAttention(nn.Module):
    """Non-local block of BigGAN: keys and values at half resolution, a learned gate that starts at 0."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.theta = spectral_norm(nn.Conv2d(channels, channels // 8, 1, bias=False), eps=SN_EPS)
        self.phi = spectral_norm(nn.Conv2d(channels, channels // 8, 1, bias=False), eps=SN_EPS)
        self.g = spectral_norm(nn.Conv2d(channels, channels // 2, 1, bias=False), eps=SN_EPS)
        self.o = spectral_norm(nn.Conv2d(channels // 2, channels, 1, bias=False), eps=SN_EPS)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> same."""
        b, c, h, w = x.shape
        theta = self.theta(x).flatten(2)
        phi = F.max_pool2d(self.phi(x), 2).flatten(2)
        g = F.max_pool2d(self.g(x), 2).flatten(2)
        beta = (theta.transpose(1, 2) @ phi).softmax(-1)
        out: Tensor = self.o((g @ beta.transpose(1, 2)).view(b, c // 2, h, w))
        return x + self.gamma * out


class GeneratorBlock(nn.Module):
    """Residual upsampling block; with one convolution for the small default."""

    def __init__(self, n_in: int, n_out: int, condition: int, convs: int, upsample: str) -> None:
        super().__init__()
        self.upsample = upsample
        self.bn1 = ConditionalBatchNorm(n_in, condition)
        self.conv1 = _conv(n_in, n_out, 3)
        self.bn2 = ConditionalBatchNorm(n_out, condition) if convs == 2 else None
        self.conv2 = _conv(n_out, n_out, 3) if convs == 2 else None
        self.shortcut = _conv(n_in, n_out, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x [B, C, H, W], y [B, condition] -> [B, C', 2H, 2W]."""
        h = self.conv1(F.interpolate(F.relu(self.bn1(x, y)), scale_factor=2, mode=self.upsample))
        if self.bn2 is not None and self.conv2 is not None:
            h = self.conv2(F.relu(self.bn2(h, y)))
        # A 1x1 convolution commutes with upsampling, and is four times cheaper before it.
        out: Tensor = h + F.interpolate(self.shortcut(x), scale_factor=2, mode=self.upsample)
        return out


class Generator(nn.Module):
    """G(z, h): noise and a unit-norm instance feature in, a picture in [-1, 1] out.

    Args:
        resolution: side of the picture, 32, 64, 128 or 256.
        channels: width multiplier (96 in the published net).
        dim_z: size of the noise; it is cut into one chunk for the input and one for each block.
        dim_feature: size of the instance feature (2048 for ResNet-50).
        shared_dim: size that the feature is projected to.
        convs: convolutions in a block, 2 as published.
        attention: self-attention at the published resolution.
        feature_input: the first 4x4 map follows from noise and feature, not from noise alone as published. It lets
            the feature decide where things are, which a small net otherwise learns slowly.
        standardise: features are centred and scaled by statistics that `fit_statistics` takes once. Features of one
            data set lie close together, and spectral norm forbids the first layer to spread them, so that the noise
            drowns them until training has been long.
        upsample: how maps grow: nearest, as published, or bilinear, which draws no grid where a small net has little
            else to draw detail with.
    """

    def __init__(
        self,
        resolution: Literal[32, 64, 128, 256] = 128,
        channels: int = 96,
        dim_z: int = 120,
        dim_feature: int = 2048,
        shared_dim: int = 512,
        convs: int = 2,
        attention: bool = True,
        feature_input: bool = False,
        standardise: bool = False,
        upsample: Literal["nearest", "bilinear"] = "nearest",
    ) -> None:
        super().__init__()
        widths_in, widths_out = ([channels * w for w in side] for side in G_WIDTHS[resolution])
        self.resolution, self.dim_feature = resolution, dim_feature
        self.chunk = dim_z // (len(widths_in) + 1)
        self.dim_z = self.chunk * (len(widths_in) + 1)
        condition = shared_dim + self.chunk
        self.standardise = standardise
        if standardise:
            self.feature_mean: Tensor
            self.feature_scale: Tensor
            self.register_buffer("feature_mean", torch.zeros(dim_feature))
            self.register_buffer("feature_scale", torch.ones(()))
        self.shared = _linear(dim_feature, shared_dim)
        self.feature_input = feature_input
        self.input = _linear(self.chunk + (shared_dim if feature_input else 0), widths_in[0] * 16)
        self.blocks = nn.ModuleList(
            GeneratorBlock(a, b, condition, convs, upsample) for a, b in zip(widths_in, widths_out, strict=True)
        )
        index = [4 * 2 ** (i + 1) for i in range(len(widths_in))].index(ATTENTION_AT[resolution])
        self.attention_after = index if attention else -1
        self.attention = SelfAttention(widths_out[index]) if attention else None
        self.head = nn.Sequential(nn.BatchNorm2d(widths_out[-1]), nn.ReLU(), _conv(widths_out[-1], 3, 3))
        _orthogonal(self)

    def fit_statistics(self, features: Tensor) -> None:
        """Take mean and spread of unit-norm features [N, dim_feature]; without `standardise` nothing happens."""
        if self.standardise:
            self.feature_mean.copy_(features.mean(0))
            spread = (features - self.feature_mean).pow(2).mean().sqrt().clamp_min(1e-6)
            self.feature_scale.copy_(STANDARD_SPREAD / spread)

    def forward(self, z: Tensor, h: Tensor) -> Tensor:
        """z [B, dim_z] ~ N(0, I), h [B, dim_feature] of unit norm -> [B, 3, R, R] in [-1, 1]."""
        chunks = z.split(self.chunk, 1)
        feature = self.shared((h - self.feature_mean) * self.feature_scale if self.standardise else h)
        first = torch.cat([feature, chunks[0]], 1) if self.feature_input else chunks[0]
        x = self.input(first).unflatten(1, (-1, 4, 4))
        for i, block in enumerate(self.blocks):
            x = block(x, torch.cat([feature, chunks[i + 1]], 1))
            if self.attention is not None and i == self.attention_after:
                x = self.attention(x)
        out: Tensor = self.head(x).tanh()
        return out


class DiscriminatorBlock(nn.Module):
    """Residual block of D; `preactivation` is off in the first one."""

    def __init__(self, n_in: int, n_out: int, down: bool, preactivation: bool, convs: int) -> None:
        super().__init__()
        self.down, self.preactivation = down, preactivation
        self.conv1 = _conv(n_in, n_out, 3)
        self.conv2 = _conv(n_out, n_out, 3) if convs == 2 else None
        self.shortcut = _conv(n_in, n_out, 1) if down or n_in != n_out else None

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C', H/2, W/2] (or H, W without `down`)."""
        h = self.conv1(F.relu(x) if self.preactivation else x)
        if self.conv2 is not None:
            h = self.conv2(F.relu(h))
        if self.down:
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        out: Tensor = h + (x if self.shortcut is None else self.shortcut(x))
        return out


class Discriminator(nn.Module):
    """D(x, h): a realness score with a projection term on the instance feature."""

    def __init__(
        self,
        resolution: int = 128,
        channels: int = 96,
        dim_feature: int = 2048,
        convs: int = 2,
        attention: bool = True,
    ) -> None:
        super().__init__()
        widths = [channels * w for w in D_WIDTHS[resolution]]
        sides = [resolution // 2 ** min(i + 1, D_DOWN[resolution]) for i in range(len(widths))]
        self.blocks = nn.ModuleList(
            DiscriminatorBlock(a, b, down=i < D_DOWN[resolution], preactivation=i > 0, convs=convs)
            for i, (a, b) in enumerate(zip([3, *widths[:-1]], widths, strict=True))
        )
        self.attention_after = sides.index(ATTENTION_AT[resolution]) if attention else -1
        self.attention = SelfAttention(widths[self.attention_after]) if attention else None
        self.linear = _linear(widths[-1], 1)
        self.embed = _linear(dim_feature, widths[-1])
        _orthogonal(self)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """x [B, 3, R, R] in [-1, 1], h [B, dim_feature] of unit norm -> [B] scores."""
        for i, block in enumerate(self.blocks):
            x = block(x)
            if self.attention is not None and i == self.attention_after:
                x = self.attention(x)
        pooled = F.relu(x).sum((2, 3))
        out: Tensor = self.linear(pooled).squeeze(1) + (self.embed(h) * pooled).sum(1)
        return out


def shape(config: GeneratorConfig, dim_feature: int) -> dict[str, Any]:
    """What a `Generator` is built of, for image features of `dim_feature` numbers."""
    return {
        "resolution": config.resolution,
        "channels": config.channels,
        "dim_z": config.dim_z,
        "dim_feature": dim_feature,
        "shared_dim": config.shared_dim,
        "convs": config.convs_per_block,
        "attention": config.attention,
        "feature_input": config.feature_input,
        "standardise": config.feature_standardise,
        "upsample": config.upsample,
    }
