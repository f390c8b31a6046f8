"""The loss of the judge's image and text towers."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


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
