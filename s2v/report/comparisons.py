"""Differences between rows of tables, as the claims take them (s2v.report.claim_list)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from s2v.errors import UserError
from s2v.evaluate.bootstrap import Interval, crossed, crossed_statistic
from s2v.evaluate.quantities import Missing, Quantity
from s2v.report.claim_list import ABLATED
from s2v.report.rows import Clips, Row, statistic_resamples

Measure = Callable[[Row, Row, int], tuple[Interval, list[float]]]
Found = dict[str, Quantity | Missing]


def hit_difference(first: Row, second: Row, bootstrap: int, k: int = 1) -> tuple[Interval, list[float]]:
    """R@k of `first` minus that of `second` over the same clips, and that of each training alone.

    Trainings of the same number share their seed and are compared with each other; a row of one training is compared
    with all of the other's.

    Raises:
        UserError: the rows are not of the same clips.
    """
    return mean_difference(first, second, lambda row: row.hits if k == 1 else row.hits5, bootstrap)


def mean_difference(
    first: Row, second: Row, values: Callable[[Row], NDArray[np.float64]], bootstrap: int
) -> tuple[Interval, list[float]]:
    """The same of the mean of any `values`, one for each seed and clip, [S, N]."""
    _same_clips(first, second)
    a, b = (row.by_training(values(row)) for row in (first, second))
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        a, b = a.mean(0, keepdims=True), b.mean(0, keepdims=True)
    difference = a - b
    return crossed(difference, bootstrap), [float(value) for value in difference.mean(1)]


def r1(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """Of R@1."""
    return hit_difference(first, second, bootstrap)


def r5(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """Of R@5."""
    return hit_difference(first, second, bootstrap, k=5)


def fid(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """Of FID, as `hit_difference`; clips are resampled in both alike."""
    return set_difference(first, second, Row.frechet, first.fid_resamples(bootstrap))


def inception(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """Of IS, as `fid`."""
    return set_difference(first, second, Row.inception_of, statistic_resamples(bootstrap))


_NEEDED: dict[Measure, tuple[str, str]] = {
    r1: ("hits", "R@1"),
    r5: ("hits5", "R@5"),
    fid: ("features", "FID"),
    inception: ("probabilities", "IS"),
}
"""What a measure reads of a row, empty where the row has no such metric; and the metric's name."""


def _same_clips(first: Row, second: Row) -> None:
    if first.clips != second.clips:
        names = f"{first.result.method} and {second.result.method}"
        raise UserError(f"{names} are not of the same clips; run stage generate again")


def set_difference(
    first: Row, second: Row, statistic: Callable[[Row, int, Clips], float], count: int
) -> tuple[Interval, list[float]]:
    """The same of a statistic of whole sets of clips, of (row, seed, clips)."""
    _same_clips(first, second)
    a, b = first.runs(), second.runs()
    if len(a) != len(b):  # then each as a whole, or the one training with all of the other's
        a, b = ([[run for own in x for run in own]] if 1 not in (len(a), len(b)) else x for x in (a, b))
    trainings = max(len(a), len(b))

    def over(numbers: NDArray[np.int64], clips: Clips) -> float:
        return float(np.mean([_mean(first, a, n, clips) - _mean(second, b, n, clips) for n in numbers]))

    def _mean(row: Row, runs: list[list[int]], n: int, clips: Clips) -> float:
        return float(np.mean([statistic(row, run, clips) for run in runs[n % len(runs)]]))

    every = np.arange(len(first.clips), dtype=np.int64)
    alone = [over(np.array([n], dtype=np.int64), every) for n in range(trainings)]
    return crossed_statistic(over, len(first.clips), trainings, count), alone


def compare(
    first: Row | None, second: Row | None, measure: Measure, bootstrap: int, absent: str = "a row is not run"
) -> Quantity | Missing:
    """`first` minus `second`; why not, where a row (`absent`) or its metric is not there."""
    if first is None or second is None:
        return Missing(absent)
    needed, metric = _NEEDED[measure]
    for row in (first, second):
        if not len(getattr(row, needed)):
            return Missing(row.result.missing.get(metric, f"{row.result.method} has no {metric}"))
    interval, alone = measure(first, second, bootstrap)
    longer = max((first, second), key=lambda row: len(row.runs()))
    return quantity(interval, longer, bootstrap, alone)


def quantity(interval: Interval, row: Row, bootstrap: int, alone: list[float] | None = None) -> Quantity:
    """An interval of a row, or of its difference to another."""
    trainings = list(dict.fromkeys(row.trainings))
    about = (
        f"evaluator {row.result.evaluator}; trainings {', '.join(map(str, trainings))}; {bootstrap} resamples of R@k"
    )
    return Quantity.of(interval, len(row.clips), alone, trainings, about)


