"""Antialiased drawing in unit coordinates, on aggdraw."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass

import aggdraw
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Color = tuple[float, float, float]
Point = tuple[float, float]


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Colour of hue (turns), saturation and value, as RGB in 0..1."""
    return colorsys.hsv_to_rgb(hue % 1, min(1, max(0, saturation)), min(1, max(0, value)))


def mix(a: Color, b: Color, share: float) -> Color:
    """From `a` (share 0) to `b` (share 1)."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def gradient(size: int, top: Color, bottom: Color) -> NDArray[np.uint8]:
    """Vertical gradient, uint8 [size, size, 3]."""
    share = np.linspace(0, 1, size)[:, None, None]
    column = (1 - share) * np.array(top) + share * np.array(bottom)
    return np.broadcast_to(column * 255, (size, size, 3)).astype(np.uint8).copy()


@dataclass(frozen=True)
class Placement:
    """Where a thing stands: its foot at (x, y) of the picture (0..1, y down), its height as a share of the picture."""

    x: float = 0.5
    y: float = 0.9
    height: float = 0.5
    flip: bool = False
    tilt: float = 0.0


class Canvas:
    """A picture to draw on. Things are drawn in their own coordinates: foot at (0, 0), height 1, y up."""

    def __init__(self, background: NDArray[np.uint8]) -> None:
        self.size = background.shape[0]
        self.image = Image.fromarray(background.copy())
        self._draw = aggdraw.Draw(self.image)
        self.at(None)

    def at(self, placement: Placement | None) -> Canvas:
        """Draw from now on in the coordinates of a placed thing; None: the picture's own (0..1, y down)."""
        s = self.size
        if placement is None:
            self._a, self._b, self._c, self._d, self._e, self._f = s, 0.0, 0.0, s, 0.0, 0.0
        else:
            h, c, i = placement.height * s, math.cos(placement.tilt), math.sin(placement.tilt)
            m = -1 if placement.flip else 1
            self._a, self._b, self._c, self._d = h * c * m, h * i, -h * i * m, -h * c
            self._e, self._f = placement.x * s, placement.y * s
        return self

    def _flat(self, points: Sequence[Point]) -> list[float]:
        flat: list[float] = []
        for x, y in points:
            flat += [self._a * x + self._b * y + self._e, self._c * x + self._d * y + self._f]
        return flat

    def polygon(self, points: Sequence[Point], color: Color, alpha: float = 1.0) -> None:
        """A filled polygon."""
        self._draw.polygon(self._flat(points), aggdraw.Brush(_rgb(color), round(alpha * 255)))

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, color: Color, alpha: float = 1.0, turn: float = 0.0
    ) -> None:
        """A filled ellipse, turned by radians."""
        c, s = math.cos(turn), math.sin(turn)
        ring = []
        for k in range(28):
            u, v = rx * math.cos(k * math.tau / 28), ry * math.sin(k * math.tau / 28)
            ring.append((x + c * u - s * v, y + s * u + c * v))
        self.polygon(ring, color, alpha)

    def box(self, x0: float, y0: float, x1: float, y1: float, color: Color, alpha: float = 1.0) -> None:
        """A filled rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color, alpha)

    def line(self, points: Sequence[Point], color: Color, width: float, alpha: float = 1.0) -> None:
        """An open line; `width` in units of the present coordinates."""
        pen = aggdraw.Pen(_rgb(color), max(0.3, width * math.hypot(self._a, self._c)), round(alpha * 255))
        self._draw.line(self._flat(points), pen)

    def done(self) -> NDArray[np.uint8]:
        """The picture, uint8 [size, size, 3]."""
        self._draw.flush()
        return np.asarray(self.image)


def _rgb(color: Color) -> tuple[int, int, int]:
    r, g, b = (round(255 * min(1.0, max(0.0, c))) for c in color)
    return r, g, b
