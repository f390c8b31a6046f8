"""People who speak, with known truth: a source of clips that are rendered here (docs/faces.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.speakers import recipe as _recipe
from s2v.speakers.person import GROUPS

if TYPE_CHECKING:
    from s2v.config import SpeakersConfig

TRUTH = _recipe.TRUTH


def class_names() -> list[str]:
    """Names of the groups."""
    return list(GROUPS)


def manifest_rows(config: SpeakersConfig) -> list[dict[str, Any]]:
    """Manifest rows of every clip, without their shard. `extra` holds what names the clip, nothing of its truth.

    Labels are groups; those of splits of sounds are names of people, from which a speaker encoder learns.
    """
    return [
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
    return [row for clip in _recipe.clips(config) for row in _recipe.truths(clip, config)]


def recipe(row: dict[str, Any], config: SpeakersConfig) -> dict[str, Any]:
    """What the file of a manifest row is made from: another recipe, another file."""
    keys = ("size_px", "fps", "duration_s", "photos_per_reel", "vintage", "seed")
    return {"clip": repr(_recipe.of_row(row)), **{key: getattr(config, key) for key in keys}}


def render(row: dict[str, Any], path: Path, *, config: SpeakersConfig, ffmpeg: str) -> None:
    """Write the mp4 of a manifest row to `path`."""
    from s2v.speakers.film import picture_and_sound
    from s2v.world.render import encode

    frames, wave = picture_and_sound(_recipe.of_row(row), config)
    encode(frames, wave, Path(path), fps=config.fps, ffmpeg=ffmpeg)


__all__ = ["TRUTH", "class_names", "manifest_rows", "recipe", "render", "truth_rows"]
