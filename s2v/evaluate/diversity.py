"""Diversity among the pictures of one sound, of one class, and of all sounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Spread:
    """Distances between the evaluator's features of several pictures of each sound.

    Args:
        features: [S, N, F], S >= 2 pictures of N >= 2 sounds.
    """

    def __init__(self, features: Tensor) -> None:
        draws, n = features.shape[:2]
        if draws < 2 or n < 2:
            raise ValueError(f"diversity of {draws} picture(s) of {n} sound(s)")
        x = features.double()
        by_clip = torch.cdist(x.transpose(0, 1), x.transpose(0, 1))
        self.within: NDArray[np.float64] = (by_clip.sum((1, 2)) / (draws * (draws - 1))).numpy()
        """[N]: mean distance between two pictures of a sound."""
        self.between = np.zeros((n, n))
        """[N, N]: distance between the pictures of two sounds, mean over those of the same number."""
        for one in x:
            self.between += torch.cdist(one, one).numpy() / draws
        np.fill_diagonal(self.between, 0)

    def of(self, clips: NDArray[np.int64] | None = None) -> float:
        """Mean distance between two pictures of one sound, over that between pictures of different sounds.

        0: always the same picture of a sound. 1: pictures of one sound differ as those of different sounds do, so the
        sound says nothing (or the evaluator sees nothing of what it says). 0 where all pictures are the same.
        """
        n = len(self.within)
        often = np.ones(n) if clips is None else np.bincount(clips, minlength=n).astype(np.float64)
        pairs = often.sum() ** 2 - (often**2).sum()
        apart = often @ self.between @ often / max(pairs, 1)
        return float(often @ self.within / often.sum() / apart) if apart > 0 else 0.0


def within_class(features: Tensor, classes: Sequence[str | None]) -> NDArray[np.float64]:
    """Mean distance of each picture's features [N, F] to those of the other pictures of its class, [N]; not a number
    where there is no other."""
    x, named = features.double(), np.array([name or "" for name in classes])
    apart, found = torch.cdist(x, x).numpy(), np.full(len(x), np.nan)
    for i, name in enumerate(named):
        others = (named == name) & (np.arange(len(x)) != i)
        if name and others.any():
            found[i] = apart[i, others].mean()
    return found


def vendi(features: Tensor) -> float:
    """Vendi score (Friedman and Dieng 2023) of features [N, F]: how many pictures that have nothing in common would be
    as diverse, by the entropy of the eigenvalues of their cosines. From 1, where all are the same, to N."""
    x = torch.nn.functional.normalize(features.double())
    # Those of the N x N kernel, and of the F x F one that is smaller, are the same but for zeros.
    kernel = (x.T @ x if x.shape[1] < len(x) else x @ x.T) / len(x)
    values = torch.linalg.eigvalsh(kernel).clamp(min=0)
    values = values[values > 1e-12]
    return float(torch.exp(-(values * values.log()).sum()))


__all__ = ["Spread", "vendi", "within_class"]
