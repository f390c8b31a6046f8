"""What a class of the world is, and the register of all of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from s2v.world.canvas import Canvas
from s2v.world.order import ORDER

Look = dict[str, Any]


@dataclass
class Dice:
    """Draws the parameters of a clip; `beyond` draws appearance outside the range that training sees."""

    rng: np.random.Generator
    beyond: bool = False

    def span(self, low: float, high: float) -> float:
        """Uniform in [low, high]; beyond it, up to a quarter of its width outside."""
        share = float(self.rng.random())
        if self.beyond:
            share = 1 + 0.25 * share if self.rng.random() < 0.5 else -0.25 * share
        return low + (high - low) * share

    def pick(self, options: list[Any]) -> Any:
        """One of a list."""
        return options[int(self.rng.integers(len(options)))]

    def coin(self, probability: float = 0.5) -> bool:
        """True with that probability."""
        return bool(self.rng.random() < probability)


@dataclass(frozen=True)
class Thing:
    """A class: how it looks and how it sounds.

    Attributes:
        name: plain English, as a text tower reads it.
        family: its place (`s2v.world.places`).
        kind: a source stands somewhere at a distance; a scape fills the picture with a strength.
        look: draws the appearance of one individual.
        draw: paints it. A source is drawn in its own coordinates (foot at the origin, height 1, y up), a scape in the
            picture's. Arguments: canvas, look, strength (1 for a source), seconds since the clip's start, rng that is
            the same for every frame.
        sound: `(rng, samples, look, strength)` -> float wave of about unit peak, without distance.
        level: RMS that the sound is brought to at distance 1 or strength 1.
    """

    name: str
    family: str
    kind: Literal["source", "scape"]
    look: Callable[[Dice], Look]
    draw: Callable[[Canvas, Look, float, float, np.random.Generator], None]
    sound: Callable[[np.random.Generator, int, Look, float], NDArray[np.float64]]
    level: float = 0.25


@cache
def _found() -> tuple[Thing, ...]:
    package = importlib.import_module("s2v.world.classes")
    found: list[Thing] = []
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        found += [module.THING] if hasattr(module, "THING") else module.THINGS
    rank = {name: i for i, name in enumerate(ORDER)}
    return tuple(sorted(found, key=lambda thing: (rank.get(thing.name, len(ORDER)), thing.name)))


def things() -> dict[str, Thing]:
    """Every class by its name, in the fixed order of `s2v.world.order`: found in the modules of `s2v.world.classes`,
    which hold one class (`THING`) or a group of composed ones (`THINGS`)."""
    return {thing.name: thing for thing in _found()}
