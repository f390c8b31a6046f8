"""Verdicts follow from intervals by the stated test, and say what other seeds said."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2v.errors import UserError
from s2v.evaluate.quantities import Missing, Quantity, read_quantities, write_quantities
from s2v.report.claim import Claim
from s2v.report.claim_list import CLAIMS
from s2v.report.claims import run
from s2v.report.findings import Finding, corrected, decide, find
from s2v.report.targets import MEASURED

MORE = Claim("table1", "x", "it is more than half", "4.3", "share", "0.9", than=0.5)
ABOVE = Claim("table2", "x", "it is more", "4.3", "difference", "1.0")
BELOW = Claim("table2", "x", "it is less", "4.3", "difference", "-1.0", "below")
EQUAL = Claim("table2", "x", "it is more, or as good as the same", "4.3", "difference", "1.0", margin=0.1)
NEAR = Claim("gap", "x", "it is nothing", "4.4", "mean", "0", "near", 0.1)


def q(low: float, high: float, **more: object) -> Quantity:
    return Quantity((low + high) / 2, low, high, 10, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("claim", "low", "high", "verdict"), [
    (ABOVE, 0.1, 0.5, "holds"), (ABOVE, -0.1, 0.5, "undecided"), (ABOVE, -0.5, -0.1, "does not hold"),
    (ABOVE, -0.5, 0.0, "does not hold"), (ABOVE, 0.0, 0.0, "does not hold"),
    (BELOW, -0.5, -0.1, "holds"), (BELOW, -0.5, 0.1, "undecided"), (BELOW, 0.1, 0.5, "does not hold"),
    (MORE, 0.6, 0.9, "holds"), (MORE, 0.4, 0.9, "undecided"), (MORE, 0.1, 0.5, "does not hold"),
    (NEAR, -0.05, 0.05, "holds"), (NEAR, -0.05, 0.15, "undecided"), (NEAR, 0.11, 0.2, "does not hold"),
    (NEAR, -0.3, -0.15, "does not hold"), (NEAR, -0.2, 0.2, "undecided"),
    (EQUAL, -0.05, 0.05, "equivalent"), (EQUAL, 0.01, 0.05, "holds"), (EQUAL, -0.05, -0.01, "does not hold"),
    (EQUAL, -0.05, 0.2, "undecided"), (EQUAL, 0.0, 0.0, "equivalent"), (EQUAL, 0.15, 0.2, "holds"),
])  # fmt: skip
def test_the_verdict_is_that_of_the_interval(claim: Claim, low: float, high: float, verdict: str) -> None:
    assert decide(claim, q(low, high)) == verdict


@given(st.floats(-1, 1), st.floats(0, 1))
def test_above_and_below_are_mirror_images(middle: float, half: float) -> None:
    one, other = q(middle - half, middle + half), q(-middle - half, -middle + half)
    assert decide(ABOVE, one) == decide(BELOW, other)


def test_every_claim_has_a_name_of_its_own_and_a_source() -> None:
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)
    assert {claim.source for claim in CLAIMS} == set(MEASURED)


def _claims(folder: Path, trainings: list[int], low: float, high: float) -> dict[str, dict[str, str]]:
    folder.mkdir(exist_ok=True)
    quantity = q(low, high, by_training=[low, high][: len(trainings)], trainings=trainings, about="three clips", df=30)
    measured = {"r1_f_minus_a": quantity, "r1_f_minus_c": Missing("ablation.rows has no row C")}
    write_quantities(folder / "table2.json", measured)
    run(
        target="evidence",
        unmeasured={"control": "the clips have no labels"},
        sources={"table2": folder / "table2.json"},
        history=folder / "verdicts",
        configuration="c",
        dataset="d",
        evaluator="judge",
        output=folder / "claims.csv",
        markdown=folder / "claims.md",
    )
    rows = list(csv.DictReader((folder / "claims.csv").read_text().splitlines()))
    assert len(rows) == len(CLAIMS)
    return {f"{row['target']}: {row['quantity']}": row for row in rows}


def _primary(claim: Claim) -> bool:
    return claim.primary


def test_the_primary_claims_are_eight() -> None:
    assert [claim.name for claim in CLAIMS if claim.primary] == [
        "table1.r1_c_minus_b", "table1.r1_b_minus_a_top1", *(f"table2.r1_f_minus_{row}" for row in "abcd"),
        "gap.magnitude_total_minus_nce", "table3.r1_ldm_minus_gan",
    ]  # fmt: skip


def test_every_claim_of_a_difference_has_a_margin() -> None:
    assert [claim.name for claim in CLAIMS if claim.kind == "claim" and not claim.margin] == []


def test_one_training_says_nothing_of_a_method(tmp_path: Path) -> None:
    name = "table2: R@1, F minus A (points)"
    alone = _claims(tmp_path, [0], 0.05, 0.15)[name]
    assert alone["verdict"] == "one training" and alone["ours"] == "10.0" and alone["corrected p"] == ""


def test_many_claims_are_corrected_for_their_number_and_checks_are_not() -> None:
    def finding(p_half: float, **of: Any) -> Finding:
        claim = replace(ABOVE, **of)
        return find(claim, {"x": Quantity(1.0, 1 - p_half, 1 + p_half, 10, [1, 1], [0, 1])})

    close = [finding(0.95, primary=True) for _ in range(8)]  # p = 0.039, each alone
    assert {one.verdict for one in close} == {"holds"}
    assert {one.verdict for one in corrected(close)} == {"undecided"}, "eight of them by Holm"
    sure = [finding(0.2, primary=True), *close]
    assert [one.verdict for one in corrected(sure)] == ["holds", *["undecided"] * 8]
    others = [finding(0.95) for _ in range(8)]
    assert {one.verdict for one in corrected(others)} == {"holds"}, (
        "by Benjamini and Hochberg all or none of alike ones"
    )
    none = [finding(9.0) for _ in range(8)]
    assert corrected([*none, finding(0.95)])[-1].verdict == "undecided"
    assert corrected([*none, finding(0.95, kind="check")])[-1].verdict == "holds"


def test_the_table_says_what_was_not_measured_and_why(tmp_path: Path) -> None:
    rows = _claims(tmp_path, [0, 1], 0.05, 0.15)
    held = rows["table2: R@1, F minus A (points)"]
    assert (held["verdict"], held["ours"], held["ours low"], held["ours high"]) == ("holds", "10.0", "5.0", "15.0")
    assert held["test"] == "95 % interval above 0; equivalent within +- 2" and held["each training alone"] == "5.0 15.0"
    assert held["kind"] == "primary" and 0 < float(held["p"]) <= float(held["corrected p"]) < 0.05
    for quantity, verdict, why in [
        ("table2: R@1, F minus C (points)", "not measured", "ablation.rows has no row C"),
        ("table2: R@1, F minus B (points)", "not measured", "table2 does not measure it"),
        ("table3: FID, LDM minus GAN", "out of scope", "the target `paper` makes table3.csv"),
        ("control: Spearman's rho of volume and size", "not measured", "the clips have no labels"),
    ]:
        assert (rows[quantity]["verdict"], rows[quantity]["why not"]) == (verdict, why)
    text = (tmp_path / "claims.md").read_text()
    primary, checks = (sum(test(claim) for claim in CLAIMS) for test in (_primary, lambda claim: claim.kind == "check"))
    assert f"- {primary} primary claims: 1 holds, 0 does not hold, 0 equivalent, 0 undecided, " in text
    assert f"- {len(CLAIMS) - primary - checks} exploratory claims: 0 holds" in text
    assert f"- {checks} checks of what is measured here: 0 holds" in text
    assert "10.0 [5.0, 15.0] (2 of 2)" in text
    # 5 points of half width at 30 degrees of freedom: 2.042 and 0.854 standard errors of 2.448; 2.930 for one of eight.
    assert "| 10.0 [5.0, 15.0] | 7.1 | 9.3 | 2.0 | 2 | 10 | - | 1 | holds |" in " ".join(text.split())
    assert held["could be seen"] == "7.1"
    _claims(tmp_path, [0, 1], 0.0, 0.0)
    nothing = " ".join((tmp_path / "claims.md").read_text().split())
    assert "| 0.0 [0.0, 0.0] | - | - | 2.0 | 2 | 10 | - | 1 | equivalent |" in nothing, "nothing varied"


def test_another_verdict_with_other_seeds_is_said(tmp_path: Path) -> None:
    name = "table2: R@1, F minus A (points)"
    assert _claims(tmp_path, [0, 1], 0.05, 0.15)[name]["with other trainings"] == ""
    other = _claims(tmp_path, [2, 3], -0.05, 0.15)[name]
    assert other["verdict"] == "undecided" and other["with other trainings"] == "holds with 0, 1"
    assert _claims(tmp_path, [0, 1], 0.05, 0.15)[name]["with other trainings"] == "undecided with 2, 3"
    assert "undecided with 2, 3" in (tmp_path / "claims.md").read_text()


def test_a_file_that_is_none_of_quantities_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": {"value": 1, "odd": 2}}')
    with pytest.raises(UserError, match="x.json: no file of measured quantities"):
        read_quantities(tmp_path / "x.json")
