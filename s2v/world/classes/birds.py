"""Birds: one body, many plumages, and their calls."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import voices
from s2v.world.canvas import Canvas
from s2v.world.shapes import WHITE, bird, colour, coloured, eye, shade
from s2v.world.thing import Look, Thing

Rng = np.random.Generator


def _crow(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    bird(c, colour(k), shade(colour(k), 0.6), (0.12, 0.12, 0.14), t=t, fat=k["fat"], bill=0.32)


def _gull(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    beat = 0.25 * math.sin(6 * t)
    for s in (-1, 1):
        c.polygon(
            [
                (s * 0.05, 0.42),
                (s * 0.5, 0.75 + beat),
                (s * 1.05, 0.6 + 1.5 * beat),
                (s * 0.5, 0.55 + beat),
                (s * 0.05, 0.6),
            ],
            colour(k),
        )
        c.polygon(
            [(s * 0.8, 0.66 + 1.3 * beat), (s * 1.05, 0.6 + 1.5 * beat), (s * 0.8, 0.6 + 1.2 * beat)], (0.1, 0.1, 0.1)
        )
    c.ellipse(0, 0.48, 0.16, 0.3, WHITE)
    c.ellipse(0, 0.8, 0.15, 0.15, WHITE)
    c.polygon([(-0.05, 0.78), (0.05, 0.78), (0, 0.62)], (1, 0.7, 0.05))
    for s in (-1, 1):
        eye(c, s * 0.07, 0.84, 0.02)


def _woodpecker(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(0.28, -0.4, 0.75, 1.4, (0.4, 0.27, 0.16))
    for y in (-0.1, 0.3, 0.75, 1.15):
        c.line([(0.4, y), (0.45, y + 0.2)], (0.25, 0.16, 0.1), 0.04)
    peck = 0.07 * math.sin(30 * t)
    c.polygon([(-0.05, 0.3), (0.12, -0.1), (0.15, 0.3)], (0.08, 0.08, 0.1))
    c.ellipse(0, 0.45, 0.2, 0.33, WHITE)
    c.ellipse(-0.1, 0.45, 0.14, 0.3, colour(k))
    c.polygon([(0.05 + peck, 0.86), (0.34 + peck, 0.8), (0.05 + peck, 0.76)], (0.2, 0.2, 0.2))
    c.ellipse(-0.04 + peck, 0.83, 0.16, 0.15, WHITE)
    c.polygon([(-0.25 + peck, 0.85), (-0.12 + peck, 1.1), (0.1 + peck, 0.93)], (0.9, 0.05, 0.08))
    eye(c, 0.0 + peck, 0.84, 0.03)


def _cuckoo(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.6, 0.0, 0.6, 0.75, (0.45, 0.26, 0.12))
    c.polygon([(-0.75, 0.7), (0, 1.2), (0.75, 0.7)], shade(colour(k), 0.2))
    c.ellipse(0, 0.28, 0.25, 0.25, WHITE)
    for a in (0.6 * t, 1 + 0.1 * t):
        c.line([(0, 0.28), (0.17 * math.sin(a), 0.28 + 0.17 * math.cos(a))], (0, 0, 0), 0.04)
    c.box(-0.2, 0.58, 0.2, 0.9, (0.1, 0.07, 0.05))
    out = 0.06 * math.sin(6 * t)
    c.ellipse(0.0, 0.74 + out, 0.17, 0.14, (1, 0.85, 0.15))
    c.polygon([(0.12, 0.78 + out), (0.34, 0.73 + out), (0.12, 0.68 + out)], (0.95, 0.3, 0.05))
    eye(c, 0.05, 0.79 + out, 0.025)


THINGS = (
    Thing(
        "crow cawing",
        "street",
        "source",
        coloured((0.6, 0.72), (0.2, 0.5), (0.1, 0.22), fat=(0.26, 0.36)),
        _crow,
        voices.call((560, 400), [1.1, 1.0, 0.8], [0.6, 1, 0.9, 0.7, 0.5, 0.3], (0.25, 0.4), (0.5, 0.75), noise=1.2),
    ),
    Thing(
        "seagull calling",
        "shore",
        "source",
        coloured((0.55, 0.65), (0.03, 0.15), (0.65, 0.9)),
        _gull,
        voices.call((1300, 950), [0.9, 1.35, 1.2, 0.9], [1, 0.7, 0.5, 0.2], (0.25, 0.4), (0.35, 0.55), noise=0.2),
    ),
    Thing(
        "woodpecker drumming",
        "meadow",
        "source",
        coloured((0.55, 0.75), (0.05, 0.5), (0.08, 0.25)),
        _woodpecker,
        voices.taps((700, 2500), 0.008, (0.045, 0.065), burst=(9, 15), pause=(0.3, 0.6), body=800),
        0.12,
    ),
    Thing(
        "cuckoo clock calling",
        "room",
        "source",
        coloured((0.02, 0.35), (0.4, 0.8), (0.4, 0.7)),
        _cuckoo,
        voices.call((760, 620), [1.22, 1.2, 1.2, 0.02, 1.0, 0.98, 0.96], [1, 0.12, 0.04], (0.5, 0.65), (0.8, 1.1)),
    ),
)
