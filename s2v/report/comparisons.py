"""Differences between rows of tables, as the claims take them (s2v.report.claim_list)."""

from __future__ import annotations

from collections.abc import Callable

from s2v.evaluate.bootstrap import Interval
from s2v.evaluate.quantities import Quantity
from s2v.report.rows import Row, fid_difference, hit_difference, inception_difference

Measure = Callable[[Row, Row, int], tuple[Interval, list[float]]]


def r1(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """Of R@1."""
    return hit_difference(first, second, bootstrap)


def r5(first: Row, second: Row, bootstrap: int) -> tuple[Interval, list[float]]:
    """Of R@5."""
    return hit_difference(first, second, bootstrap, k=5)


def compare(first: Row | None, second: Row | None, measure: Measure, bootstrap: int) -> Quantity | None:
    """`first` minus `second`; None where a row or its metric is not there."""
    if first is None or second is None:
        return None
    needed = _NEEDED[measure]
    if not all(len(getattr(row, needed)) for row in (first, second)):
        return None
    interval, alone = measure(first, second, bootstrap)
    longer = max((first, second), key=lambda row: len(row.runs()))
    trainings = list(dict.fromkeys(longer.trainings))
    evaluator = first.info["evaluator"]
    about = f"evaluator {evaluator}; trainings {', '.join(map(str, trainings))}; {bootstrap} resamples of R@k"
    return Quantity(
        interval.value, interval.low, interval.high, len(first.clips), alone if len(alone) > 1 else [], trainings, about
    )


_NEEDED: dict[Measure, str] = {
    r1: "hits", r5: "hits5", fid_difference: "features", inception_difference: "probabilities",
}  # fmt: skip
"""What a measure reads of a row; empty where the row has no such metric."""


def of_table1(rows: dict[str, Row], bootstrap: int) -> dict[str, Quantity]:
    """Of the rows of Table 1, by method."""
    a, b, c, d = (rows.get(name) for name in ("icgan", "sound2vision", "retrieval", "upper_bound"))
    return _found({
        "r1_b_minus_a": compare(b, a, r1, bootstrap),
        "is_b_minus_a": compare(b, a, inception_difference, bootstrap),
        "fid_b_minus_a": compare(b, a, fid_difference, bootstrap),
        "r1_c_minus_b": compare(c, b, r1, bootstrap),
        "r5_c_minus_b": compare(c, b, r5, bootstrap),
        "r1_d_minus_c": compare(d, c, r1, bootstrap),
    })  # fmt: skip


def of_table2(rows: dict[str, Row], bootstrap: int) -> dict[str, Quantity]:
    """Of the rows of Table 2, by name."""
    full = rows.get("F")
    found = {}
    for name, row in rows.items():
        if row is not full:
            found[f"r1_f_minus_{name.lower()}"] = compare(full, row, r1, bootstrap)
            found[f"fid_f_minus_{name.lower()}"] = compare(full, row, fid_difference, bootstrap)
    found["r1_e_minus_d"] = compare(rows.get("E"), rows.get("D"), r1, bootstrap)
    return _found(found)


def of_table3(gan: Row | None, ldm: Row | None, bootstrap: int) -> dict[str, Quantity]:
    """Of rows A and B of Table 3."""
    return _found({
        "r1_ldm_minus_gan": compare(ldm, gan, r1, bootstrap),
        "r5_ldm_minus_gan": compare(ldm, gan, r5, bootstrap),
        "fid_ldm_minus_gan": compare(ldm, gan, fid_difference, bootstrap),
        "is_ldm_minus_gan": compare(ldm, gan, inception_difference, bootstrap),
    })  # fmt: skip


def _found(quantities: dict[str, Quantity | None]) -> dict[str, Quantity]:
    return {name: quantity for name, quantity in quantities.items() if quantity is not None}


__all__ = ["compare", "of_table1", "of_table2", "of_table3", "r1", "r5"]
