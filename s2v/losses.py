"""What is minimised: every loss as a formula of what the nets gave for a whole batch, side by side.

The alignment losses first. There `z_v` and `z_a` are visual and audio features of the same B clips, [B, D], as the
encoders give them. Row j of one belongs to row j of the other; the other rows are the negatives.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor, float], Tensor]


def info_nce(similarity: Tensor) -> Tensor:
    """Eq. 1 over both directions, and Eq. 2: mean of the row-wise and column-wise cross-entropies of [B, B]."""
    target = torch.arange(len(similarity), device=similarity.device)
    return 0.5 * (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target))


def l_total(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """Eq. 1-2: InfoNCE with d = L2 distance of the unit-norm features. The paper has no temperature (1)."""
    distance = torch.cdist(F.normalize(z_v), F.normalize(z_a), compute_mode="donot_use_mm_for_euclid_dist")
    return info_nce(-distance / temperature)


def l_total_raw(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """Eq. 1-2 with the L2 distance of features as they are, so that f_A learns f_V's length as well.

    The paper's text has unit norm; its authors' code for Stable unCLIP, which sees the length, has this.
    """
    return info_nce(-torch.cdist(z_v, z_a, compute_mode="donot_use_mm_for_euclid_dist") / temperature)


def l_nce(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """InfoNCE with cosine similarity (Table 2, row B; 4.4). 1 in the authors' code."""
    return info_nce(F.normalize(z_v) @ F.normalize(z_a).T / temperature)


def l2(z_v: Tensor, z_a: Tensor, temperature: float = 1.0) -> Tensor:
    """Mean squared error of the raw features (Table 2, row A); the temperature has no meaning here."""
    return F.mse_loss(z_a, z_v)


LOSSES: dict[str, Loss] = {"total": l_total, "total_raw": l_total_raw, "nce": l_nce, "l2": l2}


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


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Codes [B, K] whose columns share the batch equally, rows summing to 1 (Caron et al. 2020)."""
    q = torch.exp((scores.float() - scores.float().max()) / epsilon).T
    k, batch = q.shape
    q /= q.sum()
    for _ in range(iterations):
        q /= q.sum(1, keepdim=True).clamp_min(1e-12) * k
        q /= q.sum(0, keepdim=True).clamp_min(1e-12) * batch
    return (q * batch).T


def swav_loss(scores: list[Tensor], temperature: float, epsilon: float, iterations: int, full_crops: int = 2) -> Tensor:
    """SwAV (Caron et al. 2020): every full crop's code is predicted from every other crop of the same picture.

    Args:
        scores: one [B, K] per crop; the first `full_crops` are the large ones.
    """
    losses = []
    for i in range(full_crops):
        code = sinkhorn(scores[i], epsilon, iterations)
        losses += [
            -(code * F.log_softmax(other.float() / temperature, 1)).sum(1).mean()
            for j, other in enumerate(scores)
            if j != i
        ]
    return torch.stack(losses).mean()


def contrastive_loss(similarity: Tensor, labels: Tensor) -> Tensor:
    """CLIP's symmetric loss where several pictures of a batch share one name (judge).

    Picture to name: cross-entropy over all names. Name to picture: for each name that occurs in the batch,
    the softmax over pictures shall be uniform on its own, so that two pictures of one class are not each
    other's negatives.

    Args:
        similarity: [B, C] scaled similarities.
        labels: int64 [B].
    """
    own = F.one_hot(labels, similarity.shape[1]).to(similarity.dtype)
    present = own.sum(0) > 0
    target = own[:, present] / own[:, present].sum(0)
    to_picture = -(target * similarity[:, present].log_softmax(0)).sum(0).mean()
    return 0.5 * (F.cross_entropy(similarity, labels) + to_picture)


def perceptual_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Mean squared distance of the feature maps [B, C, h, w] of two pictures, over the power of the real ones.

    After Johnson et al. 2016; the maps are f_V's last (`s2v.models.perceptual`).
    """
    return (fake - real).pow(2).mean() / real.detach().pow(2).mean().clamp_min(1e-6)


def reconstruction_loss(fake: Tensor, real: Tensor, fake_maps: Tensor, real_maps: Tensor) -> Tensor:
    """L1 of pictures [B, 3, R, R], and a quarter of their perceptual loss; of the generator, not in the paper."""
    return F.l1_loss(fake, real) + 0.25 * perceptual_loss(fake_maps, real_maps)


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """What BigGAN's discriminator minimises, of its scores [B] of real and of generated pictures."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """What BigGAN's generator minimises, of the discriminator's scores [B] of its pictures."""
    return -fake.mean()


PIXELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": F.l1_loss, "l2": F.mse_loss}
"""Distances of pictures [B, 3, R, R], for reconstruction."""


def denoising_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Eq. 3-4: mean squared error of the predicted noise (or velocity) [B, C, h, w]."""
    return F.mse_loss(predicted, target)
