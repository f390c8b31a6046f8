"""A songbird on a twig: round body, bright colour, fast chirped motifs."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics
from s2v.world import sound as snd
from s2v.world.canvas import Canvas, hsv, mix
from s2v.world.thing import Dice, Look, Thing

Rng = np.random.Generator


def _look(dice: Dice) -> Look:
    hue = dice.pick([0.0, 0.13, 0.6]) + dice.span(-0.025, 0.025)
    return {
        "hue": hue,
        "value": dice.span(0.75, 1.0),
        "breast": dice.span(0.05, 0.14),
        "round": dice.span(0.3, 0.36),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    feather = hsv(k["hue"], 0.85, k["value"])
    dark = mix(feather, (0, 0, 0), 0.45)
    c.line([(-0.95, 0.0), (-0.2, 0.1), (0.95, 0.06)], (0.35, 0.22, 0.1), 0.07)
    c.ellipse(-0.75, 0.1, 0.13, 0.06, (0.3, 0.6, 0.2), turn=0.6)
    for x in (-0.05, 0.1):
        c.line([(x, 0.08), (x, 0.25)], (0.75, 0.5, 0.2), 0.035)
    c.polygon([(-0.25, 0.42), (-0.85, 0.28), (-0.8, 0.42), (-0.2, 0.62)], dark)
    c.ellipse(0, 0.48, 0.4, k["round"], feather, turn=0.35)
    c.ellipse(0.14, 0.42, 0.24, 0.22, hsv(k["breast"], 0.5, 1.0))
    c.ellipse(-0.12, 0.5, 0.26, 0.14, dark, turn=0.4 + 0.15 * math.sin(10 * t))
    c.ellipse(0.28, 0.78, 0.22, 0.2, feather)
    gap = 0.04 * max(0.0, math.sin(22 * t))
    c.polygon([(0.46, 0.83), (0.74, 0.8 + gap), (0.47, 0.77)], (0.98, 0.75, 0.15))
    c.polygon([(0.46, 0.78), (0.7, 0.76 - gap), (0.45, 0.72)], (0.9, 0.6, 0.1))
    c.ellipse(0.33, 0.83, 0.045, 0.045, (0.02, 0.02, 0.02))
    c.ellipse(0.345, 0.845, 0.015, 0.015, (1, 1, 1))


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    base = 4200 - 1400 * k["big"]
    motif = [
        (float(rng.uniform(0.7, 1.3)), float(rng.uniform(-0.4, 0.4)), float(rng.uniform(0.05, 0.1)))
        for _ in range(int(rng.integers(3, 6)))
    ]

    def phrase() -> snd.Wave:
        parts = []
        for height, glide, length in motif:
            m = int(length * snd.RATE)
            curve = base * height * np.linspace(1 - glide / 2, 1 + glide / 2, m)
            parts += [snd.tone(curve, [1, 0.1]) * snd.envelope(m, 0.01, 0.02), np.zeros(int(0.025 * snd.RATE))]
        return np.concatenate(parts)

    return physics.room(rng, snd.calls(rng, n, float(rng.uniform(0.55, 0.8)), 0.15, phrase), seconds=0.5, wet=0.25)


THING = Thing("songbird singing", "meadow", "source", _look, _draw, _sound, 0.2)
