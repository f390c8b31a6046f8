"""Differences between rows of tables, as the claims take them (s2v.report.claim_list)."""

from __future__ import annotations

from dataclasses import replace

from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Missing, Quantity
from s2v.report.claims_of.quality import ABLATED
from s2v.report.diversity import over_real
from s2v.report.measures import Metric, metric_of, paired
from s2v.report.rows import Row

Found = dict[str, Quantity | Missing]
R1, R5, FID, IS = (metric_of(name) for name in ("R@1", "R@5", "FID", "IS"))
MEASURES = {"r1": R1, "r5": R5, "fid": FID, "is": IS}
"""As keys of quantities name them."""


def compare(
    first: Row | None, second: Row | None, metric: Metric, bootstrap: int, absent: str = "a row is not run"
) -> Quantity | Missing:
    """`first` minus `second`; why not, where a row (`absent`) or its metric is not there."""
    if first is None or second is None:
        return Missing(absent)
    for row in (first, second):
        if metric.lacks(row) is not None:
            return Missing(row.result.missing.get(metric.name, f"{row.result.method} has no {metric.name}"))
    interval, alone = metric.difference(first, second, bootstrap)
    one, other = paired(first, second)
    longer, places = (first, one) if len(first.runs()) >= len(second.runs()) else (second, other)
    trainings = list(dict.fromkeys(longer.trainings))
    return quantity(interval, longer, alone, [trainings[i] for i in places])


def quantity(
    interval: Interval, row: Row, alone: list[float] | None = None, trainings: list[int] | None = None
) -> Quantity:
    """An interval of a row, or of its difference to another; of all its trainings where none are named."""
    several = trainings or list(dict.fromkeys(row.trainings))
    about = f"evaluator {row.result.evaluator}; trainings {', '.join(map(str, several))}"
    return Quantity.of(interval, len(row.clips), alone, several, about)


def _share(row: Row | None, method: str, less: float = 0.0) -> Quantity | Missing:
    """R@1 of one row, less a number."""
    if row is None:
        return Missing(_not_run(method))
    if row.r1 is None:
        return Missing(row.result.missing.get("R@1", f"{method} has no R@1"))
    alone = [float(value) - less for value in row.by_training(row.hits).mean((0, 2))]
    return quantity(row.r1.less(less), row, alone)


def _diversity(row: Row | None, real: Row | None, bootstrap: int) -> Quantity | Missing:
    """How far pictures of one sound are apart, over how far real frames of one class are."""
    if row is None or real is None:
        return Missing("generate.methods does not name sound2vision and upper_bound")
    interval = over_real(row, real, bootstrap)
    return (
        Missing("it takes two generation seeds, classes and an evaluator")
        if interval is None
        else quantity(interval, row)
    )


def _on(clips: frozenset[str], rows: dict[str, Row], first: str, second: str) -> Quantity | Missing:
    """R@1 of one method minus another's, on some clips alone."""
    one, other = (rows[name].only(clips) if name in rows else None for name in (first, second))
    lacking = [name for name in (first, second) if name not in rows]
    found = compare(one, other, R1, 0, _not_run(*lacking) if lacking else "no clip shows its source")
    if isinstance(found, Missing):
        return found
    return replace(found, about=f"{found.about}; clips whose selected frame shows the source, by the world's truth")


def _not_run(*methods: str) -> str:
    return f"generate.methods does not name {' and '.join(methods)}"


