"""Sound models shared by composed classes: each returns the `sound` of a `Thing`. All draw pitch, tempo and timbre
anew for a clip; `big` of the look (0..1) moves the pitch from the first to the second figure of a pair, in Hz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from s2v.world import sound as snd
from s2v.world.thing import Look

Rng = np.random.Generator
Sound = Callable[[Rng, int, Look, float], snd.Wave]
Pair = tuple[float, float]
Partials = list[tuple[float, float, float]]
"""Ratio to the pitch, amplitude, time of decay in seconds."""
HARP: Partials = [(1, 1, 0.7), (2, 0.6, 0.45), (3, 0.4, 0.3), (4, 0.25, 0.2), (5, 0.15, 0.15)]
BAR: Partials = [(1, 1, 0.3), (3.93, 0.35, 0.1), (9.2, 0.12, 0.05)]


def _pitch(pair: Pair, look: Look, rng: Rng) -> float:
    return (pair[0] + (pair[1] - pair[0]) * float(look["big"])) * float(rng.uniform(0.94, 1.06))


def call(
    pitch: Pair,
    bend: list[float],
    partials: list[float],
    length: Pair,
    period: Pair,
    *,
    noise: float = 0.0,
    pulse: Pair | None = None,
    edge: float = 0.03,
) -> Sound:
    """Repeated calls along a pitch curve (`bend`: factors over the call), perhaps breathy or chopped at `pulse` Hz."""

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        base = _pitch(pitch, look, rng)
        timbre = [p * float(rng.uniform(0.8, 1.2)) for p in partials]
        rate = float(rng.uniform(*pulse)) if pulse else 0.0

        def one() -> snd.Wave:
            m = int(float(rng.uniform(*length)) * snd.RATE)
            curve = base * np.interp(np.linspace(0, 1, m), np.linspace(0, 1, len(bend)), bend)
            voice = snd.tone(curve, timbre)
            if noise:
                voice = voice + noise * snd.noise(rng, m, base, min(6 * base, 7000))
            if pulse:
                voice = voice * np.clip(np.sin(2 * np.pi * rate * np.arange(m) / snd.RATE), 0, 1)
            return np.asarray(voice * snd.envelope(m, edge, 2 * edge))

        return snd.calls(rng, n, float(rng.uniform(*period)), 0.2, one)

    return sound


def struck(pitch: Pair, partials: Partials, period: Pair, *, scale: list[int], notes: int = 1) -> Sound:
    """Struck or plucked notes of a scale (in semitones); `notes` at once, strummed."""

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        base = _pitch(pitch, look, rng)

        def one() -> snd.Wave:
            m = int(1.2 * max(d for _, _, d in partials) * snd.RATE) + 800
            out = np.zeros(m)
            t = np.arange(m) / snd.RATE
            for i in range(notes):
                f = base * 2 ** (scale[int(rng.integers(len(scale)))] / 12)
                parts = [a * np.sin(2 * np.pi * f * r * t) * snd.decay(m, d) for r, a, d in partials if f * r < 7500]
                snd.place(out, 0.025 * i, np.asarray(sum(parts)) * snd.envelope(m, 0.002, 0.05))
            return out / (1 + notes)

        return snd.calls(rng, n, float(rng.uniform(*period)), 0.08, one)

    return sound


def bowed(pitch: Pair, partials: list[float], note: Pair, *, breath: float = 0.0, vibrato: float = 0.0) -> Sound:
    """Sustained notes of a pentatonic scale, one after the other."""

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        base = _pitch(pitch, look, rng)

        def one() -> snd.Wave:
            m = int(float(rng.uniform(*note)) * snd.RATE)
            f = base * 2 ** (int(rng.choice([0, 2, 4, 7, 9])) / 12)
            curve = f * (1 + vibrato * np.sin(2 * np.pi * 6 * np.arange(m) / snd.RATE))
            voice = snd.tone(curve, partials) + breath * snd.noise(rng, m, 1500, 6000)
            return np.asarray(voice * snd.envelope(m, 0.05, 0.06))

        return snd.calls(rng, n, note[0], 0.1, one)

    return sound


def engine(rate: Pair, partials: list[float], noise: tuple[float, float, float], *, rev: float = 0.0) -> Sound:
    """Pulses at `rate` Hz with their partials, and noise (share, low, high); `rev` lets the speed rise and fall."""

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        t = np.arange(n) / snd.RATE
        base, speed = _pitch(rate, look, rng), float(rng.uniform(0.5, 1.0))
        curve = base * (1 + rev * (0.5 - 0.5 * np.cos(2 * np.pi * speed * t)) + 0.02 * np.sin(19 * t))
        chop = 0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(curve) / snd.RATE)
        return np.asarray(snd.tone(curve, partials) + noise[0] * chop * snd.noise(rng, n, noise[1], noise[2]))

    return sound


def taps(
    band: Pair, decay_s: float, gap: Pair, *, burst: Pair = (1, 1), pause: Pair = (0.0, 0.0), body: float = 0.0
) -> Sound:
    """Knocks of band noise, `burst` of them `gap` seconds apart and then a pause; `body` Hz rings along."""

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        out = np.zeros(n)
        step, m, t = float(rng.uniform(*gap)), int(5 * decay_s * snd.RATE) + 64, 0.0
        ring = body * (1.3 - 0.5 * float(look["big"]))
        while t < n / snd.RATE:
            for _ in range(int(rng.integers(int(burst[0]), int(burst[1]) + 1))):
                knock = snd.noise(rng, m, *band) + 0.8 * bool(body) * np.sin(2 * np.pi * ring * np.arange(m) / snd.RATE)
                snd.place(out, t, knock * snd.decay(m, decay_s) * float(rng.uniform(0.8, 1.2)))
                t += step * float(rng.uniform(0.94, 1.06))
            t += float(rng.uniform(*pause))
        return out

    return sound
