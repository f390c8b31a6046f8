"""The spectrogram equals scipy's, and loudness survives it as far as the floor lets it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from s2v.media.spectrogram import fit_window, log_spectrogram, n_frames, standardise, to_float


def _noise(n: int, rms: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(n) * rms).astype(np.float32)


def _pink(n: int, rms: float) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(n))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    wave = np.fft.irfft(spectrum, n)
    return (wave / wave.std() * rms).astype(np.float32)


def _scipy(wave: np.ndarray, floor: float = 1e-7) -> np.ndarray:
    _, _, density = scipy.signal.spectrogram(wave.astype(np.float64), 16000, nperseg=512, noverlap=353)
    return np.log(density + floor)


def test_ten_seconds_have_the_papers_shape() -> None:
    assert n_frames(160000) == 1004
    assert log_spectrogram(torch.zeros(1, 160000)).shape == (1, 257, 1004)


@pytest.mark.parametrize("n", [512, 670, 671, 16000, 40001])
def test_equals_scipy(n: int) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(n) / 16000) + 0.1
    wave = (_noise(n, 0.05) + tone).astype(np.float32)
    ours = log_spectrogram(torch.from_numpy(wave)[None])[0].double().numpy()
    theirs = _scipy(wave)
    assert ours.shape == theirs.shape == (257, n_frames(n))
    assert np.max(np.abs(ours - theirs) / np.abs(theirs)) < 1e-5
    # Without the floor's help as well, where the density itself is large enough for single precision.
    bare = np.exp(log_spectrogram(torch.from_numpy(wave)[None], log_floor=1e-30)[0].double().numpy())
    density = np.exp(_scipy(wave, 0.0))
    loud = density > density.max() * 1e-6
    assert np.allclose(bare[loud], density[loud], rtol=2e-5)


def test_odd_frame_length_equals_scipy() -> None:
    wave = _noise(3000, 0.2)
    _, _, density = scipy.signal.spectrogram(wave.astype(np.float64), 16000, nperseg=301, noverlap=200)
    ours = log_spectrogram(torch.from_numpy(wave)[None], n_fft=301, hop=101)[0].double().numpy()
    assert np.allclose(ours, np.log(density + 1e-7), rtol=1e-5)


def test_rows_of_a_batch_do_not_touch() -> None:
    waves = torch.from_numpy(np.stack([_noise(4000, 0.1, s) for s in range(3)]))
    together = log_spectrogram(waves)
    assert all(torch.allclose(together[i], log_spectrogram(waves[i : i + 1])[0], atol=1e-5) for i in range(3))


def test_standardise_is_per_clip() -> None:
    spec = log_spectrogram(torch.from_numpy(np.stack([_noise(16000, 0.3), _noise(16000, 0.001)])))
    out = standardise(spec)
    assert out.mean((-2, -1)).abs().max() < 1e-4
    assert (out.std((-2, -1), unbiased=False) - 1).abs().max() < 1e-4
    reference = spec[1].double().numpy()
    reference = (reference - reference.mean()) / (reference.std() + 1e-9)
    assert np.allclose(out[1].numpy(), reference, atol=1e-3)
    assert standardise(log_spectrogram(torch.zeros(1, 160000))).abs().max() < 1e-3


@pytest.mark.parametrize(("make", "changes"), [(_noise, (0.13, 0.20, 0.33, 0.50)), (_pink, (0.16, 0.32, 0.49, 0.69))])
def test_loudness_survives_through_the_floor(make, changes) -> None:  # type: ignore[no-untyped-def]
    loud = make(160000, 0.4)
    quieter = [loud * np.float32(rms / 0.4) for rms in (0.2, 0.1, 0.05, 0.02)]
    waves = torch.from_numpy(np.stack([loud, *quieter]))
    out = standardise(log_spectrogram(waves.clamp(-1, 1)))
    distances = [(out[i] - out[0]).square().mean().sqrt().item() for i in range(1, 5)]
    assert distances == pytest.approx(changes, abs=0.12)
    assert distances == sorted(distances)
    # With a floor far below the density, standardising would cancel the gain: the floor is what keeps it.
    cancelled = standardise(log_spectrogram(waves[:3] * 0.5, log_floor=1e-20))
    assert (cancelled[2] - cancelled[1]).square().mean().sqrt() < 0.01


def test_window_is_tiled_cut_and_clipped_never_normalised() -> None:
    wave = torch.tensor([[0.1, -0.2, 3.0]])
    assert torch.allclose(fit_window(wave, 7), torch.tensor([[0.1, -0.2, 1.0, 0.1, -0.2, 1.0, 0.1]]))
    assert torch.allclose(fit_window(wave, 2), torch.tensor([[0.1, -0.2]]))
    pcm = torch.tensor([16384, -32768], dtype=torch.int16)
    assert torch.equal(fit_window(pcm, 3), torch.tensor([0.5, -1.0, 0.5]))
    assert fit_window(torch.full((1,), 1e-4), 5).max() == pytest.approx(1e-4)
    wild = torch.tensor([float("nan"), float("inf"), -9.0])
    assert torch.equal(to_float(wild), torch.tensor([0.0, 1.0, -1.0]))


def test_no_samples_and_too_few_samples_are_errors() -> None:
    with pytest.raises(ValueError, match="without samples"):
        fit_window(torch.zeros(1, 0), 10)
    with pytest.raises(ValueError, match="less than one"):
        log_spectrogram(torch.zeros(1, 511))
