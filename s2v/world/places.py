"""The places of the world: a background shared by a family of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from s2v.world.canvas import Canvas, Color, gradient, hsv, mix

Rng = np.random.Generator


def _stars(canvas: Canvas, rng: Rng) -> None:
    for _ in range(int(rng.integers(8, 26))):
        r = float(rng.uniform(0.003, 0.008))
        canvas.ellipse(float(rng.random()), float(rng.uniform(0, 0.5)), r, r, (1, 1, 0.9), float(rng.uniform(0.4, 1)))


def _hills(canvas: Canvas, rng: Rng, horizon: float, color: Color, rough: float = 0.05) -> None:
    x = np.linspace(-0.05, 1.05, 14)
    y = horizon + rough * np.convolve(rng.standard_normal(16), [0.25, 0.5, 0.25], "valid")
    canvas.polygon([*zip(x.tolist(), y.tolist(), strict=True), (1.05, 1.1), (-0.05, 1.1)], color)


def night(rng: Rng, size: int) -> Canvas:
    """A dark sky with stars, perhaps a moon; trees; dark grass."""
    hue = float(rng.uniform(0.58, 0.7))
    canvas = Canvas(gradient(size, hsv(hue, 0.75, rng.uniform(0.1, 0.25)), hsv(hue, 0.5, rng.uniform(0.25, 0.5))))
    _stars(canvas, rng)
    if rng.random() < 0.5:
        x, y, r = float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.08, 0.25)), float(rng.uniform(0.04, 0.08))
        canvas.ellipse(x, y, r, r, (1.0, 0.97, 0.8))
    horizon = float(rng.uniform(0.6, 0.8))
    for _ in range(int(rng.integers(2, 6))):
        x, w, h = float(rng.random()), float(rng.uniform(0.05, 0.12)), float(rng.uniform(0.2, 0.45))
        canvas.polygon([(x - w, horizon + 0.05), (x, horizon - h), (x + w, horizon + 0.05)], hsv(hue, 0.5, 0.1))
    _hills(canvas, rng, horizon, hsv(rng.uniform(0.25, 0.42), 0.5, rng.uniform(0.1, 0.2)), 0.03)
    return canvas


def meadow(rng: Rng, size: int) -> Canvas:
    """A bright or hazy sky, hills, grass, perhaps clouds and flowers."""
    sky = hsv(rng.uniform(0.52, 0.6), rng.uniform(0.15, 0.6), rng.uniform(0.75, 1))
    canvas = Canvas(gradient(size, sky, mix(sky, (1, 1, 1), 0.5)))
    for _ in range(int(rng.integers(0, 4))):
        x, y, w = float(rng.random()), float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.05, 0.12))
        for k in (-1, 0, 1):
            canvas.ellipse(x + k * w * 0.8, y, w, w * 0.5, (1, 1, 1), 0.7)
    horizon, hue = float(rng.uniform(0.45, 0.65)), float(rng.uniform(0.2, 0.36))
    _hills(canvas, rng, horizon - 0.06, hsv(hue + 0.05, 0.35, rng.uniform(0.45, 0.7)), 0.06)
    grass = hsv(hue, rng.uniform(0.45, 0.75), rng.uniform(0.4, 0.75))
    _hills(canvas, rng, horizon, grass, 0.015)
    for _ in range(int(rng.integers(4, 18))):
        x, y = float(rng.random()), float(rng.uniform(horizon + 0.05, 1))
        canvas.line([(x, y), (x + float(rng.uniform(-0.01, 0.01)), y - 0.03)], mix(grass, (0, 0.2, 0), 0.4), 0.008)
    return canvas


def street(rng: Rng, size: int) -> Canvas:
    """Houses with windows, a grey road, sky of any weather."""
    sky = hsv(rng.uniform(0.5, 0.65), rng.uniform(0.05, 0.45), rng.uniform(0.55, 0.98))
    canvas = Canvas(gradient(size, sky, mix(sky, (0.9, 0.88, 0.85), 0.5)))
    horizon = float(rng.uniform(0.6, 0.72))
    x = -0.05
    while x < 1.05:
        w, top = float(rng.uniform(0.12, 0.28)), float(rng.uniform(0.15, 0.45))
        wall = hsv(rng.choice([0.03, 0.08, 0.11, 0.6]), rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.8))
        canvas.box(x, top, x + w, horizon + 0.05, wall)
        for wx in np.arange(x + 0.025, x + w - 0.03, 0.06):
            for wy in np.arange(top + 0.05, horizon - 0.05, 0.09):
                canvas.box(float(wx), float(wy), float(wx) + 0.03, float(wy) + 0.05, mix(wall, (0.1, 0.12, 0.2), 0.6))
        x += w
    road = float(rng.uniform(0.3, 0.5))
    canvas.box(0, horizon, 1, 1, (road, road, road * 1.03))
    canvas.box(0, horizon, 1, horizon + 0.03, (road + 0.2, road + 0.2, road + 0.18))
    for k in range(5):
        canvas.box(0.05 + 0.22 * k, 0.9, 0.15 + 0.22 * k, 0.915, (0.9, 0.9, 0.85), 0.8)
    return canvas


def shore(rng: Rng, size: int) -> Canvas:
    """A pale sky over grey rocks and water: the bare place of water and weather."""
    sky = hsv(rng.uniform(0.52, 0.62), rng.uniform(0.08, 0.4), rng.uniform(0.6, 0.95))
    canvas = Canvas(gradient(size, sky, mix(sky, (0.95, 0.95, 0.95), 0.4)))
    horizon = float(rng.uniform(0.38, 0.55))
    _hills(canvas, rng, horizon, hsv(rng.uniform(0.3, 0.6), 0.2, rng.uniform(0.3, 0.55)), 0.05)
    water = hsv(rng.uniform(0.52, 0.6), rng.uniform(0.3, 0.6), rng.uniform(0.35, 0.65))
    _hills(canvas, rng, horizon + 0.12, water, 0.01)
    return canvas


def room(rng: Rng, size: int) -> Canvas:
    """A papered wall and a floor, perhaps a window and a picture."""
    wall = hsv(rng.uniform(0, 1), rng.uniform(0.05, 0.35), rng.uniform(0.55, 0.95))
    canvas = Canvas(gradient(size, wall, mix(wall, (0.3, 0.25, 0.2), 0.2)))
    for x in np.arange(float(rng.uniform(0, 0.1)), 1, float(rng.uniform(0.08, 0.2))):
        canvas.line([(float(x), 0), (float(x), 0.8)], mix(wall, (1, 1, 1), 0.35), 0.012)
    if rng.random() < 0.6:
        x = float(rng.uniform(0.05, 0.65))
        canvas.box(x, 0.08, x + 0.26, 0.4, (0.95, 0.95, 0.93))
        canvas.box(x + 0.02, 0.1, x + 0.24, 0.38, hsv(rng.uniform(0.52, 0.62), rng.uniform(0.1, 0.5), 0.95))
    floor = hsv(rng.uniform(0.04, 0.12), rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.65))
    horizon = float(rng.uniform(0.68, 0.8))
    canvas.box(0, horizon, 1, 1, floor)
    canvas.box(0, horizon - 0.025, 1, horizon, mix(floor, (1, 1, 1), 0.4))
    return canvas


PLACES = {"night": night, "meadow": meadow, "street": street, "shore": shore, "room": room}


def light(picture: NDArray[np.uint8], gain: float, warmth: float, haze: float) -> NDArray[np.uint8]:
    """Light of the day: gain around 1, warmth around 0 (red up, blue down), haze 0..1 towards light grey."""
    x = picture.astype(np.float32) * (gain * np.array([1 + warmth, 1, 1 - warmth], np.float32))
    x += haze * (190.0 - x)
    return np.clip(x, 0, 255).astype(np.uint8)
