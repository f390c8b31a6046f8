"""The loss of SwAV (Caron et al. 2020)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Codes [B, K] whose columns share the batch equally, rows summing to 1 (Caron et al. 2020)."""
    q = torch.exp((scores.float() - scores.float().max()) / epsilon).T
    k, batch = q.shape
    q /= q.sum()
    for _ in range(iterations):
        q /= q.sum(1, keepdim=True).clamp_min(1e-12) * k
        q /= q.sum(0, keepdim=True).clamp_min(1e-12) * batch
    return (q * batch).T


def swav_loss(scores: list[Tensor], temperature: float, epsilon: float, iterations: int, full_crops: int = 2) -> Tensor:
    """SwAV (Caron et al. 2020): every full crop's code is predicted from every other crop of the same picture.

    Args:
        scores: one [B, K] per crop; the first `full_crops` are the large ones.
    """
    losses = []
    for i in range(full_crops):
        code = sinkhorn(scores[i], epsilon, iterations)
        losses += [
            -(code * F.log_softmax(other.float() / temperature, 1)).sum(1).mean()
            for j, other in enumerate(scores)
            if j != i
        ]
    return torch.stack(losses).mean()
