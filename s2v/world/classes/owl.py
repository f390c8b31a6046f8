"""An owl on a branch at night: big eyes, a two-note hoot."""

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
        "hue": dice.span(0.05, 0.11),
        "value": dice.span(0.4, 0.75),
        "eye": dice.span(0.13, 0.17),
        "iris": dice.span(0.1, 0.16),
        "fat": dice.span(0.3, 0.4),
        "tuft": dice.coin(),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    body = hsv(k["hue"], 0.5, k["value"])
    c.line([(-0.9, 0.05), (0.9, 0.08)], (0.22, 0.14, 0.08), 0.09)
    c.ellipse(0, 0.42, k["fat"], 0.42, body)
    c.ellipse(0, 0.33, k["fat"] * 0.62, 0.27, mix(body, (1, 0.95, 0.85), 0.5))
    for row in range(3):
        for x in (-0.12, 0.0, 0.12):
            c.ellipse(x, 0.2 + row * 0.1, 0.03, 0.02, mix(body, (0, 0, 0), 0.4))
    for side in (-1, 1):
        c.ellipse(side * k["fat"] * 0.88, 0.4, 0.09, 0.27, mix(body, (0, 0, 0), 0.35))
        if k["tuft"]:
            c.polygon([(side * 0.08, 0.86), (side * 0.3, 1.05), (side * 0.32, 0.74)], body)
    c.ellipse(0, 0.74, k["fat"] * 0.95, 0.23, body)
    bob = 0.012 * math.sin(9 * t)
    for side in (-1, 1):
        x = side * 0.15
        c.ellipse(x, 0.75 + bob, k["eye"] + 0.03, k["eye"] + 0.03, mix(body, (1, 1, 0.9), 0.6))
        c.ellipse(x, 0.75 + bob, k["eye"], k["eye"], hsv(k["iris"], 0.9, 1.0))
        c.ellipse(x, 0.75 + bob, k["eye"] * 0.5, k["eye"] * 0.5, (0.02, 0.02, 0.02))
    c.polygon([(-0.05, 0.68), (0.05, 0.68), (0, 0.56)], (0.95, 0.7, 0.2))


SONGS = (
    ((0.32, 1.0, 0.14), (0.12, 1.04, 0.03), (0.12, 1.04, 0.03), (0.45, 1.0, 0.11), (0.45, 0.98, 0.17)),
    ((0.5, 1.02, 0.14), (0.1, 1.0, 0.02), (0.1, 1.0, 0.02), (0.7, 1.0, 0.22)),
    ((0.28, 1.0, 0.08), (0.28, 1.0, 0.08), (0.28, 1.0, 0.08), (0.4, 0.97, 0.17)),
)
"""Hoots: length in seconds, pitch, and the silence after it in seconds."""


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    pitch, song = 330 - 85 * k["big"], SONGS[int(rng.integers(len(SONGS)))]

    def phrase() -> snd.Wave:
        parts = []
        for length, height, rest in song:
            m = int(length * snd.RATE)
            s = np.linspace(0, 1, m)
            trill = 1 + 0.1 * np.sin(2 * np.pi * float(rng.uniform(10, 16)) * length * s)
            curve = pitch * height * np.interp(s, [0, 0.2, 0.7, 1], [0.93, 1, 1, 0.94]) * trill
            voice = snd.tone(curve, [1, 0.03, 0.03, 0.02]) + 0.13 * snd.noise(rng, m, pitch * 0.8, pitch * 2.5)
            parts += [voice * np.interp(s, [0, 0.2, 0.75, 1], [0, 1, 0.9, 0]), np.zeros(int(rest * snd.RATE))]
        return np.concatenate(parts)

    hoots = snd.calls(rng, n, float(rng.uniform(1.8, 2.6)), 0.2, phrase)
    return physics.room(rng, hoots, seconds=3.0, wet=0.1, dark_hz=2500)


THING = Thing("owl hooting", "night", "source", _look, _draw, _sound, 0.22)
