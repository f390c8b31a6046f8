"""The loss of the audio-visual localisation model."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def moment_loss(seen: Tensor, heard: Tensor, sharpness: float) -> Tensor:
    """InfoNCE between clips, of which each is scored by its best moments (localisation).

    The score of the frames of clip i with the sounds of clip j is the soft maximum over moments m of
    q^V_im . q^A_jm. What clips have in common at most moments (an empty place, silence) does not tell i from j, so
    the features learn what does, and the score grows at the moments where that is both seen and heard. Contrasting
    single moments instead teaches, too, that an empty frame fits silence: the top moment was then right in fewer
    clips than the middle frame.

    Args:
        seen: q^V [B, M, D].
        heard: q^A [B, M, D].
        sharpness: 0 is the mean over moments, infinity their maximum.

    Returns:
        Scalar: mean of both directions' cross-entropy.
    """
    pairs = torch.einsum("imd,jmd->ijm", seen, heard) * seen.shape[-1] ** -0.5
    clips = torch.logsumexp(pairs * sharpness, 2) / sharpness
    target = torch.arange(len(clips), device=clips.device)
    return (F.cross_entropy(clips, target) + F.cross_entropy(clips.T, target)) / 2
