"""Published weights as the folder that a stage would have written: `model.safetensors`, `config.json`, a model card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.files import sha256, write_text
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.biggan import Generator
from s2v.models.image_encoder import ImageEncoder
from s2v.models.s2i import S2iGenerator, SpectrogramAutoencoder
from s2v.models.store import save
from s2v.weights.catalogue import WEIGHTS_VARIABLE, Entry, entry, weights_folder
from s2v.weights.checkpoint import best_of, tensors
from s2v.weights.checksums import expected
from s2v.weights.layouts import LAYOUTS, fit

SHAPES: dict[str, dict[str, Any]] = {
    "swav-resnet50": {"depth": 50, "width": 64, "image_px": 224},
    "icgan-biggan128": {
        "resolution": 128,
        "channels": 96,
        "dim_z": 120,
        "dim_feature": 2048,
        "shared_dim": 512,
        "convs": 2,
        "attention": True,
        "feature_input": False,
        "standardise": False,
    },
    # The spectrogram of the authors' code; their network ends in a ReLU.
    "sound2scene-audio": {
        "dim": 2048,
        "width": 64,
        "final_relu": True,
        "audio": {"window_s": 10.0, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": SAMPLE_RATE_HZ},
    },
    "s2i-autoencoder": {
        "dim": 512,
        "width": 64,
        "mel": {"window_s": 1.0, "n_fft": 1024, "hop": 160, "bands": 128, "columns": 100, "range_db": 80.0},
    },
    "s2i-generator": {"resolution": 96, "dim": 512, "width": 64},
}
"""What our modules are built of to be the published ones."""

_MODULES: dict[str, Callable[..., nn.Module]] = {
    "swav-resnet50": ImageEncoder,
    "icgan-biggan128": Generator,
    "sound2scene-audio": AudioEncoder,
    "s2i-autoencoder": SpectrogramAutoencoder,
    "s2i-generator": S2iGenerator,
}
_HINTS = {
    "swav-resnet50": "Its features of a picture follow from a squash to 224 px by one antialiased resize; the paper's "
    "authors go through 256 px.",
    "icgan-biggan128": "It was trained on features of centre crops at 128 px, enlarged to 224; here features are of "
    "pictures at their own size.",
    "sound2scene-audio": "Sound of 10 s, 16 kHz; features follow a ReLU, as f_V's do.",
    "s2i-autoencoder": "How its authors make and scale their grey spectrograms is not documented: bands, range and "
    "window are our reading, so embeddings of other sounds than theirs may be off.",
    "s2i-generator": "It takes embeddings of s2i-autoencoder. Dropout stays on when pictures are made.",
}


def convert(name: str, output_dir: Path, folder: Path | None = None) -> None:
    """Write the weights `name` as a folder that the loader of its stage takes.

    Args:
        name: an entry of the catalogue that has a stage.
        output_dir: where `model.safetensors`, `config.json`, `README.md` and an empty `train.jsonl` go.
        folder: the weights folder; by default $S2V_WEIGHTS.

    Raises:
        UserError: the file is not there (the message names it), has another checksum, is damaged, holds code, or has
            another layout.
    """
    source = entry(name)
    path, digest = _checked(source, weights_folder(folder))
    state, copy = best_of(path) if path.name.endswith(".tar.gz") else (tensors(path), "")
    weights = fit(LAYOUTS[name](state), _shapes(name), str(path))
    for key, value in weights.items():
        if not bool(torch.isfinite(value).all()):
            raise UserError(f"{path}: {key} is not finite")
    write_text(output_dir / "train.jsonl", "")
    write_text(output_dir / "README.md", _card(source, path, digest, copy, weights))
    save(output_dir, weights, SHAPES[name])


def _checked(source: Entry, folder: Path) -> tuple[Path, str]:
    file = source.files[0]
    path = folder / file.path
    if not path.is_file():
        raise UserError(
            f"{path}: not there; run `s2v weights fetch {source.name}` (${WEIGHTS_VARIABLE} is {folder}), or put the "
            f"file of {source.source} there by hand"
        )
    digest, wanted = sha256(path), expected(folder, file)
    if wanted not in (None, digest):
        raise UserError(f"{path}: its SHA-256 is {digest}, and must be {wanted}; remove it and fetch it again")
    return path, digest


def _shapes(name: str) -> dict[str, torch.Size]:
    # Without values: drawing initial ones takes longer than the rest.
    with torch.device("meta"):
        module = _MODULES[name](**SHAPES[name])
    return {key: value.shape for key, value in module.state_dict().items()}


def _card(source: Entry, path: Path, digest: str, copy: str, weights: dict[str, Tensor]) -> str:
    count = sum(v.numel() for v in weights.values() if v.is_floating_point())
    return (
        f"# {source.what}\n\nPublished weights `{source.name}`, not trained here: renamed to this package's layout, "
        f"{count:,} numbers.\n\n- Source: {source.source}, file `{path.name}`, SHA-256 `{digest}`\n"
        + (f"- Copy: {copy}\n" if copy else "")
        + f"- Licence: {source.terms()}; it holds for this folder and for what is built on it\n"
        + f"- {_HINTS[source.name]}\n"
    )


__all__ = ["SHAPES", "convert"]
