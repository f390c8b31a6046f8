"""What is asked of answers that share people and items: intervals over both, tests, agreement, power."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2v.evaluate.interval import LEVEL, Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Observed:
    """Answers.

    Attributes:
        person: [N] who.
        item: [N] to what.
        value: [N] what it counts.
    """

    person: Ints
    item: Ints
    value: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, float]]) -> Observed:
        """From (person, item, value)."""
        people, items = ({one: i for i, one in enumerate(sorted({row[side] for row in rows}))} for side in (0, 1))
        return cls(
            np.array([people[row[0]] for row in rows], np.int64),
            np.array([items[row[1]] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.float64),
        )

    @property
    def people(self) -> int:
        """How many."""
        return int(self.person.max()) + 1

    @property
    def items(self) -> int:
        """How many."""
        return int(self.item.max()) + 1


def interval(seen: Observed, count: int = 2000, seed: int = 0) -> Interval:
    """Of a mean over answers: people and items are resampled together and independently (pigeonhole bootstrap, Owen
    2007), so that it also holds for other people and other items. Not each person need have seen each item.
    """
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(count):
        weight = _drawn(rng, seen.people)[seen.person] * _drawn(rng, seen.items)[seen.item]
        while not (total := weight.sum()):  # of very few people it can be that nobody drawn saw what is drawn
            weight = _drawn(rng, seen.people)[seen.person] * _drawn(rng, seen.items)[seen.item]
        means.append(float((weight * seen.value).sum() / total))
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(seen.value.mean()), float(low), float(high))


def _drawn(rng: np.random.Generator, n: int) -> Ints:
    """How often each of n comes in n draws with replacement."""
    return np.bincount(rng.integers(0, n, n), minlength=n)


def above_chance(right: int, n: int, chance: float) -> float:
    """p of an exact binomial test that answers are right more often than by chance."""
    from scipy.stats import binomtest

    return float(binomtest(right, n, chance, alternative="greater").pvalue)


def one_rather_than_other(first: int, second: int) -> float:
    """p of the exact test of McNemar, two-sided: how often only the first, and only the second, was chosen."""
    from scipy.stats import binomtest

    return float(binomtest(first, first + second, 0.5).pvalue) if first + second else 1.0


def alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha (nominal) of what people said to each unit; None where no two said something."""
    import krippendorff

    table, _ = _counts([unit for unit in units if len(unit) > 1])
    if len(table) == 0 or table.shape[1] < 2:
        return None
    return float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal"))


def fleiss(units: Sequence[Sequence[str]]) -> tuple[float, int] | None:
    """Fleiss' kappa, and of how many units: those that as many people answered as most were; None of less than two."""
    from statsmodels.stats.inter_rater import fleiss_kappa

    sizes = [len(unit) for unit in units if len(unit) > 1]
    if not sizes:
        return None
    most = max(set(sizes), key=lambda size: (sizes.count(size), size))
    table, n = _counts([unit for unit in units if len(unit) == most])
    return (float(fleiss_kappa(table)), n) if n > 1 and table.shape[1] > 1 else None


def _counts(units: Sequence[Sequence[str]]) -> tuple[Ints, int]:
    """[units, values] how often each was said."""
    values = {one: i for i, one in enumerate(sorted({one for unit in units for one in unit}))}
    table = np.zeros((len(units), len(values)), np.int64)
    for row, unit in zip(table, units, strict=True):
        for one in unit:
            row[values[one]] += 1
    return table, len(units)


@dataclass(frozen=True)
class Mixed:
    """A mixed logistic regression: a share on the logit, with spreads of people and of items.

    Attributes:
        effect: on the logit; of a share without a second column: its distance to chance.
        sd: of the effect.
        people: standard deviation of people.
        items: the same of items.
    """

    effect: float
    sd: float
    people: float
    items: float


def mixed(seen: Observed, chance: float, group: Floats | None = None) -> Mixed | None:
    """Fitted by variational Bayes (statsmodels' BinomialBayesMixedGLM), as a check of the intervals; None where all
    answers are alike.

    Args:
        seen: answers of 0 or 1.
        chance: what the intercept is compared with, where there is no `group`.
        group: [N] 0 or 1: then the effect is of 1 rather than 0.
    """
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    n = len(seen.value)
    if len(np.unique(seen.value)) < 2:
        return None
    fixed = np.ones((n, 1)) if group is None else np.column_stack([np.ones(n), group])
    both = np.zeros((n, seen.people + seen.items))
    both[np.arange(n), seen.person] = 1
    both[np.arange(n), seen.people + seen.item] = 1
    kinds = np.array([0] * seen.people + [1] * seen.items)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = BinomialBayesMixedGLM(seen.value, fixed, both, kinds, vcp_p=1, fe_p=2).fit_vb()
    effect = float(found.fe_mean[-1]) - (np.log(chance / (1 - chance)) if group is None else 0.0)
    people, items = (float(np.exp(one)) for one in found.vcp_mean)
    return Mixed(effect, float(found.fe_sd[-1]), people, items)


@dataclass(frozen=True)
class Power:
    """Of simulated studies.

    Attributes:
        above: the share of them whose interval lies above chance.
        width: of their intervals, in the mean.
    """

    above: float
    width: float


def power(
    people: int,
    share: float,
    *,
    chance: float = 0.25,
    questions: int = 20,
    sets: int = 5,
    person_sd: float = 0.5,
    item_sd: float = 1.0,
    studies: int = 200,
    seed: int = 0,
) -> Power:
    """What a study would show, from simulated ones.

    Args:
        people: in each.
        share: of right answers, over all people and items.
        chance: of a guess.
        questions: of a set.
        sets: of items; people take them in turns.
        person_sd: standard deviation of people on the logit.
        item_sd: the same of items.
        studies: how many are simulated.
        seed: of the simulation.
    """
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), questions)
    item = np.concatenate([np.arange(questions) + questions * (n % sets) for n in range(people)])
    middle = _middle(share, np.hypot(person_sd, item_sd))
    found = []
    for n in range(studies):
        logit = middle + person_sd * rng.standard_normal(people)[person]
        logit += item_sd * rng.standard_normal(questions * sets)[item]
        right = (rng.random(len(logit)) < 1 / (1 + np.exp(-logit))).astype(np.float64)
        place = np.unique(item, return_inverse=True)[1].astype(np.int64)
        found.append(interval(Observed(person, place, right), 200, n))
    above = float(np.mean([one.low > chance for one in found]))
    return Power(above, float(np.mean([one.high - one.low for one in found])))


def _middle(share: float, spread: float) -> float:
    """The logit around which a normal spread gives a share in the mean."""
    from scipy.optimize import brentq

    points, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    return float(brentq(lambda m: float((weights / (1 + np.exp(-(m + spread * points)))).sum()) - share, -20, 20))


__all__ = [
    "Mixed", "Observed", "Power", "above_chance", "alpha", "fleiss", "interval", "mixed",
    "one_rather_than_other", "power",
]  # fmt: skip
