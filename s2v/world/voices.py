"""Sound models shared by composed classes: each returns the `sound` of a `Thing`. All draw pitch, tempo and timbre
anew for a clip; `big` of the look (0..1) moves the pitch from the first to the second figure of a pair, in Hz."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from s2v.world import physics
from s2v.world import sound as snd
from s2v.world.physics import Formants
from s2v.world.thing import Look

Rng = np.random.Generator
Sound = Callable[[Rng, int, Look, float], snd.Wave]
Pair = tuple[float, float]
Partials = list[tuple[float, float, float]]
"""Ratio to the pitch, amplitude, time of decay in seconds."""
Band = tuple[float, float, float]
"""Share, lowest and highest frequency in Hz of a noise."""
Curve = Sequence[float]
"""Values at even steps over a sound's length."""
NEAR: Pair = (0.35, 0.15)
"""A small room's echo: seconds, share."""


def pitch_of(pair: Pair, look: Look, rng: Rng) -> float:
    return (pair[0] + (pair[1] - pair[0]) * float(look["big"])) * float(rng.uniform(0.94, 1.06))


def _over(n: int, values: Curve) -> snd.Wave:
    return np.asarray(np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(values)), values))


def _body(rng: Rng, look: Look, formants: Formants) -> Formants:
    return physics.scaled(formants, (1.1 - 0.2 * float(look["big"])) * float(rng.uniform(0.97, 1.03)))


def call(
    pitch: Pair,
    bend: Curve,
    mouth: Sequence[Formants],
    length: Pair,
    period: Pair,
    *,
    loud: Curve = (0, 1, 1, 1, 0.7, 0),
    breath: float = 0.05,
    jitter: float = 0.015,
    shimmer: float = 0.1,
    open_share: float = 0.55,
    shake: tuple[float, float, float, float] | None = None,
    room: Pair = NEAR,
) -> Sound:
    """Repeated calls of a voice.

    Args:
        pitch: of a small and a big one.
        bend: factors of the pitch over the call.
        mouth: shapes of the throat that the call moves through.
        length: of a call in seconds, lowest and highest.
        period: from one call to the next, likewise.
        loud: of the call over its length.
        breath: noise beside the folds' pulses.
        jitter: as in `physics.pulses`, with `shimmer` and `open_share`.
        shake: lowest and highest rate in Hz of a bleat or a trill, its depth in loudness and in pitch.
        room: seconds and share of the echo.
    """

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        base = pitch_of(pitch, look, rng)
        shapes = [_body(rng, look, shape) for shape in mouth]
        rate = float(rng.uniform(*shake[:2])) if shake else 0.0

        def one() -> snd.Wave:
            m = int(float(rng.uniform(*length)) * snd.RATE)
            curve, swell = base * float(rng.uniform(0.97, 1.03)) * _over(m, bend), _over(m, loud)
            if shake:
                wave = np.sin(2 * np.pi * rate * float(rng.uniform(0.93, 1.07)) * np.arange(m) / snd.RATE)
                curve, swell = curve * (1 + shake[3] * wave), swell * (1 + shake[2] * wave) / (1 + shake[2])
            folds = physics.pulses(rng, curve, jitter=jitter, shimmer=shimmer, open_share=open_share)
            return np.asarray(physics.gliding(folds + breath * rng.standard_normal(m), shapes) * swell)

        voice = snd.calls(rng, n, float(rng.uniform(*period)), 0.15, one)
        return physics.room(rng, voice, seconds=room[0], wet=room[1])

    return sound


def string(count: int, *, ring_s: float, damp: float, dull: float, pluck: float = 0.12, stiff: float = 0.0) -> Partials:
    """Partials of a struck or plucked string.

    Args:
        count: of partials.
        ring_s: seconds to 1/e of the lowest.
        damp: how much faster the higher ones die away.
        dull: how fast their strength falls: a soft hammer, a thumb.
        pluck: where it is hit, as a share of its length.
        stiff: how far a thick string's partials are sharp.
    """
    return [
        (
            k * float(np.sqrt(1 + stiff * k * k)),
            abs(float(np.sin(np.pi * k * pluck))) * float(np.exp(-dull * (k - 1))),
            ring_s / (1 + damp * (k - 1)),
        )
        for k in range(1, count + 1)
    ]


