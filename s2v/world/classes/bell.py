"""A church bell in its tower on a street: swinging bronze, inharmonic decaying partials."""

from __future__ import annotations

import math

import numpy as np

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


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    strike = 460 - 170 * k["big"]
    partials = [
        (0.5, 0.6, 1.6),
        (1.0, 1.0, 1.0),
        (1.19, 0.7, 0.8),
        (1.5, 0.5, 0.6),
        (2.0, 0.8, 0.5),
        (2.74, 0.4, 0.3),
        (3.76, 0.3, 0.2),
    ]

    def dong() -> snd.Wave:
        m = int(1.6 * snd.RATE)
        t = np.arange(m) / snd.RATE
        waves = [a * np.sin(2 * np.pi * strike * f * t) * snd.decay(m, d) for f, a, d in partials]
        return np.asarray(sum(waves)) / 3 * snd.envelope(m, 0.003, 0.2)

    return snd.calls(rng, n, float(rng.uniform(0.75, 1.1)), 0.05, dong)


THING = Thing("church bell ringing", "street", "source", _look, _draw, _sound, 0.25)
