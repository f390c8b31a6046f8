"""CLIP ViT-B/32 out of a file of the user, by open_clip. Nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from s2v.errors import UserError
from s2v.tensors import not_finite

CLIP_FILES = ("clip/ViT-B-32.safetensors", "clip/ViT-B-32.pt")
"""Under the weights folder, the first that is there."""
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of pictures in [0, 1], in CLIP's own training."""

NAMES = {"ViT-B-32": ("ViT-B/32", "clip-vit-b32"), "ViT-L-14": ("ViT-L/14", "clip-vit-l14")}
"""open_clip's names: as people write them, and that of the catalogue."""


def load_clip(path: Path, device: torch.device | str = "cpu", architecture: str = "ViT-B-32") -> tuple[Any, Any]:
    """The net (`encode_image`, `encode_text`) and its tokenizer. `architecture` is a key of `NAMES`.

    Raises:
        UserError: the file is not readable as such weights.
    """
    import open_clip

    try:
        model = open_clip.create_model(
            architecture, pretrained=str(path), force_quick_gelu=True, device=device, weights_only=True
        )
    except Exception as error:  # open_clip, torch and safetensors each raise their own
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{path}: not readable as weights of CLIP {NAMES[architecture][0]} ({line})") from error
    name = not_finite(model.state_dict())
    if name is not None:
        raise UserError(
            f"{path}: {name} holds NaN or infinity; remove it and `s2v weights fetch {NAMES[architecture][1]}`"
        )
    return model.eval(), open_clip.get_tokenizer(architecture)


__all__ = ["CLIP_FILES", "MEAN", "NAMES", "STD", "load_clip"]
