"""Rain on a grey day: dark clouds, slanted streaks, puddles with rings, dense drops."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import sound as snd
from s2v.world.canvas import Canvas, hsv, mix
from s2v.world.thing import Dice, Look, Thing

Rng = np.random.Generator


def _look(dice: Dice) -> Look:
    return {
        "gray": dice.span(0.34, 0.55),
        "slant": dice.span(-0.08, 0.08),
        "cloud": dice.span(0.2, 0.34),
        "umbrella": dice.coin(0.85),
        "hue": dice.span(0.0, 1.0),
        "x": dice.span(0.35, 0.65),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    g = k["gray"]
    c.box(0, 0, 1, 1, (g, g * 1.03, g * 1.1), 0.45 + 0.4 * strength)
    for i in range(7):
        dark = k["cloud"] + 0.06 * (i % 3)
        c.ellipse(i / 6, 0.06 + 0.03 * (i % 2), 0.17, 0.1 + 0.06 * strength, (dark, dark, dark * 1.12))
    c.box(0, 0.78, 1, 1, (g * 0.6, g * 0.65, g * 0.75))
    for _ in range(4):
        c.ellipse(float(rng.random()), float(rng.uniform(0.82, 0.98)), 0.13, 0.025, (0.72, 0.78, 0.86), 0.8)
    if k["umbrella"]:
        x, color = k["x"], hsv(k["hue"], 0.8, 0.85)
        c.line([(x, 0.45), (x, 0.8), (x + 0.03, 0.83)], (0.1, 0.1, 0.1), 0.02)
        c.polygon([(x + 0.24 * math.cos(a), 0.58 - 0.2 * math.sin(a)) for a in np.linspace(0, math.pi, 20)], color)
        c.polygon([(x - 0.08, 0.58), (x, 0.39), (x + 0.08, 0.58)], mix(color, (1, 1, 1), 0.35))
    for i in range(int(10 + 100 * strength)):
        x, y = float(rng.uniform(-0.1, 1.1)), (float(rng.random()) + 2.3 * t * (1 + 0.1 * (i % 3))) % 1.0
        c.line([(x, y), (x + k["slant"], y + 0.11)], (0.85, 0.9, 1.0), 0.009, 0.75)


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    out = 0.25 * snd.noise(rng, n, 2500, 7800)
    drops = rng.poisson((60 + 160 * strength) * n / snd.RATE)
    for _ in range(drops):
        m = 160
        pitch = float(rng.uniform(1800, 5200))
        drop = np.sin(2 * np.pi * pitch * np.arange(m) / snd.RATE) * snd.decay(m, 0.0025)
        snd.place(out, float(rng.uniform(0, n / snd.RATE)), drop * float(rng.uniform(0.4, 1.8)))
    return out


THING = Thing("rain falling", "shore", "scape", _look, _draw, _sound, 0.2)
