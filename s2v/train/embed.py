"""Stage `embed`: the features z^V of a split's frames, computed once for everything that needs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import torch
from torch import Tensor

from s2v.data.reader import read_images
from s2v.files import write_parquet
from s2v.media.picture import Policy
from s2v.models.image_encoder import ImageEncoder
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import save_tensors

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig

KEYS = pa.schema([("key", pa.string())])


class Encoder(Protocol):
    """f_V, whichever it is."""

    image_px: int
    policy: Policy
    """How pictures come to that side."""

    def encode(self, images: Tensor) -> Tensor:
        """uint8 [N, 3, H, W] -> raw features [N, D] on the CPU."""
        ...


def run(
    *,
    packs: list[Path],
    encoder_dir: Path,
    output: Path,
    keys: Path,
    runtime: RuntimeConfig,
    threads: int,
    frame: str = "jpg",
) -> None:
    """Write `output` (safetensors: features and features_flipped, raw f_V, float32 [N, D]) and their `keys`.

    `frame` is the member of the packed samples that is seen: `jpg` (the chosen one), `mid.jpg` or `top1.jpg`.
    """
    place = Runtime.from_config(runtime, threads)
    write_features(packs, load(ImageEncoder, encoder_dir, place.device), output, keys, frame)


def write_features(packs: list[Path], encoder: Encoder, output: Path, keys: Path, frame: str = "jpg") -> None:
    """Features of one frame of each clip of `packs` (`jpg`: the chosen one) and of their mirror images, and the clips'
    keys."""
    names: list[str] = []
    parts: list[tuple[Tensor, Tensor]] = []
    for pack in packs:  # a shard at a time, so that memory does not grow with the split
        images, found, _ = read_images([pack], encoder.image_px, column=frame, policy=encoder.policy)
        parts.append((encoder.encode(images), encoder.encode(images.flip(3))))
        names += found
    own, flipped = (torch.cat(part) for part in zip(*parts, strict=True))
    save_tensors(output, {"features": own, "features_flipped": flipped})
    write_parquet(keys, [{"key": name} for name in names], KEYS)
