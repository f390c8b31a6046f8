"""Birds: one body, many plumages, and their calls."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics, voices
from s2v.world import sound as snd
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


GONG = ((1, 0.6), (1.52, 0.5), (2.36, 0.6), (3.35, 0.5), (4.5, 0.35), (5.8, 0.25))
"""A coil of wire: ratio to its lowest tone, loudness."""


def _cuckoo_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    base, wire = voices.pitch_of((760, 620), k, rng), 620 * float(rng.uniform(0.8, 1.3))

    def pipe(pitch_hz: float, seconds: float) -> snd.Wave:
        m = int(seconds * snd.RATE)
        s = np.linspace(0, 1, m)
        voice = snd.tone(pitch_hz * np.interp(s, [0, 0.1, 0.8, 1], [0.97, 1, 1, 0.98]), [1, 0.25, 0.08])
        bellows = 0.15 * snd.noise(rng, m, pitch_hz * 0.8, pitch_hz * 5)
        return np.asarray((voice + bellows) * np.interp(s, [0, 0.12, 0.7, 1], [0, 1, 0.9, 0]))

    def cry() -> snd.Wave:
        m = int(1.1 * snd.RATE)
        rung = sum(a * physics.mode(m, wire * r, 0.5 / r**0.5) for r, a in GONG)
        out = np.asarray(0.5 * rung * snd.envelope(m, 0.002, 0.05))
        snd.place(out, 0, pipe(1.2 * base, 0.2))
        snd.place(out, 0.3, pipe(base, 0.3))
        return out

    cries = snd.calls(rng, n, float(rng.uniform(0.85, 1.1)), 0.05, cry)
    return physics.room(rng, cries, seconds=0.5, wet=0.2)


THINGS = (
    Thing(
        "crow cawing",
        "street",
        "source",
        coloured((0.6, 0.72), (0.2, 0.5), (0.1, 0.22), fat=(0.26, 0.36)),
        _crow,
        voices.call(
            (683, 541),
            [0.82, 1.11, 1.05, 0.8],
            [
                [(878, 194, 0.6), (1053, 277, 0.91), (2600, 464, 0.52)],
                [(1100, 250, 1), (1487, 300, 1), (3951, 395, 0.41)],
                [(1135, 250, 0.62), (1715, 300, 0.8), (3313, 439, 0.29)],
            ],
            (0.4, 0.6),
            (0.8, 1.2),
            breath=0.4,
            jitter=0.073,
            shimmer=0.32,
            open_share=0.32,
            room=(0.9, 0.23),
            loud=[0, 0.88, 0.81, 0.82, 0.74, 0],
        ),
    ),
    Thing(
        "seagull calling",
        "shore",
        "source",
        coloured((0.55, 0.65), (0.03, 0.15), (0.65, 0.9)),
        _gull,
        voices.call(
            (950, 720),
            [0.75, 1.25, 1.2, 1.1, 0.75],
            [
                [(1200, 300, 0.7), (2400, 500, 0.5)],
                [(1700, 400, 1), (3000, 600, 0.8), (4500, 800, 0.3)],
                [(1300, 300, 0.8), (2500, 500, 0.4)],
            ],
            (0.35, 0.55),
            (0.5, 0.75),
            breath=0.15,
            jitter=0.03,
            shimmer=0.2,
            open_share=0.35,
            room=(1.2, 0.2),
        ),
    ),
    Thing(
        "woodpecker drumming",
        "meadow",
        "source",
        coloured((0.55, 0.75), (0.05, 0.5), (0.08, 0.25)),
        _woodpecker,
        voices.taps(
            [(820, 150, 1.15), (1423, 428, 0.47), (2316, 458, 0.37)],
            0.0028,
            (0.077, 0.096),
            burst=(10, 16),
            pause=(0.28, 0.57),
            ring=[(912, 0.56, 0.012)],
            swell=[1.6, 0.72, 0.73, 0.61],
            uneven=0.047,
            room=(0.63, 0.24),
        ),
        0.12,
    ),
    Thing(
        "cuckoo clock calling",
        "room",
        "source",
        coloured((0.02, 0.35), (0.4, 0.8), (0.4, 0.7)),
        _cuckoo,
        _cuckoo_sound,
    ),
)
