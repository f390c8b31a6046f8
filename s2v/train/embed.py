"""Stage `embed`: the features z^V of a split's frames, computed once for everything that needs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from s2v.data.reader import read_images
from s2v.files import write_parquet
from s2v.train.checkpoint import save_tensors
from s2v.train.encoder import load
from s2v.train.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig

KEYS = pa.schema([("key", pa.string())])


def run(
    *, packs: list[Path], encoder_dir: Path, output: Path, keys: Path, runtime: RuntimeConfig, threads: int
) -> None:
    """Write `output` (safetensors: features and features_flipped, raw f_V, float32 [N, D]) and their `keys`."""
    place = Runtime.from_config(runtime, threads)
    encoder = load(encoder_dir, place.device)
    images, names, _ = read_images(packs, encoder.image_px)
    tensors = {"features": encoder.encode(images), "features_flipped": encoder.encode(images.flip(3))}
    save_tensors(output, tensors)
    write_parquet(keys, [{"key": name} for name in names], KEYS)
