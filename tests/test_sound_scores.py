"""AIS and IIS against literal evaluations of their words, and at chance."""

from __future__ import annotations

import pytest
import torch

from s2v.evaluate.sound_scores import percentiles, scores, zscores


def _similarity(n: int, own: float, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, n, generator=torch.Generator().manual_seed(seed)) + own * torch.eye(n)


def test_percentile_is_the_share_of_other_sounds_that_fit_worse() -> None:
    s = _similarity(20, 1.0)
    for i, found in enumerate(percentiles(s).tolist()):
        assert found == pytest.approx(sum(float(s[i, j]) < float(s[i, i]) for j in range(20) if j != i) / 19)
    assert percentiles(_similarity(500, 0.0)).mean() == pytest.approx(0.5, abs=0.04)
    assert percentiles(_similarity(50, 100.0)).mean() == 1 and percentiles(_similarity(50, -100.0)).mean() == 0


def test_a_network_that_says_the_same_of_all_is_at_chance() -> None:
    flat = torch.full((7, 7), 0.3)
    assert percentiles(flat).tolist() == [0.5] * 7 and zscores(flat).tolist() == [0.0] * 7


def test_a_sound_that_fits_every_picture_gains_a_percentile_and_no_zscore() -> None:
    """Why the two are not one number: the pool is the sounds in one, and the pictures in the other."""
    s = torch.zeros(5, 5) + 0.01 * torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    s[:, 0] += 3
    assert percentiles(s)[0] == 1 and percentiles(s)[1:].max() <= 0.75 and abs(float(zscores(s)[0])) < 2


def test_zscore_is_over_the_pictures() -> None:
    s = _similarity(9, 0.5)
    for j, found in enumerate(zscores(s).tolist()):
        column = s[:, j].double()
        expected = (column[j] - column.mean()) / ((column - column.mean()) ** 2).mean().sqrt()
        assert found == pytest.approx(float(expected))
    assert zscores(_similarity(500, 0.0)).mean() == pytest.approx(0, abs=0.1)


def test_names_say_variant_network_and_pool() -> None:
    found = scores("AIS", "Wav2CLIP+B32", "sounds", _similarity(4, 1))
    assert list(found) == [
        "AIS-percentile/Wav2CLIP+B32/sounds",
        "AIS-zscore/Wav2CLIP+B32/pictures",
        "AIS-cosine/Wav2CLIP+B32",
    ]
    assert "AIS-cosine/x" not in scores("AIS", "x", "sounds", _similarity(4, 1), cosine=False)
    with pytest.raises(ValueError, match="one clip"):
        percentiles(torch.ones(1, 1))
