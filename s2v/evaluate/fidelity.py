"""FID, IS and KID from features and probabilities (paper 4.1), in float64; agrees with torch-fidelity.

Of numbers that are not finite none of them is made: that is a `UserError`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from s2v.errors import UserError

IS_SHUFFLE_SEED = 2020
"""Seed of the shuffle before the parts of IS; torch-fidelity's own."""

_BLOCK = 4096


@dataclass(frozen=True)
class Reference:
    """Mean [F], covariance [F, F] and its square root of the real pictures' features, float64; made once."""

    mean: Tensor
    covariance: Tensor
    root: Tensor
    n: int

    @classmethod
    def of(cls, features: Tensor) -> Reference:
        """Statistics of features [N, F], N >= 2."""
        mean, covariance = _statistics(features)
        values, vectors = torch.linalg.eigh(covariance)
        root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
        return cls(mean, covariance, root, len(features))


def _statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    x = _rows(features)
    mean = x.mean(0)
    centred = x - mean
    return mean, centred.T @ centred / (len(x) - 1)


def _rows(features: Tensor) -> Tensor:
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features of shape {tuple(features.shape)}: a covariance needs at least two rows")
    return _finite(features)


def _finite(values: Tensor) -> Tensor:
    if not values.isfinite().all():
        raise UserError("evaluate: features are not finite; the evaluator's weights are damaged or did not train")
    return values.double()


def frechet_distance(features: Tensor, reference: Reference | Tensor) -> float:
    """FID: |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)) of Gaussians fitted to two sets of features.

    The trace of the root is the sum of the square roots of the eigenvalues of S2^(1/2) S1 S2^(1/2), which is
    symmetric: no general matrix root, no complex numbers, and rank-deficient covariances (fewer pictures than
    features) are no special case.

    Args:
        features: [N, F], N >= 2.
        reference: features [M, F] of the real pictures, or their `Reference`.

    Returns:
        The distance; 0 for equal sets. It falls with N: compare only values of equal N, and name the network.
    """
    real = reference if isinstance(reference, Reference) else Reference.of(reference)
    mean, covariance = _statistics(features)
    inner = real.root @ covariance @ real.root
    trace_root = torch.linalg.eigvalsh((inner + inner.T) / 2).clamp(min=0).sqrt().sum()
    spread = covariance.trace() + real.covariance.trace() - 2 * trace_root
    return max(0.0, float((mean - real.mean).square().sum() + spread))


class FrechetDistances:
    """FID of resamples of one set of pictures, of which what all of them share is computed once.

    With X the features, centred, and R the root of the reference's covariance, the trace that FID needs is the sum of
    the singular values of X R over the root of n - 1. They are those of a Gram matrix of features, [F, F], or of
    pictures, [D, D] with D different ones in the resample; the smaller is taken. Equal to `frechet_distance` but for
    rounding.

    Args:
        features: [N, F], N >= 2.
        reference: of the real pictures.
    """

    def __init__(self, features: Tensor, reference: Reference) -> None:
        x = _rows(features)
        self.reference, self.middle = reference, x.mean(0)
        self.centred = x - self.middle
        self.rooted = self.centred @ reference.root
        self.between: Tensor | None = None

    def distance(self, index: Tensor) -> float:
        """FID of the pictures of an index [n], n >= 2, in which some may occur several times."""
        n, often = len(index), torch.bincount(index, minlength=len(self.centred)).double()
        distinct = often.nonzero().flatten()
        if n < 2:
            raise ValueError("FID of fewer than two pictures")
        mean = often @ self.centred / n
        trace = (often @ self.centred.square().sum(1) - n * mean.square().sum()) / (n - 1)
        root = often[distinct].div(n - 1).sqrt()[:, None]
        if len(distinct) < self.rooted.shape[1]:
            inner = self._between(distinct, often[distinct] / n) * root * root.T
        else:
            rooted = root * (self.rooted[distinct] - mean @ self.reference.root)
            inner = rooted.T @ rooted
        trace_root = torch.linalg.eigvalsh((inner + inner.T) / 2).clamp(min=0).sqrt().sum()
        apart = (self.middle + mean - self.reference.mean).square().sum()
        return max(0.0, float(apart + trace + self.reference.covariance.trace() - 2 * trace_root))

    def _between(self, distinct: Tensor, share: Tensor) -> Tensor:
        """Products [D, D] of the rooted features of some pictures, from which the mean by `share` [D] is taken."""
        if self.between is None:
            self.between = self.rooted @ self.rooted.T
        products = self.between[distinct][:, distinct]
        means = products @ share
        return products - means - means[:, None] + share @ means


