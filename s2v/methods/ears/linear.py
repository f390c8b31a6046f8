"""The baseline that costs seconds: how loud a sound is in each mel band, and a linear map to its frame's feature.

Ridge regression from the mean and the deviation over time of a log-mel spectrogram's bands, fitted on training pairs
where the method is made. How strongly it is held back is chosen among `HOLDS` by the error of leaving one pair out,
which has a closed form (Hastie et al., The Elements of Statistical Learning, 7.10). What does not beat it has learned
nothing from the sounds that a mean would not tell.
"""

from __future__ import annotations

import torch
import torchaudio
from torch import Tensor

from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods.base import Sources
from s2v.methods.pairs import training_pairs
from s2v.models.image_encoder import ImageEncoder
from s2v.models.store import load

BANDS, N_FFT, HOP = 64, 1024, 512
FLOOR = 1e-6
HOLDS = tuple(10.0**power for power in range(-2, 6))


class Linear:
    """Sounds -> features, by what the training pairs say.

    Args:
        numbers: of the sounds, [N, 2 * BANDS].
        features: f_V of their frames at unit norm, [N, D].
    """

    def __init__(self, numbers: Tensor, features: Tensor) -> None:
        self.dim = features.shape[1]
        x = numbers.double()
        self.mean, self.scale = x.mean(0), x.std(0, correction=0).clamp_min(1e-6)
        self.centre = features.double().mean(0)
        y = features.double() - self.centre
        u, s, v = torch.linalg.svd((x - self.mean) / self.scale, full_matrices=False)
        # The mean is fitted too, which is the 1 / N.
        weights = {hold: s.square() / (s.square() + hold) for hold in HOLDS}
        left_out = {
            hold: float((((y - (u * w) @ (u.T @ y)) / (1 - 1 / len(x) - u.square() @ w)[:, None]).square()).mean())
            for hold, w in weights.items()
            if len(x) > 1
        }
        self.hold = min(left_out, key=left_out.__getitem__, default=HOLDS[-1])
        self.map = (v.T * (s / (s.square() + self.hold))) @ (u.T @ y)

    def encode(self, wave: Tensor, window_s: float) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window -> features [B, D] on the CPU."""
        x = (statistics(wave, window_s).double() - self.mean) / self.scale
        return (x @ self.map + self.centre).float()


def statistics(wave: Tensor, window_s: float) -> Tensor:
    """Mean and deviation over time of the logarithm of each mel band, [B, 2 * BANDS]; a gain shows in the mean."""
    mel = torchaudio.transforms.MelSpectrogram(SAMPLE_RATE_HZ, N_FFT, hop_length=HOP, n_mels=BANDS)
    levels = mel(fit_window(wave.float().cpu(), round(window_s * SAMPLE_RATE_HZ))).clamp_min(FLOOR).log()
    return torch.cat([levels.mean(2), levels.std(2, correction=0)], 1)


def linear(method: str, sources: Sources) -> Linear:
    """Fitted on the training pairs of a run.

    Raises:
        UserError: the train split has no pairs, or frames and sounds of a shard do not make pairs.
    """
    f_v, window_s = load(ImageEncoder, sources.part("encoder"), sources.device), sources.config.window_s
    pairs = [(statistics(sounds, window_s), z) for z, sounds in training_pairs(method, f_v, sources)]
    numbers, features = (torch.cat(column) for column in zip(*pairs, strict=True))
    return Linear(numbers, features)


__all__ = ["Linear", "linear", "statistics"]
