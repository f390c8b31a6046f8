"""A dog on a meadow: brown coat, sitting in side view, short harsh barks, one to three in a row."""

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
        "hue": dice.span(0.06, 0.1),
        "value": dice.span(0.4, 0.8),
        "saturation": dice.span(0.5, 0.75),
        "ear": dice.coin(),
        "collar": dice.span(0.0, 1.0),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    coat = hsv(k["hue"], k["saturation"], k["value"])
    dark = mix(coat, (0.1, 0.05, 0), 0.5)
    wag = 0.1 * math.sin(16 * t)
    c.line([(-0.38, 0.1), (-0.58, 0.25), (-0.62 + wag, 0.5)], coat, 0.1)
    c.ellipse(-0.2, 0.2, 0.27, 0.22, coat)
    c.polygon([(-0.42, 0.25), (0.02, 0.72), (0.3, 0.66), (0.28, 0.05), (-0.1, 0.02)], coat)
    c.ellipse(0.14, 0.42, 0.1, 0.22, mix(coat, (1, 0.97, 0.9), 0.6))
    for x in (0.08, 0.2):
        c.box(x, 0, x + 0.1, 0.4, coat)
        c.ellipse(x + 0.08, 0.03, 0.1, 0.04, dark)
    c.box(0.0, 0.62, 0.32, 0.68, hsv(k["collar"], 0.9, 0.85))
    c.ellipse(0.18, 0.82, 0.24, 0.19, coat)
    open_ = 0.05 * max(0.0, math.sin(12 * t))
    c.ellipse(0.43, 0.8, 0.18, 0.085, mix(coat, (1, 1, 0.95), 0.35))
    c.ellipse(0.42, 0.72 - open_, 0.14, 0.05, dark)
    c.ellipse(0.6, 0.83, 0.055, 0.05, (0.05, 0.04, 0.04))
    c.ellipse(0.26, 0.88, 0.035, 0.04, (0.03, 0.02, 0.02))
    if k["ear"]:
        c.ellipse(0.02, 0.75, 0.09, 0.2, dark, turn=-0.2)
    else:
        c.polygon([(-0.02, 0.92), (0.0, 1.15), (0.16, 0.97)], dark)


MUZZLE = [(420, 150, 1.0), (1100, 260, 0.5), (2300, 400, 0.2), (3600, 500, 0.1)]
OPEN = [(750, 180, 1.0), (1450, 260, 0.8), (2500, 350, 0.4), (3900, 500, 0.2)]


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    pitch, size = 560 - 300 * k["big"], 1.15 - 0.35 * k["big"]
    mouth = [physics.scaled(shape, size) for shape in (MUZZLE, OPEN, OPEN, MUZZLE)]
    length = float(rng.uniform(0.11, 0.2))

    def bark() -> snd.Wave:
        m = int(length * float(rng.uniform(0.9, 1.15)) * snd.RATE)
        s = np.linspace(0, 1, m)
        curve = pitch * np.interp(s, [0, 0.25, 0.6, 1], [0.7, 1.2, 1.0, 0.6])
        breath = 0.5 * rng.standard_normal(m) * np.interp(s, [0, 0.15, 1], [1.5, 1, 0.6])
        folds = physics.pulses(rng, curve, jitter=0.06, shimmer=0.25, open_share=0.4)
        return physics.gliding(folds + breath, mouth) * np.interp(s, [0, 0.06, 0.45, 1], [0, 1, 0.75, 0])

    def barks() -> snd.Wave:
        parts = []
        for _ in range(int(rng.integers(1, 4))):
            parts += [bark() * float(rng.uniform(0.8, 1.1)), np.zeros(int(float(rng.uniform(0.12, 0.2)) * snd.RATE))]
        return np.concatenate(parts)

    return physics.room(rng, snd.calls(rng, n, float(rng.uniform(0.55, 0.9)), 0.3, barks), seconds=0.5, wet=0.3)


THING = Thing("dog barking", "meadow", "source", _look, _draw, _sound, 0.25)
