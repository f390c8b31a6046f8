"""S2I (Fanzeres and Nadeu 2023, Appl. Sci. 13:10833): spectrogram autoencoder, generator and discriminator.

Layers are those of the authors' public modules at `width` 64 (and 96 px): kernels, strides, maps, dropout. Other widths
scale the maps, and smaller pictures leave layers out, as each class says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from s2v.models.bounds import Mel
from s2v.models.dropouts import Dropouts

PUBLISHED_WIDTH = 64
BANDS, COLUMNS = 128, 100
"""Of the grey spectrogram."""

ENCODER_MAPS = (80, 176, 192, 224, 272, 304, 352, 416, 512, 512, 512, 512)
"""Of the encoder's layers but the last, which has as many as the embedding has numbers."""
ENCODER_KERNELS = ((7, 5), (5, 3), (5, 3), (5, 3), (5, 3), *[(3, 3)] * 8)
DECODER_KERNELS = (*[(3, 3)] * 8, (5, 3), (5, 3), (5, 3), (5, 4), (8, 6))
DECODER_DROPOUT = (0.15, 0.14, 0.13, 0.12, 0.11, 0.1, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05)

BLOCKS = ((512, 512, 512), (512, 416, 352), (304, 256, 224), (192, 176, 160), (144, 128, 112), (96, 80, 64))
"""Maps of the three layers of each dense block of the generator."""
GENERATOR_DROPOUT = (0.15, 0.13, 0.11, 0.09, 0.07, 0.05)
"""After each transition but the last."""

JUDGED_MAPS = (96, 192, 192, 208, 224, 240, *[256] * 6)
"""Of the discriminator's layers but the last."""
DISCRIMINATOR_DROPOUT = 0.5


def _scaled(maps: Sequence[int], width: int) -> list[int]:
    return [max(1, round(n * width / PUBLISHED_WIDTH)) for n in maps]


def _conv(kind: Any, n_in: int, n_out: int, *shape: Any, bias: bool = True) -> nn.Module:
    """A (transposed) convolution and its batch norm."""
    return nn.Sequential(kind(n_in, n_out, *shape, bias=bias), nn.BatchNorm2d(n_out))


class SpectrogramAutoencoder(nn.Module):
    """Grey spectrogram [B, 1, 128, 100] in [-1, 1] <-> embedding [B, dim] in (-1, 1): 13 layers each way.

    Args:
        dim: numbers of the embedding; 512 in the published generator.
        width: 64 in the published net.
        mel: values of the spectrogram (`s2v.media.mel`).
    """

    def __init__(self, dim: int, width: int, mel: Mel) -> None:
        super().__init__()
        if (mel["bands"], mel["columns"]) != (BANDS, COLUMNS):
            raise ValueError(f"mel: bands and columns are {BANDS} and {COLUMNS}")
        self.dim, self.mel = dim, mel
        maps = [1, *_scaled(ENCODER_MAPS, width), dim]
        self.encoder = nn.ModuleList(
            _conv(nn.Conv2d, n_in, n_out, kernel, 2 if i < 2 else 1)
            for i, (n_in, n_out, kernel) in enumerate(zip(maps, maps[1:], ENCODER_KERNELS, strict=False))
        )
        back = maps[::-1]
        self.decoder = nn.ModuleList(
            _conv(nn.ConvTranspose2d, n_in, n_out, kernel, 2 if i > 10 else 1)
            for i, (n_in, n_out, kernel) in enumerate(zip(back, back[1:], DECODER_KERNELS, strict=False))
        )
        self.dropouts = Dropouts(list(zip(DECODER_DROPOUT, back[1:], strict=False)))

    def encode(self, spectrogram: Tensor) -> Tensor:
        """[B, 1, 128, 100] -> [B, dim]."""
        *layers, last = self.encoder
        x = spectrogram
        for layer in layers:
            x = layer(x).relu()
        return last(x).tanh().flatten(1)

    def decode(self, z: Tensor, dropped: Tensor | None = None) -> Tensor:
        """[B, dim] -> [B, 1, 128, 100]; `dropped` is drawn by `dropouts`."""
        *layers, last = self.decoder
        x = z[..., None, None]
        for layer, kept in zip(layers, self.dropouts.split(dropped), strict=True):
            x = layer(x).relu() * kept
        return last(x).tanh()

    @torch.inference_mode()
    def embed(self, spectrograms: Tensor, batch_size: int = 64) -> Tensor:
        """Grey spectrograms [N, 128, 100] -> embeddings [N, dim] on the CPU."""
        device = next(self.parameters()).device
        parts = [self.encode(part[:, None].float().to(device)).float().cpu() for part in spectrograms.split(batch_size)]
        return torch.cat(parts)


