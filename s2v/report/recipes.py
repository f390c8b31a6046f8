"""What each key of a stage is where the stage was published, or why it has no such value.

Values are the paper's (3.2, 4.1, 6.1); what it leaves open is its authors' code's, SwAV's, IC-GAN's and Stable
Diffusion's.
A key that is in neither of a recipe's two tables is a fault, which a test finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """A stage as it was published.

    Attributes:
        source: whose, in words.
        values: of its keys, {key: value}; those of a section within are named with a point.
        ours: keys, or sections within, that have none there, and why.
        also: what else was done there and is not here, or otherwise.
    """

    source: str
    values: Mapping[str, Any] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    def differences(self, section: Mapping[str, Any]) -> list[str]:
        """Keys of a section that differ, in words."""
        found = dict(flat(section))
        return [
            f"{key} {_text(found[key])} (there {_text(value)})"
            for key, value in self.values.items()
            if found[key] != value
        ]

    def unknown(self, section: Mapping[str, Any]) -> list[str]:
        """Keys of a section of which nothing is said, and keys that it does not have."""
        keys = [key for key, _ in flat(section)]
        within = {".".join(key.split(".")[:n]) for key in keys for n in (1, 2)}
        said = [
            key for key in keys if key in self.values or any(key == o or key.startswith(f"{o}.") for o in self.ours)
        ]
        return [key for key in keys if key not in said] + [
            key for key in (*self.values, *self.ours) if key not in within
        ]


def flat(section: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Keys and values of a section, those of sections within it under names with a point."""
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


_RUN = {
    "checkpoint_every": "changes nothing that comes out",
    "seed": "none is given there",
    "weights": "said on its own",
}
_TRAINED = _RUN | {"splits": "said on its own"}
_LATENT = {key: why for key, why in _TRAINED.items() if key != "weights"}
_AUDIO = {"audio.window_s": 10.0, "audio.n_fft": 512, "audio.hop": 159, "audio.log_floor": 1e-7}
_PLAIN_SOUNDS = {"augment.shift": False, "augment.filter": 0.0, "augment.masks": 0, "augment.bed": 0.0}
_PLAIN_SOUNDS |= {"augment.loop": 0.0, "augment.gate": 0.0, "augment.warp": 0.0}
_ALIGNED = {
    "batch_size": 64,
    "learning_rate": 1e-3,
    "weight_decay": 1e-5,
    "epochs": 50,
    "temperature": 1.0,
    "width": 64,
    **_PLAIN_SOUNDS,
}
_ALIGN_OURS = _RUN | {
    "patience": "said on its own",
    "min_steps": "said on its own",
    "backbone": "said on its own",
    "classes": "all pairs there",
    "sync_batch_norm": "one GPU there",
}
_ALIGN_ALSO = (
    "spectrograms are kept in half precision",
    "an epoch's incomplete batch is left out",
    "weights of batch norm begin at 1, and not at N(1, 0.02)",
)

