"""Figure 20: faces and those that were painted from their voices, beside their heads in a neutral pose (paper 6.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from s2v.report.canvas import bare, cells
from s2v.speakers.mesh import canonical

YAWS = (0.0, 0.65)
HEAD_PX = 160
Views = list[NDArray[np.uint8]]
"""Of a head, [px, px, 3] each."""


def draw(
    names: Sequence[str], real: Tensor, painted: Tensor, heads_real: Sequence[Views], heads: Sequence[Views]
) -> Figure:
    """A row a clip: its frame, the face painted from its voice, and the heads of both from `YAWS`.

    Args:
        names: of the rows.
        real: frames uint8 [N, 3, H, W].
        painted: pictures uint8 [N, 3, R, R].
        heads_real: views of the heads of the frames.
        heads: the same of the pictures.
    """
    side, label = 1.05, 0.9
    titles = ["original", "generated", "head of the original", "", "head of the generated", ""]
    widths, heights = [label, *[side] * 6], [0.22, *[side] * len(names)]
    figure = Figure(figsize=(sum(widths) * 1.03, sum(heights) * 1.03))
    grid = cells(figure, heights, widths, (0.002, 0.004, 0.998, 0.998), (0.04, 0.04))
    for column, title in enumerate(titles):
        axes = figure.add_subplot(grid[0, column + 1])
        axes.axis("off")
        axes.text(0.0 if "head" in title else 0.5, 0.1, title, ha="left" if "head" in title else "center", fontsize=8)
    for i, name in enumerate(names):
        axes = figure.add_subplot(grid[i + 1, 0])
        axes.axis("off")
        axes.text(0.95, 0.5, name, ha="right", va="center", fontsize=8)
        panels = [pixels(real[i]), pixels(painted[i]), *heads_real[i], *heads[i]]
        for column, picture in enumerate(panels, 1):
            axes = figure.add_subplot(grid[i + 1, column])
            axes.imshow(picture, interpolation="lanczos" if column < 3 else "antialiased")
            bare(axes)
    return figure


def pixels(image: Tensor) -> NDArray[np.uint8]:
    """uint8 [3, H, W] -> [H, W, 3]."""
    return np.asarray(image.permute(1, 2, 0).numpy())


def coloured(images: Tensor, told: Tensor) -> list[Views]:
    """Heads of pictures uint8 [N, 3, H, W] with their colours, from what is told of them [N, K]: pose and shape."""
    return [canonical(pixels(image), one, HEAD_PX, YAWS) for image, one in zip(images, told, strict=True)]


__all__ = ["HEAD_PX", "YAWS", "Views", "coloured", "draw"]
