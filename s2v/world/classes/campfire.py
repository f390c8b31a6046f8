"""A campfire at night: flames over logs, crackle over a low roar."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics
from s2v.world import sound as snd
from s2v.world.canvas import Canvas, hsv
from s2v.world.thing import Dice, Look, Thing

Rng = np.random.Generator


def _look(dice: Dice) -> Look:
    return {
        "hue": dice.span(0.03, 0.08),
        "wide": dice.span(0.26, 0.36),
        "glow": dice.span(0.25, 0.5),
        "tongues": int(dice.pick([3, 4, 5])),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    for r in (0.9, 0.65, 0.45):
        c.ellipse(0, 0.4, r, r * 0.95, hsv(k["hue"] + 0.02, 0.85, 1.0), k["glow"] * 0.3)
    w = k["wide"]
    for layer, (color, share) in enumerate(
        ((hsv(k["hue"] - 0.01, 0.95, 0.95), 1.0), (hsv(k["hue"] + 0.04, 0.9, 1.0), 0.72), (hsv(0.15, 0.5, 1.0), 0.42))
    ):
        for i in range(k["tongues"]):
            x = w * (2 * i / (k["tongues"] - 1) - 1) * 0.75 * share
            top = share * (1.0 - 0.5 * abs(x) / w) * (1 + 0.13 * math.sin(11 * t + 2.1 * i + layer))
            sway = 0.08 * math.sin(7 * t + i)
            c.polygon(
                [
                    (x - 0.2 * share, 0.05),
                    (x - 0.19 * share, top * 0.4),
                    (x + sway, top),
                    (x + 0.19 * share, top * 0.4),
                    (x + 0.2 * share, 0.05),
                ],
                color,
            )
    c.line([(-0.5, -0.02), (0.45, 0.14)], (0.25, 0.13, 0.06), 0.1)
    c.line([(0.5, -0.02), (-0.45, 0.14)], (0.32, 0.17, 0.08), 0.1)


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    wood = [(float(rng.uniform(900, 1800)), 500, 1.0), (float(rng.uniform(2000, 3500)), 900, 1.2)]
    wood.append((float(rng.uniform(4000, 6500)), 1500, 1.0))
    roar = 0.83 * snd.noise(rng, n, 40, 350) * physics.wander(rng, n, 6, 0.4, 1.5)
    hiss = 0.4 * snd.noise(rng, n, 2000, 7500) * physics.wander(rng, n, 3, 0.3, 1.4)
    busy = np.sqrt(0.3 + physics.wander(rng, n, 2.5, 0, 1) ** 2)
    crackle = 0.7 * busy * physics.grains(rng, n, 120, wood, spread=1.1, tail=0.0006)
    return roar + hiss + crackle + physics.grains(rng, n, 6, wood, tail=0.003)


THING = Thing("campfire crackling", "night", "source", _look, _draw, _sound, 0.2)
