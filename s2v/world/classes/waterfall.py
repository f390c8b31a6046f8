"""A waterfall between rocks: a white falling sheet, steady bright noise."""

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
        "x": dice.span(0.4, 0.6),
        "width": dice.span(0.2, 0.36),
        "top": dice.span(0.12, 0.24),
        "rock": dice.span(0.22, 0.4),
        "green": dice.span(0.28, 0.4),
        "blue": dice.span(0.5, 0.57),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    rock = (k["rock"], k["rock"] * 0.92, k["rock"] * 0.85)
    moss = hsv(k["green"], 0.55, 0.45)
    c.polygon([(0, k["top"] - 0.05), (1, k["top"] + 0.02), (1, 0.9), (0, 0.9)], rock)
    for _ in range(12):
        x, y = float(rng.random()), float(rng.uniform(k["top"], 0.8))
        c.ellipse(x, y, 0.1, 0.06, mix(rock, (0, 0, 0), float(rng.uniform(0.1, 0.5))))
    c.polygon([(0, k["top"] - 0.1), (1, k["top"] - 0.04), (1, k["top"] + 0.06), (0, k["top"] + 0.04)], moss)
    half = k["width"] * (0.12 + 0.68 * strength)
    x0, x1 = k["x"] - half, k["x"] + half
    c.polygon([(x0, k["top"]), (x1, k["top"]), (x1 + 0.04, 0.86), (x0 - 0.04, 0.86)], (0.86, 0.94, 0.98))
    for i in range(14):
        x = x0 + (x1 - x0) * float(rng.random())
        y = (float(rng.random()) + 1.3 * t) % 1.0 * (0.8 - k["top"]) + k["top"]
        shade = (1, 1, 1) if i % 2 else (0.6, 0.78, 0.88)
        c.line([(x, y), (x, min(0.86, y + 0.16))], shade, 0.014, 0.85)
    c.box(0, 0.82, 1, 1, hsv(k["blue"], 0.6, 0.55))
    for i in range(7):
        x = x0 - 0.05 + (x1 - x0 + 0.1) * i / 6
        r = (0.03 + 0.06 * strength) * (1 + 0.3 * math.sin(9 * t + 2 * i))
        c.ellipse(x, 0.85, r * 1.3, r, (1, 1, 1), 0.75)


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    flow = physics.wander(rng, n, 4, 0.92, 1.08)
    return (snd.noise(rng, n, 200, 1500 - 500 * k["big"]) + 1.1 * snd.noise(rng, n, 1500, 6500)) * flow


THING = Thing("waterfall", "shore", "scape", _look, _draw, _sound, 0.22)
