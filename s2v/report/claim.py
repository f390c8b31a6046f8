"""What a claim is: what is said where, what is measured of it, and the test that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        source: stage that measures it; it writes `claims/{source}.json`.
        key: name of the quantity there.
        statement: what the paper says.
        where: in the paper.
        quantity: what is measured.
        paper: the paper's value of it.
        test: `above` and `below`: the quantity lies above, below `than`; `near`: within `margin` of it.
        margin: how far from `than` is too little to speak of, in the quantity's own unit; 0: nothing is.
        percent: whether the quantity is a share, shown in points of percent.
        than: what the interval is compared with.
        kind: `claim` of the paper, or `check` of what is measured here: of the evaluator, of controls.
        primary: whether it is one of the few that were named beforehand; the others are exploratory.
        of_pictures: whether it is about the very pictures that were seen, and not about what made them.
    """

    source: str
    key: str
    statement: str
    where: str
    quantity: str
    paper: str
    test: Literal["above", "below", "near"] = "above"
    margin: float = 0.0
    percent: bool = False
    than: float = 0.0
    kind: Literal["claim", "check"] = "claim"
    primary: bool = False
    of_pictures: bool = False

    @property
    def name(self) -> str:
        """Unique name."""
        return f"{self.source}.{self.key}"

    @property
    def rule(self) -> str:
        """The test in words."""
        scale = 100 if self.percent else 1
        than, margin = f"{scale * self.than:g}", f"{scale * self.margin:g}"
        if self.test == "near":
            return f"95 % interval within +- {margin}" + (f" of {than}" if self.than else "")
        equal = f"; equivalent within +- {margin}" + (" of it" if self.than else "") if self.margin else ""
        return f"95 % interval {self.test} {than}{equal}"


__all__ = ["Claim"]
