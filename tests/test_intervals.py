"""Intervals hold the truth as often as they say, in simulations; pairing; what counts as a unit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_1samp

from s2v.evaluate.crossed import FEW_CLASSES, by_class, crossed, crossed_statistic, variance_of_mean
from s2v.evaluate.faces import means, people_intervals
from s2v.evaluate.fidelity import Reference, frechet_distance, inception_score
from s2v.evaluate.interval import Interval, detectable, quantile, spearman, two_sided_p
from s2v.evaluate.resampling import resamples
from s2v.evaluate.tradeoff import Curve, advantage, advantage_interval
from s2v.study.statistics import Observed
from s2v.study.statistics import interval as of_answers

LEAST = 0.92
Draw = Callable[[np.random.Generator], Interval | None]


def coverage(draw: Draw, truth: float, trials: int, seed: int = 0) -> float:
    """Share of intervals that hold the truth."""
    found = [draw(np.random.default_rng([seed, trial])) for trial in range(trials)]
    return float(np.mean([one is not None and one.low <= truth <= one.high for one in found]))


def test_what_could_have_been_seen_is_what_a_t_test_needs() -> None:
    for n, effect in ((34, 0.5), (199, 0.2), (15, 0.778)):  # Cohen's d for a power of 0.8, paired, two-sided 5 %
        half = quantile(n - 1) / np.sqrt(n)
        assert detectable(half, n - 1) == pytest.approx(effect, rel=0.02)
    assert detectable(1.96, None) == pytest.approx(1.96 + 0.8416, rel=1e-3)
    assert detectable(1.0, 10, tests=8) > detectable(1.0, 10)


def test_an_interval_says_of_how_many_classes_and_evaluators_it_is() -> None:
    values = np.random.default_rng(0).random((3, 2, 60))
    found = crossed(values, [f"class {i % 20}" for i in range(60)])
    assert (found.classes, found.evaluators) == (20, 3)
    assert (crossed(values[0]).classes, crossed(values[0]).evaluators) == (0, 1)


def test_of_one_training_it_is_student_s_interval_of_clips_or_of_classes() -> None:
    values, rng = np.repeat([1.0, 0.0], [140, 60]), np.random.default_rng(0)
    found, low_high = crossed(values), ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.value == pytest.approx(0.7) and (found.low, found.high) == pytest.approx(tuple(low_high))
    names = [f"class {i % 20}" for i in range(200)]
    mixed = rng.permutation(values)
    classes = np.array([mixed[i::20].mean() for i in range(20)])
    found, low_high = crossed(mixed, names), ttest_1samp(classes, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(low_high)) and found.df == pytest.approx(19)


def test_a_class_counts_as_it_has_clips_and_a_few_are_no_sample() -> None:
    values, names = np.arange(30.0), ["a"] * 20 + ["b", "c", "d", "e", "f"] * 2
    units = by_class(values[None], names)
    assert units.shape == (1, 6) and units.mean() == pytest.approx(values.mean())
    assert crossed(values, names).value == pytest.approx(values.mean())
    few = [str(i % (FEW_CLASSES - 1)) for i in range(30)]
    assert crossed(values, few) == crossed(values)
    assert by_class(values[None], [None] * 30).shape == (1, 30), "without a name a clip is a class"
    with pytest.raises(ValueError, match="29 classes of 30 clips"):
        crossed(values, names[:-1])
    with pytest.raises(ValueError, match="no clip"):
        crossed(np.zeros((2, 0)))


def test_pairing_removes_what_clips_share() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(0, 1, 100)
    better = base + 0.1 + rng.normal(0, 0.05, 100)
    difference = crossed(better - base)
    assert 0.05 < difference.low < difference.high < 0.15
    assert crossed(better).low <= crossed(base).high


def test_what_has_one_level_says_nothing_of_another() -> None:
    values = np.random.default_rng(3).normal(0, 1, (1, 4, 60))
    assert crossed(values) == crossed(values[0])
    assert crossed(values[:, :1]) == crossed(values[0, 0])
    assert variance_of_mean(np.ones((3, 4, 5)))[0] == 0


def test_trainings_classes_and_evaluators_that_differ_widen_it() -> None:
    rng = np.random.default_rng(1)
    alike = rng.normal(0, 1, (3, 5, 100))
    apart = [alike + np.arange(n).reshape(shape) for n, shape in ((3, (3, 1, 1)), (5, (1, 5, 1)), (100, (1, 1, 100)))]
    widths = [one.high - one.low for one in map(crossed, (alike, *apart))]
    assert min(widths[1:]) > 3 * widths[0]


SPREADS = {"none": (0, 0, 0), "trainings": (2, 0, 0.5), "evaluators": (0, 2, 0.5), "all": (2, 1, 1), "much": (4, 1, 2)}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize(("evaluators", "trainings"), [(1, 1), (1, 3), (1, 6), (3, 3), (3, 6)])
def test_means_over_evaluators_trainings_and_classes(evaluators: int, trainings: int, spread: str) -> None:
    """Points of R@1: classes differ by 4 points, trainings of a class by 3, as in the default world. Of one level there
    is no spread to see, and so it is none of the truth."""
    of_training, of_evaluator, of_both = SPREADS[spread]
    several = np.array([evaluators > 1, trainings > 1])

    def draw(rng: np.random.Generator) -> Interval:
        values = rng.normal(0, 4, (1, 1, 24)) + rng.normal(0, 3, (1, trainings, 24)) * several[1]
        values = values + rng.normal(0, of_evaluator, (evaluators, 1, 1)) * several[0]
        values = values + rng.normal(0, of_training, (1, trainings, 1)) * several[1]
        values = values + rng.normal(0, of_both, (evaluators, trainings, 1)) * several.all()
        values = values + rng.normal(0, 2, (evaluators, trainings, 24))
        return crossed(values)

    assert coverage(draw, 0.0, 600) >= LEAST


@pytest.mark.parametrize("trainings", [3, 6])
def test_means_of_hits(trainings: int) -> None:
    """Hits are 0 or 1, and of classes that differ much."""

    def draw(rng: np.random.Generator) -> Interval:
        chance = rng.beta(3, 1, 24)[None] + rng.normal(0, 0.03, (trainings, 1)) + rng.normal(0, 0.05, (trainings, 24))
        hits = rng.random((trainings, 24, 20)) < np.clip(chance, 0, 1)[..., None]
        return crossed(hits.reshape(trainings, -1), [str(i // 20) for i in range(480)])

    truth = float(np.mean([np.clip(np.random.default_rng(i).beta(3, 1, 9) + np.random.default_rng(i + 9**6).normal(
        0, np.hypot(0.03, 0.05), 9), 0, 1).mean() for i in range(20_000)]))  # fmt: skip
    assert coverage(draw, truth, 500) >= LEAST


def frechet(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """The Fréchet distance of rows to a normal distribution, in few dimensions faster than `frechet_distance`."""
    own = np.cov(x.T)
    roots = np.sqrt(np.linalg.eigvals(own @ covariance).real.clip(0)).sum()
    return float(((x.mean(0) - mean) ** 2).sum() + np.trace(own) + np.trace(covariance) - 2 * roots)


def test_the_distance_of_the_simulation_is_fid() -> None:
    x, y = np.random.default_rng(0).normal(0, 1, (2, 120, 3))
    fid = frechet_distance(torch.tensor(x), Reference.of(torch.tensor(y)))
    assert frechet(x, y.mean(0), np.cov(y.T)) == pytest.approx(fid, rel=1e-6)


@pytest.mark.parametrize(("trainings", "spread"), [(3, 0.0), (3, 0.1), (3, 0.2), (6, 0.1)])
def test_fid_over_trainings(trainings: int, spread: float) -> None:
    """Pictures' features lie apart from the real ones by what a training drew: FID differs by up to 40 % of itself. The
    truth is what 120 clips give on average, as no FID is without the number of its clips."""
    real = np.random.default_rng(0).normal(0, 1, (120, 3))
    mean, covariance = real.mean(0), np.cov(real.T)

    def alone(rng: np.random.Generator, s: int) -> list[np.ndarray]:
        clip = rng.normal(0, 1, (120, 3))
        return [0.8 * clip + 0.6 * rng.normal(0, 1, (120, 3)) + 1 + rng.normal(0, spread) for _ in range(s)]

    def draw(rng: np.random.Generator) -> Interval:
        made = alone(rng, trainings)

        def over(some: np.ndarray, clips: np.ndarray) -> float:
            return float(np.mean([frechet(made[i][clips], mean, covariance) for i in some]))

        return crossed_statistic(over, 120, trainings, count=20)

    rng = np.random.default_rng(7)
    truth = float(np.mean([frechet(alone(rng, 1)[0], mean, covariance) for _ in range(5000)]))
    assert coverage(draw, truth, 400, seed=1) >= LEAST


def test_is_over_trainings() -> None:
    def alone(rng: np.random.Generator, s: int) -> list[torch.Tensor]:
        label = rng.integers(0, 6, 120)
        return [
            torch.tensor(rng.normal(0, 1, (120, 6)) + rng.normal(2, 0.3) * np.eye(6)[label]).softmax(1)
            for _ in range(s)
        ]

    def draw(rng: np.random.Generator) -> Interval:
        made = alone(rng, 3)

        def over(some: np.ndarray, clips: np.ndarray) -> float:
            return float(np.mean([inception_score(made[i][torch.from_numpy(clips)], 4)[0] for i in some]))

        return crossed_statistic(over, 120, 3, count=20)

    rng = np.random.default_rng(8)
    truth = float(np.mean([inception_score(alone(rng, 1)[0], 4)[0] for _ in range(1500)]))
    assert coverage(draw, truth, 150) >= LEAST


def test_people_with_several_clips() -> None:
    people = [f"p{i // 2}" for i in range(120)]

    def draw(rng: np.random.Generator) -> Interval:
        own = np.repeat(rng.normal(0.3, 1, 60), 2) + rng.normal(0, 0.5, 120)
        return people_intervals(means(own, rng.normal(0, 1, 120)), people, 300, 0)[2]

    assert coverage(draw, 0.3, 300) >= LEAST


def test_people_who_answer_questions() -> None:
    def draw(rng: np.random.Generator) -> Interval:
        person, item = np.repeat(np.arange(20), 15), np.concatenate([rng.permutation(40)[:15] for _ in range(20)])
        chance = 0.6 + rng.normal(0, 0.1, 20)[person] + rng.normal(0, 0.1, 40)[item]
        return of_answers(Observed(person, item, (rng.random(300) < chance).astype(float)), 300, 0)

    assert coverage(draw, 0.6, 300) >= LEAST


def test_edits_at_equal_background_kept() -> None:
    """Pairs of a picture and a sound that two methods edit at five weights each."""
    weights = np.linspace(0, 1, 5)[:, None]

    def curve(rng: np.random.Generator, easy: np.ndarray, power: float) -> Curve:
        named = (rng.random((5, 60)) < np.clip(weights**power * easy, 0, 1)).astype(float)
        return Curve(named, np.zeros_like(named), weights * (1 + rng.normal(0, 0.1, 60)))

    def both(rng: np.random.Generator) -> tuple[Curve, Curve]:
        easy = rng.beta(4, 2, 60)
        return curve(rng, easy, 0.7), curve(rng, easy, 1.5)

    def draw(rng: np.random.Generator) -> Interval | None:
        return advantage_interval(*both(rng), np.ones(60), 200)

    rng, every = np.random.default_rng(9), np.arange(60)
    truth = float(np.mean([advantage(*both(rng), np.ones(60), every) for _ in range(1000)]))
    assert coverage(draw, truth, 150) >= LEAST


@pytest.mark.parametrize("rho", [0.0, -0.5, -0.9])
def test_rank_correlations_of_the_rows_of_a_table(rho: float) -> None:
    def pairs(rng: np.random.Generator, n: int) -> np.ndarray:
        return rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n).T

    truth = 6 / np.pi * np.arcsin(rho / 2)
    assert coverage(lambda rng: spearman(*pairs(rng, 7)), truth, 1000) >= LEAST


@given(st.floats(-3, 3), st.floats(0.01, 3), st.one_of(st.none(), st.floats(1, 50)))
def test_p_is_under_5_in_100_exactly_where_the_interval_says_so(distance: float, half: float, df: float | None) -> None:
    p = two_sided_p(distance, half, df)
    assert 0 <= p <= 1
    if abs(distance - half) > 1e-9:
        assert (p < 0.05) == (distance > half)


def test_p_is_that_of_the_t_test() -> None:
    values = np.random.default_rng(5).normal(0.3, 1, 12)
    found = crossed(values)
    assert two_sided_p(found.value, found.value - found.low, found.df) == pytest.approx(ttest_1samp(values, 0).pvalue)
    one = Interval.student(1.0, 4.0, 3.0)
    assert one.high == pytest.approx(1 + 2 * t.ppf(0.975, 3)) and one.times(100).low == pytest.approx(100 * one.low)


def test_same_seed_same_resamples() -> None:
    assert (resamples(9, 5, 1) == resamples(9, 5, 1)).all()
    assert (resamples(9, 5, 1) != resamples(9, 5, 2)).any()
