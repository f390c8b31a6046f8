"""CelebV-HQ (Zhu et al. 2022) as a source: spans of YouTube videos that show a face, and the box around it."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.data.ids import section
from s2v.data.lists import point, read_object
from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import CelebVHqConfig

BOX = ("top", "bottom", "left", "right")

Row = dict[str, Any]


def manifest_rows(config: CelebVHqConfig) -> list[Row]:
    """Manifest rows (without shard). `extra` has the face's box as shares of the picture's height and width.

    Whole videos are drawn for training by a hash of seed and id, until `train` clips are reached; the rest is for test.

    Raises:
        UserError: the file has another form; the clip at fault is named.
    """
    path = Path(config.json_file)
    clips = read_object(path).get("clips")
    if not isinstance(clips, dict) or not clips:
        raise UserError(f"{path}: has no object `clips`, so it is not the published list")
    rows: dict[str, Row] = {}
    again = 0
    for name, about in clips.items():
        row = _row(str(name), about, path)
        again += row["clip_id"] in rows
        rows.setdefault(row["clip_id"], row)
    if again:
        print(f"{path}: {again} spans are there twice and used once", file=sys.stderr)
    videos: dict[str, list[Row]] = defaultdict(list)
    for row in rows.values():
        videos[json.loads(row["extra"])["video_id"]].append(row)
    used = 0
    for video_id in sorted(videos, key=lambda video: (point(config.seed, video), video)):
        group = videos[video_id]
        if used + len(group) <= config.train:
            used += len(group)
            split = "val" if point("val", video_id) < config.val_share else "train"
            for row in group:
                row["split"] = split
    return list(rows.values())


def _row(name: str, about: Any, path: Path) -> Row:
    where = f"{path}: clip {name[:60]!r}"
    try:
        span, box = about["duration"], about["bbox"]
        start_s, end_s = float(span["start_sec"]), float(span["end_sec"])
        shares = {side: min(1.0, max(0.0, float(box[side]))) for side in BOX}
        part = section(str(about["ytb_id"]), start_s, end_s)
    except (KeyError, TypeError) as error:
        raise UserError(f"{where}: lacks {error}") from error
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
    return {
        "clip_id": part.clip_id,
        "source": "celebvhq",
        "source_id": "".join(c if c.isprintable() else "?" for c in name)[:200],
        "start_s": start_s,
        "end_s": end_s,
        "split": "test",
        "label": None,
        "extra": json.dumps({"video_id": part.video_id, "face": shares}),
    }


__all__ = ["manifest_rows"]