def shuffle_order(n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The seeded order in which pictures are dealt into the parts of IS (that of torch-fidelity)."""
    order: np.ndarray[tuple[int], np.dtype[np.int64]] = np.random.RandomState(IS_SHUFFLE_SEED).permutation(n)
    return order


def inception_score(probabilities: Tensor, splits: int, shuffle: bool = True) -> tuple[float, float]:
    """IS: exp of the mean KL between a picture's class posterior and its part's mean one, over parts.

    Pictures are shuffled by a fixed seed (`IS_SHUFFLE_SEED`), since clips come sorted by name; part i holds
    pictures i*N//splits to (i+1)*N//splits. Few pictures a part bias the score low: state N and splits.

    Args:
        probabilities: [N, K], rows sum to 1.
        splits: number of parts, cut to N where there are fewer pictures.

    Returns:
        Mean and standard deviation over the parts; 1 <= IS <= K.
    """
    p = _finite(probabilities)
    n = len(p)
    if n == 0:
        raise ValueError("IS of no picture")
    splits = min(splits, n)
    if shuffle:
        p = p[torch.from_numpy(shuffle_order(n))]
    scores = []
    for i in range(splits):
        part = p[i * n // splits : (i + 1) * n // splits]
        marginal = part.mean(0)
        divergence = torch.xlogy(part, part).sum(1).mean() - torch.xlogy(marginal, marginal).sum()
        scores.append(float(divergence.exp()))
    return float(np.mean(scores)), float(np.std(scores))


class InceptionScores:
    """IS of resamples of one set of pictures, equal to `inception_score` but for rounding.

    Args:
        probabilities: [N, K], rows sum to 1.
        splits: number of parts.
    """

    def __init__(self, probabilities: Tensor, splits: int) -> None:
        self.p, self.splits = _finite(probabilities), splits
        self.certainty = torch.xlogy(self.p, self.p).sum(1)

    def score(self, index: Tensor) -> float:
        """IS, the mean over parts, of the pictures of an index [n], in which some may occur several times."""
        n = len(index)
        dealt, splits = index[torch.from_numpy(shuffle_order(n))], min(self.splits, n)
        parts = [dealt[i * n // splits : (i + 1) * n // splits] for i in range(splits)]
        shares = torch.stack([torch.bincount(part, minlength=len(self.p)).double() / len(part) for part in parts])
        marginal = shares @ self.p
        return float((shares @ self.certainty - torch.xlogy(marginal, marginal).sum(1)).exp().mean())


class Kernels:
    """The cubic kernel (x.y / F + 1)^3 between all pictures of two sets, of which [N, N] float64 is kept.

    Args:
        features: [N, F], N >= 2.
        real: [M, F], M >= 2.
    """

    def __init__(self, features: Tensor, real: Tensor) -> None:
        x, y = _finite(features), _finite(real)
        if len(x) < 2 or len(y) < 2:
            raise ValueError("KID needs at least two pictures on each side")

        def kernel(a: Tensor, b: Tensor) -> Tensor:
            return (a @ b.T).div_(a.shape[1]).add_(1).pow_(3)

        m, n = len(x), len(y)
        self.made, self.real, both = kernel(x, x), torch.zeros(()).double(), torch.zeros(()).double()
        means: list[Tensor] = []
        for i, part in enumerate(y.split(_BLOCK)):
            block = kernel(part, y)
            self.real += block.sum() - block[:, i * _BLOCK :].trace()
        for part in x.split(_BLOCK):
            block = kernel(part, y)
            both += block.sum()
            means.append(block.mean(1))
        self.real /= n * (n - 1)
        self.both = torch.cat(means)
        within = (self.made.sum() - self.made.trace()) / (m * (m - 1)) + self.real
        self.whole = float(within - 2 * (both / (m * n)))
        """KID of all made pictures."""

    def distance(self, index: Tensor) -> float:
        """KID of the made pictures of an index [N]."""
        often = torch.bincount(index, minlength=len(self.made)).double()
        if (often == 1).all():
            return self.whole
        m = len(index)
        within = (often @ self.made @ often - often @ self.made.diagonal()) / (m * (m - 1)) + self.real
        return float(within - 2 * (often @ self.both) / m)


def kernel_distance(features: Tensor, real: Tensor) -> float:
    """KID: unbiased squared MMD with the cubic kernel over all pairs, no subsets.

    Unlike FID it has no bias in N, so it is the one to trust below some thousand pictures. May fall below 0.
    """
    return Kernels(features, real).whole


__all__ = [
    "IS_SHUFFLE_SEED",
    "FrechetDistances",
    "InceptionScores",
    "Kernels",
    "Reference",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
]
