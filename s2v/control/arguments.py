"""What a program asks for beside sounds and pictures: numbers, seeds, a device. What cannot be is one line."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch

from s2v.errors import UserError

MAX_SEED = 2**63 - 1


def number(name: str, value: Any, low: float, high: float) -> float:
    """A number from `low` to `high`; anything else is a `UserError`, as in all of these."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        found = math.nan
    if not low <= found <= high:
        raise UserError(f"{name} of {_short(value)}: give a number from {low:g} to {high:g}")
    return found


def numbers(name: str, values: Any, low: float, high: float) -> list[float]:
    """At least one number from `low` to `high`."""
    try:
        several = list(values)
    except TypeError:
        several = []
    if not several:
        raise UserError(f"{name}: give a list of at least one number, and not {_short(values)}")
    return [number(name, value, low, high) for value in several]


def seed_of(name: str, value: Any) -> int:
    """A whole number from 0 to `MAX_SEED`."""
    try:
        seed = operator.index(value)
    except TypeError:
        seed = -1
    if not 0 <= seed <= MAX_SEED:
        raise UserError(f"{name} is {_short(value)}: give a whole number from 0 to {MAX_SEED}")
    return seed


def settled_device(device: Any) -> torch.device:
    """The device that is asked for, on which torch can compute; `auto` is CUDA where it is there, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).item()
    except Exception as error:  # each kind of device has its own way to say that it is not there
        line = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise UserError(f"device {_short(device)!r} is not there ({line}); take auto or cpu") from error
    return found


def _short(value: Any) -> str:
    return " ".join(str(value).split())[:60]


__all__ = ["MAX_SEED", "number", "numbers", "seed_of", "settled_device"]
