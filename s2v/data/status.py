"""Status rows: every clip that enters a stage leaves one, with a reason where it was left out."""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa

from s2v.errors import Reason
from s2v.media.diagnosis import ClipError

STATUS = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),  # ok | failed
        pa.field("reason", pa.string()),  # a Reason, null where ok
        pa.field("detail", pa.string()),  # why it failed, or what is odd about it, in a line; else null
        pa.field("seconds", pa.float64(), nullable=False),
    ]
)

# A row of stage fetch says where the video is, and at which second of the source (to which the manifest's start_s and
# end_s refer) it begins. Text can't hold a path that is not UTF-8: `path_bytes` does.
FETCHED = pa.schema(
    [
        *STATUS,
        pa.field("path", pa.string()),
        pa.field("path_bytes", pa.binary()),
        pa.field("offset_s", pa.float64(), nullable=False),
    ]
)

FETCHED_STAGE = "fetch"

# A row of stage extract has the hashes of three frames (s2v.media.phash), null where the clip failed.
EXTRACTED = pa.schema([*STATUS, pa.field("phash", pa.binary())])

Row = dict[str, Any]


def ok_row(clip_id: str, stage: str, seconds: float = 0.0) -> Row:
    """The row of a clip that went through `stage`."""
    return {
        "clip_id": clip_id,
        "stage": stage,
        "status": "ok",
        "reason": None,
        "detail": None,
        "seconds": seconds,
    }


def failed_row(clip_id: str, stage: str, error: ClipError, seconds: float = 0.0) -> Row:
    """The row of a clip that `stage` left out because of `error`."""
    lost = {"status": "failed", "reason": str(error.reason), "detail": error.detail}
    return {**ok_row(clip_id, stage, seconds), **lost}


def upstream_row(clip_id: str, stage: str, earlier: Row) -> Row:
    """The row in `stage` of a clip that an `earlier` stage's row had already left out."""
    return failed_row(clip_id, stage, ClipError(Reason.UPSTREAM, f"{earlier['stage']}: {earlier['reason']}"))


def with_path(row: Row, path: str | None, offset_s: float = 0.0) -> Row:
    """A status row of stage fetch, with the path of the video that it found or made.

    Args:
        row: the status row.
        path: the video; None where there is none.
        offset_s: second of the source at which the file begins; above 0 where it is a section of it.
    """
    if path is None:
        return {**row, "path": None, "path_bytes": None, "offset_s": 0.0}
    text = path.encode("utf-8", "backslashreplace").decode()
    return {**row, "path": text, "path_bytes": None if text == path else os.fsencode(path), "offset_s": offset_s}


def path_of(row: Row) -> str:
    """The path in a row of stage fetch."""
    return os.fsdecode(row["path_bytes"]) if row["path_bytes"] is not None else str(row["path"])


__all__ = [
    "EXTRACTED",
    "FETCHED",
    "FETCHED_STAGE",
    "STATUS",
    "ClipError",
    "Row",
    "failed_row",
    "ok_row",
    "path_of",
    "upstream_row",
    "with_path",
]
