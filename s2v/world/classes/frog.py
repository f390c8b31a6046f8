"""A frog by night: green, wide mouth, bulging eyes, pulsed croaks."""

from __future__ import annotations

import math

import numpy as np

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


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    pitch, rate = 420 - 200 * k["big"], float(rng.uniform(28, 45))

    def croak() -> snd.Wave:
        m = int(float(rng.uniform(0.22, 0.34)) * snd.RATE)
        t = np.arange(m) / snd.RATE
        pulses = np.clip(np.sin(2 * np.pi * rate * t), 0, 1) ** 2
        voice = snd.tone(np.full(m, pitch), [1, 0.8, 0.9, 0.5, 0.4, 0.2])
        return voice * pulses * snd.envelope(m, 0.02, 0.05)

    return snd.calls(rng, n, float(rng.uniform(0.4, 0.6)), 0.2, croak)


THING = Thing("frog croaking", "night", "source", _look, _draw, _sound, 0.22)
