"""Stage `latents`: the autoencoder's latents of a split's frames, computed once for the training of diffusion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.models.autoencoder import autoencoder, encode
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import save_tensors

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig


def run(*, packs: list[Path], vae_dir: Path, output: Path, runtime: RuntimeConfig, threads: int) -> None:
    """Write `output` (safetensors: latents and latents_flipped, float32 [N, C, h, w], means of the posterior).

    Their order is that of the features of stage `embed`.

    Raises:
        UserError: there are no pictures.
    """
    place = Runtime.from_config(runtime, threads)
    vae = load(autoencoder, vae_dir, place.device)
    resolution = int(vae.config["sample_size"])
    parts: list[tuple[Tensor, Tensor]] = []
    for pack in packs:  # a shard at a time: all pictures of a large split are several times their latents
        images, _, _ = read_images([pack], resolution)
        if len(images):
            parts.append((encode(vae, images), encode(vae, images.flip(3))))
    if not parts:
        raise UserError("latents: the split has no packed picture; see coverage.csv")
    own, flipped = (torch.cat(part) for part in zip(*parts, strict=True))
    save_tensors(output, {"latents": own, "latents_flipped": flipped})


__all__ = ["run"]
