"""A frog by night: green, wide mouth, bulging eyes, pulsed croaks."""

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
        "hue": dice.span(0.26, 0.38),
        "value": dice.span(0.5, 0.85),
        "wide": dice.span(0.55, 0.7),
        "spots": dice.coin(),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    skin, w = hsv(k["hue"], 0.75, k["value"]), k["wide"]
    dark = mix(skin, (0, 0, 0), 0.4)
    c.ellipse(0, 0.02, 1.0, 0.12, (0.12, 0.3, 0.2))
    for side in (-1, 1):
        c.ellipse(side * w, 0.22, 0.26, 0.2, dark, turn=side * 0.5)
        c.ellipse(side * w * 1.1, 0.05, 0.24, 0.06, dark)
    c.ellipse(0, 0.36, w, 0.36, skin)
    puff = 0.2 + 0.06 * math.sin(14 * t)
    c.ellipse(0, 0.2, w * 0.7, puff, mix(skin, (1, 1, 0.8), 0.65))
    if k["spots"]:
        for x, y in ((-0.3, 0.55), (0.28, 0.5), (0.0, 0.62)):
            c.ellipse(x, y, 0.07, 0.05, dark)
    c.line([(-w * 0.75, 0.42), (-0.2, 0.34), (0.2, 0.34), (w * 0.75, 0.42)], (0.1, 0.15, 0.05), 0.05)
    for side in (-1, 1):
        c.ellipse(side * 0.33, 0.74, 0.2, 0.2, skin)
        c.ellipse(side * 0.33, 0.76, 0.14, 0.14, (0.98, 0.95, 0.7))
        c.ellipse(side * 0.33, 0.76, 0.1, 0.05, (0.03, 0.03, 0.03))


THROAT = [(1500, 200, 1.0), (3000, 300, 0.5), (3400, 40, 0.7)]


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    rate, own = float(rng.uniform(48, 76)), physics.scaled(THROAT, 1.25 - 0.5 * k["big"])

    def voice(throat: physics.Formants, rate: float) -> snd.Wave:
        period, length = float(rng.uniform(0.45, 0.8)), float(rng.uniform(0.16, 0.35))

        def croak() -> snd.Wave:
            m = int(length * float(rng.uniform(0.9, 1.1)) * snd.RATE)
            s = np.linspace(0, 1, m)
            beats = physics.pulses(rng, rate * (0.85 + 1.9 * s), jitter=0.06, shimmer=0.15, open_share=0.04)
            croaked = physics.tract(beats + 0.2 * rng.standard_normal(m), throat)
            return croaked * np.interp(s, [0, 0.25, 0.8, 1], [0, 0.8, 1, 0])

        return snd.calls(rng, n, period, 0.15, croak)

    out = voice(own, rate)
    for _ in range(2):  # others answer from afar
        other = voice(physics.scaled(own, float(rng.uniform(0.8, 1.25))), rate * float(rng.uniform(0.8, 1.3)))
        out += float(rng.uniform(0.1, 0.35)) * other
    return physics.room(rng, out + 0.12 * snd.noise(rng, n, 3500, 5500), seconds=0.5, wet=0.04)


THING = Thing("frog croaking", "night", "source", _look, _draw, _sound, 0.22)
