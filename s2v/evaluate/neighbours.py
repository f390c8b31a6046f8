"""Precision, recall, density and coverage: do pictures lie where real ones lie, and the reverse.

Balls around each real and each made picture reach to its k-th nearest neighbour of the same kind (precision, recall:
Kynkäänniemi et al. 2019; density, coverage: Naeem et al. 2020). k is 5, as in the latter.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2v.errors import UserError

K = 5
NAMES = ("precision", "recall", "density", "coverage")

_BLOCK = 1024


def radii(features: Tensor, k: int = K) -> Tensor:
    """Distance of each row of features [N, F], N > k, to its k-th nearest other row, float64 [N]."""
    x = features.double()
    return torch.cat([_distance(part, x).kthvalue(k + 1, dim=1).values for part in x.split(_BLOCK)])


def _distance(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


class Neighbourhoods:
    """Which real and which made pictures lie in each other's balls.

    Args:
        features: of the made pictures, [N, F], N > k.
        reference: of the real ones, [M, F], M > k.
        k: which neighbour a ball reaches to.
        reach: `radii` of the real ones, where they are known.

    Raises:
        UserError: features are not finite.
        ValueError: there are too few.
    """

    def __init__(self, features: Tensor, reference: Tensor, k: int = K, reach: Tensor | None = None) -> None:
        if min(len(features), len(reference)) <= k:
            raise ValueError(f"neighbour {k} of {len(features)} made and {len(reference)} real pictures")
        if not (features.isfinite().all() and reference.isfinite().all()):
            raise UserError("evaluate: features are not finite; the evaluator's weights are damaged or did not train")
        made, real = features.double(), reference.double()
        around, own = radii(real, k) if reach is None else reach, radii(made, k)
        inside = []
        for part, ball in zip(real.split(_BLOCK), around.split(_BLOCK), strict=True):
            distance = _distance(part, made)
            inside.append(((distance < ball[:, None]).numpy(), (distance < own).numpy()))
        self.k = k
        self.in_real: NDArray[np.bool_] = np.concatenate([one for one, _ in inside])
        """[M, N]: the made picture lies in the ball of the real one."""
        self.in_made: NDArray[np.bool_] = np.concatenate([other for _, other in inside])
        """[M, N]: the real picture lies in the ball of the made one."""

    def by_picture(self, name: str) -> NDArray[np.float64]:
        """What precision, or density, is the mean of: a number of each made picture [N]."""
        inside: NDArray[np.int64] = self.in_real.sum(0)
        return np.minimum(inside, 1).astype(np.float64) if name == "precision" else inside / self.k

    def of(self, name: str, clips: NDArray[np.int64] | None = None) -> float:
        """One of `NAMES`, of all made pictures or of those of some clips, whose balls stay as they are.

        precision: share of made pictures in a ball of a real one. recall: share of real ones in a ball of a made one.
        density: balls of real ones that a made picture lies in, over k. coverage: share of balls of real ones with a
        made picture in them. All but density lie in 0..1; of made pictures that are as the real ones, density and
        coverage are near 1 (coverage: 1 - 2^-k).
        """
        if name in ("precision", "density"):
            own = self.by_picture(name)
            return float((own if clips is None else own[clips]).mean())
        inside: NDArray[np.bool_] = self.in_made if name == "recall" else self.in_real
        some = inside if clips is None else np.take(inside, np.unique(clips), axis=1)
        return float(np.mean(np.any(some, axis=1)))


__all__ = ["K", "NAMES", "Neighbourhoods", "radii"]
