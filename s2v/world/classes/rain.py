"""Rain on a grey day: dark clouds, slanted streaks, puddles with rings, dense drops."""

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
    hiss = snd.noise(rng, n, float(rng.uniform(1200, 2000)), 7500) * physics.wander(rng, n, 1, 0.85, 1.1)
    ground = [
        *((float(rng.uniform(700, 1200)), 300, 0.4), (float(rng.uniform(1500, 2500)), 500, 1.0)),
        *((float(rng.uniform(2800, 4200)), 800, 1.2), (float(rng.uniform(4800, 6800)), 1200, 1.0)),
    ]
    drops = 0.5 * physics.grains(rng, n, 2300 + 8300 * strength, ground, spread=2.1, tail=0.0003)
    heavy = 0.17 * physics.grains(rng, n, 8, ground[:3], spread=0.7, tail=0.0015)
    return hiss + 1.2 * snd.noise(rng, n, 200, 1500) + drops + heavy


THING = Thing("rain falling", "shore", "scape", _look, _draw, _sound, 0.2)
