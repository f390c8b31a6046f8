"""The autoencoder in whose latents diffusion happens (Rombach et al. 2022; paper 6.1), built of diffusers' blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from s2v.media.picture import to_unit
from s2v.models.bounds import Side

if TYPE_CHECKING:
    from s2v.config import VaeConfig


def autoencoder(
    resolution: Side, channels: list[int], layers_per_block: int, latent_channels: int, groups: int
) -> AutoencoderKL:
    """The KL autoencoder: pictures [B, 3, R, R] in [-1, 1] <-> latents [B, C, R / f, R / f], f = 2^(levels - 1).

    Channels 128, 256, 512, 512 with 2 layers and 4 latent channels are Stable Diffusion's, f = 8.
    """
    vae = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=tuple(channels),
        layers_per_block=layers_per_block,
        latent_channels=latent_channels,
        norm_num_groups=groups,
        sample_size=resolution,
    )
    vae.to(memory_format=torch.channels_last)  # type: ignore[call-arg]
    return vae


def shape(config: VaeConfig) -> dict[str, Any]:
    """What an autoencoder is built of."""
    return {name: getattr(config, name) for name in SHAPE}


SHAPE = ("resolution", "channels", "layers_per_block", "latent_channels", "groups")


@torch.no_grad()
def encode(vae: AutoencoderKL, images: Tensor, batch_size: int = 64) -> Tensor:
    """uint8 [N, 3, R, R] -> means of the posterior, float32 [N, C, R / f, R / f] on the CPU; nothing is drawn."""
    parts = []
    for part in images.split(batch_size):
        x = to_unit(part).to(vae.device).contiguous(memory_format=torch.channels_last)
        parts.append(vae.encode(x).latent_dist.mean.float().cpu().contiguous())
    return torch.cat(parts)


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: Tensor, batch_size: int = 64) -> Tensor:
    """Latents [N, C, h, w] -> pictures [N, 3, R, R] in [-1, 1] on the CPU."""
    parts = []
    for part in latents.split(batch_size):
        z = part.to(vae.device).contiguous(memory_format=torch.channels_last)
        parts.append(vae.decode(z).sample.float().clamp(-1, 1).cpu())
    return torch.cat(parts)


__all__ = ["autoencoder", "decode", "encode", "shape"]
