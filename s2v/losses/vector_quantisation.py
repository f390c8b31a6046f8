"""The loss of vector quantisation (van den Oord et al. 2017)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def quantisation_loss(z: Tensor, quantised: Tensor, commitment: float) -> Tensor:
    """Codes move to the latents, and latents, by `commitment`, to their codes: both [B, D, h, h]."""
    return F.mse_loss(quantised, z.detach()) + commitment * F.mse_loss(z, quantised.detach())
