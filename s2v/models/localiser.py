"""Audio-visual localisation: how well what is seen at a moment fits what is heard around it (paper 3.3).

Two convolutional nets give a map of visual features and one audio feature per moment; the score is their plain
inner product, C_av[t] = q_t^V . q_t^A, neither of them normalised. After Senocak et al. 2022, whose model has not
been released. Both nets are pooled by maximum, feature by feature: on the embedded world the best moment was then
right in 99 % of clips, against 92 % with means (a small or short thing drowns in a mean).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.spectrogram import HOP, LOG_FLOOR, N_FFT, SAMPLE_RATE_HZ, fit_window, log_spectrogram, standardise
from s2v.models.bounds import Hearing, Side

BINS, COLUMNS = 4, 2  # spectrogram cells averaged into one: what a moment sounds like needs no more


@dataclass(frozen=True)
class Ear:
    """How a clip's sound becomes what the localisation model hears."""

    n_fft: int = N_FFT
    hop: int = HOP
    log_floor: float = LOG_FLOOR
    sample_rate_hz: int = SAMPLE_RATE_HZ
    window_s: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        """(bins, columns) of a window."""
        return (self.n_fft // 2 + 1) // BINS, max(1, round(self.window_s * self.sample_rate_hz / (self.hop * COLUMNS)))

    def hear(self, wave: Tensor) -> Tensor:
        """Waveform int16 or float [N] to the clip's log-spectrogram, float16 [bins, T].

        It is standardised over the whole clip, never over a window: within a clip, loud moments stay loud.
        """
        if len(wave) < self.n_fft + self.hop * (COLUMNS - 1):
            wave = fit_window(wave, self.n_fft + self.hop * (COLUMNS - 1))
        else:
            wave = fit_window(wave, len(wave))
        spec = standardise(log_spectrogram(wave[None], self.n_fft, self.hop, self.log_floor, self.sample_rate_hz))
        return F.avg_pool2d(spec, (BINS, COLUMNS))[0].half()

    def windows(self, spectrogram: Tensor, times_s: Tensor) -> Tensor:
        """Cut the sound around each moment out of `hear`'s result.

        Args:
            spectrogram: [bins, T].
            times_s: [M] middle of each window, in s from the clip's start.

        Returns:
            float32 [M, bins, columns]. What lies before the start or after the end is mirrored, so that the first
            and last moments of a clip have a window of their own.
        """
        n, width = spectrogram.shape[-1], self.shape[1]
        # Column c covers samples from hop * COLUMNS * c on, and its middle lies half a frame and half a hop later.
        middle = (times_s * self.sample_rate_hz - (self.n_fft + self.hop) / 2) / (self.hop * COLUMNS)
        index = (middle - (width - 1) / 2).round().long()[:, None] + torch.arange(width)
        index = index.remainder(2 * n)
        index = torch.where(index < n, index, 2 * n - 1 - index)
        return spectrogram[:, index].permute(1, 0, 2).float()


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Net(nn.Module):
    """A 3 x 3 stem and three blocks: a map of `dim` features at an eighth of the input's resolution."""

    def __init__(self, channels: int, width: int, dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _block(channels, width, 2),
            _block(width, 2 * width, 2),
            _block(2 * width, 4 * width, 2),
            _block(4 * width, 4 * width, 1),
            nn.Conv2d(4 * width, dim, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return y


class Localiser(nn.Module):
    """Two nets that meet in an inner product.

    Args:
        width: channels of the first layer of each net.
        dim: size D of the features.
        image_px: side of the frames that it sees.
        ear: how it hears, an `Ear` or its values.
    """

    def __init__(self, width: int, dim: int, image_px: Side, ear: Ear | Hearing) -> None:
        super().__init__()
        self.dim, self.image_px = dim, image_px
        self.ear = ear if isinstance(ear, Ear) else Ear(**ear)
        self.visual = _Net(3, width, dim)
        self.audio = _Net(1, width, dim)

    def visual_map(self, images: Tensor) -> Tensor:
        """Frames float [B, 3, H, W] in [-1, 1] to a map of features [B, D, h, w]."""
        y: Tensor = self.visual(images)
        return y

    def see(self, images: Tensor) -> Tensor:
        """q^V [B, D] of frames float [B, 3, H, W] in [-1, 1]: the map's maximum over places, feature by feature."""
        return self.visual_map(images).amax((2, 3))

    def hear(self, windows: Tensor) -> Tensor:
        """q^A [B, D] of windows [B, F, T] of a standardised log-spectrogram."""
        y: Tensor = self.audio(windows[:, None]).amax((2, 3))
        return y

    def forward(self, images: Tensor, windows: Tensor) -> Tensor:
        """C_av [B]: the score of each frame with its own window."""
        return (self.see(images) * self.hear(windows)).sum(1)

    def response(self, images: Tensor, windows: Tensor) -> Tensor:
        """[B, h, w]: where in each frame its window's source is."""
        return torch.einsum("bdhw,bd->bhw", self.visual_map(images), self.hear(windows))


__all__ = ["Ear", "Localiser"]
