"""SwAV's head (Caron et al. 2020): projection and prototypes. Its loss is `s2v.losses.swav`."""

from __future__ import annotations

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


__all__ = ["SwavHead"]
