"""Ranks and R@k against brute force, ties included."""

from __future__ import annotations

import pytest
import torch

from s2v.errors import UserError
from s2v.evaluate.retrieval import ranks, recall_at


def brute_force_rank(row: list[float], truth: int) -> int:
    """Sort the names best first; among equals the true one comes last."""
    order = sorted(range(len(row)), key=lambda c: (-row[c], c == truth))
    return order.index(truth) + 1


@pytest.mark.parametrize("seed", range(5))
def test_ranks_equal_brute_force_with_many_ties(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 4, (200, 7), generator=g).float()
    truth = torch.randint(0, 7, (200,), generator=g)
    expected = [brute_force_rank(row, t) for row, t in zip(scores.tolist(), truth.tolist(), strict=True)]
    assert ranks(scores, truth).tolist() == expected


def test_a_constant_evaluator_earns_nothing() -> None:
    rank = ranks(torch.zeros(5, 10), torch.arange(5))
    assert rank.tolist() == [10] * 5
    assert recall_at(rank, 1) == recall_at(rank, 9) == 0.0
    assert recall_at(rank, 10) == 1.0


def test_recall_counts_ranks_up_to_k() -> None:
    rank = torch.tensor([1, 2, 5, 6])
    assert [recall_at(rank, k) for k in (1, 2, 5, 6)] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_scores_that_have_no_rank_are_refused(bad: float) -> None:
    with pytest.raises(UserError, match="not finite"):
        ranks(torch.tensor([[0.0, bad]]), torch.tensor([0]))


def test_shapes_and_classes_are_checked() -> None:
    with pytest.raises(ValueError, match="belong together"):
        ranks(torch.zeros(3, 2), torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match="outside"):
        ranks(torch.zeros(1, 2), torch.tensor([2]))
