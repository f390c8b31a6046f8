"""Stage `fig14`: pictures of several generators from the same sounds (paper, Fig. 14)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from s2v.report.canvas import bare, cells, save, wrapped
from s2v.report.panels import enlarge, pictures_by_system, plan, show_picture, show_sound, sounds_of, spectrogram

if TYPE_CHECKING:
    from s2v.config import AudioConfig

COLUMNS = 12
MAX_COLUMNS = 48

Column = tuple[str, NDArray[np.float32], list[NDArray[np.uint8]]]


def run(*, pictures: dict[str, Path], packs: list[Path], audio: AudioConfig, output: Path, dpi: int = 200) -> None:
    """Draw fig14.png: a column is a sound, one of each class; below it are the pictures that generators make of it.

    Which sound is shown follows from the clips' ids, as in Fig. 4.

    Args:
        pictures: for each generator's name, a tar of stage generate.
        packs: shards of the test split, for the sounds.
        audio: window and spectrogram of the audio encoder.
        output: PNG.
        dpi: of the PNG.

    Raises:
        UserError: the generators' pictures show different clips, or a sound is not in the packs.
    """
    made, labels = pictures_by_system(pictures)
    strips = plan(labels, 1, 1)[:MAX_COLUMNS]
    sounds = sounds_of(packs, [strip.sound for strip in strips])
    index = {clip: i for i, clip in enumerate(labels)}
    columns = [
        (
            strip.name,
            spectrogram(sounds[strip.sound], audio),
            [enlarge(images[index[strip.sound]]) for images in made.values()],
        )
        for strip in strips
    ]
    save(draw(columns, list(made)), output, dpi)


def draw(columns: list[Column], generators: list[str]) -> Figure:
    """Columns of (name, spectrogram [F, T], a picture of each generator), in blocks of `COLUMNS`."""
    across = min(COLUMNS, len(columns))
    blocks = -(-len(columns) // across)
    rows = 1 + len(generators)
    side, name_h, gap = 0.78, 0.36, 0.06
    heights = ([name_h, *[side] * rows, gap]) * blocks
    widths = [0.42, *[side] * across]
    figure = Figure(figsize=(sum(widths) * 1.04, sum(heights) * 1.04))
    grid = cells(figure, heights, widths, (0.002, 0.004, 0.998, 0.998), (0.05, 0.05))
    for i, (name, sound, pictures) in enumerate(columns):
        block, column = divmod(i, across)
        top = block * (rows + 2)
        if column == 0:
            for row, text in enumerate(["sound", *generators]):
                axes = figure.add_subplot(grid[top + 1 + row, 0])
                axes.axis("off")
                axes.text(0.6, 0.5, text, ha="center", va="center", rotation=90, fontsize=8)
        axes = figure.add_subplot(grid[top, column + 1])
        axes.axis("off")
        text = wrapped(name, 14, 3)
        axes.text(0.5, 0.02, text, ha="center", va="bottom", fontsize=6.5, linespacing=0.95)
        axes = figure.add_subplot(grid[top + 1, column + 1])
        show_sound(axes, sound)
        bare(axes)
        for row, picture in enumerate(pictures):
            show_picture(figure.add_subplot(grid[top + 2 + row, column + 1]), picture)
    return figure


__all__ = ["COLUMNS", "draw", "run"]
