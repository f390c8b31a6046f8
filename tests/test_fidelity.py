"""FID, IS and KID against torch-fidelity and torchmetrics on the same features."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from s2v.evaluate import fidelity
from s2v.evaluate.fidelity import (
    FrechetDistances,
    InceptionScores,
    Kernels,
    Reference,
    frechet_distance,
    inception_score,
    kernel_distance,
)
from s2v.evaluate.resampling import resamples


def _features(n: int, dim: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    mix = torch.randn(dim, dim, generator=g, dtype=torch.float64) / dim**0.5
    return torch.randn(n, dim, generator=g, dtype=torch.float64) @ mix + shift


@pytest.mark.parametrize(("n", "m", "dim"), [(300, 250, 16), (40, 300, 64)])
def test_fid_equals_torch_fidelity(n: int, m: int, dim: int) -> None:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    a, b = _features(n, dim, 0), _features(m, dim, 1, 0.3)
    expected = fid_statistics_to_metric(fid_features_to_statistics(a), fid_features_to_statistics(b), False)
    assert frechet_distance(a, b) == pytest.approx(expected[KEY_METRIC_FID], rel=1e-6)


def test_fid_equals_the_textbook_matrix_root() -> None:
    a, b = _features(200, 12, 2), _features(220, 12, 3, 0.1)
    s1, s2 = np.cov(a.numpy(), rowvar=False), np.cov(b.numpy(), rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2).real
    difference = (a.mean(0) - b.mean(0)).square().sum().item()
    assert frechet_distance(a, b) == pytest.approx(difference + np.trace(s1 + s2 - 2 * root), rel=1e-8)


def test_fid_equals_torchmetrics_with_its_network_taken_out() -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Pixels(nn.Module):
        num_features = 12

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(1).double()

    a, b = _features(100, 12, 4).reshape(100, 3, 2, 2), _features(90, 12, 5, 0.2).reshape(90, 3, 2, 2)
    metric = FrechetInceptionDistance(feature=Pixels(), normalize=True, input_img_size=(3, 2, 2))
    metric.set_dtype(torch.float64)
    metric.update(b, real=True)
    metric.update(a, real=False)
    assert frechet_distance(a.flatten(1), b.flatten(1)) == pytest.approx(float(metric.compute()), rel=1e-6)


def test_fid_of_equal_sets_is_zero_and_a_shift_is_its_square() -> None:
    a = _features(64, 8, 6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a + 2.0, Reference.of(a)) == pytest.approx(8 * 4.0, rel=1e-9)


@pytest.mark.parametrize(("n", "dim"), [(40, 64), (90, 64), (300, 16)])
def test_fid_of_resamples_is_that_of_the_same_pictures_from_scratch(n: int, dim: int) -> None:
    """More features than pictures, more of them than different ones in a resample, and fewer."""
    made, real = _features(n, dim, 11, 3.0), Reference.of(_features(70, dim, 12))
    distances = FrechetDistances(made.float(), real)
    for clips in (np.arange(n), np.array([0, 0, 1]), *resamples(n, 5)):
        index = torch.from_numpy(clips)
        assert distances.distance(index) == pytest.approx(frechet_distance(made.float()[index], real), rel=1e-6)
    with pytest.raises(ValueError, match="fewer than two"):
        distances.distance(torch.tensor([0]))


def test_inception_score_equals_torch_fidelity() -> None:
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

    logits = 3 * _features(237, 11, 7)
    expected = isc_features_to_metric(logits, splits=10)
    mean, std = inception_score(logits.softmax(1), 10)
    assert mean == pytest.approx(expected[KEY_METRIC_ISC_MEAN], rel=1e-9)
    assert std == pytest.approx(expected[KEY_METRIC_ISC_STD], rel=1e-9)


@pytest.mark.parametrize("splits", [1, 7, 10])
def test_inception_score_of_resamples_is_that_of_the_same_pictures_from_scratch(splits: int) -> None:
    probabilities = (3 * _features(120, 11, 13)).softmax(1).float()
    probabilities[:3] = torch.eye(11)[:3]  # of nought no logarithm
    scores = InceptionScores(probabilities, splits)
    for clips in (np.arange(120), np.array([0, 5, 5]), *resamples(120, 5)):
        index = torch.from_numpy(clips)
        assert scores.score(index) == pytest.approx(inception_score(probabilities[index], splits)[0], rel=1e-12)


def test_inception_score_at_its_bounds() -> None:
    assert inception_score(torch.eye(5).repeat(4, 1), 1)[0] == pytest.approx(5)
    assert inception_score(torch.full((20, 5), 0.2), 4)[0] == pytest.approx(1)
    assert inception_score(torch.eye(5)[:3], 10)[0] == pytest.approx(1), "never more parts than pictures"


def test_kid_equals_torch_fidelity() -> None:
    from torch_fidelity.metric_kid import kernel_poly, mmd2

    a, b = _features(80, 16, 8).numpy(), _features(80, 16, 9, 0.2).numpy()
    options = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1.0}
    k = [kernel_poly(x, y, **options) for x, y in ((a, a), (a, b), (b, b))]
    assert kernel_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(mmd2(*k), rel=1e-9)


def test_kid_of_a_resample_is_that_of_its_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """By sums of kernels, in blocks, what it is by the kernels of the resampled pictures themselves."""
    a, b = _features(70, 16, 8), _features(50, 16, 9, 0.2)

    def plain(x: torch.Tensor, y: torch.Tensor) -> float:
        xx, yy, xy = ((p @ q.T / 16 + 1) ** 3 for p, q in ((x, x), (y, y), (x, y)))
        m, n = len(x), len(y)
        within = (xx.sum() - xx.trace()) / (m * (m - 1)) + (yy.sum() - yy.trace()) / (n * (n - 1))
        return float(within - 2 * xy.mean())

    assert kernel_distance(a, b) == plain(a, b), "to the last bit, where it is one block"
    monkeypatch.setattr(fidelity, "_BLOCK", 16)
    found = Kernels(a, b)
    assert found.whole == pytest.approx(plain(a, b), rel=1e-9)
    assert found.distance(torch.randperm(70)) == found.whole
    for index in torch.randint(0, 70, (5, 70), generator=torch.Generator().manual_seed(0)):
        assert found.distance(index) == pytest.approx(plain(a[index], b), rel=1e-9)


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows"):
        frechet_distance(torch.zeros(1, 3), torch.zeros(5, 3))
    with pytest.raises(ValueError, match="no picture"):
        inception_score(torch.zeros(0, 3), 10)
