"""A church bell in its tower on a street: swinging bronze, inharmonic decaying partials."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics
from s2v.world import sound as snd
from s2v.world.canvas import Canvas, hsv, mix
from s2v.world.thing import Dice, Look, Thing

Rng = np.random.Generator


def _look(dice: Dice) -> Look:
    return {
        "hue": dice.span(0.1, 0.135),
        "value": dice.span(0.7, 0.95),
        "stone": dice.span(0.5, 0.75),
        "rate": dice.span(3.5, 5.0),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    stone = (k["stone"], k["stone"] * 0.93, k["stone"] * 0.85)
    c.box(-0.62, -0.3, -0.44, 0.92, stone)
    c.box(0.44, -0.3, 0.62, 0.92, stone)
    c.polygon([(-0.72, 0.9), (0.0, 1.25), (0.72, 0.9)], mix(stone, (0.5, 0.15, 0.1), 0.6))
    c.box(-0.44, -0.02, 0.44, 0.9, (0.16, 0.17, 0.22))
    swing = 0.3 * math.sin(k["rate"] * t)
    bronze = hsv(k["hue"], 0.75, k["value"])

    def turned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        s, co = math.sin(swing), math.cos(swing)
        return [(x * co - (y - 0.85) * s, 0.85 + x * s + (y - 0.85) * co) for x, y in points]

    c.polygon(turned([(-0.03, 0.9), (0.03, 0.9), (0.03, 0.7), (-0.03, 0.7)]), (0.3, 0.2, 0.1))
    clapper = turned([(0.0, 0.1)])[0]
    c.ellipse(clapper[0], clapper[1], 0.07, 0.07, (0.3, 0.25, 0.2))
    right = [(0.08, 0.76), (0.18, 0.68), (0.21, 0.45), (0.26, 0.28), (0.36, 0.17), (0.36, 0.12)]
    outline = right + [(-x, y) for x, y in reversed(right)]
    c.polygon(turned(outline), bronze)
    c.polygon(turned([(-0.16, 0.64), (-0.1, 0.68), (-0.16, 0.3), (-0.24, 0.24)]), mix(bronze, (1, 1, 0.9), 0.6))
    c.polygon(turned([(-0.3, 0.25), (0.3, 0.25), (0.32, 0.21), (-0.32, 0.21)]), mix(bronze, (0, 0, 0), 0.4))


PARTIALS = (
    *((0.5, 0.68, 6.2), (1.0, 1.0, 3.9), (1.19, 0.8, 3.1), (1.5, 0.45, 2.0), (2.0, 1.0, 2.3), (2.51, 0.4, 1.2)),
    *((3.01, 0.6, 1.2), (4.1, 0.45, 0.8), (5.4, 0.3, 0.5), (6.8, 0.25, 0.3), (8.2, 0.15, 0.23)),
)
"""Hum, prime, tierce, quint, nominal and above: ratio, loudness, seconds to 1/e."""


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    strike = 900 - 380 * k["big"]
    # A bell is never quite round: each partial is two that beat.
    cast = [
        (r * float(rng.uniform(0.995, 1.005)), a * float(rng.uniform(0.7, 1.3)), d, float(rng.uniform(0.3, 1.6)))
        for r, a, d in PARTIALS
    ]

    def stroke(pitch: float) -> snd.Wave:
        t = np.arange(n) / snd.RATE
        rung = sum(
            a * (np.sin(2 * np.pi * pitch * r * t) + 0.6 * np.sin(2 * np.pi * (pitch * r + beat) * t)) * np.exp(-t / d)
            for r, a, d, beat in cast
            if pitch * r < 7500
        )
        clapper = 1.6 * snd.noise(rng, n, 1500, 6000) * np.exp(-t / 0.012)
        return (np.asarray(rung) / 3 + clapper) * snd.envelope(n, 0.002, 0.3)

    peal = rng.random() < 0.25
    heights = (1.0, 1.122, 1.26, 1.335)[: int(rng.integers(2, 5))] if peal else (1.0,)
    gap = float(rng.uniform(0.45, 0.8) if peal else rng.uniform(1.0, 1.8))
    rung = [stroke(strike * height) for height in reversed(heights)]
    out, at, count = np.zeros(n), float(rng.uniform(0, 0.1)), 0
    while at < n / snd.RATE:
        snd.place(out, at, rung[count % len(rung)])
        at, count = at + gap * float(rng.uniform(0.95, 1.05)), count + 1
    return physics.room(rng, out, seconds=1.2, wet=0.25)


THING = Thing("church bell ringing", "street", "source", _look, _draw, _sound, 0.25)
