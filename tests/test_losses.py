"""The losses of Eq. 1-2 against literal sums, their bounds, and their oracle."""

import math

import torch

from s2v.losses.alignment import LOSSES, l2, l_nce, l_total


def test_l_total_is_the_literal_sum_of_eq_1_and_2() -> None:
    torch.manual_seed(0)
    v, a = torch.randn(5, 7), torch.randn(5, 7)
    vn, an = v / v.norm(dim=1, keepdim=True), a / a.norm(dim=1, keepdim=True)
    total = 0.0
    for x, y in ((an, vn), (vn, an)):
        for j in range(5):
            d = [float((x[j] - y[k]).norm()) for k in range(5)]
            total += -math.log(math.exp(-d[j]) / sum(math.exp(-dk) for dk in d))
    assert math.isclose(float(l_total(v, a)), total / 10, rel_tol=1e-5)


def test_chance_and_lower_bounds_at_batch_64() -> None:
    """ln 64 when nothing is told apart; the bounds of non-negative unit vectors (distances 0 and sqrt 2)."""
    same = torch.ones(64, 128)
    assert math.isclose(float(l_total(same, same)), math.log(64), rel_tol=1e-4)
    perfect = torch.eye(64)
    assert math.isclose(float(l_total(perfect, perfect)), 2.792, abs_tol=2e-3)
    assert math.isclose(float(l_nce(perfect, perfect)), 3.185, abs_tol=2e-3)


def test_scale_of_features_does_not_matter_but_for_l2() -> None:
    torch.manual_seed(0)
    v, a = torch.randn(6, 9), torch.randn(6, 9)
    for name in ("total", "nce"):
        torch.testing.assert_close(LOSSES[name](v, a, 1.0), LOSSES[name](3 * v, 0.5 * a, 1.0))
    assert l2(v, v) == 0 and l2(v, 2 * v) > 0


def test_gradient_is_finite_where_features_meet() -> None:
    v = torch.randn(4, 8)
    a = v.clone().requires_grad_()
    l_total(v, a).backward()
    assert a.grad is not None and torch.isfinite(a.grad).all()
