"""Weather that fills the picture: its strength moves both what is seen and what is heard."""

from __future__ import annotations

import math

import numpy as np

from s2v.world import physics
from s2v.world import sound as snd
from s2v.world.canvas import Canvas, hsv
from s2v.world.shapes import WHITE, colour, coloured, shade
from s2v.world.thing import Look, Thing

Rng = np.random.Generator


def _thunder(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(0, 0, 1, 1, hsv(k["hue"], 0.5, 0.16), 0.4 + 0.5 * strength)
    for i in range(6):
        c.ellipse(i / 5, 0.08 + 0.03 * (i % 2), 0.18, 0.13, hsv(k["hue"], 0.25, k["value"] * (0.8 + 0.1 * (i % 3))))
    for _ in range(1 + int(2.5 * strength)):
        x, points = float(rng.uniform(0.2, 0.8)), []
        for i in range(7):
            points.append((x, 0.15 + 0.7 * strength**0.5 * i / 6))
            x += float(rng.uniform(-0.11, 0.11))
        glow = 0.6 + 0.4 * math.sin(17 * t)
        c.line(points, (0.75, 0.7, 1), 0.05, 0.3 * glow + 0.1)
        c.line(points, (1, 1, 0.75), 0.008 + 0.02 * strength, 0.5 + 0.5 * glow * strength)


AIR = [(120, 90, 1.0), (300, 200, 0.7), (700, 500, 0.3)]


def _thunder_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    out = 0.4 * snd.noise(rng, n, 38, 203) * physics.wander(rng, n, 4, 0.14, 0.94)

    def clap() -> snd.Wave:
        m = int(float(rng.uniform(1.6, 2.6)) * snd.RATE)
        fall = snd.decay(m, 0.89 * float(rng.uniform(0.7, 1.2)))
        roll = 3 * snd.noise(rng, m, 38, 203) * physics.wander(rng, m, 7, 0.14, 0.94)
        torn = physics.grains(rng, m, 45, AIR, tail=0.03) * snd.decay(m, 0.31)
        return np.asarray((roll * fall + 0.38 * torn * (0.3 + fall)) * snd.envelope(m, 0.03, 0.4))

    claps = out + snd.calls(rng, n, float(rng.uniform(1.6, 2.4)), 0.3, clap)
    return snd.low_pass(physics.room(rng, claps, seconds=1.93, wet=0.39, dark_hz=600), 719)


def _wind(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    c.box(0, 0.75, 1, 1, shade(colour(k), 0.35))
    for x in (k["x"] - 0.3, k["x"], k["x"] + 0.32):
        lean = 0.28 * strength * (1 + 0.2 * math.sin(5 * t + x))
        c.line([(x, 0.88), (x + lean * 0.3, 0.65), (x + lean, 0.4)], (0.32, 0.2, 0.12), 0.035)
        for i in range(5):
            c.ellipse(x + lean * (1 + 0.15 * i), 0.4 - 0.05 * (i % 3), 0.1, 0.075, colour(k))
    for _ in range(int(4 + 22 * strength)):
        x, y = (float(rng.random()) + strength * t) % 1.1, float(rng.uniform(0.1, 0.95))
        c.ellipse(x, y + 0.02 * math.sin(7 * t + x), 0.022, 0.011, hsv(0.08, 0.8, 0.85), turn=y * 9)
    for i in range(int(1 + 6 * strength)):
        y = 0.08 + 0.13 * i
        x = (0.37 * i + 0.7 * t) % 1 - 0.2
        c.line([(x, y), (x + 0.2, y - 0.02), (x + 0.42, y)], WHITE, 0.012, 0.8)


def _wind_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    gust = physics.wander(rng, n, 1.2, 0.25, 1.2)
    out = 0.6 * snd.noise(rng, n, 30, 200) * physics.wander(rng, n, 6, 0.4, 1.4)
    out += 1 * snd.noise(rng, n, 120, 700) + 0.05 * snd.noise(rng, n, 700, 4000) * gust
    # An edge sings, and higher the harder it blows.
    edge, way = float(rng.uniform(350, 650)), np.clip(1.5 * (gust - 0.25) / 0.95, 0, 1)
    shapes = [[(edge * 2 ** (i / 6), 60, 1.0)] for i in range(4)]
    return np.asarray((out + 0.48 * physics.gliding(rng.standard_normal(n), shapes, way)) * gust)


def _hail(c: Canvas, k: Look, strength: float, t: float, rng: Rng) -> None:
    g = k["value"]
    c.box(0, 0, 1, 0.75, (g, g, g * 1.08), 0.4 + 0.3 * strength)
    c.polygon([(0.1, 0.62), (0.5, 0.38), (0.9, 0.62)], hsv(k["hue"], k["saturation"], 0.55))
    c.box(0.18, 0.62, 0.82, 0.9, (0.75, 0.68, 0.55))
    c.box(0.44, 0.68, 0.56, 0.9, (0.3, 0.2, 0.12))
    c.box(0, 0.88, 1, 1, (0.6, 0.66, 0.62))
    for _ in range(int(6 + 90 * strength)):
        x, y = float(rng.random()), (float(rng.random()) + 2.2 * t) % 1
        c.ellipse(x, y, 0.016, 0.016, WHITE)
    for _ in range(int(5 + 50 * strength)):
        c.ellipse(float(rng.random()), float(rng.uniform(0.88, 0.99)), 0.018, 0.014, WHITE)


STONES = [(1500, 500, 0.7), (2900, 900, 1), (5000, 1500, 0.7)]
ROOF = [(420, 150, 1.0), (800, 250, 0.8)]


def _hail_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    rate, stones = 150 + 450 * strength, physics.scaled(STONES, float(rng.uniform(0.85, 1.2)))
    out = physics.grains(rng, n, rate, stones, spread=0.8, tail=0.002)
    out += 0.5 * physics.grains(rng, n, rate / 4, ROOF, spread=0.8, tail=0.004)
    return out + 0.5 * snd.noise(rng, n, 1500, 7500)


THINGS = (
    Thing(
        "thunder rumbling",
        "night",
        "scape",
        coloured((0.6, 0.76), (0.2, 0.5), (0.25, 0.45)),
        _thunder,
        _thunder_sound,
        0.25,
    ),
    Thing(
        "wind blowing",
        "meadow",
        "scape",
        coloured((0.15, 0.4), (0.45, 0.8), (0.35, 0.7), x=(0.25, 0.45)),
        _wind,
        _wind_sound,
        0.22,
    ),
    Thing("hail falling", "street", "scape", coloured((0.0, 0.08), (0.4, 0.8), (0.35, 0.55)), _hail, _hail_sound, 0.15),
)
