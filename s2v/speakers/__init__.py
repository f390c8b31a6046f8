"""People who speak, with known truth: a source of clips that are rendered here (docs/faces.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.speakers import recipe as _recipe
from s2v.speakers.person import GROUPS
from s2v.world import manifest_rows as world_rows
from s2v.world import recipe as world_recipe
from s2v.world import render as render_world

if TYPE_CHECKING:
    from s2v.config import SpeakersConfig

TRUTH = _recipe.TRUTH


def class_names() -> list[str]:
    """Names of the groups."""
    return list(GROUPS)


def manifest_rows(config: SpeakersConfig) -> list[dict[str, Any]]:
    """Manifest rows of every clip, without their shard. `extra` holds what names the clip, nothing of its truth.

    Labels are groups, and names of scenes; those of splits of sounds are names of people, from which a speaker encoder
    learns.
    """
    world = config.world()
    scenes = [row | {"source": "speakers"} for row in world_rows(world)] if world else []
    return scenes + [
        {
            "clip_id": clip.clip_id,
            "source": "speakers",
            "source_id": clip.clip_id,
            "start_s": None,
            "end_s": None,
            "split": clip.split,
            "label": _label(clip),
            "captions": None,
            "extra": json.dumps(
                {"group": clip.label, "number": clip.number, "take": clip.take, "seed": config.seed}, sort_keys=True
            ),
        }
        for clip in _recipe.clips(config)
    ]


def _label(clip: _recipe.Clip) -> str | None:
    if clip.split in _recipe.UNLABELLED:
        return None
    return clip.person_id.replace("-", " ") if clip.split in _recipe.SOUNDS else clip.label


def truth_rows(config: SpeakersConfig) -> list[dict[str, Any]]:
    """Ground truth of every clip, which evaluation alone may read."""
    people = [row for clip in _recipe.clips(config) for row in _recipe.truths(clip, config)]
    return people + _recipe.scene_truths(config)


def _shows_a_scene(row: dict[str, Any]) -> bool:
    return "class" in json.loads(row["extra"])


def recipe(row: dict[str, Any], config: SpeakersConfig) -> dict[str, Any]:
    """What the file of a manifest row is made from: another recipe, another file."""
    world = config.world()
    if world and _shows_a_scene(row):
        return world_recipe(row, world)
    keys = ("size_px", "fps", "duration_s", "photos_per_reel", "vintage", "seed", "scenes", "in_scene")
    return {"clip": repr(_recipe.of_row(row)), **{key: getattr(config, key) for key in keys}}


def render(row: dict[str, Any], path: Path, *, config: SpeakersConfig, ffmpeg: str) -> None:
    """Write the mp4 of a manifest row to `path`."""
    from s2v.speakers.film import picture_and_sound
    from s2v.world.render import encode

    world = config.world()
    if world and _shows_a_scene(row):
        render_world(row, path, config=world, ffmpeg=ffmpeg)
        return
    frames, wave = picture_and_sound(_recipe.of_row(row), config)
    encode(frames, wave, Path(path), fps=config.fps, ffmpeg=ffmpeg)


__all__ = ["TRUTH", "class_names", "manifest_rows", "recipe", "render", "truth_rows"]