RECIPES = {
    "extract": Recipe(
        "the paper's and its authors' data",
        {"sample_rate_hz": 16000, "fps": 10},
        dict.fromkeys(
            (
                "reader",
                "frames",
                "short_side_px",
                "jpeg_quality",
                "crop",
                "crop_margin",
                "min_duration_s",
                "max_duration_s",
                "timeout_s",
                "silence_dbfs",
                "soundless_splits",
                "black_level",
                "still_difference",
                "max_failed_share",
            ),
            "how files are read, of which nothing is said there",
        ),
    ),  # fmt: skip
    "select": Recipe(
        "the paper's text",
        {},
        {
            "mode": "said on its own",
            "moments": "said on its own",
            "moments_first": "said on its own",
            "top_k": "more of them are noted than are used",
            "require_moment": "clips without a moment are left out there too",
        },
    ),
    "encoder": Recipe(
        "SwAV's recipe for batches of 256 (400 epochs of ImageNet)",
        {
            "batch_size": 256,
            "learning_rate": 0.6,
            "weight_decay": 1e-6,
            "steps": 2_001_600,
            "optimizer": "sgd",
            "architecture": "resnet",
            "depth": 50,
            "width": 64,
            "image_px": 224,
            "crops": [[2, 224], [6, 96]],
            "crop_scales": [[0.14, 1.0], [0.05, 0.14]],
            "prototypes": 3000,
            "projection_dim": 128,
            "projection_hidden": 2048,
            "temperature": 0.1,
            "epsilon": 0.05,
            "sinkhorn_iterations": 3,
            "freeze_prototypes_steps": 5005,
            "color_jitter": 1.0,
            "sync_batch_norm": True,
        },
        _TRAINED | {"vit": "of another architecture"},
        (
            "no LARC",
            "no queue of 3,840 features from epoch 15 on",
            "the learning rate begins with a warm-up over 5 % of the steps",
            "neither blur nor hue among the distortions",
        ),
    ),
    "generator": Recipe(
        "IC-GAN's recipe for ImageNet at 128 px",
        {
            "batch_size": 2048,
            "learning_rate": 4e-5,
            "d_learning_rate": 1e-4,
            "d_steps": 1,
            "weight_decay": 0.0,
            "resolution": 128,
            "channels": 96,
            "dim_z": 120,
            "shared_dim": 512,
            "convs_per_block": 2,
            "attention": True,
            "feature_input": False,
            "feature_standardise": False,
            "condition_noise": 0.0,
            "upsample": "nearest",
            "neighbours": 50,
            "ema": 0.9999,
            "ema_start": 20000,
            "hflip": True,
            "diffaugment": "",
            "warmup_steps": 0,
            "reconstruction_weight": 0.0,
            "sync_batch_norm": False,
        },
        _TRAINED
        | {
            "steps": "until FID no longer fell, there",
            "warmup_learning_rate": "of the warm-up",
            "reconstruction_mirror": "of reconstruction",
            "reconstruction_neighbours": "of reconstruction",
            "reconstruction_maps": "of reconstruction",
            "reconstruction_code": "of reconstruction",
        },
        (
            "pictures are squashed to the generator's size, and not cropped, and features are of pictures at their own",
            "spectral norm's power iteration begins on the other side",
        ),
    ),
    "align": Recipe(
        "the paper's text, and its authors' code where that is silent",
        _ALIGNED | _AUDIO | {"head": "linear", "loss": "total"},
        _ALIGN_OURS | {"final_relu": "said on its own"},
        _ALIGN_ALSO,
    ),
    "align_unclip": Recipe(
        "the authors' code",
        _ALIGNED | _AUDIO | {"head": "fc2", "loss": "total_raw", "final_relu": False},
        _ALIGN_OURS,
        _ALIGN_ALSO,
    ),
    "embed_unclip": Recipe("the authors' code", {"input": "imagenet"}),
    "encoder_vit": Recipe(
        "nobody's: the paper takes CLIP's ViT-H/14, trained by others",
        {},
        dict.fromkeys(
            (
                *_TRAINED,
                "batch_size",
                "learning_rate",
                "weight_decay",
                "steps",
                "optimizer",
                "architecture",
                "vit",
                "depth",
                "width",
                "image_px",
                "crops",
                "crop_scales",
                "prototypes",
                "projection_dim",
                "projection_hidden",
                "temperature",
                "epsilon",
                "sinkhorn_iterations",
                "freeze_prototypes_steps",
                "color_jitter",
                "sync_batch_norm",
            ),
            "a ViT of SwAV's takes the place of CLIP's",
        ),
    ),  # fmt: skip
    "vae": Recipe(
        "Stable Diffusion's autoencoder",
        {
            "batch_size": 12,
            "learning_rate": 5.4e-5,
            "weight_decay": 0.0,
            "resolution": 256,
            "channels": [128, 256, 512, 512],
            "layers_per_block": 2,
            "latent_channels": 4,
            "groups": 32,
            "loss": "l1",
            "kl_weight": 1e-6,
            "perceptual_weight": 1.0,
        },
        _LATENT | {"steps": "not said there", "hflip": "not said there"},
        ("no discriminator", "the perceptual distance is of f_V, and not of VGG"),
    ),  # fmt: skip
    "diffusion": Recipe(
        "Stable Diffusion 1's U-Net",
        {
            "batch_size": 2048,
            "learning_rate": 1e-4,
            "weight_decay": 1e-2,
            "channels": [320, 640, 1280, 1280],
            "attention": [True, True, True, False],
            "layers_per_block": 2,
            "heads": 8,
            "groups": 32,
            "token_dim": 768,
            "prediction": "epsilon",
            "timesteps": 1000,
            "beta_schedule": "scaled_linear",
            "condition_dropout": 0.1,
            "condition_noise": 0.0,
            "cosine_decay": False,
            "ema": 0.9999,
        },
        _LATENT
        | {
            "steps": "hundreds of thousands there, on other pictures",
            "tokens": "77 of a text there",
            "hflip": "not said there",
        },
    ),  # fmt: skip
    "generate": Recipe(
        "the paper's text",
        {"window_s": 10.0, "truncation": 0.0},
        {
            "methods": "rows of the table",
            "seeds": "said on its own",
            "split": "said on its own",
            "icgan_frame": "said on its own",
            "upper_bound_frame": "said on its own",
            "retrieval": "said on its own",
            "snap": "of methods that are none of the paper's",
            "ldm": "said on its own",
            "text_ldm": "said on its own",
            "unclip": "said on its own",
            "settings": "of somebody else's methods",
            "table3": "rows of the table",
        },
    ),
    "evaluate": Recipe(
        "the paper's text",
        {},
        dict.fromkeys(("evaluator", "inception", "prompt", "reference_split", "inception_splits"), "said on its own")
        | {"bootstrap": "no intervals there", "similar": "classes that are told apart in a table of their own"},
    ),
}
"""By section of the configuration."""

__all__ = ["RECIPES", "Recipe", "flat"]