def of_table1(rows: dict[str, Row], bootstrap: int, shown: frozenset[str] | None = None) -> Found:
    """Of the rows of Table 1 and its controls, by method; `shown` are the clips whose selected frame shows the source,
    where the world's truth says so."""

    def difference(first: str, second: str, metric: Metric) -> Quantity | Missing:
        absent = _not_run(*(name for name in (first, second) if name not in rows))
        return compare(rows.get(first), rows.get(second), metric, bootstrap, absent)

    a, b, c, d = "icgan", "sound2vision", "retrieval", "upper_bound"
    shuffled, scrambled = f"{b}_shuffled", f"{b}_scrambled"
    ours, mixed = rows.get(b), rows.get(shuffled)
    few = ours is not None and ours.r1 is not None and ours.result.classes < 10
    chance = 1 / mixed.result.classes if mixed and mixed.result.classes else 0.0
    return {
        "r1_b_minus_a": difference(b, a, R1),
        "is_b_minus_a": difference(b, a, IS),
        "fid_b_minus_a": difference(b, a, FID),
        "r1_c_minus_b": difference(c, b, R1),
        "r5_c_minus_b": difference(c, b, R5),
        "r1_d_minus_c": difference(d, c, R1),
        "r1_b_minus_a_top1": difference(b, "icgan_top1", R1) if shown is None else _on(shown, rows, b, "icgan_top1"),
        "r1_d": _share(rows.get(d), d),
        "r1_b": Missing("the clips are of fewer than ten classes") if few else _share(ours, b),
        "r1_b_minus_shuffled": difference(b, shuffled, R1),
        "r1_shuffled_minus_chance": _share(mixed, shuffled, less=chance),
        "fid_scrambled_minus_b": difference(scrambled, b, FID),
        "diversity_b_over_d": _diversity(ours, rows.get(d), bootstrap),
    }


def of_table2(rows: dict[str, Row], bootstrap: int) -> Found:
    """Of the rows of Table 2, by name."""
    full = rows.get("F")
    found: Found = {}
    for name in dict.fromkeys([*ABLATED, "B_tuned", "D_moment", "F_closed", *rows]):
        if name != "F":
            absent = f"ablation.rows has no row {'F' if full is None else name}"
            for key, metric in MEASURES.items():
                found[f"{key}_f_minus_{name.lower()}"] = compare(full, rows.get(name), metric, bootstrap, absent)
    absent = "ablation.rows lacks a row of D and E"
    found["r1_e_minus_d"] = compare(rows.get("E"), rows.get("D"), R1, bootstrap, absent)
    return found


def of_table3(gan: Row | None, ldm: Row | None, token: Row | None, shuffled: Row | None, bootstrap: int) -> Found:
    """Of rows A, B and C of Table 3, and of C with its conditions shuffled."""
    found: Found = {f"{name}_ldm_minus_gan": compare(ldm, gan, of, bootstrap) for name, of in MEASURES.items()}
    absent = "row C, AudioToken, is not run"
    for key, row in (("ldm", ldm), ("gan", gan)):
        for name, of in MEASURES.items():
            found[f"{name}_{key}_minus_audiotoken"] = compare(row, token, of, bootstrap, absent)
    control = "generate.table3.controls does not name row C's shuffled one" if token else absent
    found["r1_audiotoken_minus_shuffled"] = compare(token, shuffled, R1, bootstrap, control)
    return found


def of_fig15(systems: dict[str, Row], rows: dict[str, Row], bootstrap: int) -> Found:
    """Of the systems of Figure 15, by row of its table; and of the baselines' controls, by method."""
    measures, found = {"r1": R1, "fid": FID, "is": IS}, {}
    for ours, first in (("gan", systems["C"]), ("ldm", systems["D"])):
        for theirs, second in (("pedersoli", systems["A"]), ("s2i", systems["B"])):
            for name, of in measures.items():
                found[f"{name}_{ours}_minus_{theirs}"] = compare(first, second, of, bootstrap)
    for name in ("pedersoli", "s2i"):
        absent = f"there are no results of {name}_shuffled"
        found[f"r1_{name}_minus_shuffled"] = compare(
            rows.get(name), rows.get(f"{name}_shuffled"), R1, bootstrap, absent
        )
    return found


__all__ = ["FID", "IS", "R1", "R5", "compare", "of_fig15", "of_table1", "of_table2", "of_table3", "quantity"]
