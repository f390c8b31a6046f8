"""Vehicles: boxes and frames on wheels, rotors and hulls; engines, horns and bells."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import voices
from s2v.world.canvas import Canvas
from s2v.world.shapes import BLACK, WHITE, colour, coloured, shade, wheel
from s2v.world.thing import Look, Thing

Rng = np.random.Generator
GLASS = (0.65, 0.85, 0.95)
STEEL = (0.7, 0.72, 0.75)


def _motorcycle(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    for x in (-0.6, 0.6):
        wheel(c, x, 0.3, 3 * t)
    c.polygon([(-0.6, 0.32), (-0.2, 0.6), (0.25, 0.65), (0.1, 0.2), (-0.25, 0.2)], STEEL)
    c.line([(0.6, 0.3), (0.35, 0.9), (0.2, 0.98)], STEEL, 0.07)
    c.ellipse(0.12, 0.66, 0.3, 0.14, colour(k))
    c.polygon([(-0.7, 0.72), (-0.1, 0.6), (-0.1, 0.7), (-0.6, 0.82)], BLACK)
    c.ellipse(0.45, 0.8, 0.1, 0.1, (1, 0.95, 0.6))
    c.line([(-0.1, 0.2), (-0.9, 0.25)], STEEL, 0.08)
    for i in range(3):
        c.ellipse(-1.0 - 0.12 * i, 0.27 + 0.06 * i + 0.03 * math.sin(9 * t + i), 0.07, 0.07, (0.8, 0.8, 0.8), 0.6)


def _helicopter(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.polygon([(-0.2, 0.6), (-1.0, 0.62), (-1.0, 0.68), (-0.2, 0.75)], colour(k))
    c.polygon([(-1.05, 0.6), (-1.1, 0.9), (-0.95, 0.9), (-0.9, 0.6)], shade(colour(k)))
    c.ellipse(0.1, 0.55, 0.45, 0.26, colour(k))
    c.ellipse(0.32, 0.6, 0.22, 0.17, GLASS)
    c.line([(0.1, 0.75), (0.1, 0.98)], BLACK, 0.06)
    reach = 1.0 * abs(math.cos(23 * t)) + 0.25
    c.line([(0.1 - reach, 0.98), (0.1 + reach, 0.98)], (0.15, 0.15, 0.15), 0.05)
    c.line([(-0.25, 0.14), (0.5, 0.14)], BLACK, 0.05)
    for x in (-0.1, 0.3):
        c.line([(x, 0.3), (x, 0.14)], BLACK, 0.04)


def _tractor(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(0.0, 0.3, 0.75, 0.62, colour(k))
    c.box(-0.45, 0.35, 0.05, 0.7, shade(colour(k), 0.15))
    c.box(-0.4, 0.68, 0.0, 1.0, GLASS)
    c.box(-0.48, 0.97, 0.08, 1.06, colour(k))
    c.box(0.45, 0.6, 0.53, 1.0, BLACK)
    for i in range(3):
        c.ellipse(0.49 - 0.08 * i, 1.08 + 0.1 * i + 0.03 * math.sin(8 * t), 0.07 + 0.02 * i, 0.06, (0.3, 0.3, 0.3), 0.6)
    wheel(c, -0.35, 0.36, t)
    wheel(c, 0.58, 0.2, t)


def _airplane(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.polygon([(-0.85, 0.6), (-1.0, 1.0), (-0.8, 1.0), (-0.5, 0.62)], colour(k))
    c.ellipse(0, 0.55, 0.95, 0.15, WHITE)
    c.box(-0.85, 0.5, 0.85, 0.54, colour(k))
    for i in range(8):
        c.ellipse(-0.5 + 0.15 * i, 0.6, 0.03, 0.03, (0.15, 0.25, 0.4))
    c.polygon([(-0.1, 0.52), (-0.55, 0.1), (-0.35, 0.1), (0.3, 0.52)], STEEL)
    c.ellipse(-0.05, 0.33, 0.14, 0.07, shade(STEEL))
    c.polygon([(-0.05, 0.67), (-0.3, 0.92), (-0.15, 0.92), (0.25, 0.67)], STEEL)


def _ship(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    roll = 0.02 * math.sin(2 * t)
    c.box(-0.55, 0.35, 0.4, 0.58 + roll, WHITE)
    for i in range(5):
        c.ellipse(-0.42 + 0.18 * i, 0.47, 0.04, 0.04, (0.15, 0.3, 0.5))
    for x in (-0.35, 0.05):
        c.box(x, 0.58, x + 0.18, 0.95, colour(k))
        c.box(x, 0.88, x + 0.18, 0.97, BLACK)
        c.ellipse(x + 0.1, 1.08 + roll, 0.14, 0.08, WHITE, 0.8)
    c.polygon([(-0.9, 0.38), (-0.7, 0.02), (0.65, 0.02), (0.95, 0.42)], shade(colour(k), 0.55))
    c.box(-1.1, -0.06, 1.1, 0.06, (0.25, 0.45, 0.6))


def _bicycle(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    for x in (-0.55, 0.55):
        wheel(c, x, 0.36, t, spokes=True)
    frame = [(-0.55, 0.36), (-0.2, 0.8), (0.35, 0.8), (0.0, 0.33), (-0.55, 0.36)]
    c.line(frame, colour(k), 0.06)
    c.line([(0.0, 0.33), (-0.22, 0.9)], colour(k), 0.06)
    c.line([(0.55, 0.36), (0.35, 0.8), (0.32, 1.0), (0.5, 1.02)], colour(k), 0.06)
    c.box(-0.36, 0.9, -0.08, 0.96, BLACK)
    c.ellipse(0.34, 1.06 + 0.01 * math.sin(30 * t), 0.09, 0.07, (0.95, 0.8, 0.2))


CHIME: voices.Partials = [(1, 1, 0.25), (1.51, 0.6, 0.2), (2.3, 0.5, 0.12)]
THINGS = (
    Thing(
        "motorcycle revving",
        "street",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.5, 0.95)),
        _motorcycle,
        voices.engine((75, 45), [1, 0.9, 0.9, 0.8, 0.6, 0.5, 0.4, 0.3], (0.6, 150, 1500), rev=1.6),
    ),
    Thing(
        "helicopter hovering",
        "street",
        "source",
        coloured((0, 1), (0.4, 0.9), (0.4, 0.9)),
        _helicopter,
        voices.engine((17, 11), [0.2, 0.3], (2.5, 80, 900)),
    ),
    Thing(
        "tractor driving",
        "meadow",
        "source",
        coloured((0, 0.38), (0.7, 0.95), (0.5, 0.9)),
        _tractor,
        voices.engine((30, 20), [1, 1, 0.8, 0.7, 0.5, 0.4], (1.0, 60, 500), rev=0.1),
    ),
    Thing(
        "airplane flying",
        "meadow",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.5, 0.9)),
        _airplane,
        voices.engine((2300, 1700), [0.25], (1.5, 300, 5000), rev=0.15),
    ),
    Thing(
        "ship horn blowing",
        "shore",
        "source",
        coloured((0, 0.1), (0.7, 0.95), (0.6, 0.95)),
        _ship,
        voices.call((130, 85), [0.97, 1, 1, 1], [1, 0.9, 0.9, 0.7, 0.5, 0.4, 0.2], (1.2, 1.8), (1.6, 2.2), edge=0.1),
    ),
    Thing(
        "bicycle bell ringing",
        "street",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.4, 0.9)),
        _bicycle,
        voices.struck((2300, 1800), CHIME, (0.14, 0.3), scale=[0]),
        0.15,
    ),
)
