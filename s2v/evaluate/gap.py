"""Geometry of the gap between the modalities (paper 4.4, after Zhang et al. 2023), over paired features.

Some of it holds for any features, and is no finding:

- E z^V and E z^A differ by E g, which the centre leaves out: the centres of the two modalities are the same vector.
- Without the cosine's denominator, orthogonality has a mean of 0. Its spread tells whether features are orthogonal.
- At unit norm ||g||^2 = 2 - 2 cos(z^V, z^A): magnitude and alignment are two readings of one number.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_TINY = 1e-12


@dataclass(frozen=True)
class Geometry:
    """What the paper measures of the gap g = z^V - z^A of N pairs of D-dimensional features.

    Attributes:
        magnitude: [N] ||g|| of each pair.
        orthogonality_image: [N] cos(z^V - E z^V, E g).
        orthogonality_sound: [N] the same of z^A.
        centre_image: [D] E[z^V - (z^V . g') g'] with g' = E g / ||E g||: the mean feature beside the gap.
        centre_sound: [D] the same of z^A, and the same vector but for rounding.
        to_mean: [N] cos(g, E g), 1 where the gap is the same vector for all pairs.
        mean_gap_norm: ||E g||, the gap between the centroids.
        distribution_gap: root of E ||g - E g||^2, what is left once the centroids are brought together. E ||g||^2 is
            the sum of both squares (after Liu et al., arXiv 2604.00279, who tell the two apart).
        alignment: mean cosine of z^V and z^A of a pair (Goel et al. 2022).
    """

    magnitude: Tensor
    orthogonality_image: Tensor
    orthogonality_sound: Tensor
    centre_image: Tensor
    centre_sound: Tensor
    to_mean: Tensor
    mean_gap_norm: float
    distribution_gap: float
    alignment: float

    @property
    def variation(self) -> float:
        """Coefficient of variation of the magnitude: its standard deviation over its mean; 0 where it is constant."""
        mean = float(self.magnitude.mean())
        return float(self.magnitude.std(correction=0)) / mean if mean > _TINY else 0.0


def geometry(z_v: Tensor, z_a: Tensor) -> Geometry:
    """Measure features as they are, in double precision.

    Where the mean gap is zero there is no direction g': orthogonality is then 0, and the centre is the plain mean.

    Args:
        z_v: image features [N, D].
        z_a: audio features [N, D] of the same clips.

    Raises:
        ValueError: the shapes do not belong together, there is no pair, or a number is not finite.
    """
    if z_v.shape != z_a.shape or z_v.ndim != 2 or len(z_v) == 0:
        raise ValueError(f"features {tuple(z_v.shape)} and {tuple(z_a.shape)} are not pairs")
    v, a = z_v.double(), z_a.double()
    if not (v.isfinite().all() and a.isfinite().all()):
        raise ValueError("a feature is not a finite number")
    g = v - a
    mean_gap = g.mean(0)
    norm = mean_gap.norm()
    direction = mean_gap / norm if norm > _TINY else torch.zeros_like(mean_gap)

    def cosine(x: Tensor) -> Tensor:
        return (x @ direction) / x.norm(dim=1).clamp(min=_TINY)

    def centre(x: Tensor) -> Tensor:
        return (x - (x @ direction)[:, None] * direction).mean(0)

    return Geometry(
        g.norm(dim=1), cosine(v - v.mean(0)), cosine(a - a.mean(0)), centre(v), centre(a), cosine(g), float(norm),
        float((g - mean_gap).square().sum(1).mean().sqrt()), float(F.cosine_similarity(v, a).mean()),
    )  # fmt: skip


def unit_geometry(z_v: Tensor, z_a: Tensor) -> Geometry:
    """The same of features brought to unit norm, which is what the generator is given and the losses compare."""
    return geometry(F.normalize(z_v.double()), F.normalize(z_a.double()))


def nearest(z: Tensor, known: Tensor) -> Tensor:
    """[N]: cosine of each feature of z [N, D] to the nearest of known ones [M, D], such as a generator has seen."""
    return (F.normalize(z.double()) @ F.normalize(known.double()).T).amax(1)


def random_directions(z_v: Tensor, z_a: Tensor, count: int = 64, seed: int = 0) -> Tensor:
    """Directions [count, D] of unit norm that are random as the features are: sums of the centred features of both
    modalities with random weights, which lean to where features vary much. What the gap is held against, since features
    fill few of their dimensions: beside one that they do not use any feature is orthogonal."""
    x = torch.cat([one.double() - one.double().mean(0) for one in (z_v, z_a)])
    weights = torch.randn(count, len(x), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return F.normalize(weights @ x)


def orthogonality(z: Tensor, directions: Tensor) -> Tensor:
    """[N]: absolute cosine of centred features [N, D] and directions [K, D], the mean over these."""
    x = z.double()
    return (F.normalize(x - x.mean(0)) @ directions.T).abs().mean(1)


def centre_beside(z: Tensor, directions: Tensor) -> float:
    """Length of the mean feature of z [N, D] beside a direction, the mean over directions [K, D]."""
    mean = z.double().mean(0)
    return float((mean - (directions @ mean)[:, None] * directions).norm(dim=1).mean())


__all__ = ["Geometry", "centre_beside", "geometry", "nearest", "orthogonality", "random_directions", "unit_geometry"]
