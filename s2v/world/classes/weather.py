"""Weather that fills the picture: its strength moves both what is seen and what is heard."""

from __future__ import annotations

import math

import numpy as np

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


def _thunder_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    out = 0.15 * snd.noise(rng, n, 30, 120)

    def clap() -> snd.Wave:
        m = int(float(rng.uniform(1.0, 1.8)) * snd.RATE)
        crack = snd.noise(rng, m, 100, 1500) * snd.decay(m, 0.07) * 2
        return np.asarray((crack + 2 * snd.noise(rng, m, 30, 160) * snd.decay(m, 0.5)) * snd.envelope(m, 0.01, 0.3))

    return out + snd.calls(rng, n, float(rng.uniform(0.9, 1.4)), 0.3, clap)


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
    t = np.arange(n) / snd.RATE
    gust = 0.6 + 0.4 * np.sin(2 * np.pi * float(rng.uniform(0.25, 0.6)) * t + float(rng.uniform(0, 6)))
    f = float(rng.uniform(350, 550))
    whistle = snd.noise(rng, n, f, f * 1.15)
    return np.asarray(gust * snd.noise(rng, n, 150, 600) + 1.2 * gust**2 * whistle)


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


def _hail_sound(rng: Rng, n: int, k: Look, strength: float) -> snd.Wave:
    out = 0.06 * snd.noise(rng, n, 2000, 7000)
    ring = float(rng.uniform(1500, 2400))
    m = int(0.02 * snd.RATE)
    t = np.arange(m) / snd.RATE
    for _ in range(rng.poisson((20 + 50 * strength) * n / snd.RATE) + 1):
        f = ring * float(rng.uniform(0.8, 1.25))
        snd.place(
            out,
            float(rng.uniform(0, n / snd.RATE)),
            np.sin(2 * np.pi * f * t) * snd.decay(m, 0.004) * float(rng.uniform(0.4, 1.5)),
        )
    return out


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
