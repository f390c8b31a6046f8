"""Grad-CAM of the audio encoder (paper 4.2, Fig. 5; Selvaraju et al. 2017), and how much of it lies on the sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from s2v.models.audio_encoder import AudioEncoder

Decode = Callable[[Tensor], Tensor]

SCORES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum": lambda picture, reference: picture.flatten(1).sum(1),
    "energy": lambda picture, reference: 0.5 * picture.flatten(1).square().sum(1),
    "change": lambda picture, reference: 0.5 * (picture - reference).flatten(1).square().sum(1),
}
"""A picture [B, 3, R, R] is no number, and the paper does not say which it takes the gradient of. `reference` is the
picture of the mean sound under the same noise, so that `change` is what this sound does to the picture."""


def grad_cam(f_a: AudioEncoder, decode: Decode, spectrogram: Tensor, reference: Tensor, score: str) -> Tensor:
    """What of a sound the picture comes from: the ReLU of the last convolutional map, its channels weighted by the
    gradient of the picture's score.

    Args:
        f_a: in evaluation mode, so that a clip's map does not depend on its batch.
        decode: features of unit norm [B, D] -> pictures [B, 3, R, R], differentiable; noise is its own matter.
        spectrogram: what f_A hears, [B, F, T].
        reference: for `change`, pictures [B, 3, R, R].
        score: a name of `SCORES`.

    Returns:
        [B, F, T], each map at most 1; all 0 where nothing speaks for the picture.
    """
    with torch.enable_grad():
        maps = f_a.backbone.features(spectrogram[:, None]).detach().requires_grad_()
        z = f_a.head(maps.mean((2, 3)))
        z = F.normalize(z.relu() if f_a.final_relu else z)
        value = SCORES[score](decode(z), reference).sum()
        (gradient,) = torch.autograd.grad(value, maps)
    weighted = (gradient.mean((2, 3), keepdim=True) * maps.detach()).sum(1, keepdim=True).relu()
    cam = F.interpolate(weighted, spectrogram.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    return cam / cam.amax((1, 2), keepdim=True).clamp(min=1e-12)


def column_times_s(columns: int, n_fft: int, hop: int, sample_rate_hz: int) -> NDArray[np.float64]:
    """Middle of each column of a spectrogram, in s from its start."""
    times: NDArray[np.float64] = (hop * np.arange(columns) + n_fft / 2) / sample_rate_hz
    return times


def sounding(
    times_s: NDArray[np.float64], intervals: list[tuple[float, float]], duration_s: float
) -> NDArray[np.bool_]:
    """Whether the source sounds at some times of a window; a clip that is shorter than the window is repeated in it.

    Args:
        times_s: [T] from the window's start.
        intervals: [start, end] of the source's sound in the clip, in s.
        duration_s: of the clip.
    """
    within = times_s % duration_s
    found = np.zeros(len(times_s), dtype=bool)
    for start, end in intervals:
        found |= (within >= start) & (within < end)
    return found


def share(curve: NDArray[np.float64], where: NDArray[np.bool_]) -> float:
    """The part of a curve over time [T], >= 0, that lies at some times; their share of time where the curve is 0."""
    total = float(curve.sum())
    return float(curve[where].sum()) / total if total > 0 else float(where.mean())


__all__ = ["SCORES", "column_times_s", "grad_cam", "share", "sounding"]
