"""Drawing shared by composed classes, in a thing's own coordinates (foot at the origin, height 1, y up)."""

from __future__ import annotations

import math
from collections.abc import Callable

from s2v.world.canvas import Canvas, Color, hsv, mix
from s2v.world.thing import Dice, Look

BLACK: Color = (0.04, 0.04, 0.05)
WHITE: Color = (0.97, 0.97, 0.95)
Pair = tuple[float, float]


def coloured(hue: Pair, saturation: Pair, value: Pair, **spans: Pair) -> Callable[[Dice], Look]:
    """A `look` that draws a colour, a size and further spans."""

    def look(dice: Dice) -> Look:
        drawn: Look = {"hue": dice.span(*hue), "saturation": dice.span(*saturation), "value": dice.span(*value)}
        return drawn | {"big": dice.span(0, 1)} | {name: dice.span(*pair) for name, pair in spans.items()}

    return look


def colour(k: Look) -> Color:
    """The main colour of a look."""
    return hsv(k["hue"], k["saturation"], k["value"])


def shade(color: Color, share: float = 0.4) -> Color:
    """Darker."""
    return mix(color, BLACK, share)


def eye(c: Canvas, x: float, y: float, r: float = 0.04) -> None:
    """A white eye with a pupil."""
    c.ellipse(x, y, r * 1.4, r * 1.4, WHITE)
    c.ellipse(x, y, r * 0.8, r * 0.8, BLACK)


def legs(c: Canvas, xs: tuple[float, ...], top: float, width: float, color: Color, t: float, stride: float) -> None:
    """Legs that tread on the spot."""
    for i, x in enumerate(xs):
        c.line([(x, top), (x + stride * math.sin(6 * t + 2 * i), 0)], color, width)


def wheel(c: Canvas, x: float, r: float, t: float, *, spokes: bool = False) -> None:
    """A wheel on the ground; with spokes a thin one."""
    c.ellipse(x, r, r, r, (0.08, 0.08, 0.09))
    c.ellipse(x, r, r * (0.85 if spokes else 0.5), r * (0.85 if spokes else 0.5), (0.75, 0.75, 0.78))
    for i in range(6 if spokes else 3):
        a = 5 * t + i * math.pi / (6 if spokes else 3)
        dx, dy = 0.8 * r * math.cos(a), 0.8 * r * math.sin(a)
        c.line([(x - dx, r - dy), (x + dx, r + dy)], (0.2, 0.2, 0.22), 0.018)


def bird(c: Canvas, body: Color, wing: Color, beak: Color, *, t: float, fat: float = 0.3, bill: float = 0.2) -> None:
    """A standing bird in side view, looking right; the bill opens."""
    for x in (-0.05, 0.08):
        c.line([(x, 0.25), (x, 0), (x + 0.09, 0)], beak, 0.035)
    c.polygon([(-0.25, 0.5), (-0.75, 0.3), (-0.7, 0.48), (-0.2, 0.65)], wing)
    c.ellipse(0, 0.45, 0.42, fat * 0.85, body, turn=0.35)
    c.ellipse(-0.1, 0.46, 0.3, fat * 0.5, wing, turn=0.3)
    gape = 0.05 + 0.05 * math.sin(10 * t)
    c.polygon([(0.42, 0.88), (0.45 + bill, 0.82 + gape), (0.42, 0.8)], beak)
    c.polygon([(0.42, 0.82), (0.43 + bill, 0.76 - gape), (0.4, 0.74)], shade(beak, 0.2))
    c.ellipse(0.28, 0.8, 0.19, 0.18, body)
    eye(c, 0.33, 0.85)
