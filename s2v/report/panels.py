"""What figures show again and again: a sound as its spectrogram, a picture, bare axes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from s2v.data.reader import read_waves
from s2v.errors import UserError
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window, log_spectrogram

if TYPE_CHECKING:
    from s2v.config import AudioConfig

MIN_PX = 128
"""Pictures below this side are brought to it by Lanczos resampling, so that print shows no squares."""

TITLE: dict[str, Any] = {"fontsize": 7, "loc": "left", "pad": 3, "color": "0.25"}


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


def bare(axes: Any) -> None:
    """No ticks, a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
        spine.set_color("0.6")


def show_picture(axes: Any, image: NDArray[np.uint8], title: str = "") -> None:
    """Draw a picture [H, W, 3]."""
    axes.imshow(image, interpolation="lanczos")
    bare(axes)
    if title:
        axes.set_title(title, **TITLE)


__all__ = ["MIN_PX", "TITLE", "bare", "enlarge", "show_picture", "show_sound", "sounds_of", "spectrogram"]
