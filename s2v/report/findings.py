"""What is found of a claim. Nothing else decides: tables, figures and notes quote the findings that are made here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from s2v.evaluate.corrected import false_discovery, holm
from s2v.evaluate.quantities import Measured, Missing, Quantity
from s2v.report.claim import Claim
from s2v.report.claim_list import CLAIMS
from s2v.report.tabular import bullets

Decision = Literal["holds", "does not hold", "equivalent", "undecided"]
Verdict = Literal[Decision, "one training", "not measured", "out of scope"]
VERDICTS: tuple[Verdict, ...] = (
    "holds", "does not hold", "equivalent", "undecided", "one training", "not measured", "out of scope",
)  # fmt: skip
LEVEL = 0.05
_ROUNDING = 1e-9
RULES = [
    "The test is the same for all. **holds**: the measured quantity lies on the claim's side of the claim's number. "
    "**does not hold**: on the other side, or on the number where there is no margin. **equivalent**: within the "
    "margin of the number, which is too little to speak of. **undecided**: too few trainings, clips, classes or "
    "evaluators to tell.",
    "p is two-sided: under 0.05 exactly where the 95 % interval says so. It is corrected for the number of claims: "
    "of the primary ones, which were named beforehand, by Holm (1979); of the others, which are exploratory, with "
    "those of the same stage by Benjamini and Hochberg (1995). Checks stand alone and are not corrected.",
    "**one training**: a claim is about a method, and one training of it says nothing of another. Its interval is of "
    "this training.",
]
"""How a verdict comes about, as pages say it."""


@dataclass(frozen=True)
class Finding:
    """A claim and what was found of it.

    Attributes:
        claim: the claim.
        verdict: of its test.
        quantity: what was measured; None where nothing was.
        why: where nothing was, the reason.
        elsewhere: what other seeds said.
        p: of what is most surely said of the quantity, alone.
        corrected: the same, corrected for the number of claims; None where it is not.
    """

    claim: Claim
    verdict: Verdict
    quantity: Quantity | None = None
    why: str = ""
    elsewhere: str = ""
    p: float | None = None
    corrected: float | None = None

    def number(self, value: float) -> str:
        """A value of the quantity with as many digits as its other numbers have; shares in percent."""
        if self.claim.percent:
            return f"{100 * value:.1f}"
        return f"{value:.2f}" if self.quantity and abs(self.quantity.value) >= 1 else f"{value:.3f}"

    @property
    def ours(self) -> str:
        """The quantity with its interval, in words."""
        if self.quantity is None:
            return ""
        value, low, high = (self.number(v) for v in (self.quantity.value, self.quantity.low, self.quantity.high))
        return f"{value} [{low}, {high}]"

    @property
    def line(self) -> str:
        """The finding as tables quote it: what was measured, and no verdict, which takes all claims."""
        claim = self.claim
        return f"{claim.statement} ({claim.where}). {claim.quantity}: {self.ours}; {claim.rule}; {written(self.p)}."


def written(p: float | None) -> str:
    """p in words."""
    return "" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def tests(claim: Claim, quantity: Quantity) -> list[tuple[Decision, float]]:
    """What may be said of a quantity, and the p of each; what is said first where several are sure.

    `above` says that it lies above the claim's number or not, or where the claim has a margin, that it is within it;
    `below` likewise; `near` says that it is within the margin, or outside.
    """
    than, margin = claim.than, claim.margin
    if claim.test == "near":
        return [("holds", quantity.p_within(than, margin)), ("does not hold", quantity.p_outside(than, margin))]
    above, below = quantity.p_above(than), quantity.p_below(than)
    if claim.test == "below":
        above, below = below, above
    if not margin and quantity.low == quantity.high == than:
        below = 0.0
    said: list[tuple[Decision, float]] = [("holds", above), ("does not hold", below)]
    return [*said, ("equivalent", quantity.p_within(than, margin))] if margin else said


def decide(claim: Claim, quantity: Quantity, times: float = 1.0) -> Decision:
    """The verdict of the claim's test; alone, or where other claims make each p so many times larger."""
    sure = (decision for decision, p in tests(claim, quantity) if p * times <= LEVEL + _ROUNDING)
    return next(sure, "undecided")


def find(claim: Claim, measured: Measured) -> Finding:
    """What the quantities of the claim's stage say of it, alone."""
    quantity = measured.get(claim.key, Missing(f"{claim.source} does not measure it"))
    if isinstance(quantity, Missing):
        return Finding(claim, "not measured", why=quantity.reason)
    if quantity.clips < 2:
        return Finding(claim, "not measured", why="of one clip there is no interval")
    verdict: Verdict = decide(claim, quantity)
    if claim.kind == "claim" and len(quantity.trainings) < 2 and not claim.of_pictures:
        verdict = "one training"
    return Finding(claim, verdict, quantity, p=min(p for _, p in tests(claim, quantity)))


def corrected(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, with the verdicts of claims corrected for their number: the primary ones together, the others with
    those of the same stage. So a claim has the same verdict whatever else is measured beside it."""
    kept, families = list(findings), defaultdict[str, list[int]](list)
    for i, one in enumerate(kept):
        if one.claim.kind == "claim" and one.quantity is not None and one.verdict != "one training":
            families["" if one.claim.primary else one.claim.source].append(i)
    for stage, family in families.items():
        alone = [kept[i].p or 0.0 for i in family]
        primary = sum(claim.primary for claim in CLAIMS)
        for i, p, own in zip(family, false_discovery(alone) if stage else holm(alone, primary), alone, strict=True):
            quantity = kept[i].quantity
            assert quantity is not None
            kept[i] = replace(kept[i], corrected=p, verdict=decide(kept[i].claim, quantity, p / own if own else 1.0))
    return kept


def what_was_found(source: str, measured: Measured) -> str:
    """The section of a stage's Markdown that quotes what its own quantities say; empty where they say nothing."""
    lines = [found.line for claim in CLAIMS if claim.source == source if (found := find(claim, measured)).quantity]
    head = (
        "From this page's own numbers; p is of each line alone. Verdicts take the number of claims and of trainings "
        "into account: they are in `claims.md` and `evidence.md`, and nowhere else."
    )
    return f"## What was found of the claims\n\n{head}\n\n{bullets(lines)}" if lines else ""


__all__ = [
    "RULES",
    "VERDICTS",
    "Finding",
    "Verdict",
    "corrected",
    "decide",
    "find",
    "tests",
    "what_was_found",
    "written",
]