def _share(row: Row | None, method: str, bootstrap: int, less: float = 0.0) -> Quantity | Missing:
    """R@1 of one row, less a number."""
    if row is None:
        return Missing(_not_run(method))
    if row.r1 is None:
        return Missing(row.result.missing.get("R@1", f"{method} has no R@1"))
    alone = [float(value) - less for value in row.by_training(row.hits).mean(1)]
    return quantity(Interval(row.r1.value - less, row.r1.low - less, row.r1.high - less), row, bootstrap, alone)


def _not_run(*methods: str) -> str:
    return f"generate.methods does not name {' and '.join(methods)}"


def of_table1(rows: dict[str, Row], bootstrap: int) -> Found:
    """Of the rows of Table 1 and its controls, by method."""

    def difference(first: str, second: str, measure: Measure) -> Quantity | Missing:
        absent = _not_run(*(name for name in (first, second) if name not in rows))
        return compare(rows.get(first), rows.get(second), measure, bootstrap, absent)

    a, b, c, d = "icgan", "sound2vision", "retrieval", "upper_bound"
    shuffled, scrambled = f"{b}_shuffled", f"{b}_scrambled"
    ours, mixed = rows.get(b), rows.get(shuffled)
    chance = 1 / mixed.result.classes if mixed and mixed.result.classes else 0.0
    few = ours is not None and ours.r1 is not None and ours.result.classes < 10
    return {
        "r1_b_minus_a": difference(b, a, r1),
        "is_b_minus_a": difference(b, a, inception),
        "fid_b_minus_a": difference(b, a, fid),
        "r1_c_minus_b": difference(c, b, r1),
        "r5_c_minus_b": difference(c, b, r5),
        "r1_d_minus_c": difference(d, c, r1),
        "r1_b_minus_a_top1": difference(b, "icgan_top1", r1),
        "r1_d": _share(rows.get(d), d, bootstrap),
        "r1_b": Missing("the clips are of fewer than ten classes") if few else _share(ours, b, bootstrap),
        "r1_shuffled_minus_chance": _share(mixed, shuffled, bootstrap, less=chance),
        "fid_scrambled_minus_b": difference(scrambled, b, fid),
    }


def of_table2(rows: dict[str, Row], bootstrap: int) -> Found:
    """Of the rows of Table 2, by name."""
    full = rows.get("F")
    found: Found = {}
    for name in dict.fromkeys([*ABLATED, "B_tuned", *rows]):
        if name != "F":
            absent = f"ablation.rows has no row {'F' if full is None else name}"
            for metric, measure in (("r1", r1), ("fid", fid)):
                found[f"{metric}_f_minus_{name.lower()}"] = compare(full, rows.get(name), measure, bootstrap, absent)
    absent = "ablation.rows lacks a row of D and E"
    found["r1_e_minus_d"] = compare(rows.get("E"), rows.get("D"), r1, bootstrap, absent)
    return found


def of_table3(gan: Row | None, ldm: Row | None, token: Row | None, shuffled: Row | None, bootstrap: int) -> Found:
    """Of rows A, B and C of Table 3, and of C with its conditions shuffled."""
    measures = {"r1": r1, "r5": r5, "fid": fid, "is": inception}
    found: Found = {f"{name}_ldm_minus_gan": compare(ldm, gan, of, bootstrap) for name, of in measures.items()}
    absent = "row C, AudioToken, is not run"
    for key, row in (("ldm", ldm), ("gan", gan)):
        for name, of in measures.items():
            found[f"{name}_{key}_minus_audiotoken"] = compare(row, token, of, bootstrap, absent)
    control = "generate.table3.controls does not name row C's shuffled one" if token else absent
    found["r1_audiotoken_minus_shuffled"] = compare(token, shuffled, r1, bootstrap, control)
    return found


def of_fig15(systems: dict[str, Row], rows: dict[str, Row], bootstrap: int) -> Found:
    """Of the systems of Figure 15, by row of its table; and of the baselines' controls, by method."""
    measures, found = {"r1": r1, "fid": fid, "is": inception}, {}
    for ours, first in (("gan", systems["C"]), ("ldm", systems["D"])):
        for theirs, second in (("pedersoli", systems["A"]), ("s2i", systems["B"])):
            for name, of in measures.items():
                found[f"{name}_{ours}_minus_{theirs}"] = compare(first, second, of, bootstrap)
    for name in ("pedersoli", "s2i"):
        absent = f"there are no results of {name}_shuffled"
        found[f"r1_{name}_minus_shuffled"] = compare(
            rows.get(name), rows.get(f"{name}_shuffled"), r1, bootstrap, absent
        )
    return found


__all__ = [
    "compare",
    "fid",
    "hit_difference",
    "inception",
    "mean_difference",
    "of_fig15",
    "of_table1",
    "of_table2",
    "of_table3",
    "quantity",
    "r1",
    "r5",
    "set_difference",
]
