"""Features of sounds brought to where the generator has been: towards the nearest features of training frames.

f_A's features lie off those of pictures, which are all that a generator was trained on. `generate.snap` says how many
of the nearest are averaged, and how far a feature goes to them; the paper has none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from s2v.config import SnapConfig
from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.methods.renderers import Eye
from s2v.models.image_encoder import unit


class Snap:
    """Moves features towards those of training frames.

    Args:
        method: whose, for errors.
        f_v: the image encoder.
        train_packs: shards of the train split.
        config: how many, how far.

    Raises:
        UserError: the train split has no frame.
    """

    def __init__(self, method: str, f_v: Eye, train_packs: Sequence[Path], config: SnapConfig) -> None:
        parts = []
        for pack in train_packs:
            images, _, _ = read_images([pack], f_v.image_px, policy=f_v.policy)
            if len(images):
                parts.append(unit(f_v.encode(images)))
        if not parts:
            raise UserError(f"{method}: the train split has no packed frame to go to; see coverage.csv")
        self.known, self.config = torch.cat(parts), config

    def __call__(self, z: Tensor) -> Tensor:
        """Features [B, D] of any length -> of unit norm, the share `strength` of the way to the mean of the nearest."""
        own = unit(z).cpu()
        nearest = torch.cdist(own, self.known).topk(min(self.config.neighbours, len(self.known)), largest=False).indices
        return unit(torch.lerp(own, unit(self.known[nearest].mean(1)), self.config.strength))


__all__ = ["Snap"]
