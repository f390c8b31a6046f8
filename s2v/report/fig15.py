"""Stage `fig15`: pictures of the systems of Figure 15 from the same sounds, beside the real frame (paper, Fig. 15)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.report.canvas import bare, cells, save, wrapped
from s2v.report.panels import enlarge, pictures_by_system, plan, show_picture, show_sound, sounds_of, spectrogram

if TYPE_CHECKING:
    from s2v.config import AudioConfig

SOUNDS, COLUMNS = 2, 10
"""Sounds of each class, and columns at most."""

Column = tuple[str, NDArray[np.float32], list[NDArray[np.uint8]]]


def run(
    *, pictures: dict[str, Path], packs: list[Path], column: str, audio: AudioConfig, output: Path, dpi: int = 220
) -> None:
    """Draw fig15.png: a column is a test sound, below it the real frame and a picture of each system.

    Two sounds of each class; which ones follows from the clips' ids, as in Fig. 4.

    Args:
        pictures: for each system's name, a tar of stage generate.
        packs: shards of the test split, for the sounds and the real frames.
        column: which frame of a sample is the real one.
        audio: window and spectrogram of the sounds shown.
        output: PNG.
        dpi: of the PNG.

    Raises:
        UserError: the systems' pictures show different clips, or a sound or frame is not in the packs.
    """
    made, labels = pictures_by_system(pictures)
    strips = plan(labels, 1, SOUNDS)
    shown = [(strip.name, clip) for strip in strips for clip, _ in strip.pictures][:COLUMNS]
    sounds = sounds_of(packs, [clip for _, clip in shown])
    px = max(int(drawn.shape[-1]) for drawn in made.values())
    images, keys, _ = read_images(packs, px, column=column)
    real, index = {key: i for i, key in enumerate(keys)}, {clip: i for i, clip in enumerate(labels)}
    if any(clip not in real for _, clip in shown):
        raise UserError("figure: the packs lack the frame of a picture; give the packs that the pictures came from")
    columns = [
        (
            name,
            spectrogram(sounds[clip], audio),
            [enlarge(images[real[clip]]), *(enlarge(drawn[index[clip]]) for drawn in made.values())],
        )
        for name, clip in shown
    ]
    save(draw(columns, ["Real frame", *made]), output, dpi)


def draw(columns: list[Column], rows: list[str]) -> Figure:
    """Columns of (name, spectrogram [F, T], a picture of each row); neighbours of one name share it."""
    side, head, left, gap = 0.8, 0.3, 1.1, 0.1
    groups: list[list[int]] = []
    for i, (name, _, _) in enumerate(columns):
        if groups and columns[groups[-1][0]][0] == name:
            groups[-1].append(i)
        else:
            groups.append([i])
    widths, place = [left], {}
    for group in groups:
        for i in group:
            place[i] = len(widths)
            widths.append(side)
        widths.append(gap)
    widths.pop()
    heights = [head, 0.62 * side, *[side] * len(rows)]
    figure = Figure(figsize=(sum(widths) * 1.03, sum(heights) * 1.03))
    grid = cells(figure, heights, widths, (0.004, 0.004, 0.998, 0.998), (0.04, 0.04))
    for row, text in enumerate(["Sound", *rows]):
        axes = figure.add_subplot(grid[1 + row, 0])
        axes.axis("off")
        axes.text(0.96, 0.5, wrapped(text, 16, 2), ha="right", va="center", fontsize=8)
    for group in groups:
        axes = figure.add_subplot(grid[0, place[group[0]] : place[group[-1]] + 1])
        axes.axis("off")
        name = wrapped(columns[group[0]][0], 13 * len(group), 2)
        axes.text(0.5, 0.25, name, ha="center", va="baseline", fontsize=8, linespacing=0.95)
    for i, (_, sound, pictures) in enumerate(columns):
        axes = figure.add_subplot(grid[1, place[i]])
        show_sound(axes, sound)
        bare(axes)
        for row, picture in enumerate(pictures):
            show_picture(figure.add_subplot(grid[2 + row, place[i]]), picture)
    return figure


__all__ = ["COLUMNS", "SOUNDS", "draw", "run"]
