"""Measured quantities with their intervals, as stages hand them to `claims`: a JSON file of {name: quantity}."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.bootstrap import Interval
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
    """

    value: float
    low: float
    high: float
    clips: int
    by_training: list[float] = field(default_factory=list)
    trainings: list[int] = field(default_factory=list)
    about: str = ""

    @property
    def interval(self) -> Interval:
        """Value and ends."""
        return Interval(self.value, self.low, self.high)


def write_quantities(path: Path, quantities: Mapping[str, Quantity]) -> None:
    """Write them to one file."""
    write_json(path, {name: asdict(quantity) for name, quantity in quantities.items()})


def read_quantities(path: Path) -> dict[str, Quantity]:
    """What `write_quantities` wrote.

    Raises:
        UserError: the file is no such file.
    """
    try:
        return {name: Quantity(**fields) for name, fields in read_json(path).items()}
    except (AttributeError, TypeError) as error:
        raise UserError(f"{path}: no file of measured quantities ({error}); remove it and run again") from error


__all__ = ["Quantity", "read_quantities", "write_quantities"]
