"""SwAV (Caron et al. 2020): projection head, prototypes, Sinkhorn-Knopp codes and the swapped prediction loss."""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn


class SwavHead(nn.Module):
    """Feature -> unit-norm projection -> scores against unit-norm prototypes."""

    def __init__(self, dim: int, hidden: int, out: int, prototypes: int) -> None:
        super().__init__()
        self.projection = nn.Sequential(
            nn.Linear(dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out)
        )
        self.prototypes = nn.Linear(out, prototypes, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """[N, dim] -> scores [N, prototypes] in [-1, 1]."""
        scores: Tensor = F.linear(F.normalize(self.projection(features)), F.normalize(self.prototypes.weight))
        return scores


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Codes [B, K] whose columns share the batch equally (over all processes), rows summing to 1."""
    q = torch.exp((scores.float() - scores.float().max()) / epsilon).T
    shared = dist.is_initialized() and dist.get_world_size() > 1
    world = dist.get_world_size() if shared else 1

    def total(x: Tensor) -> Tensor:
        if shared:
            dist.all_reduce(x)
        return x

    k, batch = q.shape[0], q.shape[1] * world
    q /= total(q.sum())
    for _ in range(iterations):
        q /= total(q.sum(1, keepdim=True)).clamp_min(1e-12) * k
        q /= q.sum(0, keepdim=True).clamp_min(1e-12) * batch
    return (q * batch).T


def swav_loss(scores: list[Tensor], temperature: float, epsilon: float, iterations: int, full_crops: int = 2) -> Tensor:
    """Every full crop's code is predicted from every other crop of the same picture.

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
