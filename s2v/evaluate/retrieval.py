"""R@k of pictures against class names: the CLIP retrieval protocol of the paper (4.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from s2v.errors import UserError

TIE_RULE = "a class name that scores the same as the true one counts as ranked above it"


def ranks(scores: Tensor, truth: Tensor) -> Tensor:
    """Rank of the true class of each picture, 1 is best.

    Ties are settled against the method (`TIE_RULE`): the rank is 1 plus the number of other classes whose
    score is at least that of the true one. So an evaluator that scores all names alike gets R@1 = 0, not 1.

    Args:
        scores: float [N, C], finite, larger is better.
        truth: int64 [N], index of the true class in 0..C-1.

    Returns:
        int64 [N] in 1..C.

    Raises:
        UserError: a score is not finite, so it has no rank.
        ValueError: the shapes do not belong together.
    """
    if scores.ndim != 2 or truth.shape != scores.shape[:1]:
        raise ValueError(f"scores {tuple(scores.shape)}, truth {tuple(truth.shape)} do not belong together")
    if not torch.isfinite(scores).all():
        raise UserError("evaluate: scores are not finite; the evaluator's weights are damaged or did not train")
    if len(truth) and (int(truth.min()) < 0 or int(truth.max()) >= scores.shape[1]):
        raise ValueError(f"a true class lies outside 0..{scores.shape[1] - 1}")
    true_score = scores.gather(1, truth[:, None])
    return (scores >= true_score).sum(1)


def recall_at(rank: Tensor, k: int) -> float:
    """R@k: share of pictures whose true class is among the k best, 0..1; `rank` from `ranks`, N >= 1."""
    return float((rank <= k).double().mean())


__all__ = ["TIE_RULE", "ranks", "recall_at"]
