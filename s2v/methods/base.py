"""The interface that every way from a sound (or a frame) to a picture has, and the noise they share."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import EmbedUnclipConfig, GenerateConfig
    from s2v.config.methods import Entry


class Unsupported(UserError):
    """A method was asked for a part that it does not have."""


@dataclass(frozen=True)
class Sources:
    """What a method may be made of.

    Attributes:
        config: how pictures are drawn.
        parts: folders of the trained things that its entry names, {part: folder}.
        packs: shards of the clips that pictures are made for.
        train_packs: shards of the train split.
        device: where nets go.
        settings: of somebody else's method: its defaults, and what `generate.settings.<name>` says otherwise.
        embed_unclip: how Stable unCLIP's image encoder sees.
    """

    config: GenerateConfig
    parts: Mapping[str, Path] = field(default_factory=dict)
    packs: Sequence[Path] = ()
    train_packs: Sequence[Path] = ()
    device: torch.device | str = "cpu"
    settings: Mapping[str, Any] = field(default_factory=dict)
    embed_unclip: EmbedUnclipConfig | None = None

    def part(self, name: str) -> Path:
        """Folder of a trained thing.

        Raises:
            UserError: it is not given.
        """
        if name not in self.parts:
            raise UserError(f"the method needs the part {name!r}; given are: {', '.join(self.parts) or 'none'}")
        return self.parts[name]


class Method(Protocol):
    """A row of a table. `encode_*` gives a condition, `decode` makes pictures of conditions."""

    entry: Entry
    image_px: int
    """Side at which `encode_image` wants pictures; others are resized. A method that only hears needs none."""
    resolution: int
    """R, side of the pictures that `decode` makes."""

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz, in [-1, 1] -> condition [B, D]."""
        ...

    def encode_image(self, image: Tensor) -> Tensor:
        """Picture [B, 3, H, W] in [-1, 1] -> condition [B, D]."""
        ...

    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """Conditions [B, D] and one noise seed each -> pictures [B, 3, R, R] in [-1, 1]."""
        ...


class ToldMethod(Method, Protocol):
    """An oracle: it is told the names of classes (`Entry.told`)."""

    def encode_names(self, names: list[str]) -> Tensor:
        """Names of classes -> condition [B, D]."""
        ...


def clip_seed(seed: int, clip_id: str) -> int:
    """Noise seed of a clip under a generation seed, 0 <= s < 2^63; so the order of clips changes nothing."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{clip_id}".encode()).digest()[:8], "big") >> 1


def noise(seeds: list[int], dim: int, truncation: float = 0.0) -> Tensor:
    """Noise N(0, I) [B, dim], row i from seed i alone.

    Args:
        seeds: one per row.
        dim: size of the generator's noise.
        truncation: 0 is off (as in the paper); otherwise the normal cut at +- this many standard deviations.
    """
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        if truncation:
            bound = math.erf(truncation / math.sqrt(2))
            uniform = torch.rand(dim, generator=generator, dtype=torch.float64) * 2 - 1
            rows.append((math.sqrt(2) * torch.erfinv(uniform * bound)).float())
        else:
            rows.append(torch.randn(dim, generator=generator))
    return torch.stack(rows) if rows else torch.empty(0, dim)


__all__ = ["Method", "Sources", "ToldMethod", "Unsupported", "clip_seed", "noise"]
