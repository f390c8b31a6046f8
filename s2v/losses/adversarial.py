"""The losses of a GAN (BigGAN: Brock et al. 2018)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """What BigGAN's discriminator minimises, of its scores [B] of real and of generated pictures."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """What BigGAN's generator minimises, of the discriminator's scores [B] of its pictures."""
    return -fake.mean()
