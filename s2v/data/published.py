"""Moments that others have published, in place of our scores: the paper's authors' file of ten frames a clip.

Its form is a JSON object `"<YouTube id>_<start ms>_<end ms>": [frame numbers, best first]`, of frames taken ten times a
second; or, as those who read the published file do, a list whose last value is that object, after one of boxes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.data.reader import clip_record, samples
from s2v.data.select import SELECTION
from s2v.data.status import STATUS, ClipError, Row, failed_row, ok_row
from s2v.errors import Reason, UserError
from s2v.files import read_json, read_parquet, write_parquet

if TYPE_CHECKING:
    from s2v.config import SelectConfig

STAGE = "select"
FPS = 10
_KEY = re.compile(r"([A-Za-z0-9_-]{11})_([0-9]{1,9})_([0-9]{1,9})")

Moments = dict[tuple[str, int], list[int]]


def read_published(path: Path) -> Moments:
    """Frame numbers by (YouTube id, start in ms).

    Raises:
        UserError: the file cannot be read or has another form; the entry at fault is named.
    """
    try:
        value = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"select.moments: {path} cannot be read as JSON ({' '.join(str(error).split())})") from error
    if isinstance(value, list) and value:
        value = value[-1]
    if not isinstance(value, dict) or not value:
        raise UserError(f"select.moments: {path} is no object of clips and their frame numbers")
    found: Moments = {}
    for key, numbers in value.items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise UserError(f"select.moments: {path}: the key {key[:60]!r} is not of the form id_startms_endms")
        whole = isinstance(numbers, list) and all(type(n) is int and 0 <= n < 10**6 for n in numbers)
        if not whole or not numbers:
            raise UserError(f"select.moments: {path}: {key} has no list of frame numbers")
        found[match[1], int(match[2])] = numbers
    return found


def run(*, config: SelectConfig, manifest: Path, tar: Path, output: Path, status: Path) -> None:
    """Write the selection of a shard (schema `SELECTION`, without scores), and a status row for each clip in `tar`.

    A clip that the file does not know, or of whose frames none exists here, is left out where its split is one of
    `config.require_moment`, and has its middle frame chosen elsewhere.

    Raises:
        UserError: the file or the shard is damaged, or the frames were not taken ten times a second.
    """
    assert config.moments is not None
    published = read_published(Path(config.moments))
    origin = {row["clip_id"]: _origin(row) for row in read_parquet(manifest)}
    rows: list[Row] = []
    states: list[Row] = []
    for sample in samples(tar, lambda key, suffixes: [suffix for suffix in suffixes if suffix == "json"]):
        record = clip_record(tar, sample)
        clip_id = record["clip_id"]
        if record["fps"] != FPS:
            raise UserError(f"select.mode published needs extract.fps: {FPS}; {tar} was extracted at {record['fps']}")
        numbers = published.get(origin.get(clip_id, ("", 0)), [])
        frames = [n - config.moments_first for n in numbers]
        top = [frame for frame in frames if 0 <= frame < record["n_frames"]][: config.top_k]
        if top or record["split"] not in config.require_moment:
            states.append(ok_row(clip_id, STAGE))
            rows.append(_row(record, top))
        else:
            what = "the published file has no such clip" if not numbers else "no published frame lies in the clip"
            states.append(failed_row(clip_id, STAGE, ClipError(Reason.NO_MOMENT, what)))
    write_parquet(output, rows, SELECTION)
    write_parquet(status, states, STATUS)


def _row(record: Row, top: list[int]) -> Row:
    mid = record["n_frames"] // 2
    facts = {key: record[key] for key in ("clip_id", "split", "n_frames")}
    return {**facts, "scores": [], "top": top, "mid": mid, "chosen": top[0] if top else mid}


def _origin(row: dict[str, Any]) -> tuple[str, int]:
    """(YouTube id, start in ms) of a manifest row; an id that nothing has where it is not from there."""
    video = json.loads(row["extra"]).get("video_id")
    return (str(video), round(1000 * (row["start_s"] or 0.0))) if video else ("", 0)


__all__ = ["read_published", "run"]
