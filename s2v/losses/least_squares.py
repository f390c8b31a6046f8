"""Least squares GAN (Mao et al. 2017), of scores between -1 and 1.

S2I's training was never released. Its discriminator ends in a tanh, as least squares towards 1 and -1 want it; that
this was the loss is our reading of the article.
"""

from __future__ import annotations

from torch import Tensor


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Of scores [B] of real pairs, which shall be 1, and of generated ones, which shall be -1."""
    return ((real - 1).square().mean() + (fake + 1).square().mean()) / 2


def generator_loss(fake: Tensor) -> Tensor:
    """Of scores [B] of generated pairs, which shall be 1."""
    return (fake - 1).square().mean() / 2
