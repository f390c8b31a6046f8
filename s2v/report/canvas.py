"""What all figures are drawn on: cells, frames, names in them, and the file."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from s2v.files import atomic_path

Edges = tuple[float, float, float, float]


def save(figure: Figure, output: Path, dpi: int = 200) -> None:
    """Write a PNG; the same figure gives the same bytes."""
    with atomic_path(output) as temporary:
        figure.savefig(temporary, dpi=dpi, facecolor="white", metadata={"Software": None})


def cells(
    figure: Figure, heights: Sequence[float], widths: Sequence[float], edges: Edges, gaps: tuple[float, float]
) -> GridSpec:
    """Rows and columns of a figure between its `edges` (left, bottom, right, top), with gaps across and down."""
    return GridSpec(len(heights), len(widths), figure, *edges, *gaps, widths, heights)


def wrapped(name: str, width: int, lines: int) -> str:
    """A name in some lines at most; a `$` in it is no formula."""
    return "\n".join(textwrap.wrap(name.replace("$", r"\$"), width)[:lines])


def open_frame(axes: Any) -> None:
    """Axes at the left and below alone."""
    axes.spines[["top", "right"]].set_visible(False)


def bare(axes: Any) -> None:
    """No ticks, a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
        spine.set_color("0.6")


__all__ = ["Edges", "bare", "cells", "open_frame", "save", "wrapped"]
