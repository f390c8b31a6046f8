"""Animals of the meadow and the night, composed of shared bodies and calls."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics, voices
from s2v.world import sound as snd
from s2v.world.canvas import Canvas, mix
from s2v.world.shapes import BLACK, WHITE, bird, colour, coloured, eye, legs, shade
from s2v.world.thing import Look, Thing

Rng = np.random.Generator


def _rooster(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    for i in range(5):
        c.polygon(
            [(-0.2, 0.4), (-0.75 + 0.08 * i, 0.45 + 0.13 * i), (-0.5 + 0.09 * i, 0.75 + 0.07 * i), (0, 0.5)],
            (0.03, 0.2 + 0.05 * i, 0.22),
        )
    bird(c, colour(k), shade(colour(k)), (0.95, 0.7, 0.1), t=t, fat=k["fat"])
    for x in (0.16, 0.26, 0.36):
        c.ellipse(x, 0.98, 0.07, 0.09, (0.9, 0.06, 0.08))
    c.ellipse(0.4, 0.66, 0.06, 0.1, (0.9, 0.06, 0.08))


def _sheep(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    wool = colour(k)
    legs(c, (-0.35, -0.2, 0.2, 0.35), 0.4, 0.08, BLACK, t, 0.02)
    for i in range(11):
        a = math.tau * i / 11
        c.ellipse(0.45 * math.cos(a), 0.55 + 0.2 * math.sin(a), 0.2, 0.18, mix(wool, BLACK, 0.1 * (i > 5)))
    c.ellipse(0, 0.55, 0.5, 0.24, wool)
    c.ellipse(0.62, 0.72 + 0.02 * math.sin(5 * t), 0.15, 0.22, (0.13, 0.12, 0.12), turn=0.4)
    c.ellipse(0.5, 0.8, 0.13, 0.05, (0.13, 0.12, 0.12), turn=0.5)
    c.ellipse(0.55, 0.93, 0.17, 0.1, wool)
    eye(c, 0.64, 0.78, 0.025)


def _pig(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    skin = colour(k)
    legs(c, (-0.4, -0.25, 0.2, 0.38), 0.35, 0.13, shade(skin, 0.15), t, 0.01)
    c.line([(-0.6, 0.55), (-0.72, 0.65), (-0.66, 0.72), (-0.76, 0.78)], skin, 0.05)
    c.ellipse(-0.05, 0.48, 0.6, 0.34, skin)
    c.ellipse(0.52, 0.58, 0.27, 0.27, mix(skin, WHITE, 0.1))
    c.polygon([(0.35, 0.78), (0.32, 1.0), (0.55, 0.82)], shade(skin, 0.2))
    c.ellipse(0.76, 0.5 + 0.02 * math.sin(14 * t), 0.12, 0.14, shade(skin, 0.15))
    for y in (0.46, 0.55):
        c.ellipse(0.78, y, 0.03, 0.025, shade(skin, 0.6))
    eye(c, 0.58, 0.67, 0.03)


def _horse(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    coat = colour(k)
    mane = shade(coat, 0.7)
    legs(c, (-0.38, -0.27, 0.18, 0.28), 0.5, 0.08, shade(coat, 0.2), t, 0.05)
    c.line([(-0.42, 0.6), (-0.6, 0.5), (-0.62 + 0.05 * math.sin(5 * t), 0.15)], mane, 0.1)
    c.ellipse(-0.05, 0.56, 0.42, 0.17, coat)
    c.polygon([(0.1, 0.6), (0.32, 1.02), (0.5, 0.95), (0.34, 0.45)], coat)
    c.polygon([(0.05, 0.66), (0.26, 1.08), (0.36, 1.0), (0.18, 0.68)], mane)
    c.ellipse(0.5, 0.92, 0.21, 0.085, coat, turn=-0.6)
    c.polygon([(0.34, 1.0), (0.36, 1.14), (0.43, 1.02)], coat)
    eye(c, 0.46, 0.98, 0.02)


def _duck(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.ellipse(0, 0.05, 0.9, 0.12, (0.35, 0.55, 0.75))
    body = colour(k)
    c.polygon([(-0.4, 0.3), (-0.75, 0.55), (-0.3, 0.5)], body)
    c.ellipse(-0.05, 0.28, 0.52, 0.25, body)
    c.ellipse(-0.12, 0.32, 0.3, 0.14, shade(body, 0.25))
    c.box(0.27, 0.4, 0.45, 0.72, WHITE)
    c.ellipse(0.4, 0.8, 0.2, 0.19, (0.05, k["head"], 0.25))
    c.ellipse(0.66, 0.77 + 0.02 * math.sin(15 * t), 0.17, 0.055, (1, 0.75, 0.1))
    eye(c, 0.44, 0.85, 0.03)


def _cat(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    fur = colour(k)
    c.line([(0.25, 0.1), (0.55, 0.15), (0.6 + 0.06 * math.sin(4 * t), 0.55)], fur, 0.09)
    c.ellipse(0, 0.28, 0.32, 0.32, fur)
    for y in (0.2, 0.3, 0.4):
        c.line([(0.1, y), (0.29, y + 0.04)], shade(fur), 0.035)
    c.ellipse(0, 0.22, 0.15, 0.2, mix(fur, WHITE, 0.6))
    for s in (-1, 1):
        c.polygon([(s * 0.1, 0.9), (s * 0.3, 1.12), (s * 0.32, 0.75)], fur)
        c.ellipse(s * 0.12, 0.03, 0.11, 0.05, mix(fur, WHITE, 0.5))
    c.ellipse(0, 0.72, 0.33, 0.25, fur)
    for s in (-1, 1):
        c.ellipse(s * 0.14, 0.76, 0.07, 0.08, (0.6, 0.85, 0.2))
        c.ellipse(s * 0.14, 0.76, 0.02, 0.07, BLACK)
        for y in (0.6, 0.66):
            c.line([(s * 0.1, 0.63), (s * 0.5, y)], WHITE, 0.015)
    c.ellipse(0, 0.6, 0.06, 0.03 + 0.03 * abs(math.sin(4 * t)), (0.8, 0.3, 0.35))


def _insect(c: Canvas, k: Look, t: float) -> None:
    body = colour(k)
    for x in (-0.3, 0.0, 0.25):
        c.line([(x, 0.35), (x - 0.15, 0.2), (x - 0.08, 0)], shade(body, 0.6), 0.04)
    c.line([(0.5, 0.5), (0.8, 0.95), (1.0, 0.9)], shade(body, 0.6), 0.025)


def _cricket(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    _insect(c, k, t)
    c.ellipse(0, 0.38, 0.58, 0.17, colour(k))
    c.ellipse(0.55, 0.42, 0.18, 0.18, shade(colour(k), 0.2))
    c.ellipse(-0.1, 0.48 + 0.02 * math.sin(40 * t), 0.5, 0.08, mix(colour(k), WHITE, 0.4), turn=-0.08)
    c.line([(0.05, 0.35), (-0.45, 0.98), (-0.75, 0)], shade(colour(k), 0.25), 0.1)
    eye(c, 0.62, 0.48, 0.04)


def _bee(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.line([(0.15, 0), (0.15, 0.3)], (0.2, 0.55, 0.2), 0.05)
    for i in range(7):
        a = math.tau * i / 7
        c.ellipse(0.15 + 0.2 * math.cos(a), 0.28 + 0.12 * math.sin(a), 0.12, 0.08, (0.95, 0.45, 0.7))
    flap = 0.5 + 0.25 * math.sin(30 * t)
    for turn in (flap, flap + 0.6):
        c.ellipse(-0.05, 0.9, 0.14, 0.3, (0.88, 0.94, 1), 0.8, turn=turn - 0.6)
    c.ellipse(0, 0.6, 0.48, 0.26, colour(k))
    for x in (-0.28, -0.08, 0.12):
        c.ellipse(x, 0.6, 0.055, 0.24, BLACK)
    c.ellipse(0.45, 0.62, 0.17, 0.17, (0.15, 0.1, 0.05))
    eye(c, 0.5, 0.67)


def _cricket_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    base, rate = voices.pitch_of((4568, 3823), k, rng), float(rng.uniform(27.4, 38))

    def chirp() -> snd.Wave:
        m = int(float(rng.uniform(0.15, 0.32)) * snd.RATE)
        teeth = np.clip(np.sin(2 * np.pi * rate * np.arange(m) / snd.RATE), 0, 1)
        return np.asarray(snd.tone(base * np.linspace(1, 0.98, m), [1.0]) * teeth * snd.envelope(m, 0.03, 0.06))

    return physics.room(rng, snd.calls(rng, n, float(rng.uniform(0.3, 0.49)), 0.2, chirp), seconds=0.5, wet=0.1)


THINGS = (
    Thing(
        "rooster crowing",
        "meadow",
        "source",
        coloured((0.0, 0.07), (0.6, 0.9), (0.5, 0.85), fat=(0.27, 0.36)),
        _rooster,
        voices.call(
            (800, 600),
            [0.77, 1.34, 1.24, 1.15, 0.7, 1.57, 1.6, 1.05, 1.83, 1.28, 1.14, 1.25],
            [
                [(1279, 194, 1), (2221, 447, 0.76), (3157, 600, 0.5)],
                [(1757, 410, 1), (2136, 400, 0.85), (2339, 587, 0.58)],
                [(1459, 430, 1.58), (2300, 314, 0.52), (4050, 758, 0.36)],
            ],
            (1.22, 1.54),
            (1.82, 2.25),
            breath=0.11,
            jitter=0.02,
            shimmer=0.11,
            open_share=0.51,
            loud=[0, 0.74, 0.11, 0.88, 0.067, 0.85, 0.82, 0.88, 0.65, 0.98, 0.64, 0.47, 0],
            room=(0.8, 0.2),
        ),
    ),
    Thing(
        "sheep bleating",
        "meadow",
        "source",
        coloured((0.08, 0.14), (0.02, 0.2), (0.8, 1.0)),
        _sheep,
        voices.call(
            (359, 248),
            [1.14, 0.99, 1.05, 0.95],
            [
                [(471, 150, 1.37), (1500, 311, 0.31), (2600, 400, 0.23)],
                [(749, 142, 1.0), (1365, 372, 0.94), (2449, 400, 0.4), (6190, 634, 0.24)],
                [(721, 165, 1.08), (1378, 256, 0.8), (2411, 304, 0.37)],
            ],
            (0.6, 1),
            (1.12, 1.52),
            breath=0.071,
            jitter=0.025,
            shimmer=0.09,
            open_share=0.38,
            shake=(9.6, 9.74, 0.45, 0.028),
            room=(0.39, 0.12),
        ),
    ),
    Thing(
        "pig grunting",
        "meadow",
        "source",
        coloured((0.94, 1.02), (0.25, 0.45), (0.8, 1.0)),
        _pig,
        voices.call(
            (75.5, 48.8),
            [0.82, 1.68, 1, 0.72],
            [
                [(345, 152, 1), (1173, 233, 0.5), (2492, 400, 0.3)],
                [(412, 116, 1), (1200, 250, 0.81), (2300, 400, 0.42)],
                [(400, 120, 1.05), (1571, 200, 0.33), (3287, 355, 0.21)],
            ],
            (0.22, 0.39),
            (0.35, 0.6),
            breath=0.61,
            jitter=0.11,
            shimmer=0.31,
            open_share=0.35,
            room=(0.4, 0.15),
        ),
    ),
    Thing(
        "horse neighing",
        "meadow",
        "source",
        coloured((0.03, 0.09), (0.4, 0.8), (0.3, 0.7)),
        _horse,
        voices.call(
            (1532, 1133),
            [0.64, 1.43, 1.0, 1.56, 1.11, 0.75, 0.55, 0.21],
            [
                [(747, 201, 0.79), (4738, 397, 0.7), (4291, 500, 0.35)],
                [(851, 378, 0.85), (3031, 169, 0.65), (5245, 394, 0.33)],
                [(651, 163, 1.06), (2533, 261, 0.96), (2694, 222, 0.4)],
                [(603, 185, 1.47), (1160, 255, 0.38), (2386, 696, 0.11)],
            ],
            (1.8, 2.63),
            (2.33, 2.89),
            breath=0.23,
            jitter=0.03,
            shimmer=0.2,
            open_share=0.35,
            shake=(7.29, 8.29, 0.67, 0.047),
            room=(0.54, 0.15),
        ),
    ),
    Thing(
        "duck quacking",
        "meadow",
        "source",
        coloured((0.05, 0.12), (0.1, 0.4), (0.5, 0.8), head=(0.3, 0.5)),
        _duck,
        voices.call(
            (176, 130),
            [0.85, 0.85, 0.72],
            [
                [(741, 158, 1.0), (960, 325, 0.86), (4740, 290, 0.47)],
                [(1200, 269, 0.8), (1679, 250, 1), (2900, 397, 0.65)],
                [(961, 192, 0.98), (1085, 275, 0.62), (3703, 400, 0.47)],
            ],
            (0.14, 0.22),
            (0.29, 0.43),
            breath=0.2,
            jitter=0.073,
            shimmer=0.29,
            open_share=0.29,
            room=(0.36, 0.11),
        ),
    ),
    Thing(
        "cat meowing",
        "night",
        "source",
        coloured((0.05, 0.12), (0.05, 0.75), (0.45, 0.9)),
        _cat,
        voices.call(
            (796, 585),
            [0.82, 1.18, 1.13, 1.07, 0.46],
            [
                [(459, 133, 0.17), (2448, 322, 0.3), (5236, 1035, 0.2)],
                [(1002, 212, 1.01), (2506, 390, 0.75), (3175, 795, 0.44)],
                [(765, 143, 1.47), (1099, 150, 1.06), (3811, 523, 0.24)],
                [(831, 132, 1.26), (374, 251, 0.62), (1632, 626, 0.14)],
            ],
            (0.72, 1.08),
            (1.56, 2.13),
            breath=0.029,
            jitter=0.0087,
            shimmer=0.063,
            open_share=0.45,
            loud=[0, 0.62, 0.74, 0.91, 0.74, 0],
            room=(0.32, 0.12),
        ),
    ),
    Thing(
        "cricket chirping",
        "night",
        "source",
        coloured((0.14, 0.32), (0.5, 0.85), (0.45, 0.8)),
        _cricket,
        _cricket_sound,
        0.15,
    ),
    Thing(
        "bee buzzing",
        "meadow",
        "source",
        coloured((0.11, 0.15), (0.8, 1.0), (0.85, 1.0)),
        _bee,
        voices.engine(
            (246, 185),
            [(335, 239, 0.92), (539, 795, 0.49), (3108, 1675, 0.71), (4819, 2208, 0.6)],
            (0.11, 173, 5263),
            rev=0.37,
            turns=(1.41, 3.54),
            chop=0.51,
            jitter=0.0099,
            shimmer=0.18,
            open_share=0.46,
            sway=0.66,
            room=(0.15, 0.015),
        ),
        0.18,
    ),
)
