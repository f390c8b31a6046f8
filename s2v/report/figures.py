"""Stage `figure`: fig04, sounds and the pictures they make (paper, Fig. 4)."""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from s2v.data.reader import read_waves
from s2v.errors import UserError
from s2v.evaluate.pictures import read_pictures
from s2v.files import atomic_path
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window, log_spectrogram

if TYPE_CHECKING:
    from s2v.config import AudioConfig

MIN_PX = 128
"""Pictures below this side are brought to it by Lanczos resampling, so that print shows no squares."""

MAX_ROWS = 50
ROWS_OF_ONE_BLOCK = 8


@dataclass(frozen=True)
class Strip:
    """One row of the figure: a name, the sound shown, and (clip, seed index) of each picture."""

    name: str
    sound: str
    pictures: list[tuple[str, int]]


def plan(labels: dict[str, str | None], seeds: int, examples: int) -> list[Strip]:
    """Which clips the figure shows: never picked by eye, but in the order of the SHA-1 of their ids.

    With labels a row is a class: the picture of the sound shown, then those of other sounds of the class,
    each with the next generation seed. Without, a row is a clip under its generation seeds, for the first
    clips of that order.

    Args:
        labels: class of each clip, None where there is none.
        seeds: number of generation seeds.
        examples: pictures in a row.
    """
    order = sorted(labels, key=lambda clip: hashlib.sha1(clip.encode()).hexdigest())
    named = sorted({label for label in labels.values() if label})
    if not named:
        return [
            Strip(clip, clip, [(clip, s) for s in range(min(seeds, examples))]) for clip in order[:MAX_ROWS]
        ]
    strips = []
    for label in named[:MAX_ROWS]:
        clips = [clip for clip in order if labels[clip] == label]
        pairs = [(clip, (i + turn) % seeds) for turn in range(seeds) for i, clip in enumerate(clips)]
        strips.append(Strip(label, clips[0], pairs[:examples]))
    return strips


def run(
    *,
    pictures: list[Path],
    packs: list[Path],
    audio: AudioConfig,
    output: Path,
    examples: int = 5,
    dpi: int = 200,
) -> None:
    """Draw fig04.png: per row the spectrogram of a test sound and pictures made from sounds of that class.

    Args:
        pictures: tars of stage generate of one method, one per seed.
        packs: shards of the test split, for the sounds.
        audio: window and spectrogram of the audio encoder.
        output: PNG.
        examples: pictures in a row.
        dpi: of the PNG.

    Raises:
        UserError: the tars hold different clips, or a sound of theirs is not in the packs.
    """
    loaded = [read_pictures(path) for path in pictures]
    clips = [[record["clip_id"] for record in records] for _, records in loaded]
    if not loaded or any(other != clips[0] for other in clips):
        raise UserError(
            "figure: the pictures of all seeds must show the same clips; run stage generate again"
        )
    labels = {record["clip_id"]: record["label"] for record in loaded[0][1]}
    strips = plan(labels, len(loaded), examples)
    index = {clip: i for i, clip in enumerate(clips[0])}
    waves, keys, _ = read_waves(packs, SAMPLE_RATE_HZ)
    sounds = dict(zip(keys, waves, strict=True))
    if any(strip.sound not in sounds for strip in strips):
        raise UserError(
            "figure: the packs lack the sound of a picture; give the packs that the pictures came from"
        )
    shown = []
    for strip in strips:
        images = [_enlarge(loaded[s][0][index[clip]]) for clip, s in strip.pictures]
        shown.append((strip.name, _spectrogram(sounds[strip.sound], audio), images))
    by_class = any(label for label in labels.values())
    title = "pictures from this and other sounds of its class" if by_class else "pictures under several seeds"
    figure = draw(shown, audio.window_s, title)
    with atomic_path(output) as temporary:
        figure.savefig(temporary, dpi=dpi, facecolor="white", metadata={"Software": None})


def _spectrogram(wave: NDArray[np.int16], audio: AudioConfig) -> NDArray[np.float32]:
    window = fit_window(torch.from_numpy(wave)[None], round(audio.window_s * SAMPLE_RATE_HZ))
    result: NDArray[np.float32] = log_spectrogram(window, audio.n_fft, audio.hop, audio.log_floor)[0].numpy()
    return result


def _enlarge(image: Tensor) -> NDArray[np.uint8]:
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    if picture.width < MIN_PX:
        picture = picture.resize((MIN_PX, MIN_PX), Image.Resampling.LANCZOS)
    return np.asarray(picture)


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
    scale = 0.82
    figure = Figure(figsize=(scale * 1.03 * sum(widths[:-1]), scale * (1.04 * rows + 0.42)))
    grid = GridSpec(
        rows,
        len(widths),
        figure,
        width_ratios=widths,
        left=0.005,
        right=0.995 + gap_w / sum(widths),
        bottom=0.01,
        top=1 - 0.36 / (1.04 * rows + 0.42),
        wspace=0.05,
        hspace=0.05,
    )
    for i, (name, spectrogram, pictures) in enumerate(shown):
        block, row = divmod(i, rows)
        column = block * (most + 3)
        _name(figure, grid[row, column], name)
        heading = row == 0
        _sound(
            figure, grid[row, column + 1], spectrogram, f"sound ({window_s:g} s, 0-8 kHz)" if heading else ""
        )
        for j, picture in enumerate(pictures):
            axes = figure.add_subplot(grid[row, column + 2 + j])
            axes.imshow(picture, interpolation="lanczos")
            _bare(axes)
            if heading and j == 0:
                axes.set_title(title, **_TITLE)
    return figure


_TITLE: dict[str, Any] = {"fontsize": 7, "loc": "left", "pad": 3, "color": "0.25"}


def _name(figure: Figure, cell: Any, name: str) -> None:
    axes = figure.add_subplot(cell)
    axes.axis("off")
    # A `$` in a clip's name is no formula.
    text = "\n".join(textwrap.wrap(name.replace("$", r"\$"), 12)[:4])
    axes.text(0.94, 0.5, text, ha="right", va="center", fontsize=8, transform=axes.transAxes)


def _sound(figure: Figure, cell: Any, spectrogram: NDArray[np.float32], title: str) -> None:
    axes = figure.add_subplot(cell)
    low, high = np.quantile(spectrogram, [0.05, 0.999])
    axes.imshow(
        spectrogram,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=low,
        vmax=max(high, low + 1e-3),
        interpolation="antialiased",
    )
    _bare(axes)
    if title:
        axes.set_title(title, **_TITLE)


def _bare(axes: Any) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
        spine.set_color("0.6")


__all__ = ["Strip", "draw", "plan", "run"]
