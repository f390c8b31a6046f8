"""Stage `latents`: the autoencoder's latents of a split's frames, computed once for the training of diffusion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s2v.data.reader import read_images
from s2v.files import read_json
from s2v.train.checkpoint import save_tensors
from s2v.train.runtime import Runtime
from s2v.train.vae import encode, load

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig


def run(*, packs: list[Path], vae_dir: Path, output: Path, runtime: RuntimeConfig, threads: int) -> None:
    """Write `output` (safetensors: latents and latents_flipped, float32 [N, C, h, w], means of the posterior).

    Their order is that of the features of stage `embed`.
    """
    place = Runtime.from_config(runtime, threads)
    vae = load(vae_dir, place.device)
    images, _, _ = read_images(packs, int(read_json(vae_dir / "config.json")["resolution"]))
    save_tensors(output, {"latents": encode(vae, images), "latents_flipped": encode(vae, images.flip(3))})


__all__ = ["run"]
