"""How things make sound, in as little as it takes: a source and the body it sounds through, grains, rooms. 16 kHz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s2v.world.sound import RATE, Rng, Wave

Formants = Sequence[tuple[float, float, float]]
"""Centre in Hz, width in Hz, gain."""


def pulses(rng: Rng, pitch_hz: Wave, *, jitter: float = 0.01, shimmer: float = 0.05, open_share: float = 0.6) -> Wave:
    """Flow of vocal folds or a syrinx, differentiated, along a pitch curve: each period of its own length and strength.

    Args:
        rng: draws the periods.
        pitch_hz: [N] in Hz.
        jitter: spread of a period's length, as a share of it.
        shimmer: spread of a period's strength, likewise.
        open_share: share of a period in which the folds are open: small is pressed and bright, large soft and dark.
    """
    turns = np.cumsum(pitch_hz) / RATE
    count = int(turns[-1]) + 2
    marks = np.arange(count) + jitter * rng.standard_normal(count)
    marks[0] = 0.0
    strength = 1 + shimmer * rng.standard_normal(count)
    period = np.clip(np.searchsorted(marks, turns, side="right") - 1, 0, count - 1)
    phase = np.clip(turns - marks[period], 0, 1) / open_share
    flow = np.where(phase < 1, phase**2 * (1 - phase), 0.0) * strength[period]
    return _unit(np.diff(flow, prepend=0.0))


def tract(source: Wave, formants: Formants) -> Wave:
    """What a throat, a beak or a body of metal makes of a source: resonances side by side."""
    from scipy.signal import lfilter  # most of a second, and the Snakefile only asks for the classes' names

    out = np.zeros(len(source))
    for centre, width, gain in formants:
        radius = np.exp(-np.pi * width / RATE)
        b, a = [1 - radius, 0, radius - 1], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2]
        out += gain * lfilter(b, a, source)
    return _unit(out)


def mode(n: int, pitch_hz: float, time_s: float) -> Wave:
    """One way in which a struck thing rings: a sine that dies away to 1/e within `time_s`."""
    from scipy.signal import lfilter

    turn, radius, blow = 2 * np.pi * pitch_hz / RATE, np.exp(-1 / (time_s * RATE)), np.zeros(n)
    blow[0] = 1.0  # a filter that answers to one blow takes a tenth of the time of a sine and an exponential
    return np.asarray(lfilter([0.0, radius * np.sin(turn)], [1.0, -2 * radius * np.cos(turn), radius**2], blow))


def gliding(source: Wave, shapes: Sequence[Formants], way: Wave | None = None) -> Wave:
    """`tract` that moves through shapes at even steps, or along `way` (0 to 1): a mouth that opens and closes."""
    place = np.linspace(0, len(shapes) - 1, len(source)) if way is None else (len(shapes) - 1) * way
    parts = [tract(source, shape) * np.clip(1 - np.abs(place - i), 0, 1) for i, shape in enumerate(shapes)]
    return np.asarray(sum(parts))


def scaled(formants: Formants, factor: float) -> Formants:
    """The same body, its resonances `factor` times as high: a smaller animal's throat."""
    return [(centre * factor, width, gain) for centre, width, gain in formants]


def grains(rng: Rng, n: int, per_s: float, formants: Formants, *, spread: float = 1.0, tail: float = 0.0) -> Wave:
    """Very short knocks at random moments, each heard through one of some bodies: drops, crackles, pebbles.

    Args:
        rng: draws them.
        n: samples.
        per_s: how many a second.
        formants: the bodies; the gain is how often one is hit.
        spread: of their strength, as the standard deviation of its logarithm.
        tail: seconds over which a grain's noise dies away; 0 is one sample.
    """
    from scipy.signal import lfilter

    hits = np.zeros((len(formants), n))
    count = int(rng.poisson(per_s * n / RATE))
    share = np.array([gain for _, _, gain in formants])
    which = rng.choice(len(formants), count, p=share / share.sum())
    np.add.at(
        hits,
        (which, rng.integers(0, n, count)),
        np.exp(spread * rng.standard_normal(count)) * rng.choice([-1.0, 1.0], count),
    )
    out = np.zeros(n)
    for row, (centre, width, _) in zip(hits, formants, strict=True):
        if tail:
            row = lfilter([1.0], [1.0, -np.exp(-1 / (tail * RATE))], np.abs(row)) * rng.standard_normal(n)
        out += tract(row, [(centre, width, 1.0)]) if row.any() else 0.0
    return _unit(out)


def wander(rng: Rng, n: int, per_s: float, low: float, high: float) -> Wave:
    """A slow random curve between two values, with about `per_s` turns a second."""
    points = max(2, int(per_s * n / RATE) + 2)
    return np.asarray(np.interp(np.linspace(0, points - 1, n), np.arange(points), rng.uniform(low, high, points)))


def room(rng: Rng, wave: Wave, *, seconds: float, wet: float, dark_hz: float = 4000.0) -> Wave:
    """The wave with its echo, as long as it is: noise that dies away over `seconds` (to -60 dB) and is darker."""
    from scipy.signal import butter, fftconvolve, sosfilt

    m = int(seconds * RATE)
    answer = rng.standard_normal(m) * 10 ** (-3 * np.arange(m) / m)
    answer[: int(0.008 * RATE)] = 0
    answer = sosfilt(butter(1, dark_hz, fs=RATE, output="sos"), answer)
    echo = fftconvolve(wave, answer / np.sqrt(np.sum(answer**2)))[: len(wave)]
    return np.asarray(wave + wet * echo)


def _unit(wave: Wave) -> Wave:
    return np.asarray(wave / max(1e-9, float(np.sqrt(np.mean(wave**2)))))
