"""The alignment losses of the paper, side by side.

`z_v`, `z_a`: visual and audio features of the same B clips, [B, D], as the encoders give them. Row j of one
belongs to row j of the other; the other rows are the negatives.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor, float], Tensor]


def info_nce(similarity: Tensor) -> Tensor:
    """Eq. 1 over both directions, and Eq. 2: mean of the row-wise and column-wise cross-entropies of [B, B]."""
    target = torch.arange(len(similarity), device=similarity.device)
    return 0.5 * (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target))


def l_total(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """Eq. 1-2: InfoNCE with d = L2 distance of the unit-norm features. The paper has no temperature (1)."""
    distance = torch.cdist(F.normalize(z_v), F.normalize(z_a), compute_mode="donot_use_mm_for_euclid_dist")
    return info_nce(-distance / temperature)


def l_total_raw(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """Eq. 1-2 with the L2 distance of features as they are, so that f_A learns f_V's length as well.

    The paper's text has unit norm; its authors' code for Stable unCLIP, which sees the length, has this.
    """
    return info_nce(-torch.cdist(z_v, z_a, compute_mode="donot_use_mm_for_euclid_dist") / temperature)


def l_nce(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """InfoNCE with cosine similarity (Table 2, row B; 4.4). 1 in the authors' code."""
    return info_nce(F.normalize(z_v) @ F.normalize(z_a).T / temperature)


def l2(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """Mean squared error of the raw features (Table 2, row A); the temperature has no meaning here."""
    return F.mse_loss(z_a, z_v)


LOSSES: dict[str, Loss] = {"total": l_total, "total_raw": l_total_raw, "nce": l_nce, "l2": l2}
