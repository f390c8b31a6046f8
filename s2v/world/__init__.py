"""The embedded world: a procedural audio-visual data set with known truth (docs/world.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.world import recipe as _recipe
from s2v.world.captions import caption
from s2v.world.render import write
from s2v.world.thing import things

if TYPE_CHECKING:
    from s2v.config import WorldConfig

TRUTH = _recipe.TRUTH


def class_names() -> list[str]:
    """Names of all classes of the world."""
    return list(things())


def nested(count: int) -> list[str]:
    """The first `count` classes of a fixed order: each set holds every smaller one, and the first 12 are the default's.

    Raises:
        ValueError: the world has fewer classes.
    """
    names = class_names()
    if not 1 <= count <= len(names):
        raise ValueError(f"the world has {len(names)} classes, not {count}")
    return names[:count]


def manifest_rows(config: WorldConfig) -> list[dict[str, Any]]:
    """Manifest rows of every clip, without their shard. `extra` holds what names the clip, nothing of its truth."""
    return [
        {
            "clip_id": clip.clip_id,
            "source": "world",
            "source_id": clip.clip_id,
            "start_s": None,
            "end_s": None,
            "split": clip.split,
            "label": None if clip.split in _recipe.UNLABELLED else clip.label,
            "captions": _captions(clip, config),
            "extra": json.dumps({"class": clip.label, "index": clip.index, "seed": config.seed}, sort_keys=True),
        }
        for clip in _recipe.clips(config)
    ]


def _captions(clip: _recipe.Clip, config: WorldConfig) -> list[str] | None:
    """A sentence for each picture of a reel that has them."""
    if clip.split != "captioned":
        return None
    thing = things()[clip.label]
    return [caption(thing, scene) for scene in _recipe.photos(clip, config.photos_per_reel)]


def truth_rows(config: WorldConfig) -> list[dict[str, Any]]:
    """Ground truth of every clip, which evaluation alone may read."""
    return [_recipe.truth(clip, config) for clip in _recipe.clips(config)]


def _clip(row: dict[str, Any]) -> _recipe.Clip:
    extra = json.loads(row["extra"])
    label, index = extra["class"], extra["index"]
    return _recipe.Clip(row["split"], label, index, _recipe.clip_seed(extra["seed"], row["split"], label, index))


def recipe(row: dict[str, Any], config: WorldConfig) -> dict[str, Any]:
    """What the file of a manifest row is made from: another recipe, another file."""
    keys = ("size_px", "fps", "duration_s", "photos_per_reel", "seed", "classes")
    made = {"clip": repr(_clip(row)), **{key: getattr(config, key) for key in keys}}
    if row["split"] in config.together:
        made["together"] = config.together[row["split"]]
    if row["split"] in _recipe.REELS:
        return made
    for key in ("middle", "silent_in_view", "heard_out_of_view"):
        made[key] = getattr(config, key)
    for key in ("distances", "out_of_range"):
        made[key] = getattr(config, key).get(row["split"])
    return made | {"interference": config.interference.model_dump()}


def render(row: dict[str, Any], path: Path, *, config: WorldConfig, ffmpeg: str) -> None:
    """Write the mp4 of a manifest row to `path`."""
    write(_clip(row), Path(path), config=config, ffmpeg=ffmpeg)
