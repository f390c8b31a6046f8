"""What tells a picture from those near it, as noise: so that G learns to take its noise for a choice among them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.media.picture import to_unit

SIDE = 8
LARGEST = 3 * SIDE**2
"""Numbers of a picture that a code is made of."""


class PictureCodes:
    """Whitened principal components of small pictures, less the mean of their neighbourhood.

    Where reconstruction asks for one of several pictures of a feature and draws the noise anew each time, noise says
    nothing of which, and what pays is their mean whatever the noise. A code does say it. Over the training pictures its
    numbers have mean 0, variance 1 and no correlation, as noise has, which takes their place when G paints.
    """

    def __init__(self, images: Tensor, neighbours: Tensor, size: int, chunk: int = 1024) -> None:
        """Of uint8 pictures [N, 3, R, R] and the rows of those near each, [N, k]; codes have `size` numbers."""
        sides = [torch.cat([_small(part, flip) for part in images.split(chunk)]) for flip in (False, True)]
        self.small = torch.stack(sides)
        near = torch.cat([torch.arange(len(images))[:, None], neighbours], 1)
        self.centre = self.small.mean(0)[near].mean(1)
        apart = (self.small[flip][column] - self.centre for flip in (0, 1) for column in near.T)
        covariance = sum((one.T @ one for one in apart), torch.zeros(LARGEST, LARGEST)) / (2 * near.numel())
        values, vectors = (part.flip(-1)[..., :size] for part in torch.linalg.eigh(covariance))
        # An eigenvector is one whichever its sign is.
        vectors = vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
        self.whitening = vectors / values.clamp_min(1e-8).sqrt()

    def __call__(self, index: Tensor, picture: Tensor, flip: Tensor) -> Tensor:
        """Codes [B, size] of `picture`, mirrored where `flip`, as one of the neighbourhood of `index` (each [B])."""
        return (self.small[flip.long(), picture] - self.centre[index]) @ self.whitening


def _small(images: Tensor, flip: bool) -> Tensor:
    unit = to_unit(images.flip(3) if flip else images)
    return F.adaptive_avg_pool2d(unit, SIDE).flatten(1)


__all__ = ["LARGEST", "PictureCodes"]