def struck(
    pitch: Pair,
    partials: Partials,
    period: Pair,
    *,
    scale: Sequence[int],
    notes: int = 1,
    strum_s: float = 0.025,
    knock: tuple[Band, float] = ((0.0, 500, 4000), 0.005),
    beat: float = 0.0,
    body: Formants = (),
    room: Pair = NEAR,
) -> Sound:
    """Struck or plucked notes of a scale (in semitones).

    Args:
        pitch: of a small and a big one.
        partials: of a note.
        period: from one stroke to the next, lowest and highest.
        scale: notes in semitones above the pitch.
        notes: how many at once.
        strum_s: seconds between them.
        knock: noise of the stroke and the seconds over which it dies away.
        beat: spread of a partial's pitch: two strings that are never quite one.
        body: resonances beside the notes themselves.
        room: seconds and share of the echo.
    """

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        base = pitch_of(pitch, look, rng)
        (share, low, high), fall = knock

        m = min(n, int(3 * max(d for _, _, d in partials) * snd.RATE) + 800)

        def note(f: float) -> snd.Wave:
            ring = share * snd.noise(rng, m, low, high) * snd.decay(m, fall)
            for r, a, d in partials:
                if f * r < 7500:
                    ring += a * physics.mode(m, f * r * float(rng.uniform(1 - beat, 1 + beat)), d)
            return np.asarray(ring * snd.envelope(m, 0.001, 0.05))

        sounds = [note(base * 2 ** (step / 12)) for step in scale]
        ring, at, gap = np.zeros(n), float(rng.uniform(0, 0.08)), float(rng.uniform(*period))
        while at < n / snd.RATE:
            hard = float(rng.uniform(0.7, 1.1))
            for i, which in enumerate(np.sort(rng.choice(len(scale), notes, replace=False))):
                snd.place(ring, at + strum_s * i, hard * sounds[which])
            at += gap * float(rng.uniform(0.92, 1.08))
        if body:
            ring = ring / max(1e-9, float(ring.std())) + physics.tract(ring, _body(rng, look, body))
        return physics.room(rng, ring, seconds=room[0], wet=room[1])

    return sound


def bowed(
    pitch: Pair,
    body: Sequence[Formants],
    note: Pair,
    *,
    breath: Band = (0.0, 1500, 6000),
    vibrato: float = 0.0,
    open_share: float = 0.4,
    loud: Curve = (0, 0.8, 1, 1, 0.9, 0.8, 0),
    scoop: float = 0.0,
    room: Pair = (1.0, 0.25),
) -> Sound:
    """Sustained notes of a pentatonic scale, one after the other, of a bow, lips or a reed.

    Args:
        pitch: of a small and a big one.
        body: resonances that a note moves through: brass is brighter where it is louder.
        note: length in seconds, lowest and highest.
        breath: noise of bow or breath.
        vibrato: its depth, as a share of the pitch.
        open_share: as in `physics.pulses`: small is bright.
        loud: of a note over its length.
        scoop: how far a note starts below its pitch.
        room: seconds and share of the echo.
    """

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        base = pitch_of(pitch, look, rng)
        shapes, rate = [_body(rng, look, shape) for shape in body], float(rng.uniform(5, 6.5))

        def one() -> snd.Wave:
            m = int(float(rng.uniform(*note)) * snd.RATE)
            t = np.arange(m) / snd.RATE
            f = base * 2 ** (int(rng.choice([0, 2, 4, 7, 9])) / 12)
            slow = np.clip(t / 0.25, 0, 1)
            curve = f * (1 + vibrato * slow * np.sin(2 * np.pi * rate * t)) * (1 - scoop * np.exp(-t / 0.03))
            source = physics.pulses(rng, curve, jitter=0.003, shimmer=0.02, open_share=open_share)
            source = source + breath[0] / 0.3 * snd.noise(rng, m, breath[1], breath[2])
            return np.asarray(physics.gliding(source, shapes) * _over(m, loud))

        return physics.room(rng, snd.calls(rng, n, note[0], 0.1, one), seconds=room[0], wet=room[1])

    return sound


