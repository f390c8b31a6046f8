"""What figures show again and again: which clips, a sound as its spectrogram, a picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from s2v.data.reader import read_waves
from s2v.errors import UserError
from s2v.evaluate.pictures import read_pictures
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window, log_spectrogram
from s2v.report.canvas import bare

if TYPE_CHECKING:
    from s2v.config import AudioConfig

MIN_PX = 128
"""Pictures below this side are brought to it by Lanczos resampling, so that print shows no squares."""

MAX_ROWS = 50

TITLE: dict[str, Any] = {"fontsize": 7, "loc": "left", "pad": 3, "color": "0.25"}


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
        return [Strip(clip, clip, [(clip, s) for s in range(min(seeds, examples))]) for clip in order[:MAX_ROWS]]
    strips = []
    for label in named[:MAX_ROWS]:
        clips = [clip for clip in order if labels[clip] == label]
        pairs = [(clip, (i + turn) % seeds) for turn in range(seeds) for i, clip in enumerate(clips)]
        strips.append(Strip(label, clips[0], pairs[:examples]))
    return strips


def pictures_by_seed(pictures: list[Path]) -> tuple[list[Tensor], dict[str, str | None]]:
    """Pictures uint8 [N, 3, R, R] of each tar, and the class of each clip, in their order.

    Raises:
        UserError: the tars hold different clips.
    """
    loaded = [read_pictures(path) for path in pictures]
    clips = [[record["clip_id"] for record in records] for _, records in loaded]
    if not loaded or any(other != clips[0] for other in clips):
        raise UserError("figure: the pictures of all seeds must show the same clips; run stage generate again")
    return [images for images, _ in loaded], {record["clip_id"]: record["label"] for record in loaded[0][1]}


def pictures_by_system(pictures: dict[str, Path]) -> tuple[dict[str, Tensor], dict[str, str | None]]:
    """Pictures uint8 [N, 3, R, R] of each system, of a tar each, and the class of each clip, in their order.

    Raises:
        UserError: the systems' pictures show different clips.
    """
    made = {name: pictures_by_seed([path]) for name, path in pictures.items()}
    labels = next(iter(made.values()))[1]
    if any(other != labels for _, other in made.values()):
        raise UserError("figure: the systems' pictures show different clips; run stage generate again")
    return {name: images[0] for name, (images, _) in made.items()}, labels


def spectrogram(wave: NDArray[np.int16], audio: AudioConfig) -> NDArray[np.float32]:
    """Log-spectrogram [F, T] of a sound, int16 [N] at 16 kHz, tiled or cut to the window."""
    window = fit_window(torch.from_numpy(wave)[None], round(audio.window_s * SAMPLE_RATE_HZ))
    result: NDArray[np.float32] = log_spectrogram(window, audio.n_fft, audio.hop, audio.log_floor)[0].numpy()
    return result


def enlarge(image: Tensor) -> NDArray[np.uint8]:
    """uint8 [3, H, W] -> [H', W', 3], no smaller than `MIN_PX`."""
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    if picture.width < MIN_PX:
        picture = picture.resize((MIN_PX, MIN_PX), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def sounds_of(packs: list[Path], clips: list[str]) -> dict[str, NDArray[np.int16]]:
    """Sounds of some clips by id, int16 at 16 kHz.

    Raises:
        UserError: a clip is not in the packs.
    """
    waves, keys, _ = read_waves(packs, SAMPLE_RATE_HZ)
    found = dict(zip(keys, waves, strict=True))
    if any(clip not in found for clip in clips):
        raise UserError("figure: the packs lack the sound of a picture; give the packs that the pictures came from")
    return {clip: found[clip] for clip in clips}


def show_sound(axes: Any, values: NDArray[np.float32], title: str = "") -> None:
    """Draw a spectrogram [F, T]."""
    low, high = np.quantile(values, [0.05, 0.999])
    axes.imshow(
        values,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=low,
        vmax=max(high, low + 1e-3),
        interpolation="antialiased",
    )
    bare(axes)
    if title:
        axes.set_title(title, **TITLE)


def show_picture(axes: Any, image: NDArray[np.uint8], title: str = "") -> None:
    """Draw a picture [H, W, 3]."""
    axes.imshow(image, interpolation="lanczos")
    bare(axes)
    if title:
        axes.set_title(title, **TITLE)


__all__ = [
    "MIN_PX",
    "TITLE",
    "Strip",
    "enlarge",
    "pictures_by_seed",
    "pictures_by_system",
    "plan",
    "show_picture",
    "show_sound",
    "sounds_of",
    "spectrogram",
]
