"""Pedersoli et al. 2022 (arXiv 2208.02337): a VQ-VAE of pictures, and a net from a sound to its map of codes.

Layers are those of the authors' public modules at `hidden` 128 and `width` 64. They make depth and segmentation maps;
RGB is our reading, and so is a sound of one channel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from s2v.media.picture import to_unit
from s2v.models.bounds import Mel, Side
from s2v.models.dropouts import Dropouts
from s2v.models.resnet import ResNet

SHAPE = ("resolution", "code_px", "hidden", "residual_hidden", "residual_layers", "codes", "code_dim")
"""What the configuration says of a `VqVae`."""


class _Residual(nn.Module):
    """A 3x3 and a 1x1 convolution beside a shortcut, then a ReLU."""

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(hidden, inner, 3, 1, 1), nn.ReLU(), nn.Conv2d(inner, hidden, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.block(x)).relu()


class VqVae(nn.Module):
    """Pictures [B, 3, R, R] in [-1, 1] <-> maps of codes [B, D, h, h] (van den Oord et al. 2017).

    Args:
        resolution: R; 256 in the published net.
        code_px: h; 32 in the published net. R / h is a power of two, 4 or more.
        hidden: maps of the inner layers; the first has half of them.
        residual_hidden: maps within a residual layer.
        residual_layers: how many there are.
        codes: how many codes there are.
        code_dim: D, numbers of a code.
    """

    def __init__(
        self,
        resolution: Side,
        code_px: int,
        hidden: int,
        residual_hidden: int,
        residual_layers: int,
        codes: int,
        code_dim: int,
    ) -> None:
        super().__init__()
        halvings = int(math.log2(resolution / code_px))
        if halvings < 2 or code_px * 2**halvings != resolution:
            raise ValueError(
                f"code_px: {resolution} px cannot be halved to {code_px}; allowed: a quarter, an eighth ..."
            )
        self.resolution, self.code_px, self.code_dim = resolution, code_px, code_dim
        maps = [3, hidden // 2, *[hidden] * (halvings - 1)]
        down: list[nn.Module] = [nn.BatchNorm2d(3)]
        for n_in, n_out in zip(maps, maps[1:], strict=False):
            down += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.ReLU()]
        down += [_Residual(hidden, residual_hidden) for _ in range(residual_layers)]
        self.encoder = nn.Sequential(*down, nn.Conv2d(hidden, code_dim, 1))
        up: list[nn.Module] = [nn.Conv2d(code_dim, hidden, 3, 1, 1)]
        up += [_Residual(hidden, residual_hidden) for _ in range(residual_layers)]
        for n_in, n_out in zip(maps[:1:-1], maps[-2:0:-1], strict=True):
            up += [nn.ConvTranspose2d(n_in, n_out, 4, 2, 1), nn.ReLU()]
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(hidden // 2, 3, 4, 2, 1))
        self.codes = nn.Parameter(torch.empty(codes, code_dim).uniform_(-1 / codes, 1 / codes))

    def quantise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest code of each place: their map [B, D, h, h], and their numbers [B, h, h]."""
        flat = z.movedim(1, -1)
        numbers = torch.cdist(flat.flatten(0, -2).float(), self.codes.float()).argmin(1).view(flat.shape[:-1])
        return self.codes[numbers].movedim(-1, 1), numbers

    @torch.inference_mode()
    def latents(self, images: Tensor, batch_size: int = 64) -> Tensor:
        """uint8 [N, 3, R, R] -> latents before they are quantised, [N, D, h, h] on the CPU."""
        parts = [self.encoder(to_unit(part).to(self.codes.device)).float().cpu() for part in images.split(batch_size)]
        return torch.cat(parts)

    @torch.inference_mode()
    def decode(self, z: Tensor, batch_size: int = 64) -> Tensor:
        """Latents [N, D, h, h], which are quantised, -> pictures [N, 3, R, R] in [-1, 1] on the CPU."""
        parts = [self.decoder(self.quantise(part.to(self.codes.device))[0]) for part in z.split(batch_size)]
        return torch.cat(parts).float().clamp(-1, 1).cpu()


class AudioToCodes(nn.Module):
    """Mel spectrogram [B, bands, columns] -> latents [B, D, h, h] of the VQ-VAE: batch norm, ResNet without
    pretraining, three 1x1 convolutions, transposed convolutions from 1 x 1 up.

    Args:
        code_px: h, a power of two.
        code_dim: D.
        depth: of the ResNet; 18 in the published net.
        width: of the ResNet, and the least of the layers after it; 64 in the published net.
        dropout: between the 1x1 convolutions; 0.2 in the published net.
        mel: values of the spectrogram (`s2v.media.mel`).
    """

    def __init__(self, code_px: int, code_dim: int, depth: int, width: int, dropout: float, mel: Mel) -> None:
        super().__init__()
        doublings = int(math.log2(code_px))
        if 2**doublings != code_px or not 0 <= dropout < 1 or depth not in (10, 18):
            raise ValueError("code_px is a power of two, dropout at least 0 and below 1, depth 10 or 18")
        self.mel, self.latent = mel, (code_dim, code_px, code_px)
        self.norm = nn.BatchNorm2d(1)
        self.backbone = ResNet(depth, width, in_channels=1)
        dim = self.backbone.dim
        self.between = nn.ModuleList(
            nn.Sequential(nn.Conv2d(dim, dim, 1, bias=False), nn.BatchNorm2d(dim), nn.ReLU()) for _ in range(3)
        )
        up: list[nn.Module] = []
        for _ in range(doublings):
            half = max(width, dim // 2)
            up += [nn.ConvTranspose2d(dim, half, 4, 2, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU()]
            dim = half
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(dim, code_dim, 1))
        self.dropouts = Dropouts([(dropout, self.backbone.dim)] * 2)

    def forward(self, mel: Tensor, dropped: Tensor | None = None) -> Tensor:
        """Latents; `dropped` is drawn by `dropouts`, in training alone."""
        x = self.backbone(self.norm(mel[:, None]))[..., None, None]
        for layer, kept in zip(self.between, [*self.dropouts.split(dropped), 1.0], strict=True):
            x = layer(x) * kept
        out: Tensor = self.decoder(x)
        return out

    @torch.inference_mode()
    def predict(self, mels: Tensor, batch_size: int = 64) -> Tensor:
        """[N, bands, columns] -> latents [N, D, h, h] on the CPU."""
        device = next(self.parameters()).device
        return torch.cat([self(part.float().to(device)).float().cpu() for part in mels.split(batch_size)])


__all__ = ["SHAPE", "AudioToCodes", "VqVae"]
