"""People who are drawn and who speak, with known truth (docs/faces.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s2v.speakers import recipe as _recipe
from s2v.speakers.person import GROUPS

if TYPE_CHECKING:
    from s2v.config.speakers import SpeakersConfig

TRUTH = _recipe.TRUTH


def class_names() -> list[str]:
    """Names of the groups."""
    return list(GROUPS)


def manifest_rows(config: SpeakersConfig) -> list[dict[str, Any]]:
    """Manifest rows of every clip, without their shard. `extra` holds what names the clip, nothing of its truth."""
    return [
        {
            "clip_id": clip.clip_id,
            "source": "speakers",
            "source_id": clip.clip_id,
            "start_s": None,
            "end_s": None,
            "split": clip.split,
            "label": None if clip.split in _recipe.UNLABELLED else clip.label,
            "captions": None,
            "extra": json.dumps(
                {"group": clip.label, "number": clip.number, "take": clip.take, "seed": config.seed}, sort_keys=True
            ),
        }
        for clip in _recipe.clips(config)
    ]


def truth_rows(config: SpeakersConfig) -> list[dict[str, Any]]:
    """Ground truth of every clip, which evaluation alone may read."""
    return [_recipe.truth(clip, config) for clip in _recipe.clips(config)]


__all__ = ["TRUTH", "class_names", "manifest_rows", "truth_rows"]
