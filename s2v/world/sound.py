"""Building blocks of the world's sounds: 16 kHz, float arrays of about unit peak."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from s2v.media import SAMPLE_RATE_HZ

RATE = SAMPLE_RATE_HZ
Wave = NDArray[np.float64]
Rng = np.random.Generator


def noise(rng: Rng, n: int, low_hz: float, high_hz: float) -> Wave:
    """Band-passed white noise of RMS 0.3."""
    from scipy.signal import butter, sosfilt  # most of a second, and the Snakefile only asks for the classes' names

    sos = butter(2, [max(20.0, low_hz), min(high_hz, RATE / 2 - 100)], "bandpass", fs=RATE, output="sos")
    x = sosfilt(sos, rng.standard_normal(n))
    out: Wave = 0.3 * x / max(1e-9, float(np.sqrt(np.mean(x**2))))
    return out


def tone(pitch_hz: Wave, partials: list[float]) -> Wave:
    """Harmonic tone along a pitch curve; `partials` are amplitudes of 1, 2, 3 ... times the pitch."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE
    out = sum(a * np.sin((k + 1) * phase) for k, a in enumerate(partials))
    return np.asarray(out) / max(1e-9, sum(partials))


def envelope(n: int, attack_s: float, release_s: float) -> Wave:
    """Rises over `attack_s`, falls over `release_s` (both in seconds), 1 between."""
    t = np.arange(n) / RATE
    rise = np.clip(t / max(attack_s, 1e-3), 0, 1)
    fall = np.clip((n / RATE - t) / max(release_s, 1e-3), 0, 1)
    return np.asarray(rise * fall)


def decay(n: int, time_s: float) -> Wave:
    """Exponential decay to 1/e within `time_s`."""
    return np.asarray(np.exp(-np.arange(n) / (time_s * RATE)))


def place(out: Wave, start_s: float, piece: Wave) -> None:
    """Add `piece` to `out` at `start_s`; what hangs over is cut."""
    start = max(0, int(start_s * RATE))
    piece = piece[: max(0, len(out) - start)]
    out[start : start + len(piece)] += piece


def calls(rng: Rng, n: int, period_s: float, jitter: float, make: object) -> Wave:
    """Repeat `make()` (a function that gives a wave) about every `period_s` seconds, beginning at once."""
    out = np.zeros(n)
    t = float(rng.uniform(0, 0.08))
    while t < n / RATE:
        piece = make()  # type: ignore[operator]
        place(out, t, piece)
        t += max(period_s * (1 + jitter * float(rng.uniform(-1, 1))), len(piece) / RATE * 0.6)
    return out


def at_level(wave: Wave, rms: float) -> Wave:
    """The wave at a level, its peaks rounded at four times that: a knock or a crackle of the world fits a recording."""
    limit = 4 * max(1e-9, float(np.sqrt(np.mean(wave**2))))
    rounded = wave / (1 + (wave / limit) ** 4) ** 0.25
    return np.asarray(rounded * (rms / max(1e-9, float(np.sqrt(np.mean(rounded**2))))))


def low_pass(wave: Wave, cutoff_hz: float) -> Wave:
    """First-order low-pass, as air does to far sounds."""
    if cutoff_hz >= RATE / 2 - 200:
        return wave
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(1, cutoff_hz, "lowpass", fs=RATE, output="sos"), wave))


def db(level: float) -> float:
    """RMS amplitude to dB of full scale."""
    return 20 * math.log10(max(level, 1e-6))
