"""A red engine with blue lights on a street: two-tone siren."""

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
        "hue": dice.span(-0.02, 0.03),
        "value": dice.span(0.7, 0.95),
        "stripe": dice.span(0.85, 1.0),
        "ladder": dice.coin(),
        "long": dice.span(0.8, 1.0),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    red, w = hsv(k["hue"], 0.9, k["value"]), k["long"]
    c.box(-w, 0.16, 0.4, 0.78, red)
    c.polygon([(0.4, 0.16), (0.4, 0.86), (0.72, 0.86), (0.88, 0.5), (0.9, 0.16)], mix(red, (0, 0, 0), 0.08))
    c.polygon([(0.48, 0.52), (0.48, 0.79), (0.68, 0.79), (0.8, 0.52)], (0.75, 0.9, 0.98))
    c.box(-w, 0.36, 0.9, 0.45, (k["stripe"], k["stripe"], k["stripe"] * 0.85))
    for x in (-w + 0.1, -w + 0.42):
        c.box(x, 0.5, x + 0.26, 0.72, mix(red, (0.3, 0.3, 0.3), 0.5))
    if k["ladder"]:
        c.line([(-w, 0.86), (0.4, 0.92)], (0.85, 0.85, 0.85), 0.05)
    flash = math.sin(20 * t) > 0
    for x, on in ((0.46, flash), (0.62, not flash)):
        blue = (0.2, 0.55, 1.0) if on else (0.1, 0.2, 0.6)
        c.box(x, 0.86, x + 0.13, 0.98, blue)
        if on:
            c.ellipse(x + 0.06, 0.93, 0.22, 0.17, (0.4, 0.7, 1.0), 0.45)
    for x in (-w + 0.28, 0.55):
        c.ellipse(x, 0.15, 0.17, 0.16, (0.08, 0.08, 0.09))
        c.ellipse(x, 0.15, 0.08, 0.075, (0.7, 0.7, 0.72))


HORN = [(900, 500, 0.8), (1500, 500, 1.0), (2400, 700, 0.8), (3400, 900, 0.4)]
MOTOR = [(90, 60, 1.0), (240, 120, 0.7), (700, 400, 0.2)]


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    t, low, start = np.arange(n) / snd.RATE, 560 - 120 * k["big"], float(rng.uniform(0, 1))
    high, kind = low * float(rng.uniform(2.0, 2.6)), float(rng.random())
    if kind < 0.3:  # two tones
        step = np.sin(2 * np.pi * (t / (2 * float(rng.uniform(0.5, 0.7))) + start))
        pitch = low * (1 + 0.33 * (np.clip(14 * step, -1, 1) * 0.5 + 0.5))
    else:  # a wail, or a yelp
        period = float(rng.uniform(2.2, 4.0)) if kind < 0.75 else float(rng.uniform(0.3, 0.45))
        turn = (t / period + start) % 1
        pitch = low * (high / low) ** np.where(turn < 0.45, turn / 0.45, (1 - turn) / 0.55)
    siren = physics.tract(physics.pulses(rng, pitch, jitter=0.002, shimmer=0.01, open_share=0.5), HORN)
    strokes = physics.pulses(rng, np.full(n, float(rng.uniform(28, 40))), jitter=0.05, shimmer=0.2, open_share=0.2)
    street = siren + 0.15 * physics.tract(strokes, MOTOR) + 0.2 * snd.noise(rng, n, 60, 1500)
    return physics.room(rng, street, seconds=0.9, wet=0.4)


THING = Thing("siren truck", "street", "source", _look, _draw, _sound, 0.25)
