"""Contrast of two modalities in one space (CLIP, Radford et al. 2021), where several samples of a batch may share a
text."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def contrast(a: Tensor, b: Tensor, multiplier: float, text: Tensor | None = None) -> Tensor:
    """InfoNCE in both directions.

    Args:
        a: features [B, D] of unit norm.
        b: of the other modality; row i belongs to row i of `a`.
        multiplier: of the cosines, one over the temperature.
        text: int64 [B], which text a sample has. Samples of one text are as right as each other, and no negatives;
            None: only row i is right for row i.
    """
    scores = multiplier * a @ b.T
    right = F.one_hot(text).float() if text is not None else scores.new_ones(len(scores)).diag()
    target = right @ right.T
    target = target / target.sum(1, keepdim=True)
    return 0.5 * (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target))


__all__ = ["contrast"]
