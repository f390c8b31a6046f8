"""What is found of a claim. Nothing else decides: tables, figures and notes quote the findings that are made here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s2v.evaluate.quantities import Measured, Missing, Quantity
from s2v.report.claim_list import CLAIMS, Claim
from s2v.report.tabular import bullets

Decision = Literal["holds", "does not hold", "undecided"]
Verdict = Literal[Decision, "not measured", "out of scope"]
VERDICTS: tuple[Verdict, ...] = ("holds", "does not hold", "undecided", "not measured", "out of scope")


@dataclass(frozen=True)
class Finding:
    """A claim and what was found of it.

    Attributes:
        claim: the claim.
        verdict: of its test.
        quantity: what was measured; None where nothing was.
        why: where nothing was, the reason.
        elsewhere: what other seeds said.
    """

    claim: Claim
    verdict: Verdict
    quantity: Quantity | None = None
    why: str = ""
    elsewhere: str = ""

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
        """The finding as tables quote it."""
        claim = self.claim
        return f"{claim.statement} ({claim.where}): **{self.verdict}**. {claim.quantity}: {self.ours}; {claim.rule}."


def decide(claim: Claim, quantity: Quantity) -> Decision:
    """The verdict of the claim's test.

    `above`: holds where the whole interval is above the claim's number, does not hold where the whole is at or below
    it, and is undecided where the number lies inside; `below` likewise. `near`: holds where the whole interval is
    within the margin around the number, does not hold where the whole lies outside.
    """
    low, high = quantity.low - claim.than, quantity.high - claim.than
    if claim.test == "near":
        if -claim.margin <= low and high <= claim.margin:
            return "holds"
        return "does not hold" if low > claim.margin or high < -claim.margin else "undecided"
    if claim.test == "below":
        low, high = -high, -low
    return "holds" if low > 0 else "does not hold" if high <= 0 else "undecided"


def find(claim: Claim, measured: Measured) -> Finding:
    """What the quantities of the claim's stage say of it."""
    quantity = measured.get(claim.key, Missing(f"{claim.source} does not measure it"))
    if isinstance(quantity, Missing):
        return Finding(claim, "not measured", why=quantity.reason)
    return Finding(claim, decide(claim, quantity), quantity)


def what_holds(source: str, measured: Measured) -> str:
    """The section of a stage's Markdown that quotes what its own quantities decide; empty where they decide nothing."""
    lines = [found.line for claim in CLAIMS if claim.source == source if (found := find(claim, measured)).quantity]
    head = "From this page's own numbers, by the test that claims.md has for all claims."
    return f"## What holds\n\n{head}\n\n{bullets(lines)}" if lines else ""


__all__ = ["VERDICTS", "Finding", "Verdict", "decide", "find", "what_holds"]
