"""aiSFX's network of sound effects (Ma and Lerch, ISMIR 2022): a CNN that hears blocks of 2.3 s at 44.1 kHz.

It learned the categories of nine sound effects libraries. Its front end is that of its article, Essentia's: the level
of a sound is kept, unlike in its authors' other one, librosa's, which scales each file to its loudest sample.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.spectrogram import SAMPLE_RATE_HZ

RATE_HZ = 44100
"""That it hears. Sound of 16 kHz has nothing above 8 kHz, so that the upper quarter of its bands stays empty."""
N_FFT, HOP, BANDS = 2048, 1024, 96
"""Of its mel spectrogram: 46 ms every 23 ms, up to half the rate."""
SCALE = 9.457798957824707
"""Largest value of all spectrograms that it learned from, by which they are divided; the least is 0."""
FRAMES, STEP = 100, 50
"""Of a block, and between the beginnings of two."""
SHARP = {
    "lowpass_filter_width": 64, "rolloff": 0.9475937167399596, "resampling_method": "sinc_interp_kaiser",
    "beta": 14.769656459379492,
}  # fmt: skip
"""Of the resampling: torchaudio's numbers for resampy's kaiser_best. The logarithm is fine enough to show what a filter
leaves of the images above 8 kHz, and with torchaudio's default embeddings are further from those of the authors."""

_AT_ONCE = 32
"""Blocks; one takes 2.5 MB in each layer of the first two."""


class Aisfx(nn.Module):
    """Four blocks of two convolutions each, the mean over bands, the maximum over time.

    Args:
        width: channels of the first block, which each block doubles; 64 as published.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = [1, *(width * 2**i for i in range(4))]
        self.dim = widths[-1]
        self.blocks = nn.ModuleList(map(_block, widths[:-1], widths[1:]))

    def forward(self, mel: Tensor) -> Tensor:
        """Blocks [B, T, 96] of a mel spectrogram as `mel` gives it -> embeddings [B, dim], none below 0."""
        x = mel[:, None]
        for i, block in enumerate(self.blocks):
            x = block(F.max_pool2d(x, 2) if i else x)
        return x.mean(3).amax(2)

    @torch.inference_mode()
    def embed(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> embeddings [B, dim] on the CPU: the mean over blocks.

        A last block that the sound does not fill is left out; where it is the only one, silence fills it.
        """
        from torchaudio.functional import resample

        heard = mel(resample(wave.float(), SAMPLE_RATE_HZ, RATE_HZ, **SHARP)).to(next(self.parameters()))
        heard = F.pad(heard, (0, 0, 0, max(0, FRAMES - heard.shape[1])))
        blocks = heard.unfold(1, FRAMES, STEP).transpose(2, 3)
        z = torch.cat([self(some) for some in blocks.flatten(0, 1).split(_AT_ONCE)])
        return z.unflatten(0, blocks.shape[:2]).mean(1).float().cpu()


def mel(wave: Tensor) -> Tensor:
    """Waveform float [B, N] at 44.1 kHz -> log10(1 + 10^4 power) of mel bands [B, T, 96] over `SCALE`.

    Triangles are linear in Hz, in Essentia linear in mel: no value differs by more than a thousandth for that.
    """
    from torchaudio.functional import melscale_fbanks

    # Essentia's last frame is the last that begins within the sound.
    whole = F.pad(wave.float(), (0, -wave.shape[1] % HOP))
    window = torch.hann_window(N_FFT, periodic=False, device=wave.device)
    spectrum = torch.stft(whole, N_FFT, HOP, window=window, center=True, pad_mode="constant", return_complex=True)
    banks = melscale_fbanks(N_FFT // 2 + 1, 0.0, RATE_HZ / 2, BANDS, RATE_HZ, norm=None, mel_scale="htk")
    power = spectrum.abs().square().transpose(1, 2) @ (banks / banks.sum(0)).to(wave.device)
    return torch.log10(1 + 1e4 * power) / SCALE


def _block(inputs: int, outputs: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for channels in (inputs, outputs):
        parts += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*parts)


__all__ = ["Aisfx", "mel"]
