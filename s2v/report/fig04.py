"""Stages `fig04` and `fig17`: sounds and the pictures they make (paper, Fig. 4 and 17)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from s2v.data.subset import read_classes
from s2v.errors import UserError
from s2v.report.canvas import cells, save, wrapped
from s2v.report.panels import enlarge, pictures_by_seed, plan, show_picture, show_sound, sounds_of, spectrogram

if TYPE_CHECKING:
    from s2v.config import AudioConfig

ROWS_OF_ONE_BLOCK = 8
LETTERS_OF_A_PICTURE = 15  # of the header that fit above one


def run(
    *,
    pictures: list[Path],
    packs: list[Path],
    audio: AudioConfig,
    output: Path,
    known: Path | None = None,
    examples: int = 5,
    dpi: int = 200,
) -> None:
    """Draw the figure: per row the spectrogram of a test sound and pictures made from sounds of that class.

    Args:
        pictures: tars of stage generate of one method, one per seed.
        packs: shards of the test split, for the sounds.
        audio: window and spectrogram of the audio encoder.
        output: PNG.
        known: of stage `classes`, those that are not shown.
        examples: pictures in a row.
        dpi: of the PNG.

    Raises:
        UserError: the tars hold different clips, or a sound of theirs is not in the packs.
    """
    images, labels = pictures_by_seed(pictures)
    old = read_classes(known) or frozenset()
    strips = plan({clip: label for clip, label in labels.items() if label not in old}, len(images), examples)
    if not strips:
        raise UserError("figure: no clip is of a class that it shows")
    sounds = sounds_of(packs, [strip.sound for strip in strips])
    index = {clip: i for i, clip in enumerate(labels)}
    shown = [
        (
            strip.name,
            spectrogram(sounds[strip.sound], audio),
            [enlarge(images[s][index[clip]]) for clip, s in strip.pictures],
        )
        for strip in strips
    ]
    by_class = any(labels.values())
    title = "pictures from this and other sounds of its class, each with its own noise"
    title = title if by_class else "pictures under several seeds"
    save(draw(shown, audio.window_s, title), output, dpi)


Shown = tuple[str, NDArray[np.float32], list[NDArray[np.uint8]]]


def draw(shown: list[Shown], window_s: float, title: str) -> Figure:
    """The figure itself: rows of (name, spectrogram [F, T], pictures), in two blocks where there are many.

    The figure is not registered with pyplot, so nothing is left open.
    """
    blocks = 1 if len(shown) <= ROWS_OF_ONE_BLOCK else 2
    rows = -(-len(shown) // blocks)
    most = max(len(pictures) for _, _, pictures in shown)
    name_w, sound_w, gap_w = 0.95, 1.35, 0.25
    widths = ([name_w, sound_w] + [1.0] * most + [gap_w]) * blocks
    scale, title = 0.82, wrapped(title, LETTERS_OF_A_PICTURE * most, 5)
    head = 0.2 * title.count("\n")
    height = 1.04 * rows + 0.42 + head
    figure = Figure(figsize=(scale * 1.03 * sum(widths[:-1]), scale * height))
    right, top = 0.995 + gap_w / sum(widths), 1 - (0.36 + head) / height
    grid = cells(figure, [1] * rows, widths, (0.005, 0.01, right, top), (0.05, 0.05))
    for i, (name, sound, pictures) in enumerate(shown):
        block, row = divmod(i, rows)
        column = block * (most + 3)
        _name(figure, grid[row, column], name)
        title_of_sound = f"sound ({window_s:g} s, 0-8 kHz)" if row == 0 else ""
        show_sound(figure.add_subplot(grid[row, column + 1]), sound, title_of_sound)
        for j, picture in enumerate(pictures):
            axes = figure.add_subplot(grid[row, column + 2 + j])
            show_picture(axes, picture, title if row == j == 0 else "")
    return figure


def _name(figure: Figure, cell: Any, name: str) -> None:
    axes = figure.add_subplot(cell)
    axes.axis("off")
    text = wrapped(name, 12, 4)
    axes.text(0.94, 0.5, text, ha="right", va="center", fontsize=8, transform=axes.transAxes)


__all__ = ["draw", "run"]
