"""A cow on a meadow: patched hide, side view, a long moo from a mouth that opens and closes."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics
from s2v.world import sound as snd
from s2v.world.canvas import Canvas
from s2v.world.thing import Dice, Look, Thing

Rng = np.random.Generator


def _look(dice: Dice) -> Look:
    coat = dice.pick(["black", "brown", "red"])
    patch = {"black": (0.08, 0.08, 0.09), "brown": (0.36, 0.2, 0.1), "red": (0.5, 0.22, 0.12)}[coat]
    return {
        "patch": patch,
        "white": dice.span(0.82, 1.0),
        "x": [dice.span(-0.5, 0.3) for _ in range(3)],
        "r": [dice.span(0.12, 0.24) for _ in range(3)],
        "horns": dice.coin(0.7),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    hide = (k["white"], k["white"], k["white"] * 0.95)
    for x in (-0.48, -0.3, 0.2, 0.38):
        c.box(x, 0, x + 0.11, 0.4, hide)
        c.box(x, 0, x + 0.11, 0.07, (0.1, 0.08, 0.07))
    c.ellipse(0.1, 0.36, 0.12, 0.09, (0.95, 0.65, 0.65))
    c.ellipse(-0.04, 0.58, 0.6, 0.27, hide)
    for x, r in zip(k["x"], k["r"], strict=True):
        c.ellipse(x, 0.62, r, r * 0.75, k["patch"])
    c.line([(-0.6, 0.7), (-0.72, 0.5), (-0.7 + 0.05 * math.sin(4 * t), 0.25)], k["patch"], 0.05)
    nod = 0.03 * math.sin(3 * t)
    c.polygon([(0.35, 0.75), (0.6, 1.0 + nod), (0.8, 0.85 + nod), (0.5, 0.45)], hide)
    c.ellipse(0.72, 0.84 + nod, 0.2, 0.16, k["patch"], turn=-0.5)
    c.ellipse(0.88, 0.74 + nod, 0.13, 0.11, (0.95, 0.7, 0.68))
    c.ellipse(0.72, 0.88 + nod, 0.035, 0.035, (1, 1, 1))
    c.ellipse(0.52, 0.94 + nod, 0.12, 0.05, k["patch"], turn=0.6)
    if k["horns"]:
        c.line([(0.62, 0.97 + nod), (0.66, 1.1 + nod), (0.74, 1.14 + nod)], (0.9, 0.87, 0.75), 0.05)


SHUT = [(260, 90, 1.0), (710, 150, 0.26), (2000, 250, 0.1)]
OPEN = [(230, 77, 1.0), (510, 120, 0.1), (910, 220, 0.05), (1070, 150, 1.2)]


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    pitch, size = 160 - 33 * k["big"], 1.14 - 0.1 * k["big"]
    mouth = [physics.scaled(shape, size) for shape in (SHUT, OPEN, OPEN, SHUT)]

    def moo() -> snd.Wave:
        m = int(float(rng.uniform(1.06, 1.3)) * snd.RATE)
        s = np.linspace(0, 1, m)
        curve = pitch * np.interp(s, [0, 0.2, 0.55, 0.85, 1], [1.07, 0.95, 2.0, 1.9, 0.8])
        curve = curve * (1 + 0.012 * np.sin(2 * np.pi * 5 * np.arange(m) / snd.RATE))
        folds = physics.pulses(rng, curve, jitter=0.015, shimmer=0.1, open_share=0.67)
        rough = 1 + 0.09 * np.sin(np.pi * np.cumsum(curve) / snd.RATE)  # every other period is weaker
        breath = 0.05 * rng.standard_normal(m) * np.interp(s, [0, 0.7, 1], [1, 1, 3.1])
        mooed = physics.gliding(folds * rough + breath, mouth)
        return mooed * np.interp(s, [0, 0.12, 0.5, 0.85, 1], [0, 0.32, 1, 0.92, 0])

    return physics.room(rng, snd.calls(rng, n, float(rng.uniform(1.8, 2.34)), 0.2, moo), seconds=0.36, wet=0.12)


THING = Thing("cow mooing", "meadow", "source", _look, _draw, _sound, 0.25)
