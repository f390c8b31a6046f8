"""From settings to clips, and from a clip to its truth. A person follows from (seed, split, group, number) alone, so no
two splits share one; a clip of theirs from the number of the take beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from s2v.speakers.person import FREE, GROUPS, HEARD, Person, person
from s2v.speakers.portrait import Pose
from s2v.world.recipe import Scene, clip_seed, scene_of
from s2v.world.recipe import clips as world_clips
from s2v.world.thing import Dice, things

if TYPE_CHECKING:
    from s2v.config import SpeakersConfig

UNLABELLED = ("images",)
REELS = ("images", "judge")
"""Splits of portraits without sound, many in a clip, each of somebody else."""
SOUNDS = ("tagged",)
"""Splits of which the sound alone is taken."""
SHAPE = (*HEARD, "african", "asian", *FREE)
"""Directions of a head in the order of `shape` in the truth."""
_SPAN = pa.list_(pa.float64())
TRUTH = pa.schema(
    [("clip_id", pa.string()), ("split", pa.string()), ("class", pa.string()), ("person", pa.string())]
    + [("sex", pa.string()), ("age", pa.int64()), ("pitch_hz", pa.float64()), ("tract_cm", pa.float64())]
    + [("vintage", pa.bool_()), ("skin", pa.float64()), ("hair", pa.list_(pa.float64())), ("style", pa.string())]
    + [("shape", pa.list_(pa.float64())), ("duration_s", pa.float64()), ("intervals", pa.list_(_SPAN))]
    + [("turned", pa.list_(_SPAN)), ("visible", pa.list_(pa.bool_())), ("sounding", pa.list_(pa.bool_()))]
    + [("pose", pa.list_(pa.float64())), ("scene", pa.string())]
)


@dataclass(frozen=True)
class Clip:
    """What names a clip; it says nothing of the truth but the group."""

    split: str
    label: str
    number: int
    take: int
    seed: int

    @property
    def clip_id(self) -> str:
        """`{split}-{group}-{person}-{take}`; in splits without labels a hash, so that no name tells the group."""
        if self.split in UNLABELLED:
            return f"{self.split}-{hashlib.sha256(repr(self).encode()).hexdigest()[:12]}"
        return f"{self.split}-{self.label.replace(' ', '-')}-{self.number:04d}-{self.take}"

    @property
    def person_id(self) -> str:
        """Of who is seen and heard."""
        return f"{self.split}-{self.label.replace(' ', '-')}-{self.number:04d}"


@dataclass(frozen=True)
class Story:
    """A clip with sound.

    Attributes:
        clip: its name.
        person: who.
        duration_s: its length.
        intervals: (start, end) in seconds in which is spoken.
        turned: the same of when the head is turned away.
        pose: how the head is held.
        away: how it is held when it is turned away.
        vintage: whether film and sound are old.
        loud: of the speech, RMS.
        noise_bed: of the room, RMS.
        sound_seed: of what is spoken.
        film_seed: of the film's grain.
        shake: of the hand.
    """

    clip: Clip
    person: Person
    duration_s: float
    intervals: list[tuple[float, float]]
    turned: list[tuple[float, float]]
    pose: Pose
    away: Pose
    vintage: bool
    loud: float
    noise_bed: float
    sound_seed: int
    film_seed: int
    shake: tuple[float, ...]


def clips(config: SpeakersConfig) -> list[Clip]:
    """Every clip: of reels a clip is a reel, of other splits a take of somebody."""
    return [
        Clip(split, label, number, take, config.seed)
        for split, count in sorted(config.people.items())
        for label in GROUPS
        for number in range(count)
        for take in range(1 if split in REELS else config.takes.get(split, 1))
    ]


def _rng(clip: Clip, *what: str) -> np.random.Generator:
    return np.random.default_rng(clip_seed(clip.seed, clip.split, clip.label, clip.number, "/".join(what)))


def who(clip: Clip, photo: int | None = None) -> Person:
    """Who is in a clip, or in a picture of a reel."""
    return person(clip.label, _rng(clip, "speakers", "person", "" if photo is None else str(photo)))


def pose(rng: np.random.Generator, away: bool = False) -> Pose:
    """How a head is held; away from the camera its face is hardly seen."""
    yaw = float(rng.choice([-1, 1])) * float(rng.uniform(1.35, 1.9)) if away else float(rng.normal(0, 0.14))
    return Pose(
        yaw=yaw,
        pitch=float(rng.normal(0, 0.05)),
        roll=float(rng.normal(0, 0.03)),
        x=float(rng.normal(0.5, 0.012)),
        y=float(rng.normal(0.5, 0.01)),
        size=float(rng.uniform(1.1, 1.2)),
        gain=float(rng.uniform(0.8, 1.12)),
        warmth=float(rng.uniform(-1, 1)),
    )


@dataclass(frozen=True)
class Photo:
    """A portrait of a reel.

    Attributes:
        person: who.
        pose: how the head is held.
        opening: of the mouth.
        scene: class of the embedded world that is behind; None: a bare place.
        view: the view of it.
    """

    person: Person
    pose: Pose
    opening: float
    scene: str | None = None
    view: Scene | None = None


def photos(clip: Clip, config: SpeakersConfig) -> list[Photo]:
    """The portraits of a reel. Whoever stands in front of a scene is farther away."""
    found = []
    for i in range(config.photos_per_reel):
        rng = _rng(clip, "speakers", "photo", str(i))
        photo = Photo(who(clip, i), pose(rng), float(rng.choice([0.0, 0.0, 0.3, 0.6])))
        if config.scenes and rng.random() < config.in_scene:
            name = str(rng.choice(config.scenes))
            x, size = float(rng.normal(0.5, 0.06)), float(rng.uniform(0.7, 0.85))
            held = replace(photo.pose, x=x, y=photo.pose.y + 0.08, size=size)
            photo = replace(photo, pose=held, scene=name, view=scene_of(things()[name], Dice(rng), far=2.4))
        found.append(photo)
    return found


def story(clip: Clip, config: SpeakersConfig) -> Story:
    """Draw a clip with sound: spoken for most of it, and in half of the clips a head that turns away for a while."""
    rng = _rng(clip, "speakers", "take", str(clip.take))
    low, high = config.duration_s
    duration = round(float(rng.uniform(low, high)) * config.fps) / config.fps
    first = float(rng.choice([0.0, float(rng.uniform(0.1, 0.3))])) * duration
    last = duration - float(rng.choice([0.0, float(rng.uniform(0.1, 0.3))])) * duration
    turned = []
    if rng.random() < 0.5:
        length = float(rng.uniform(0.2, 0.4)) * duration
        start = float(rng.uniform(0, duration - length))
        turned = [(round(start, 2), round(start + length, 2))]
    held = pose(rng)
    gone = pose(rng, away=True)
    return Story(
        clip=clip,
        person=who(clip),
        duration_s=duration,
        intervals=[(round(first, 2), round(last, 2))],
        turned=turned,
        pose=held,
        away=Pose(gone.yaw, gone.pitch, gone.roll, held.x, held.y, held.size, held.gain, held.warmth),
        vintage=bool(rng.random() < config.vintage),
        loud=float(10 ** (rng.uniform(-26, -18) / 20)),
        noise_bed=float(10 ** (rng.uniform(-58, -48) / 20)),
        sound_seed=int(rng.integers(2**62)),
        film_seed=int(rng.integers(2**62)),
        shake=tuple(float(one) for one in rng.uniform(0.5, 2.0, 4)),
    )


def within(intervals: list[tuple[float, float]], t: float) -> bool:
    """Whether a moment lies in one of them."""
    return any(a <= t < b for a, b in intervals)


def truths(clip: Clip, config: SpeakersConfig) -> list[dict[str, Any]]:
    """The ground truth of a clip, and of a reel that of each of its portraits. Only evaluation may read it.

    The pose of a clip is that of its person before the hand shakes and the head turns. A portrait's `clip_id` is the
    key that stage `pack` gives its picture. Of unlabelled splits it is the group alone.
    """
    row: dict[str, Any] = dict.fromkeys(TRUTH.names)
    row |= {"clip_id": clip.clip_id, "split": clip.split, "class": clip.label}
    if clip.split in UNLABELLED:
        return [row]
    if clip.split in REELS:
        shown = enumerate(photos(clip, config))
        return [
            row | _seen(photo.person, photo.pose) | {"clip_id": f"{clip.clip_id}-{i:03d}", "scene": photo.scene}
            for i, photo in shown
        ]
    return [row | _told(story(clip, config), config)]


def scene_truths(config: SpeakersConfig) -> list[dict[str, Any]]:
    """The same of scenes without anybody, and of each picture of their reels. Of unlabelled splits nothing."""
    world = config.world()
    rows = []
    for clip in world_clips(world) if world else []:
        row: dict[str, Any] = dict.fromkeys(TRUTH.names)
        row |= {"clip_id": clip.clip_id, "split": clip.split, "class": clip.label, "scene": clip.label}
        if clip.split in UNLABELLED:
            continue
        pictures = range(config.photos_per_reel) if clip.split in REELS else []
        rows += [row | {"clip_id": f"{clip.clip_id}-{i:03d}"} for i in pictures] or [row]
    return rows


def _seen(one: Person, held: Pose) -> dict[str, Any]:
    return {
        "sex": one.sex,
        "age": one.age,
        "skin": one.look.skin,
        "hair": list(one.look.hair),
        "style": one.look.style,
        "shape": [one.shape[name] for name in SHAPE],
        "pose": [held.yaw, held.pitch, held.roll, held.x, held.y, held.size],
    }


def _told(told: Story, config: SpeakersConfig) -> dict[str, Any]:
    one = told.person
    times = [i / config.fps for i in range(round(told.duration_s * config.fps))]
    return _seen(one, told.pose) | {
        "person": told.clip.person_id,
        "pitch_hz": one.voice.pitch_hz,
        "tract_cm": one.voice.tract_cm,
        "vintage": told.vintage,
        "duration_s": told.duration_s,
        "intervals": [list(pair) for pair in told.intervals],
        "turned": [list(pair) for pair in told.turned],
        "visible": [not within(told.turned, t) for t in times],
        "sounding": [within(told.intervals, t) for t in times],
    }


def of_row(row: dict[str, Any]) -> Clip:
    """The clip of a manifest row."""
    extra = json.loads(row["extra"])
    return Clip(row["split"], extra["group"], extra["number"], extra["take"], extra["seed"])


__all__ = [
    "REELS", "SHAPE", "SOUNDS", "TRUTH", "UNLABELLED", "Clip", "Story", "clips", "of_row", "photos", "story", "truths",
    "who", "within",
]  # fmt: skip
