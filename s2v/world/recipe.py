"""From a world's settings to its clips, and from a clip to its truth. A clip is a function of (seed, split, class,
index) alone, hashed into one seed: no two clips, in whatever splits, draw from the same one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from s2v.world.sound import RATE
from s2v.world.thing import Dice, Look, Thing, things

if TYPE_CHECKING:
    from s2v.config import WorldConfig

UNLABELLED = ("images", "captioned", "others")
REELS = ("images", "judge", "captioned", "others")
"""Splits of pictures without sound, many in a clip."""
SOUNDS = ("tagged",)
"""Splits of which the sound alone is taken: their videos show one picture a second."""
_SPAN = pa.list_(pa.float64())
# Reels have their class and seed alone; the rest is null.
TRUTH = pa.schema(
    [("clip_id", pa.string()), ("split", pa.string()), ("class", pa.string()), ("seed", pa.string())]
    + [("place", pa.string()), ("duration_s", pa.float64()), ("intervals", pa.list_(_SPAN))]
    + [("distance", pa.float64()), ("strength", pa.float64()), ("size_px", pa.float64()), ("level_db", pa.float64())]
    + [("distractor", pa.string()), ("distractor_interval", _SPAN), ("out_of_range", pa.bool_())]
    + [("visible", pa.list_(pa.bool_())), ("sounding", pa.list_(pa.bool_()))]
    + [("interference", pa.string()), ("snr_db", pa.float64()), ("together", pa.string())]
)
DISTURBED = ("train", "val", "test")
"""Splits in which a second source may be heard."""
NEAR, FAR = 1.0, 4.0
FULL_HEIGHT = 0.86
APART = (0.3, 0.7)
"""Where two sources stand, as shares of the width."""
BESIDE = 1.6
"""Two sources are at least as far away as this, so that both are in view."""


@dataclass(frozen=True)
class Clip:
    """What names a clip. It is all that the manifest holds, and says nothing of the truth."""

    split: str
    label: str
    index: int
    seed: int

    @property
    def clip_id(self) -> str:
        """`{split}-{class}-{index}`; free of dots, as WebDataset keys must be. Reels of the splits without labels
        are named after a hash, so that no name tells the class."""
        if self.split in UNLABELLED:
            return f"{self.split}-{hashlib.sha256(repr(self).encode()).hexdigest()[:12]}"
        return f"{self.split}-{re.sub('[^a-z0-9]+', '-', self.label.lower())}-{self.index:04d}"


@dataclass
class Scene:
    """One view: a place, its light, a thing in it and perhaps another."""

    family: str
    place_seed: int
    gain: float
    warmth: float
    haze: float
    x: float
    y: float
    distance: float
    flip: bool
    tilt: float
    look: Look
    draw_seed: int
    strength: float = 1.0

    @property
    def height(self) -> float:
        """Apparent height as a share of the picture: falls as 1 / distance."""
        return FULL_HEIGHT / self.distance


@dataclass(frozen=True)
class Interference:
    """A source that is heard and not seen: its class, when, how far the clip's own lies above it, and its looks, which
    shape its sound."""

    label: str
    interval: tuple[float, float]
    snr_db: float
    look: Look
    seed: int


@dataclass(frozen=True)
class Companion:
    """A second source beside a clip's own, in its place: seen and heard when that one is. `seed` is its sound's."""

    label: str
    scene: Scene
    seed: int


@dataclass
class Story:
    """A whole clip: its scene, who is seen and heard when, and how loud."""

    clip: Clip
    duration_s: float
    intervals: list[tuple[float, float]]
    """In which its source sounds."""
    seen: list[tuple[float, float]]
    """In which it is in view."""
    scene: Scene
    beyond: bool
    distractor: str | None = None
    distractor_interval: tuple[float, float] | None = None
    distractor_scene: Scene | None = None
    interference: Interference | None = None
    together: Companion | None = None
    noise_bed: float = 0.005
    sound_seed: int = 0
    shake: list[float] = field(default_factory=list)


def clip_seed(world_seed: int, split: str, label: str, index: int, part: str = "") -> int:
    """64 bits from a hash of all that names a clip."""
    text = repr((world_seed, split, label, index, part)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def clips(config: WorldConfig) -> list[Clip]:
    """Every clip of the world."""
    known = things()
    for key, names in (("classes", config.classes), ("others", config.others)):
        for name in names:
            if name not in known or (key == "others" and name in config.classes):
                from s2v.errors import UserError

                what = "is no class of the world" if name not in known else "is one of data.world.classes"
                raise UserError(f"data.world.{key}: {name!r} {what}; there are: {', '.join(known)}")
    return [
        Clip(split, label, index, clip_seed(config.seed, split, label, index))
        for split, count in sorted(config.clips.items())
        for label in config.of_split(split)
        for index in range(count)
    ]


def scene_of(thing: Thing, dice: Dice, *, near: float = NEAR, far: float = FAR) -> Scene:
    """Draw one view of a thing; distances lean to the near."""
    rng = dice.rng
    look = thing.look(dice)
    distance = near * (far / near) ** float(rng.beta(1.0, 2.2))
    height = FULL_HEIGHT / distance
    low = min(0.97, 0.62 + 0.33 * height + 0.06)
    return Scene(
        family=thing.family,
        place_seed=int(rng.integers(2**62)),
        gain=float(rng.uniform(0.7, 1.15)),
        warmth=float(rng.uniform(-0.1, 0.1)),
        haze=float(rng.beta(1, 5)) * 0.5,
        x=float(np.clip(rng.normal(0.5, 0.04 + 0.13 * (1 - height)), 0.2, 0.8)),
        y=float(np.clip(rng.normal(low, 0.02), 0.6, 0.98)),
        distance=distance,
        flip=dice.coin(),
        tilt=float(rng.normal(0, 0.04)),
        look=look,
        draw_seed=int(rng.integers(2**62)),
        strength=float(np.clip(1 / distance, 0.3, 1.0)),
    )


def at_distance(scene: Scene, distance: float) -> Scene:
    """A scene whose source stands as far away, on the ground."""
    height = FULL_HEIGHT / distance
    return replace(scene, distance=distance, strength=1 / distance, y=min(0.97, 0.68 + 0.33 * height))


def aside(thing: Thing, scene: Scene, x: float) -> Scene:
    """A scene that leaves room for a second source: its own stands at x, a share of the width, and not too near."""
    return replace(at_distance(scene, max(BESIDE, scene.distance)) if thing.kind == "source" else scene, x=x)


def photos(clip: Clip, count: int) -> list[Scene]:
    """The pictures of a reel, each a scene of its own with the thing well in view."""
    thing = things()[clip.label]
    return [
        scene_of(thing, Dice(np.random.default_rng(clip_seed(clip.seed, clip.split, clip.label, i, "photo"))), far=2.4)
        for i in range(count)
    ]


def pairs(clip: Clip, config: WorldConfig) -> list[tuple[Scene, Companion | None]]:
    """The pictures of a reel, and who stands beside the thing, where somebody does."""
    scenes = photos(clip, config.photos_per_reel)
    return [_together(clip, scene, i, config) for i, scene in enumerate(scenes)]


def _together(clip: Clip, scene: Scene, number: int, config: WorldConfig) -> tuple[Scene, Companion | None]:
    # Of a seed of its own, as interference is.
    rng = np.random.default_rng(clip_seed(clip.seed, clip.split, clip.label, number, "together"))
    others = [name for name in config.classes if name != clip.label]
    share = next((share for split, share in config.together.items() if split == clip.split), 0.0)
    if rng.random() >= share or not others:
        return scene, None
    known, label = things(), others[int(rng.integers(len(others)))]
    left, right = rng.permutation(APART).tolist()
    other = aside(known[label], scene_of(known[label], Dice(rng), far=2.4), right)
    return aside(known[clip.label], scene, left), Companion(label, other, int(rng.integers(2**62)))


def story(clip: Clip, config: WorldConfig) -> Story:
    """Draw a clip with sound: one or two intervals of 30-70 % in all, a silent distractor at other times."""
    known = things()
    thing, rng = known[clip.label], np.random.default_rng(clip.seed)
    strange = config.out_of_range.get(clip.split, 0.0)
    beyond = strange > 0 and rng.random() < strange
    low, high = config.duration_s
    duration = round(float(rng.uniform(low, high)) * config.fps) / config.fps
    intervals, seen = _intervals(rng, duration, config)
    near, far = config.distances.get(clip.split, (NEAR, FAR))
    scene = scene_of(thing, Dice(rng, beyond), near=near, far=far)
    out = Story(clip, duration, intervals, seen, scene, beyond, sound_seed=int(rng.integers(2**62)))
    out.noise_bed = float(10 ** (rng.uniform(-50, -42) / 20))
    out.shake = [float(v) for v in rng.uniform(0.5, 2.0, 4)]
    others = [n for n in config.classes if n != clip.label and known[n].kind == "source"]
    gap = _longest_gap(seen, duration)
    if thing.kind == "source" and others and gap[1] - gap[0] > 0.6 and rng.random() < 0.6:
        out.distractor = others[int(rng.integers(len(others)))]
        out.distractor_interval = (gap[0] + 0.1, gap[1] - 0.1)
        out.distractor_scene = scene_of(known[out.distractor], Dice(rng))
    if clip.split in DISTURBED:
        out.interference = _interference(clip, config, duration)
    out.scene, out.together = _together(clip, out.scene, clip.index, config)
    return out


def _interference(clip: Clip, config: WorldConfig, duration: float) -> Interference | None:
    # Of a seed of its own: what else a clip is does not depend on it.
    rng = np.random.default_rng(clip_seed(clip.seed, clip.split, clip.label, clip.index, "interference"))
    others = [name for name in config.classes if name != clip.label]
    if rng.random() >= config.interference.share or not others:
        return None
    label = others[int(rng.integers(len(others)))]
    length = float(rng.uniform(0.5, 1.0)) * duration
    start = float(rng.uniform(0, duration - length))
    look = things()[label].look(Dice(rng))
    snr = float(rng.uniform(*config.interference.snr_db))
    return Interference(label, (round(start, 2), round(start + length, 2)), snr, look, int(rng.integers(2**62)))


Spans = list[tuple[float, float]]


def _intervals(rng: np.random.Generator, duration: float, config: WorldConfig) -> tuple[Spans, Spans]:
    """When the source sounds, and when it is in view. How often both are so in the middle is decided first: long
    intervals, drawn freely, would nearly always cover it."""
    wanted = bool(rng.random() < config.middle)
    while True:
        heard = _draw_intervals(rng, duration)
        seen = _in_view(rng, heard, duration, config)
        if (sounding(heard, duration / 2) and sounding(seen, duration / 2)) == wanted:
            return heard, seen


def _in_view(rng: np.random.Generator, heard: Spans, duration: float, config: WorldConfig) -> Spans:
    """In view as it is heard, but for what comes before and after: it lingers, or it is already, or still, heard."""
    if not (config.silent_in_view or config.heard_out_of_view):
        return heard
    spans = [list(span) for span in heard]
    if rng.random() < config.heard_out_of_view:
        for span in spans:
            lost, side = float(rng.uniform(0.25, 0.5)) * (span[1] - span[0]), int(rng.integers(2))
            span[side] += lost if side == 0 else -lost
    if rng.random() < config.silent_in_view:
        for i, side in ((0, 0), (-1, 1)):
            if rng.random() < 0.7:
                spans[i][side] += float(rng.uniform(0.3, 1.2)) * (-1 if side == 0 else 1)
    return [(round(max(0.0, a), 2), round(min(duration, b), 2)) for a, b in spans]


def _draw_intervals(rng: np.random.Generator, duration: float) -> list[tuple[float, float]]:
    share = float(rng.uniform(0.3, 0.7))
    if rng.random() < 0.6:
        length = share * duration
        start = float(rng.uniform(0, duration - length))
        return [(round(start, 2), round(start + length, 2))]
    first = float(rng.uniform(0.4, 0.6)) * share * duration
    second = share * duration - first
    slack = duration - first - second
    a = float(rng.uniform(0, slack * 0.6))
    b = float(rng.uniform(0.15, 1.0)) * (slack - a)
    return [(round(a, 2), round(a + first, 2)), (round(a + first + b, 2), round(a + first + b + second, 2))]


def _longest_gap(intervals: list[tuple[float, float]], duration: float) -> tuple[float, float]:
    edges = [0.0, *[t for pair in intervals for t in pair], duration]
    gaps = [(edges[i], edges[i + 1]) for i in range(0, len(edges), 2)]
    return max(gaps, key=lambda g: g[1] - g[0])


def sounding(intervals: list[tuple[float, float]], t: float) -> bool:
    """Whether the moment t (seconds) lies in an interval."""
    return any(a <= t < b for a, b in intervals)


def truth(clip: Clip, config: WorldConfig) -> dict[str, Any]:
    """The ground truth of a clip. Only evaluation may read it."""
    row: dict[str, Any] = dict.fromkeys(TRUTH.names)
    row |= {"clip_id": clip.clip_id, "split": clip.split, "class": clip.label, "seed": str(clip.seed)}
    if clip.split in REELS:
        return row
    s = story(clip, config)
    times = [i / config.fps for i in range(round(s.duration_s * config.fps))]
    thing = things()[clip.label]
    level = thing.level * (1 / s.scene.distance if thing.kind == "source" else s.scene.strength)
    return row | {
        "place": s.scene.family,
        "duration_s": s.duration_s,
        "intervals": [list(pair) for pair in s.intervals],
        "distance": s.scene.distance,
        "strength": s.scene.strength,
        "size_px": s.scene.height * config.size_px,
        "level_db": float(20 * np.log10(level)),
        "distractor": s.distractor,
        "distractor_interval": list(s.distractor_interval) if s.distractor_interval else None,
        "out_of_range": s.beyond,
        "visible": [sounding(s.seen, t) for t in times],
        "sounding": [sounding(s.intervals, t) for t in times],
        "interference": s.interference.label if s.interference else None,
        "snr_db": s.interference.snr_db if s.interference else None,
        "together": s.together.label if s.together else None,
    }


def parameters(clip: Clip, config: WorldConfig) -> list[str]:
    """Everything drawn for a clip's looks, as text: equal for two clips only if they are the same picture."""
    if clip.split in REELS:
        return [repr(asdict(scene)) for scene in photos(clip, config.photos_per_reel)]
    return [repr(asdict(story(clip, config).scene))]


__all__ = [
    "APART", "RATE", "Clip", "Companion", "Scene", "Story", "aside", "at_distance", "clip_seed", "clips", "pairs",
    "parameters", "photos", "sounding", "story", "truth",
]  # fmt: skip
