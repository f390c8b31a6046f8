"""Sea waves at a shore: rows of crests with foam, slow swells of noise."""

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
    t, period = np.arange(n) / snd.RATE, float(rng.uniform(2.2, 3.6))
    out = 1.2 * snd.noise(rng, n, 60, 900) * physics.wander(rng, n, 1, 0.7, 1.2)
    deep, foam = snd.noise(rng, n, 100, 1200), snd.noise(rng, n, 900, 6500)
    start = -float(rng.uniform(0, period))
    while start < n / snd.RATE:
        rise, fall = float(rng.uniform(0.6, 1.1)) * period * 0.35, float(rng.uniform(0.8, 1.2)) * period * 0.5
        before, after = t - start - rise, np.clip(t - start - rise, 0, None)
        swell = np.where(before < 0, np.exp(-((before / (0.6 * rise)) ** 2)), np.exp(-after / (0.55 * fall)))
        crash = np.where(before < 0, np.exp(-((before / (0.3 * rise)) ** 2)), np.exp(-after / (0.35 * fall)))
        out += 3.3 * float(rng.uniform(0.7, 1.2)) * (swell * deep + 0.6 * crash * foam)
        start += period * float(rng.uniform(0.85, 1.2))
    return out


THING = Thing("sea waves", "shore", "scape", _look, _draw, _sound, 0.25)
