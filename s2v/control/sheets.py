"""Pictures of a sweep as one sheet, an animation or a film, and the recipe beside them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio_ffmpeg
import numpy as np
from PIL import Image
from torch import Tensor

from s2v.control import outputs
from s2v.errors import UserError
from s2v.files import atomic_path, write_bytes
from s2v.media.picture import encode_png, grid, resize

if TYPE_CHECKING:
    from s2v.model import Model

SUFFIXES = (".png", ".gif", ".mp4")
FPS = 6
LARGEST = 200_000_000
"""Pixels of all pictures together."""


def check(output: Path, count: int = 1, px: int | None = None) -> None:
    """See that so many pictures of this side can be written under this name, before anything is computed.

    Raises:
        UserError: the name ends otherwise, or they are too many and large.
    """
    if count * (px or 0) ** 2 > LARGEST:
        raise UserError(f"{count} pictures of {px} px: above {LARGEST // 10**6} megapixels; make fewer or smaller ones")
    if output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output}: give a name that ends in .png (a sheet), .gif or .mp4 (the sweep as a film)")


def write(pictures: Tensor, output: Path, px: int | None = None, columns: int | None = None) -> None:
    """Write pictures uint8 [N, 3, R, R] as the suffix says: a sheet (PNG), or one after another (GIF, MP4).

    Args:
        pictures: in their order.
        output: file.
        px: side that each is enlarged to.
        columns: of a sheet.

    Raises:
        UserError: the suffix is none of `SUFFIXES`.
    """
    check(output)
    shown = pictures if px is None else resize(pictures, px)
    frames = [picture.permute(1, 2, 0).numpy() for picture in shown]
    kind = output.suffix.lower()
    if kind == ".png":
        write_bytes(output, encode_png(frames[0] if len(frames) == 1 else grid(shown, columns)))
    elif kind == ".gif":
        # There and back again, so that it may be repeated.
        images = [Image.fromarray(frame) for frame in [*frames, *frames[-2:0:-1]]]
        data = io.BytesIO()
        images[0].save(data, "GIF", save_all=True, append_images=images[1:], duration=1000 // FPS, loop=0)
        write_bytes(output, data.getvalue())
    else:
        _film(frames, output)


def _film(frames: list[Any], output: Path) -> None:
    side = frames[0].shape[0] + frames[0].shape[0] % 2  # H.264 wants even sides
    with atomic_path(output) as temporary:
        writer = imageio_ffmpeg.write_frames(
            str(temporary), (side, side), fps=FPS, macro_block_size=1, output_params=["-f", "mp4"], quality=8
        )
        writer.send(None)
        for frame in frames:
            padded = np.pad(frame, ((0, side - frame.shape[0]), (0, side - frame.shape[1]), (0, 0)), mode="edge")
            writer.send(np.ascontiguousarray(padded))
        writer.close()


def write_recipe(output: Path, command: list[str], model: Model, facts: dict[str, Any]) -> Path:
    """What was done, beside the pictures: the command line that does it again, what it stood for, and the weights."""
    return outputs.write_recipe([output], command, {"model": model.name, "sha256": model.checksums(), **facts})


__all__ = ["SUFFIXES", "check", "write", "write_recipe"]
