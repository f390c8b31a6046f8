"""Figure 20: faces and those that were painted from their voices, beside their heads in a neutral pose (paper 6.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from s2v.report.canvas import bare, cells
from s2v.speakers.mesh import canonical

YAWS = (0.0, 0.65)


def draw(names: Sequence[str], real: Tensor, painted: Tensor, told_real: Tensor, told: Tensor) -> Figure:
    """A row a clip: its frame, the face painted from its voice, and the heads of both from two sides.

    Args:
        names: of the rows.
        real: frames uint8 [N, 3, H, W].
        painted: pictures uint8 [N, 3, R, R].
        told_real: what is told of the frames [N, K] (`s2v.models.face_reader`): pose and shape.
        told: the same of the pictures.
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
        frame, face = (np.asarray(images[i].permute(1, 2, 0).numpy()) for images in (real, painted))
        panels = [frame, face]
        panels += canonical(frame, told_real[i], 160, YAWS) + canonical(face, told[i], 160, YAWS)
        for column, picture in enumerate(panels, 1):
            axes = figure.add_subplot(grid[i + 1, column])
            axes.imshow(picture, interpolation="lanczos" if column < 3 else "antialiased")
            bare(axes)
    return figure


__all__ = ["draw"]
