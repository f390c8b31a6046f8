"""The interface that every way from a sound (or a frame) to a picture has, and the noise they share."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import torch
from torch import Tensor

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import EmbedUnclipConfig, SamplerConfig, UnclipConfig


class Unsupported(UserError):
    """A method was asked for a part that it does not have."""


@dataclass(frozen=True)
class Sources:
    """Where a method finds what it is made of; each takes what it needs. Folders that it does not need may be empty."""

    encoder_dir: Path
    generator_dir: Path
    align_dir: Path
    train_packs: list[Path] = field(default_factory=list)
    window_s: float = 10.0
    truncation: float = 0.0
    database: Literal["generator_memory", "train"] = "generator_memory"
    device: torch.device | str = "cpu"
    vae_dir: Path | None = None
    """Of the latent diffusion model; `generator_dir` then is that of its denoiser."""
    sampler: SamplerConfig | None = None
    """How the latent diffusion model draws."""
    unclip: UnclipConfig | None = None
    """How Stable unCLIP draws; its nets are in $S2V_WEIGHTS."""
    embed_unclip: EmbedUnclipConfig | None = None
    """How its image encoder sees."""


class Method(Protocol):
    """A row of a table. `encode_*` gives a condition, `decode` makes pictures of conditions."""

    name: ClassVar[str]
    letter: ClassVar[str]
    """Row of the paper's Table 1; empty where it has none."""
    title: ClassVar[str]
    encoder: ClassVar[str]
    """The paper's column: V (image), A (audio) or -."""
    generator: ClassVar[str]
    """The paper's column: G (generator), R (retrieval) or -."""
    takes: ClassVar[Literal["sound", "frame"]]
    """What of a test clip the row of the table sees."""
    seeded: ClassVar[bool]
    """False where `decode` ignores its seeds, so that every generation seed gives the same pictures."""
    dim: int
    """D, size of the condition."""
    image_px: int
    """Side at which `encode_image` wants pictures; others are resized."""
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


__all__ = ["Method", "Sources", "Unsupported", "clip_seed", "noise"]