def growth(resolution: int) -> list[int]:
    """What each transition after the first does to the side of 2 px: 1 adds 2, 2 doubles. 96 px: 4, 6, 12 ... 96."""
    side, doubled = resolution, 0
    while side % 2 == 0 and side > 6:
        side, doubled = side // 2, doubled + 1
    if side not in (4, 6):
        raise ValueError(f"resolution: {resolution} px cannot be reached; allowed: 4 or 6 times a power of two")
    grown = [1] * (side // 2 - 1) + [2] * doubled
    if not 2 <= len(grown) <= len(BLOCKS):
        raise ValueError(f"resolution: {resolution} px is out of reach; allowed: 8 to 128")
    return grown


class S2iGenerator(nn.Module):
    """Embedding [B, dim] -> picture [B, 3, R, R]: a 2 x 2 map, then dense blocks with a transition after each.

    The published one makes 96 px in six blocks; fewer pixels take the first of them. Its only randomness is dropout,
    which the authors keep on when pictures are made.

    Args:
        resolution: R; 96 in the published net.
        dim: numbers of the embedding.
        width: 64 in the published net.
    """

    def __init__(self, resolution: int, dim: int, width: int) -> None:
        super().__init__()
        self.resolution, self.dim = resolution, dim
        grown = growth(resolution)
        maps = [_scaled(block, width) for block in BLOCKS[: len(grown)]]
        self.blocks = nn.ModuleList()
        self.transitions = nn.ModuleList([_conv(nn.ConvTranspose2d, dim, maps[0][0], 2)])
        into = maps[0][0]
        for i, ((a, b, c), way) in enumerate(zip(maps, grown, strict=True)):
            layers = [(into, a), (a, b), (a + b, c)]
            self.blocks.append(nn.ModuleList(_conv(nn.ConvTranspose2d, *layer, 3, 1, 1) for layer in layers))
            into = c if i + 1 < len(maps) else 3
            # Both kernels end on whole sides: s + 2, or 2 s.
            shape = (3, 1, 0) if way == 1 else (4, 2, 1)
            self.transitions.append(_conv(nn.ConvTranspose2d, a + b + c, into, *shape))
        widths = [maps[0][0], *(block[2] for block in maps[:-1])]
        self.dropouts = Dropouts(list(zip(GENERATOR_DROPOUT, widths, strict=False)))

    def forward(self, z: Tensor, dropped: Tensor | None = None) -> Tensor:
        """Pictures in (-1, 1); `dropped` is drawn by `dropouts`."""
        kept = list(self.dropouts.split(dropped))
        x = self.transitions[0](z[..., None, None]).relu() * kept[0]
        last = len(self.blocks) - 1
        for i, (block, transition) in enumerate(zip(self.blocks, self.transitions[1:], strict=True)):
            one, two, three = cast(nn.ModuleList, block)
            first = one(x).relu()
            second = two(first).relu()
            third = three(torch.cat([first, second], 1)).relu()
            x = transition(torch.cat([first, second, third], 1))
            x = x.tanh() if i == last else x.relu() * kept[i + 1]
        return x


class S2iDiscriminator(nn.Module):
    """Pictures [B, 3, R, R] and embeddings [B, dim] -> scores [B] in (-1, 1).

    Two layers of stride 2, then as many without padding as bring the map to 2 x 2, where the embedding joins: ten of
    96 px, two of 32.

    Args:
        resolution: R; 96 in the published net.
        dim: numbers of the embedding, a multiple of 4.
        width: 64 in the published net.
    """

    def __init__(self, resolution: int, dim: int, width: int) -> None:
        super().__init__()
        if dim % 4:
            raise ValueError(f"dim: {dim} is no multiple of 4, which the discriminator's 2 x 2 map takes")
        side = ((resolution - 5) // 2 + 1 - 3) // 2 + 1
        if side < 2 or side % 2 or side > 22:
            raise ValueError(f"resolution: the discriminator cannot take {resolution} px; allowed: 16 to 96, by 8")
        maps = [3, *_scaled(JUDGED_MAPS[: 2 + (side - 2) // 2], width)]
        self.layers = nn.ModuleList(
            _conv(nn.Conv2d, n_in, n_out, 5 if i == 0 else 3, 2 if i < 2 else 1, bias=False)
            for i, (n_in, n_out) in enumerate(zip(maps, maps[1:], strict=False))
        )
        self.head = _conv(nn.Conv2d, maps[-1] + dim // 4, 1, 2, bias=False)
        self.dropouts = Dropouts([(DISCRIMINATOR_DROPOUT, n) for n in maps[1:]])

    def forward(self, images: Tensor, z: Tensor, dropped: Tensor | None = None) -> Tensor:
        """Scores; `dropped` is drawn by `dropouts`."""
        x = images
        for layer, kept in zip(self.layers, self.dropouts.split(dropped), strict=True):
            x = layer(x).relu() * kept
        return self.head(torch.cat([x, z.view(len(z), -1, 2, 2)], 1)).tanh().flatten()


__all__ = ["S2iDiscriminator", "S2iGenerator", "SpectrogramAutoencoder", "growth"]
