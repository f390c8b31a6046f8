"""Vehicles: boxes and frames on wheels, rotors and hulls; engines, horns and bells."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics, voices
from s2v.world import sound as snd
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


def _airplane_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    jet = 1 * snd.noise(rng, n, 49.4, 412) + 0.6 * snd.noise(rng, n, 400, 2500)
    fan = voices.pitch_of((2063, 1524), k, rng) * np.linspace(1.04, 0.93, n)
    jet = jet * physics.wander(rng, n, 8, 0.85, 1.1) + 0.077 * snd.tone(fan, [1, 0.2, 0.5])
    jet = jet * physics.wander(rng, n, 0.5, 0.39, 0.79)
    # The ground gives it back a little later, and less late as it comes: a comb that sweeps.
    ends = (0.002, 0.006) if rng.random() < 0.5 else (0.006, 0.002)
    late = np.arange(n) - snd.RATE * np.linspace(*ends, n)
    return np.asarray(jet + 0.7 * np.interp(late, np.arange(n), jet, left=0))


THINGS = (
    Thing(
        "motorcycle revving",
        "street",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.5, 0.95)),
        _motorcycle,
        voices.engine(
            (64.1, 38.4),
            [(111, 57.4, 1.15), (236, 132, 0.9), (639, 219, 0.38), (1437, 544, 0.46)],
            (0.36, 185, 4558),
            rev=1.71,
            turns=(1.01, 2.02),
            chop=0.62,
            jitter=0.049,
            shimmer=0.22,
            open_share=0.28,
        ),
    ),
    Thing(
        "helicopter hovering",
        "street",
        "source",
        coloured((0, 1), (0.4, 0.9), (0.4, 0.9)),
        _helicopter,
        voices.engine(
            (17, 11),
            [(80, 60, 1), (180, 100, 0.8), (420, 250, 0.4)],
            (1.4, 60, 2500),
            chop=0.75,
            jitter=0.01,
            shimmer=0.1,
            open_share=0.6,
            whine=(0.05, 90),
            room=(1, 0.3),
        ),
    ),
    Thing(
        "tractor driving",
        "meadow",
        "source",
        coloured((0, 0.38), (0.7, 0.95), (0.5, 0.9)),
        _tractor,
        voices.engine(
            (52, 34),
            [(90, 80, 1), (220, 160, 0.9), (520, 300, 0.6), (1300, 700, 0.4)],
            (2.5, 80, 1500),
            rev=0.08,
            turns=(0.3, 0.6),
            chop=0.5,
            jitter=0.015,
            shimmer=0.2,
            open_share=0.5,
            room=(0.3, 0.1),
        ),
    ),
    Thing(
        "airplane flying",
        "meadow",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.5, 0.9)),
        _airplane,
        _airplane_sound,
    ),
    Thing(
        "ship horn blowing",
        "shore",
        "source",
        coloured((0, 0.1), (0.7, 0.95), (0.6, 0.95)),
        _ship,
        voices.call(
            (120, 80),
            [0.97, 1, 1, 1, 0.98],
            [[(200, 90, 1), (420, 150, 0.8), (900, 300, 0.4), (1800, 600, 0.1)]],
            (1.6, 2.4),
            (2.4, 3),
            breath=0.04,
            jitter=0.004,
            shimmer=0.03,
            open_share=0.5,
            loud=[0, 0.9, 1, 1, 1, 1, 0.9, 0],
            room=(3, 0.5),
        ),
    ),
    Thing(
        "bicycle bell ringing",
        "street",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.4, 0.9)),
        _bicycle,
        voices.struck(
            (2678, 2096),
            [(1, 0.58, 0.62), (1.004, 0.8, 0.67), (1.71, 0.5, 0.26), (3.66, 0.3, 0.24)],
            (0.48, 0.86),
            scale=[0],
            knock=((1.27, 1168, 7900), 0.0071),
            beat=0.00062,
            room=(0.4, 0.1),
        ),
        0.15,
    ),
)
