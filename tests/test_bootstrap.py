"""Bootstrap intervals: coverage, pairing over clips, seeds within."""

from __future__ import annotations

import numpy as np
import pytest

from s2v.evaluate.bootstrap import crossed_statistic, mean_interval, paired_difference, resamples


def test_interval_of_a_mean_is_the_textbook_one() -> None:
    hits = np.repeat([1.0, 0.0], [140, 60])
    interval = mean_interval(hits, 4000)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 200)
    assert interval.value == pytest.approx(0.7)
    assert interval.low == pytest.approx(0.7 - half, abs=0.01)
    assert interval.high == pytest.approx(0.7 + half, abs=0.01)


def test_about_95_in_100_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        interval = mean_interval(rng.random(80) < 0.6, 300, seed=trial)
        held += interval.low <= 0.6 <= interval.high
    assert 0.89 <= held / 200 <= 0.99


def test_seeds_are_averaged_within_a_clip_and_do_not_count_as_clips() -> None:
    clips = np.random.default_rng(1).random(50)
    once, five = mean_interval(clips), mean_interval(np.stack([clips] * 5))
    assert (five.low, five.value, five.high) == pytest.approx((once.low, once.value, once.high))


def test_pairing_removes_what_clips_share() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(0, 1, 100)
    better = base + 0.1 + rng.normal(0, 0.05, 100)
    difference = paired_difference(better[None], np.stack([base, base]))
    assert 0.05 < difference.low < difference.high < 0.15
    assert mean_interval(better).low <= mean_interval(base).high
    with pytest.raises(ValueError, match="same clips"):
        paired_difference(base, base[:-1])


def test_the_interval_of_a_statistic_agrees_with_the_one_of_a_mean() -> None:
    values = np.random.default_rng(3).normal(5, 1, (3, 120))
    a = crossed_statistic(lambda _, index: float(values[:, index].mean()), 120, 1, count=400)
    b = mean_interval(values, 4000)
    assert a.value == pytest.approx(b.value)
    assert a.high - a.low == pytest.approx(b.high - b.low, rel=0.2)


def test_same_seed_same_resamples_and_no_clip_is_refused() -> None:
    assert (resamples(9, 5, 1) == resamples(9, 5, 1)).all()
    assert (resamples(9, 5, 1) != resamples(9, 5, 2)).any()
    with pytest.raises(ValueError, match="no clip"):
        mean_interval(np.zeros(0))
