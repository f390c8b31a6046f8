"""Tools and household things: taps, motors, whistles and bells."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics, voices
from s2v.world import sound as snd
from s2v.world.canvas import Canvas, mix
from s2v.world.shapes import BLACK, WHITE, colour, coloured, shade, wheel
from s2v.world.thing import Look, Thing

Rng = np.random.Generator
STEEL = (0.72, 0.74, 0.78)
ANY = {"hue": (0.0, 1.0), "saturation": (0.55, 0.95), "value": (0.5, 0.95)}


def _dial(c: Canvas, x: float, y: float, r: float, t: float) -> None:
    c.ellipse(x, y, r, r, WHITE)
    for i in range(12):
        a = math.tau * i / 12
        c.ellipse(x + 0.82 * r * math.sin(a), y + 0.82 * r * math.cos(a), 0.02, 0.02, BLACK)
    for a, reach in ((1.2, 0.5), (math.floor(2 * t) * 0.5, 0.75)):
        c.line([(x, y), (x + reach * r * math.sin(a), y + reach * r * math.cos(a))], BLACK, 0.035)


def _clock(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.26, 0, 0.26, 1.0, colour(k))
    c.polygon([(-0.32, 0.98), (0, 1.15), (0.32, 0.98)], shade(colour(k)))
    c.box(-0.32, 0, 0.32, 0.1, shade(colour(k)))
    _dial(c, 0, 0.8, 0.2, t)
    c.box(-0.16, 0.15, 0.16, 0.56, (0.12, 0.08, 0.05))
    x = 0.1 * math.sin(6 * t)
    c.line([(0, 0.56), (x, 0.25)], (0.9, 0.75, 0.3), 0.02)
    c.ellipse(x, 0.25, 0.07, 0.07, (1, 0.85, 0.3))


def _alarm(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    shake = 0.03 * math.sin(50 * t)
    for s in (-1, 1):
        c.line([(s * 0.2, 0.2), (s * 0.35, 0)], shade(colour(k)), 0.09)
        c.ellipse(s * 0.3 + shake, 0.86, 0.22, 0.15, STEEL, turn=-s * 0.6)
    c.line([(0, 0.8), (2 * shake, 1.02)], BLACK, 0.06)
    c.ellipse(shake, 0.45, 0.45, 0.42, colour(k))
    _dial(c, shake, 0.45, 0.34, t)


def _chainsaw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.ellipse(0.75, 0.25, 0.25, 0.3, (0.55, 0.36, 0.2))
    c.ellipse(0.75, 0.25, 0.17, 0.21, (0.8, 0.62, 0.4))
    jolt = 0.02 * math.sin(40 * t)
    c.box(-0.1, 0.42 + jolt, 0.95, 0.62 + jolt, STEEL)
    for i in range(9):
        x = -0.05 + 0.115 * i + 0.05 * (7 * t % 1)
        c.polygon([(x, 0.42), (x + 0.04, 0.34), (x + 0.08, 0.42)], BLACK)
        c.polygon([(x, 0.62), (x + 0.04, 0.7), (x + 0.08, 0.62)], BLACK)
    c.box(-0.7, 0.3 + jolt, 0.0, 0.75 + jolt, colour(k))
    c.line([(-0.6, 0.72), (-0.55, 1.0), (-0.1, 1.0), (-0.05, 0.72)], BLACK, 0.08)
    c.line([(-0.68, 0.4), (-1.0, 0.45), (-1.0, 0.68), (-0.68, 0.68)], BLACK, 0.08)


def _hammer(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.9, 0, 0.9, 0.2, (0.72, 0.53, 0.32))
    c.line([(-0.35, 0.2), (-0.35, 0.42)], STEEL, 0.06)
    c.box(-0.44, 0.4, -0.26, 0.44, STEEL)
    lift = 0.2 * abs(math.sin(6 * t))
    c.line([(-0.3, 0.68 + lift), (0.85, 0.42 + lift * 0.3)], colour(k), 0.11)
    head = [(-0.46, 0.45 + lift), (-0.24, 0.47 + lift), (-0.22, 1.0 + lift), (-0.42, 0.98 + lift)]
    c.polygon(head, (0.3, 0.32, 0.36))


def _kettle(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.6, 0, 0.6, 0.1, (0.12, 0.12, 0.13))
    for i in range(7):
        c.polygon([(-0.4 + 0.13 * i, 0.1), (-0.36 + 0.13 * i, 0.2), (-0.32 + 0.13 * i, 0.1)], (0.25, 0.5, 1))
    c.line([(-0.35, 0.65), (-0.3, 1.0), (0.25, 1.0), (0.3, 0.65)], BLACK, 0.07)
    c.polygon([(0.3, 0.35), (0.65, 0.72), (0.76, 0.68), (0.42, 0.25)], shade(colour(k), 0.15))
    c.polygon([(-0.48, 0.18), (0.48, 0.18), (0.38, 0.65), (0.18, 0.78), (-0.18, 0.78), (-0.38, 0.65)], colour(k))
    c.ellipse(0, 0.82, 0.07, 0.06, BLACK)
    for i in range(4):
        c.ellipse(0.76 + 0.07 * i, 0.78 + 0.09 * i + 0.02 * math.sin(8 * t + i), 0.06 + 0.03 * i, 0.06, WHITE, 0.7)


def _vacuum(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    push = 0.08 * math.sin(4 * t)
    c.line([(-0.3, 0.4), (0.0, 0.75), (0.3, 0.95), (0.5, 0.8), (0.75 + push, 0.1)], (0.25, 0.25, 0.28), 0.07)
    c.polygon([(0.55 + push, 0), (0.98 + push, 0), (0.85 + push, 0.12), (0.65 + push, 0.12)], BLACK)
    c.ellipse(-0.5, 0.32, 0.45, 0.27, colour(k))
    c.ellipse(-0.42, 0.42, 0.2, 0.1, mix(colour(k), WHITE, 0.5))
    wheel(c, -0.7, 0.14, 0.3 * t)
    wheel(c, -0.25, 0.1, 0.3 * t)


def _door(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.36, 0, 0.36, 1.06, mix(colour(k), WHITE, 0.7))
    c.box(-0.3, 0, 0.3, 1.0, colour(k))
    for y in (0.08, 0.56):
        for x in (-0.23, 0.04):
            c.box(x, y, x + 0.19, y + 0.36, shade(colour(k), 0.3))
    c.ellipse(0.24, 0.5, 0.04, 0.03, (1, 0.85, 0.3))
    knock = 0.05 * math.sin(16 * t)
    c.line([(0.75, 0.4), (0.2 + knock, 0.68)], (0.2, 0.3, 0.6), 0.13)
    c.ellipse(0.12 + knock, 0.72, 0.1, 0.08, (0.9, 0.7, 0.55))


def _typing(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(-0.6, 0.42, 0.6, 1.05, (0.12, 0.12, 0.14))
    c.box(-0.54, 0.48, 0.54, 1.0, colour(k))
    for i in range(5):
        c.box(-0.48, 0.9 - 0.09 * i, -0.1 + 0.12 * ((i * 3) % 5), 0.93 - 0.09 * i, WHITE, 0.85)
    c.polygon([(-0.6, 0.42), (0.6, 0.42), (0.8, 0.02), (-0.8, 0.02)], (0.75, 0.75, 0.78))
    for row in range(4):
        for i in range(9):
            x = (-0.56 + 0.125 * i) * (1.2 - 0.09 * row)
            c.box(x, 0.07 + 0.085 * row, x + 0.09, 0.125 + 0.085 * row, (0.2, 0.2, 0.23))
    for s in (-1, 1):
        c.ellipse(s * 0.35, 0.14 + 0.03 * math.sin(14 * t + s), 0.17, 0.1, (0.9, 0.7, 0.55))


def _kettle_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    base, t = voices.pitch_of((2982, 2262), k, rng), np.arange(n) / snd.RATE
    swing = 1 + 0.016 * np.sin(2 * np.pi * 3.47 * t + float(rng.uniform(0, 6)))
    curve = base * np.interp(t, [0, float(rng.uniform(0.5, 1.2))], [0.93, 1.0]) * swing
    # A jet of steam is never a pure tone: half of the whistle is noise that its hole selects.
    shapes = [[(base * height, 237, 1.0)] for height in (0.93, 0.96, 1.0)]
    whistle = 0.28 * snd.tone(curve, [1, 0.21]) + 0.5 * physics.gliding(
        rng.standard_normal(n), shapes, np.clip(t, 0, 1)
    )
    return physics.room(rng, whistle + 2.59 * snd.noise(rng, n, 2000, 7000), seconds=0.4, wet=0.1)


THINGS = (
    Thing(
        "clock ticking",
        "room",
        "source",
        coloured((0.03, 0.09), (0.5, 0.85), (0.25, 0.65)),
        _clock,
        voices.taps(
            [(2913, 1813, 1.02), (4683, 1447, 0.89)],
            0.0025,
            (0.21, 0.41),
            uneven=0.0078,
            burst=(2, 2),
            swell=(0.59, 0.69),
            room=(0.21, 0.042),
        ),
        0.06,
    ),
    Thing(
        "chainsaw cutting",
        "meadow",
        "source",
        coloured((0.0, 0.1), (0.8, 1.0), (0.75, 1.0)),
        _chainsaw,
        voices.engine(
            (168, 118),
            [(182, 150, 0.7), (700, 400, 1), (1300, 461, 0.48)],
            (1.09, 800, 7238),
            rev=0.64,
            turns=(1, 1.6),
            chop=0.8,
            jitter=0.01,
            shimmer=0.087,
            open_share=0.3,
            room=(0.3, 0.05),
        ),
    ),
    Thing(
        "hammer striking",
        "street",
        "source",
        coloured((0.0, 0.12), (0.5, 0.95), (0.45, 0.9)),
        _hammer,
        voices.taps(
            [(534, 406, 0.46), (1176, 1038, 0.63), (3580, 1346, 0.66)],
            0.0063,
            (0.53, 0.91),
            ring=[(1539, 0.25, 0.038), (2890, 0.3, 0.028), (4794, 0.23, 0.058), (4059, 0.11, 0.017)],
            uneven=0.084,
            room=(0.49, 0.2),
        ),
        0.12,
    ),
    Thing(
        "kettle whistling",
        "room",
        "source",
        coloured(**ANY),
        _kettle,
        _kettle_sound,
        0.2,
    ),
    Thing(
        "alarm clock ringing",
        "room",
        "source",
        coloured(**ANY),
        _alarm,
        voices.struck(
            (2132, 1571),
            [(0.91, 1, 0.12), (1.34, 0.7, 0.1), (2.7, 0.26, 0.048)],
            (0.063, 0.091),
            scale=[0, 1],
            knock=((0.2, 2413, 7900), 0.003),
            room=(0.3, 0.05),
        ),
        0.2,
    ),
    Thing(
        "vacuum cleaner running",
        "room",
        "source",
        coloured(**ANY),
        _vacuum,
        voices.engine(
            (525, 388),
            [(566, 253, 0.34), (2529, 359, 0.39), (2256, 491, 0.18)],
            (2.32, 230, 6232),
            rev=0.068,
            chop=0.4,
            jitter=0.0044,
            shimmer=0.053,
            open_share=0.62,
            whine=(0.41, 0.83),
            room=(0.49, 0.36),
        ),
        0.22,
    ),
    Thing(
        "door knocking",
        "room",
        "source",
        coloured((0.02, 0.65), (0.35, 0.8), (0.35, 0.75)),
        _door,
        voices.taps(
            [(217, 99.6, 1.15), (340, 291, 1.13), (547, 377, 0.41)],
            0.022,
            (0.11, 0.16),
            burst=(3, 5),
            pause=(0.27, 0.54),
            ring=[(137, 0.14, 0.034)],
            uneven=0.036,
            room=(0.35, 0.13),
        ),
        0.14,
    ),
    Thing(
        "typing on keyboard",
        "room",
        "source",
        coloured((0.5, 0.68), (0.3, 0.8), (0.3, 0.8)),
        _typing,
        voices.taps(
            [(1500, 500, 0.6), (2800, 900, 1), (4800, 1500, 0.7)],
            0.004,
            (0.08, 0.14),
            burst=(4, 9),
            pause=(0.05, 0.3),
            uneven=0.35,
            room=(0.2, 0.15),
        ),
        0.08,
    ),
)
