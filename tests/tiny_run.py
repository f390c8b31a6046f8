"""A tiny packed data set, and model folders with random weights in the format of the training stages."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from shards import RATE, flac, write_tar

from s2v.media.picture import encode_jpeg
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.audiotoken import TokenEmbedder
from s2v.models.autoencoder import autoencoder
from s2v.models.biggan import Generator
from s2v.models.image_encoder import ImageEncoder
from s2v.models.latent_diffusion import LatentDiffusion
from s2v.models.pedersoli import AudioToCodes, VqVae
from s2v.models.s2i import S2iGenerator, SpectrogramAutoencoder
from s2v.models.store import save
from s2v.models.tagger import AudioTagger
from s2v.models.text_diffusion import TextDiffusion

CLASSES = {"cow": (200, 60, 40), "owl": (40, 60, 200), "rain, heavy": (40, 180, 60)}
MEL = {"window_s": 1.0, "n_fft": 1024, "hop": 160, "range_db": 80.0}
AUDIO = {"window_s": 1.0, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": RATE}


def picture(label: str, rng: np.random.Generator, px: int = 24) -> np.ndarray:
    """A noisy picture with a square in the colour of its class."""
    frame = (90 + rng.integers(0, 50, (px, px, 3))).astype(np.uint8)
    y, x = rng.integers(0, px // 2, 2)
    frame[y : y + px // 2, x : x + px // 2] = CLASSES[label]
    return frame


def pack(path: Path, clips: int, seed: int = 0, labelled: bool = True, sound: bool = True) -> Path:
    """A packed shard of `clips` clips per class; `mid.jpg` shows another class than `jpg` and `top1.jpg`."""
    rng = np.random.default_rng(seed)
    names = list(CLASSES)
    members: dict[str, bytes] = {}
    for i in range(clips * len(names)):
        label, key = names[i % len(names)], f"{path.stem}-c{i:03d}x"
        chosen = encode_jpeg(picture(label, rng))
        members[f"{key}.jpg"] = members[f"{key}.top1.jpg"] = chosen
        members[f"{key}.mid.jpg"] = encode_jpeg(picture(names[(i + 1) % len(names)], rng))
        if sound:
            time = np.arange(int(RATE * rng.uniform(0.5, 1.5))) / RATE
            tone = 0.3 * np.sin(2 * np.pi * (300 + 900 * (i % len(names))) * time)
            members[f"{key}.flac"] = flac(((tone + 0.01 * rng.standard_normal(len(time))) * 32767).astype(np.int16))
        members[f"{key}.json"] = json.dumps(
            {"clip_id": key, "label": label if labelled else None, "chosen": i % 3, "fps": 2.0}
        ).encode()
    return write_tar(path, members)


@dataclass(frozen=True)
class Models:
    """Folders of a tiny run."""

    encoder: Path
    generator: Path
    align: Path
    vae: Path
    diffusion: Path
    text_diffusion: Path
    tagger: Path
    audiotoken: Path
    s2i_autoencoder: Path
    s2i_generator: Path
    pedersoli_vqvae: Path
    pedersoli_audio: Path


def models(root: Path) -> Models:
    """Model folders with random weights: f_V 32-d at 24 px, G at 32 px, f_A on one second, and an LDM."""
    torch.manual_seed(0)
    shapes = {
        "encoder": (ImageEncoder, {"depth": 10, "width": 4, "image_px": 24}),
        "generator": (
            Generator,
            {"resolution": 32, "channels": 2, "dim_z": 8, "dim_feature": 32, "shared_dim": 8, "convs": 1,
             "attention": False},
        ),
        "vae": (
            autoencoder,
            {"resolution": 32, "channels": [8, 8, 8], "layers_per_block": 1, "latent_channels": 4, "groups": 4},
        ),
        "diffusion": (
            LatentDiffusion,
            {"dim_feature": 32, "latent_channels": 4, "latent_px": 8, "channels": [16, 16], "attention": [False, True],
             "layers_per_block": 1, "heads": 2, "groups": 4, "tokens": 2, "token_dim": 16, "prediction": "epsilon",
             "timesteps": 1000, "beta_schedule": "linear"},
        ),
        "text_diffusion": (
            TextDiffusion,
            {"pieces": ["dog", "photo"], "length": 8, "text_layers": 1, "text_heads": 2, "token_dim": 16,
             "latent_channels": 4, "latent_px": 8, "channels": [16, 16], "attention": [False, True],
             "layers_per_block": 1, "heads": 2, "groups": 4, "prediction": "epsilon", "timesteps": 1000,
             "beta_schedule": "linear"},
        ),
        "tagger": (AudioTagger, {"class_names": ["cow", "owl"], "width": 4, "audio": AUDIO}),
        "audiotoken": (TokenEmbedder, {"dim_in": 4 * 14, "dim": 16}),
        "s2i_autoencoder": (
            SpectrogramAutoencoder,
            {"dim": 8, "width": 1, "mel": {**MEL, "bands": 128, "columns": 100}},
        ),
        "s2i_generator": (S2iGenerator, {"resolution": 32, "dim": 8, "width": 1}),
        "pedersoli_vqvae": (
            VqVae,
            {"resolution": 32, "code_px": 8, "hidden": 8, "residual_hidden": 4, "residual_layers": 1, "codes": 6,
             "code_dim": 4},
        ),
        "pedersoli_audio": (
            AudioToCodes,
            {"code_px": 8, "code_dim": 4, "depth": 10, "width": 4, "dropout": 0.2,
             "mel": {**MEL, "bands": 32, "columns": 32}},
        ),
        "align": (AudioEncoder, {"dim": 32, "width": 4, "final_relu": False, "audio": AUDIO}),
    }  # fmt: skip
    for name, (kind, shape) in shapes.items():
        save(root / name, kind(**shape).state_dict(), shape)
    return Models(**{field.name: root / field.name for field in fields(Models)})
