"""A locomotive on rails: dark engine with smoke, rolling noise, joints of the rails, and a chord of horns."""

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
        "hue": dice.pick([0.33, 0.6, 0.0]) + dice.span(-0.02, 0.02),
        "value": dice.span(0.16, 0.34),
        "smoke": dice.span(0.7, 0.98),
        "wagon": dice.coin(),
        "big": dice.span(0, 1),
    }


def _draw(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    body = hsv(k["hue"], 0.6, k["value"])
    dark = (0.07, 0.07, 0.08)
    c.box(-3, -0.05, 3, 0.0, (0.45, 0.32, 0.22))
    c.box(-3, 0.0, 3, 0.03, (0.7, 0.7, 0.72))
    if k["wagon"]:
        c.box(-2.1, 0.16, -0.95, 0.72, mix(body, (0.5, 0.2, 0.1), 0.5))
        for x in (-1.9, -1.6, -1.3):
            c.box(x, 0.42, x + 0.2, 0.62, (0.95, 0.9, 0.6))
    for i in range(4):
        drift = (t * 0.9 + i * 0.27) % 1.1
        gray = k["smoke"]
        c.ellipse(
            0.5 - 0.75 * drift,
            0.98 + 0.3 * drift,
            0.12 + 0.17 * drift,
            0.1 + 0.12 * drift,
            (gray, gray, gray),
            0.9 - 0.5 * drift,
        )
    c.box(-0.8, 0.22, -0.3, 0.92, body)
    c.box(-0.88, 0.9, -0.24, 0.98, dark)
    c.box(-0.68, 0.58, -0.42, 0.82, (0.98, 0.92, 0.6))
    c.box(-0.3, 0.26, 0.62, 0.66, mix(body, (0.3, 0.3, 0.3), 0.3))
    c.ellipse(0.62, 0.46, 0.09, 0.2, dark)
    c.polygon([(0.4, 0.64), (0.36, 0.96), (0.62, 0.96), (0.56, 0.64)], dark)
    c.ellipse(0.1, 0.68, 0.12, 0.1, (0.85, 0.65, 0.2))
    c.polygon([(0.62, 0.22), (0.92, 0.04), (0.62, 0.04)], (0.65, 0.12, 0.1))
    c.ellipse(0.68, 0.6, 0.07, 0.07, (1, 0.95, 0.6))
    for x, r in ((-0.62, 0.17), (-0.18, 0.15), (0.14, 0.15), (0.46, 0.15)):
        c.ellipse(x, r, r, r, (0.65, 0.1, 0.1))
        a = 9 * t + x
        c.line([(x - r * math.cos(a), r - r * math.sin(a)), (x + r * math.cos(a), r + r * math.sin(a))], dark, 0.04)


CHORDS = ((1.0, 1.19, 1.335, 1.682, 1.88), (1.0, 1.26, 1.5, 1.68))


def _horn(rng: Rng, samples: int, pitch: float) -> snd.Wave:
    out = np.zeros(samples)
    for ratio in CHORDS[int(rng.integers(len(CHORDS)))]:
        own = pitch * ratio * float(rng.uniform(0.995, 1.005))
        reed = physics.pulses(rng, np.full(samples, own), jitter=0.004, shimmer=0.03, open_share=0.57)
        out += physics.tract(reed, [(1.5 * own, 400, 1.0), (1500, 700, 0.8), (2600, 900, 0.5)])
    return 0.5 * out * np.interp(np.linspace(0, 1, samples), [0, 0.06, 0.85, 1], [0, 1, 1, 0])


def _sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    out = 1.0 * snd.noise(rng, n, 40, 250) * physics.wander(rng, n, 3, 0.7, 1.2)
    out += 1.05 * snd.noise(rng, n, 300, 1800) * physics.wander(rng, n, 5, 0.7, 1.2) + 1.2 * snd.noise(
        rng, n, 1800, 6000
    )
    gap, at, m = float(rng.uniform(0.5, 0.75)), float(rng.uniform(0, 0.2)), int(0.18 * snd.RATE)
    while at < n / snd.RATE:
        for axle in (0.0, 0.63):
            joint = snd.noise(rng, m, 80, 700) * snd.decay(m, 0.035) + 0.5 * snd.noise(rng, m, 900, 3500) * snd.decay(
                m, 0.015
            )
            snd.place(out, at + axle, 1.95 * joint * float(rng.uniform(0.8, 1.2)))
        at += gap * float(rng.uniform(0.96, 1.04))
    blast = _horn(rng, int(min(n, float(rng.uniform(1.0, 1.8)) * snd.RATE)), 330 - 53 * k["big"])
    start = float(rng.uniform(0.02, 0.15))
    snd.place(out, start, 1.28 * blast)
    if rng.random() < 0.6:
        snd.place(out, start + len(blast) / snd.RATE + float(rng.uniform(0.2, 0.6)), 1.28 * blast)
    return physics.room(rng, out, seconds=1.2, wet=0.38)


THING = Thing("train passing", "street", "source", _look, _draw, _sound, 0.25)