def engine(
    rate: Pair,
    body: Formants,
    noise: Band,
    *,
    rev: float = 0.0,
    turns: Pair = (0.5, 1.0),
    chop: float = 0.5,
    jitter: float = 0.02,
    shimmer: float = 0.15,
    open_share: float = 0.3,
    whine: tuple[float, float] = (0.0, 1.0),
    sway: float = 0.0,
    room: Pair = NEAR,
) -> Sound:
    """Pulses of cylinders, blades or wings through a body.

    Args:
        rate: pulses a second of a small and a big one.
        body: resonances of exhaust, hull or cabin.
        noise: share and band of what hisses and rattles along.
        rev: by how much the speed rises and falls.
        turns: how often it does so a second, lowest and highest.
        chop: how much of the noise comes with the pulses.
        jitter: as in `physics.pulses`, with `shimmer` and `open_share`.
        whine: share of a turning part's own tone, and its pitch as a multiple of the rate.
        sway: by how much it comes nearer and goes.
        room: seconds and share of the echo.
    """

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        base = pitch_of(rate, look, rng)
        speed = 1 + rev * physics.wander(rng, n, 2 * float(rng.uniform(*turns)), 0, 1)
        speed = speed * physics.wander(rng, n, 4, 0.985, 1.015)
        source = physics.pulses(rng, base * speed, jitter=jitter, shimmer=shimmer, open_share=open_share)
        beat = (0.5 + 0.5 * np.cos(2 * np.pi * np.cumsum(base * speed) / snd.RATE)) ** 3
        rush = noise[0] / 0.3 * snd.noise(rng, n, noise[1], noise[2]) * (1 - chop + chop * 1.8 * beat)
        out = (physics.tract(source, _body(rng, look, body)) if body else 0.0) * speed + rush
        out += whine[0] * snd.tone(base * whine[1] * speed, [1, 0.3]) / 0.5
        out = out * physics.wander(rng, n, 2 * float(rng.uniform(*turns)), 1 - sway, 1 + 0.5 * sway)
        return physics.room(rng, out, seconds=room[0], wet=room[1])

    return sound


def taps(
    body: Formants,
    decay_s: float,
    gap: Pair,
    *,
    burst: Pair = (1, 1),
    pause: Pair = (0.0, 0.0),
    ring: Partials = (),  # type: ignore[assignment]
    swell: Curve = (1, 1),
    uneven: float = 0.06,
    room: Pair = NEAR,
) -> Sound:
    """Knocks on a body, `burst` of them `gap` seconds apart and then a pause.

    Args:
        body: resonances of what is hit.
        decay_s: seconds over which the noise of a knock dies away.
        gap: seconds between knocks, lowest and highest.
        burst: knocks in a row, fewest and most.
        pause: seconds after a row.
        ring: frequency in Hz, amplitude and time of decay of tones that ring along.
        swell: strength of the knocks over a row.
        uneven: spread of the gaps.
        room: seconds and share of the echo.
    """

    def sound(rng: Rng, n: int, look: Look, strength: float) -> snd.Wave:
        out, t, step = np.zeros(n), float(rng.uniform(0, 0.08)), float(rng.uniform(*gap))
        shape, size = _body(rng, look, body), 1.15 - 0.3 * float(look["big"])
        m = int(max([6 * decay_s, *[3 * d for _, _, d in ring]]) * snd.RATE) + 400
        while t < n / snd.RATE:
            count = int(rng.integers(int(burst[0]), int(burst[1]) + 1))
            for strong in _over(count, swell):
                knock = physics.tract(rng.standard_normal(m) * snd.decay(m, decay_s), shape)
                knock = knock / max(1e-9, float(np.abs(knock).max()))
                for f, a, d in ring:
                    knock += a * physics.mode(m, f * size, d)
                snd.place(out, t, knock * snd.envelope(m, 0.0005, 0.01) * strong * float(rng.uniform(0.75, 1.2)))
                t += step * float(rng.uniform(1 - uneven, 1 + uneven))
            t += float(rng.uniform(*pause))
        return physics.room(rng, out, seconds=room[0], wet=room[1])

    return sound
