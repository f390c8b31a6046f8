"""The loss of diffusion (paper 6.1)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def denoising_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Eq. 3-4: mean squared error of the predicted noise (or velocity) [B, C, h, w]."""
    return F.mse_loss(predicted, target)
