"""A clip of somebody who speaks, as frames and sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from s2v.speakers.head import head
from s2v.speakers.person import Person
from s2v.speakers.portrait import Pose, paint
from s2v.speakers.recipe import REELS, SOUNDS, Clip, Photo, Story, photos, story, within
from s2v.speakers.voice import Speech, old_record, speak
from s2v.world.render import paint as paint_scene
from s2v.world.sound import RATE
from s2v.world.thing import things

if TYPE_CHECKING:
    from s2v.config import SpeakersConfig

Frames = NDArray[np.uint8]
OPENINGS = (0.0, 0.15, 0.35, 0.6)
"""Of the mouth, each of which is painted once for a clip."""


def portrait(one: Person, pose: Pose, opening: float, px: int, back: Frames | None = None) -> Frames:
    """Somebody, [px, px, 3]; `back` [2 px, 2 px, 3] is behind."""
    mesh = head()
    return paint(mesh, mesh.vertices({**one.shape, "mouth-open": opening}), one.look, pose, px, opening == 0, back)


def reel(clip: Clip, config: SpeakersConfig) -> Frames:
    """The portraits of a clip without sound, [T, size, size, 3]."""
    return np.stack([photo_of(photo, config.size_px) for photo in photos(clip, config)])


def photo_of(photo: Photo, px: int) -> Frames:
    """A portrait of a reel, [px, px, 3]."""
    back = None
    if photo.scene and photo.view:
        back = paint_scene(photo.view, [(things()[photo.scene], photo.view, photo.view.strength)], 0.0, 2 * px)
    return portrait(photo.person, photo.pose, photo.opening, px, back)


def spoken(told: Story) -> list[tuple[int, Speech]]:
    """What is spoken in each interval, with the sample at which it begins."""
    rng = np.random.default_rng(told.sound_seed)
    return [(round(a * RATE), speak(told.person.voice, b - a, rng)) for a, b in told.intervals]


def film(told: Story, config: SpeakersConfig, said: list[tuple[int, Speech]]) -> Frames:
    """The frames of a clip, [T, size, size, 3]: the mouth follows what is `spoken`, the hand shakes,
    old film is grey."""
    size, margin = config.size_px, max(1, config.size_px // 32)
    wide = size + 2 * margin
    n = round(told.duration_s * config.fps)
    opening = np.zeros(round(told.duration_s * RATE) + RATE)
    for start, speech in said:
        opening[start : start + len(speech.opening)] = speech.opening[: len(opening) - start]
    known: dict[tuple[bool, int], Frames] = {}
    frames = []
    every = n if told.clip.split in SOUNDS else 1  # nobody looks
    for i in range(0, n, every):
        t = i / config.fps
        away = within(told.turned, t)
        about = opening[round(t * RATE) : round((t + 1 / config.fps) * RATE)]
        level = int(np.argmin([abs(one - 0.6 * float(about.max(initial=0.0))) for one in OPENINGS]))
        level = 0 if away else level
        if (away, level) not in known:
            known[away, level] = portrait(told.person, told.away if away else told.pose, OPENINGS[level], wide)
        a, b, c, d = told.shake
        dx, dy = (round(margin * (1 + 0.7 * np.sin(rate * t + phase))) for rate, phase in ((a, c), (b, d)))
        frames += [known[away, level][dy : dy + size, dx : dx + size]] * min(every, n - i)
    made = np.stack(frames)
    return _old_film(made, np.random.default_rng(told.film_seed)) if told.vintage else made


def _old_film(frames: Frames, rng: np.random.Generator) -> Frames:
    """Grey, grainy, dark at the edges, scratched."""
    n, size = frames.shape[:2]
    grey = frames.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    at = np.linspace(-1, 1, size)
    edge = 1 - 0.35 * np.clip(at[:, None] ** 2 + at**2, 0, 2) / 2
    grey = (grey * 0.9 + 12) * edge * (1 + 0.04 * rng.standard_normal((n, 1, 1)))
    grey += 9 * rng.standard_normal(grey.shape)
    for frame in range(n):
        if rng.random() < 0.3:
            grey[frame, :, int(rng.integers(size))] += 70
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=3)


def soundtrack(told: Story, said: list[tuple[int, Speech]]) -> NDArray[np.int16]:
    """The sound of a clip at 16 kHz, of what is `spoken`."""
    rng = np.random.default_rng([told.sound_seed, 1])
    n = round(told.duration_s * RATE)
    out = np.zeros(n + RATE)
    for start, speech in said:
        wave = speech.wave * told.loud / max(1e-6, float(np.sqrt(np.mean(speech.wave**2))))
        out[start : start + len(wave)] += wave[: len(out) - start]
    out = out[:n]
    if told.vintage:
        out = old_record(out, rng)
    bed = rng.standard_normal(n)
    return np.asarray(np.clip(out + told.noise_bed * bed, -1, 1) * 32767).astype(np.int16)


def picture_and_sound(clip: Clip, config: SpeakersConfig) -> tuple[Frames, NDArray[np.int16] | None]:
    """Frames uint8 [T, H, W, 3] and, but for reels, sound int16 [N] at 16 kHz."""
    if clip.split in REELS:
        return reel(clip, config), None
    told = story(clip, config)
    said = spoken(told)
    return film(told, config, said), soundtrack(told, said)


__all__ = ["film", "picture_and_sound", "portrait", "reel", "soundtrack", "spoken"]
