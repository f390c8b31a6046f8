"""Sea waves at a shore: rows of crests with foam, slow swells of noise."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import sound as snd
from s2v.world.canvas import Canvas, hsv, mix
from s2v.world.thing import Dice, Look, Thing

Rng = np.random.Generator


def _look(dice: Dice) -> Look:
    return {
        "hue": dice.span(0.52, 0.6),
        "value": dice.span(0.4, 0.7),
        "sand": dice.span(0.75, 0.9),
        "length": dice.span(0.35, 0.6),
        "phase": dice.span(0, 6),
        "sail": dice.coin(0.3),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    water = hsv(k["hue"], 0.7, k["value"])
    c.box(0, 0.4, 1, 1, mix(water, (0.8, 0.9, 1), 0.3))
    if k["sail"]:
        c.polygon([(0.7, 0.4), (0.7, 0.24), (0.78, 0.4)], (1, 1, 1))
    x = np.linspace(-0.05, 1.05, 48)
    for row in range(4):
        depth = row / 3
        base = 0.5 + 0.13 * row
        height = (0.02 + 0.05 * depth) * (0.25 + 1.35 * strength)
        u = 2 * np.pi * (x / (k["length"] * (0.6 + 0.6 * depth))) + k["phase"] + 1.7 * row - (1.2 + row * 0.3) * t
        y = base - height * (1 - np.abs(np.sin(u / 2))) ** 1.2 * 2
        color = mix(water, (0, 0.05, 0.15), 0.35 * depth)
        crest = list(zip(x.tolist(), y.tolist(), strict=True))
        c.polygon([*crest, (1.05, 1.1), (-0.05, 1.1)], color)
        c.line(crest, (1, 1, 1), 0.008 + 0.026 * strength * (0.5 + depth), 0.35 + 0.6 * strength)
    sand = (k["sand"], k["sand"] * 0.87, k["sand"] * 0.62)
    edge = 0.93 - 0.02 * math.sin(1.3 * t)
    c.polygon([(0, edge), (0.5, edge + 0.025), (1, edge - 0.01), (1, 1), (0, 1)], sand)


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    t = np.arange(n) / snd.RATE
    period = float(rng.uniform(1.3, 2.0))
    swell = (0.5 - 0.5 * np.cos(2 * np.pi * t / period + float(rng.uniform(0, 6)))) ** 1.5
    return snd.noise(rng, n, 80, 900) * (0.3 + swell) + 0.6 * snd.noise(rng, n, 900, 4500) * swell**2


THING = Thing("sea waves", "shore", "scape", _look, _draw, _sound, 0.25)
