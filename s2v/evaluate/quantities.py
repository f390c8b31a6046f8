"""Measured quantities with their intervals, as stages hand them to `claims`: a JSON file of {name: quantity},
or {name: {"missing": reason}} where the data or the configuration do not give one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.interval import Interval, detectable, two_sided_p
from s2v.files import read_json, write_json


@dataclass(frozen=True)
class Quantity:
    """A number with its 95 % interval.

    Attributes:
        value: the number, over all trainings.
        low: lower end of the interval.
        high: upper end.
        clips: of how many clips it is.
        by_training: the number of each training alone, in the order of `trainings`; empty where there is one.
        trainings: seeds of the trainings.
        about: what was measured on what, in words.
        df: degrees of freedom of Student's t of the interval; None where it is of resamples.
        classes: how many classes the interval takes for a sample; 0 where its units are clips.
        evaluators: how many evaluators it takes for one; 1 where there was one.
    """

    value: float
    low: float
    high: float
    clips: int
    by_training: list[float] = field(default_factory=list)
    trainings: list[int] = field(default_factory=list)
    about: str = ""
    df: float | None = None
    classes: int = 0
    evaluators: int = 1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.low <= self.high):
            raise ValueError(f"a quantity of {self.value} without an interval: {self.low} to {self.high}")

    @classmethod
    def of(
        cls,
        interval: Interval,
        clips: int,
        alone: list[float] | None = None,
        trainings: list[int] | None = None,
        about: str = "",
    ) -> Quantity:
        """An interval, over `clips`; of one training alone there is nothing more to say."""
        several = alone if alone and len(alone) > 1 else []
        return cls(
            interval.value, interval.low, interval.high, clips, several, trainings or [], about, interval.df,
            interval.classes, interval.evaluators,
        )  # fmt: skip

    def detectable(self, tests: int = 1) -> float:
        """The effect that would have been told from none with a power of 0.8, among so many tests."""
        return detectable((self.high - self.low) / 2, self.df, tests)

    def p_above(self, than: float) -> float:
        """Two-sided p against what lies at or below a number: under 0.05 exactly where the interval lies above it."""
        return two_sided_p(self.value - than, self.value - self.low, self.df)

    def p_below(self, than: float) -> float:
        """The same against what lies at or above it."""
        return two_sided_p(than - self.value, self.high - self.value, self.df)

    def p_within(self, than: float, margin: float) -> float:
        """p against what lies a margin or more away from a number: two one-sided tests (Schuirmann 1987), doubled, so
        that it is under 0.05 exactly where the whole 95 % interval lies inside."""
        return max(self.p_above(than - margin), self.p_below(than + margin))

    def p_outside(self, than: float, margin: float) -> float:
        """p against what lies within a margin of a number."""
        return min(self.p_above(than + margin), self.p_below(than - margin))


@dataclass(frozen=True)
class Missing:
    """A quantity that this data or configuration does not give, and the reason."""

    reason: str


Measured = Mapping[str, Quantity | Missing]
"""What a stage measured, by name."""


def write_quantities(path: Path, measured: Measured) -> None:
    """Write them to one file."""
    write_json(
        path,
        {name: {"missing": one.reason} if isinstance(one, Missing) else asdict(one) for name, one in measured.items()},
    )


def read_quantities(path: Path) -> dict[str, Quantity | Missing]:
    """What `write_quantities` wrote.

    Raises:
        UserError: the file is no such file.
    """
    try:
        return {
            name: Missing(str(fields["missing"])) if "missing" in fields else Quantity(**fields)
            for name, fields in read_json(path).items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f"{path}: no file of measured quantities ({error}); remove it and run again") from error


__all__ = ["Measured", "Missing", "Quantity", "read_quantities", "write_quantities"]
