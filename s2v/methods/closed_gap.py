"""The mean gap between the modalities, closed after training: sounds are moved to where pictures are (paper 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.methods.base import Sources
from s2v.methods.pairs import training_pairs
from s2v.models.image_encoder import unit

if TYPE_CHECKING:
    from s2v.methods.ears import Ear
    from s2v.methods.renderers import Eye


def mean_gap(method: str, f_v: Eye, f_a: Ear, sources: Sources) -> Tensor:
    """E[z^V - z^A] over the training pairs, [D], of features at unit norm.

    Raises:
        UserError: the train split has no pairs, or frames and sounds of a shard do not make pairs.
    """
    z_v, z_a = [], []
    for seen, sounds in training_pairs(method, f_v, sources):
        z_v.append(seen)
        z_a.append(unit(f_a.encode(sounds, sources.config.window_s)))
    return torch.cat(z_v).mean(0) - torch.cat(z_a).mean(0)


__all__ = ["mean_gap"]
