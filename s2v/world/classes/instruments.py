"""Musical instruments in a room: struck, plucked, bowed and blown."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import voices
from s2v.world.canvas import Canvas, hsv, mix
from s2v.world.shapes import BLACK, WHITE, colour, coloured, shade
from s2v.world.thing import Look, Thing

Rng = np.random.Generator
WOOD = {"hue": (0.04, 0.09), "saturation": (0.55, 0.85), "value": (0.45, 0.85)}
BRASS = {"hue": (0.1, 0.14), "saturation": (0.65, 0.9), "value": (0.75, 1.0)}


def _drum(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.5, 0.12, 0.5, 0.65, colour(k))
    c.ellipse(0, 0.12, 0.5, 0.12, colour(k))
    for i in range(6):
        c.line([(-0.48 + 0.16 * i, 0.12), (-0.4 + 0.16 * i, 0.62), (-0.32 + 0.16 * i, 0.12)], WHITE, 0.025)
    c.ellipse(0, 0.65, 0.52, 0.15, (0.95, 0.75, 0.3))
    c.ellipse(0, 0.66, 0.46, 0.12, WHITE)
    for s in (-1, 1):
        lift = 0.13 * max(0.0, s * math.sin(12 * t))
        c.line([(s * 0.1, 0.68 + lift), (s * 0.65, 1.05 + lift)], (0.5, 0.3, 0.12), 0.05)
        c.ellipse(s * 0.1, 0.69 + lift, 0.06, 0.05, (0.5, 0.3, 0.12))


def _piano(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.75, 0.0, 0.75, 1.0, colour(k))
    c.box(-0.82, 0.94, 0.82, 1.02, shade(colour(k)))
    c.box(-0.85, 0.36, 0.85, 0.44, shade(colour(k)))
    c.box(-0.7, 0.44, 0.7, 0.6, WHITE)
    press = int(4 * t) % 10
    for i in range(10):
        x = -0.7 + 0.14 * i
        c.line([(x, 0.44), (x, 0.6)], (0.4, 0.4, 0.4), 0.01)
        if i % 4:
            c.box(x - 0.03, 0.5 - 0.02 * (i == press), x + 0.03, 0.6, BLACK)
    c.box(-0.25, 0.66, 0.25, 0.88, (0.98, 0.96, 0.88))
    for y in (0.72, 0.77, 0.82):
        c.line([(-0.2, y), (0.2, y)], BLACK, 0.012)


def _strings(c: Canvas, k: Look, waist: float, size: float) -> None:
    wood = colour(k)
    c.ellipse(0, 0.2, 0.32 * size, 0.22, wood)
    c.ellipse(0, 0.47, 0.25 * size, 0.17, wood)
    c.box(-waist, 0.2, waist, 0.5, wood)
    c.box(-0.04, 0.4, 0.04, 0.98, shade(wood, 0.6))
    c.box(-0.08, 0.96, 0.08, 1.08, shade(wood, 0.7))


def _violin(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    _strings(c, k, 0.16, 0.85)
    for s in (-1, 1):
        c.line([(s * 0.13, 0.24), (s * 0.1, 0.42)], BLACK, 0.03)
    slide = 0.2 * math.sin(4 * t)
    c.line([(-0.75 + slide, 0.12), (0.7 + slide, 0.62)], (0.95, 0.93, 0.85), 0.035)
    c.line([(-0.75 + slide, 0.17), (0.7 + slide, 0.67)], (0.3, 0.15, 0.08), 0.035)


def _guitar(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    _strings(c, k, 0.2, 1.2)
    c.ellipse(0, 0.34, 0.11, 0.1, (0.1, 0.06, 0.03))
    c.box(-0.13, 0.12, 0.13, 0.16, BLACK)
    for x in (-0.025, 0.0, 0.025):
        c.line([(x, 0.14), (x + 0.004 * math.sin(60 * t), 0.5), (x, 1.0)], (0.95, 0.92, 0.8), 0.008)


def _trumpet(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    brass = colour(k)
    c.line([(-0.95, 0.6), (0.5, 0.6)], brass, 0.07)
    c.line([(-0.45, 0.6), (-0.5, 0.4), (-0.4, 0.28), (0.35, 0.28), (0.45, 0.4), (0.4, 0.6)], shade(brass, 0.15), 0.07)
    c.polygon([(0.45, 0.56), (0.7, 0.48), (0.98, 0.22), (0.98, 0.98), (0.7, 0.72), (0.45, 0.64)], brass)
    c.ellipse(0.98, 0.6, 0.08, 0.38, shade(brass, 0.45))
    for i, x in enumerate((-0.18, 0.0, 0.18)):
        c.box(x - 0.05, 0.22, x + 0.05, 0.72, mix(brass, WHITE, 0.4))
        c.box(x - 0.02, 0.72, x + 0.02, 0.82 + 0.04 * math.sin(9 * t + 2 * i), WHITE)
    c.ellipse(-0.97, 0.6, 0.05, 0.08, brass)


def _xylophone(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.polygon([(-0.85, 0.1), (0.85, 0.22), (0.85, 0.28), (-0.85, 0.2)], (0.4, 0.25, 0.12))
    c.polygon([(-0.85, 0.5), (0.85, 0.42), (0.85, 0.48), (-0.85, 0.6)], (0.4, 0.25, 0.12))
    for i in range(8):
        x, h = -0.82 + 0.21 * i, 0.36 - 0.026 * i
        c.box(x, 0.34 - h, x + 0.16, 0.34 + h, hsv(k["hue"] + i / 9, k["saturation"], k["value"]))
    at = -0.6 + 0.2 * (int(4 * t) % 7)
    lift = 0.1 * abs(math.sin(12 * t))
    c.line([(at, 0.5 + lift), (at + 0.35, 1.0 + lift)], (0.5, 0.3, 0.1), 0.04)
    c.ellipse(at, 0.48 + lift, 0.08, 0.08, (0.85, 0.1, 0.1))


def _flute(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    skin = hsv(0.07, 0.45, k["skin"])
    c.polygon([(-0.5, 0), (-0.4, 0.4), (0.4, 0.4), (0.5, 0)], colour(k))
    c.ellipse(0, 0.72, 0.27, 0.3, skin)
    c.ellipse(0, 0.92, 0.29, 0.15, (0.2, 0.12, 0.08))
    for s in (-1, 1):
        c.ellipse(s * 0.11, 0.76, 0.035, 0.03, BLACK)
    c.line([(-0.25, 0.6), (1.0, 0.5)], (0.9, 0.92, 0.96), 0.09)
    for i in range(5):
        c.ellipse(0.3 + 0.13 * i, 0.56 - 0.01 * i, 0.03, 0.03, (0.35, 0.37, 0.4))
    c.line([(0.38, 0.3), (0.5, 0.5 + 0.02 * math.sin(12 * t))], skin, 0.1)


THINGS = (
    Thing(
        "drum beating",
        "room",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.5, 0.9)),
        _drum,
        voices.struck(
            (150, 85),
            [
                (1, 1, 0.16),
                (1.59, 0.6, 0.1),
                (2.14, 0.45, 0.08),
                (2.3, 0.3, 0.07),
                (2.65, 0.3, 0.06),
                (2.92, 0.2, 0.05),
                (3.5, 0.2, 0.04),
            ],
            (0.2, 0.34),
            scale=[0, 0, 0, 4],
            knock=((2.5, 200, 5000), 0.02),
            room=(0.6, 0.25),
        ),
        0.22,
    ),
    Thing(
        "piano playing",
        "room",
        "source",
        coloured((0.02, 0.08), (0.3, 0.8), (0.08, 0.4)),
        _piano,
        voices.struck(
            (238, 168),
            voices.string(12, ring_s=0.52, damp=0.25, dull=0.23, pluck=0.12, stiff=0.0004),
            (0.5, 0.75),
            scale=[0, 2, 4, 7, 9, 12],
            notes=2,
            strum_s=0.0029,
            knock=((0.69, 74.7, 1447), 0.01),
            beat=0.00062,
            body=[(180, 103, 0.38), (316, 154, 0.23)],
            room=(1.19, 0.2),
        ),
    ),
    Thing(
        "violin playing",
        "room",
        "source",
        coloured(**WOOD),
        _violin,
        voices.bowed(
            (333, 268),
            [
                [
                    (132, 44.8, 0.75),
                    (490, 70.7, 0.86),
                    (693, 159, 0.86),
                    (2354, 316, 0.51),
                    (3696, 391, 1.35),
                    (3728, 1160, 0.2),
                ]
            ],
            (0.51, 0.91),
            breath=(0.11, 2103, 5570),
            vibrato=0.011,
            open_share=0.3,
            scoop=0.0027,
            room=(1.39, 0.29),
        ),
    ),
    Thing(
        "trumpet playing",
        "room",
        "source",
        coloured(**BRASS),
        _trumpet,
        voices.bowed(
            (350, 290),
            [
                [(700, 400, 1), (1200, 500, 0.5)],
                [(900, 400, 1), (1500, 500, 1), (2500, 900, 0.6)],
                [(800, 400, 1), (1400, 500, 0.8), (2300, 900, 0.4)],
            ],
            (0.25, 0.5),
            vibrato=0.004,
            open_share=0.35,
            scoop=0.03,
            breath=(0.03, 1500, 6000),
            loud=[0, 1, 0.9, 0.9, 0.9, 0.8, 0],
            room=(1.2, 0.25),
        ),
    ),
    Thing(
        "guitar strumming",
        "room",
        "source",
        coloured(**WOOD),
        _guitar,
        voices.struck(
            (110, 82),
            voices.string(20, ring_s=0.8, damp=0.16, dull=0.06, pluck=0.16, stiff=5e-05),
            (0.6, 0.9),
            scale=[0, 7, 12, 16, 19, 24],
            notes=6,
            strum_s=0.014,
            knock=((0.5, 1500, 6000), 0.006),
            body=[(105, 30, 0.5), (205, 40, 0.6), (420, 90, 0.4)],
            room=(0.4, 0.1),
        ),
    ),
    Thing(
        "xylophone playing",
        "room",
        "source",
        coloured((0, 1), (0.6, 0.95), (0.75, 1.0)),
        _xylophone,
        voices.struck(
            (1000, 700),
            [(1, 1, 0.18), (3, 0.45, 0.06), (6.1, 0.25, 0.025), (9.9, 0.1, 0.012)],
            (0.14, 0.28),
            scale=[0, 2, 4, 7, 9, 12],
            knock=((0.5, 800, 4000), 0.004),
            room=(0.8, 0.2),
        ),
        0.18,
    ),
    Thing(
        "flute playing",
        "room",
        "source",
        coloured((0, 1), (0.3, 0.8), (0.3, 0.9), skin=(0.45, 1.0)),
        _flute,
        voices.bowed(
            (900, 680),
            [[(900, 500, 1), (1800, 600, 0.3)]],
            (0.35, 0.6),
            breath=(0.25, 1500, 6000),
            vibrato=0.008,
            open_share=0.95,
            room=(1.2, 0.25),
        ),
    ),
)
