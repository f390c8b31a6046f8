"""A sheet of the embedded world for people: a row a class."""

from __future__ import annotations

from pathlib import Path

import torch

from s2v.config import WorldConfig
from s2v.files import write_bytes
from s2v.media.picture import encode_png, grid
from s2v.world import nested
from s2v.world.recipe import clips
from s2v.world.render import reel


def preview(*, output: Path, columns: int, seed: int, px: int, classes: int) -> None:
    """Write a PNG of `columns` pictures of each of the first `classes` classes, as the image-only splits show them."""
    config = WorldConfig(classes=nested(classes), clips={"images": 1}, photos_per_reel=columns, size_px=px, seed=seed)
    pictures = [torch.from_numpy(reel(clip, config)).permute(0, 3, 1, 2) for clip in clips(config)]
    write_bytes(output, encode_png(grid(torch.cat(pictures), columns)))


__all__ = ["preview"]
