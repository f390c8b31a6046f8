"""A voice: pulses of the glottis through the resonances of a vocal tract (source and filter), in syllables.

Formants of vowels are of grown men (Peterson and Barney 1952, means, with a fourth one), for a tract of 17 cm; those of
another length lie at frequencies in the inverse ratio. Nothing is a word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2v.world.sound import RATE, Wave, noise

VOWELS = {
    "a": (730, 1090, 2440, 3400),
    "e": (530, 1840, 2480, 3500),
    "i": (270, 2290, 3010, 3700),
    "o": (570, 840, 2410, 3300),
    "u": (300, 870, 2240, 3300),
    "er": (490, 1350, 1690, 3300),
}
WIDE = {"a": 1.0, "e": 0.6, "i": 0.35, "o": 0.7, "u": 0.3, "er": 0.5}
"""How far they open the mouth."""
BANDWIDTHS = (80, 100, 140, 220)
REFERENCE_CM = 17.0
EDGE_S = 0.035
"""In which a syllable rises, and vowels go over into each other."""


@dataclass(frozen=True)
class Voice:
    """How somebody speaks.

    Attributes:
        pitch_hz: the mean.
        tract_cm: length of the vocal tract.
        jitter: spread of periods, a share of them.
        shimmer: spread of their amplitudes.
        breath: noise beside the pulses, 0 to 1.
        rate: syllables a second.
        tilt: how soft the pulses close, 0 to 1.
    """

    pitch_hz: float
    tract_cm: float
    jitter: float = 0.01
    shimmer: float = 0.06
    breath: float = 0.1
    rate: float = 4.5
    tilt: float = 0.4


@dataclass(frozen=True)
class Speech:
    """What was spoken.

    Attributes:
        wave: [N] at 16 kHz, of about unit peak.
        opening: [N] of the mouth, 0 to 1.
        pitch_hz: [N], the pitch that was meant.
    """

    wave: Wave
    opening: Wave
    pitch_hz: Wave


def formants(vowel: str, tract_cm: float) -> tuple[float, ...]:
    """Of a vowel in a tract, in Hz."""
    return tuple(one * REFERENCE_CM / tract_cm for one in VOWELS[vowel])


def speak(voice: Voice, seconds: float, rng: np.random.Generator) -> Speech:
    """Syllables of vowels, in phrases with pauses between."""
    n = round(seconds * RATE)
    spans = _syllables(voice, seconds, rng)
    t = np.arange(n) / RATE
    pitch = voice.pitch_hz * _melody(t, spans, rng)
    pulses = _glottis(voice, pitch, rng)
    hiss = noise(rng, n, 500, 7000)
    loud = np.zeros(n)
    weights = {vowel: np.zeros(n) for vowel in VOWELS}
    for start, end, vowel, strength in spans:
        shape = np.clip(np.minimum(t - start, end - t) / EDGE_S, 0, 1)
        loud = np.maximum(loud, strength * shape)
        wide = np.clip(np.minimum(t - start + EDGE_S, end + EDGE_S - t) / (2 * EDGE_S), 0, 1)
        weights[vowel] = np.maximum(weights[vowel], wide)
    total = np.maximum(sum(weights.values()), 1e-9)
    source = pulses + 0.35 * voice.breath * hiss
    wave = np.zeros(n)
    for vowel, weight in weights.items():
        if weight.any():
            wave += weight / total * _tract(source * loud, formants(vowel, voice.tract_cm))
    consonants = np.zeros(n)
    for start, _, _, strength in spans:
        if rng.random() < 0.45:
            length = int(rng.uniform(0.02, 0.06) * RATE)
            at = max(0, round(start * RATE) - length // 2)
            burst = noise(rng, length, float(rng.uniform(1500, 3500)), 7500) * np.hanning(length)
            consonants[at : at + length] += strength * burst[: max(0, min(length, n - at))]
    peak = max(1e-6, float(np.abs(wave).max()))
    opening = loud * sum(WIDE[vowel] * weight / total for vowel, weight in weights.items())
    return Speech(np.asarray(0.9 * wave / peak + 0.12 * consonants), np.asarray(opening), pitch)


def _syllables(voice: Voice, seconds: float, rng: np.random.Generator) -> list[tuple[float, float, str, float]]:
    """(start, end, vowel, strength) in seconds."""
    found, t = [], float(rng.uniform(0.0, 0.1))
    while t < seconds:
        for _ in range(int(rng.integers(3, 9))):
            length = float(rng.uniform(0.7, 1.3)) / voice.rate
            spoken = length * float(rng.uniform(0.65, 0.9))
            found.append((t, t + spoken, str(rng.choice(list(VOWELS))), float(rng.uniform(0.6, 1.0))))
            t += length
        t += float(rng.uniform(0.1, 0.35))
    return found


def _melody(t: Wave, spans: list[tuple[float, float, str, float]], rng: np.random.Generator) -> Wave:
    """Factors on the pitch: a slow curve of speech that leaves its mean where it is."""
    slow = sum(
        float(rng.uniform(0.02, 0.05))
        * np.sin(2 * np.pi * float(rng.uniform(0.3, 2.2)) * t + float(rng.uniform(0, 6.3)))
        for _ in range(3)
    )
    spoken = np.zeros(len(t), bool)
    for start, end, *_ in spans:
        spoken |= (t >= start) & (t < end)
    curve = np.asarray(slow) - float(np.mean(np.asarray(slow)[spoken])) if spoken.any() else np.asarray(slow)
    return np.asarray(np.exp(curve))


def _glottis(voice: Voice, pitch: Wave, rng: np.random.Generator) -> Wave:
    """Flow through the glottis, differentiated: pulses after Rosenberg (1971), with jitter and shimmer."""
    n = len(pitch)
    flow = np.zeros(n + RATE)
    at = 0.0
    while at < n:
        period = RATE / float(pitch[int(at)]) * (1 + voice.jitter * float(rng.standard_normal()))
        opened, closing = 0.45 * period, (0.12 + 0.12 * voice.tilt) * period
        first = int(np.ceil(at))
        x = np.arange(first, int(at + opened + closing) + 1) - at
        rise = 0.5 * (1 - np.cos(np.pi * np.clip(x / opened, 0, 1)))
        fall = np.cos(0.5 * np.pi * np.clip((x - opened) / closing, 0, 1))
        flow[first : first + len(x)] += rise * fall * (1 + voice.shimmer * float(rng.standard_normal()))
        at += period
    return np.asarray(np.diff(flow[: n + 1]) * RATE / 4000)


def _tract(source: Wave, resonances: tuple[float, ...]) -> Wave:
    """The resonances one after the other, as in a tube without branches; those above hearing are left out."""
    from scipy.signal import lfilter

    out = source
    for centre, width in zip(resonances, BANDWIDTHS, strict=True):
        if centre > 0.47 * RATE:
            continue
        radius = np.exp(-np.pi * width / RATE)
        back = [1.0, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2]
        out = lfilter([sum(back)], back, out)
    return np.asarray(out)


def old_record(wave: Wave, rng: np.random.Generator) -> Wave:
    """As over an old film's sound track: the band of a telephone, hiss and crackle."""
    from scipy.signal import butter, sosfilt

    band = sosfilt(butter(4, (300, 3400), "bandpass", fs=RATE, output="sos"), wave)
    crackle = np.zeros(len(wave))
    for at in rng.integers(0, len(wave), max(1, len(wave) * 18 // RATE)):
        crackle[at : at + 6] += float(rng.uniform(-1, 1)) * np.array([1, -0.8, 0.5, -0.3, 0.2, -0.1])[: len(wave) - at]
    level = float(np.sqrt(np.mean(np.square(band)))) + 1e-9
    return np.asarray(band + level * (0.25 * crackle + 0.08 * rng.standard_normal(len(wave))))


def pitch_of(wave: Wave | NDArray[np.float32], low_hz: float = 60, high_hz: float = 450) -> float | None:
    """The pitch of a voice in Hz by autocorrelation: the median over frames of 40 ms that have one; None of none."""
    size, found = int(0.04 * RATE), []
    level = float(np.sqrt(np.mean(np.square(wave))))
    for start in range(0, len(wave) - size, size // 2):
        x = np.asarray(wave[start : start + size], np.float64)
        if np.sqrt(np.mean(x**2)) < 0.5 * level:
            continue
        x = x - x.mean()
        power = np.fft.rfft(x * np.hanning(size), 4 * size)
        own = np.fft.irfft(np.abs(power) ** 2)[:size]
        window = np.fft.rfft(np.hanning(size), 4 * size)
        own = own / np.maximum(np.fft.irfft(np.abs(window) ** 2)[:size], 1e-3)  # Boersma 1993
        first, last = int(RATE / high_hz), int(RATE / low_hz)
        lags = own[first : min(last, int(0.75 * size))]
        if lags.max() < 0.5 * own[0]:
            continue
        best = int(np.argmax(lags > 0.92 * lags.max()))
        while best + 1 < len(lags) and lags[best + 1] > lags[best]:
            best += 1
        lag = float(first + best)
        if 0 < best < len(lags) - 1:
            a, b, c = lags[best - 1 : best + 2]
            lag += 0.5 * (a - c) / (a - 2 * b + c) if a - 2 * b + c else 0.0
        found.append(RATE / lag)
    return float(np.median(found)) if found else None


__all__ = ["VOWELS", "Speech", "Voice", "formants", "old_record", "pitch_of", "speak"]
