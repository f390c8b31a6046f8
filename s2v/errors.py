"""The error that a user can act on, and the closed list of reasons why a clip is left out."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

_USER = re.compile(r"(?<=://)[^/\s]*@|^[^\s/@:]+:[^\s/@]+@(?=[^\s/@]+$)")


def without_passwords(value: Any) -> Any:
    """Plain values in which addresses (of proxies, of tars) name no user and no password."""
    if isinstance(value, dict):
        return {key: without_passwords(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_passwords(inner) for inner in value]
    return _USER.sub("***@", value) if isinstance(value, str) else value


class UserError(Exception):
    """A mistake in what the user gave. Its one-line message says what, where and what to do; no traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(without_passwords(message))


class Reason(StrEnum):
    """Why a clip was left out of a stage. Each member carries one line of help for the coverage report."""

    help: str

    def __new__(cls, value: str, help_text: str) -> Reason:
        member = str.__new__(cls, value)
        member._value_ = value
        member.help = help_text
        return member

    MISSING = "missing", "The file named in the manifest does not exist."
    EMPTY = "empty", "The file has zero bytes."
    NOT_A_VIDEO = "not_a_video", "The file cannot be opened as a video: it is of another kind, or damaged at its start."
    TRUNCATED = "truncated", "The file ends before its own header says it should; it was cut off."
    NO_VIDEO = "no_video", "The file has no video stream."
    NO_AUDIO = "no_audio", "The file has no audio stream, and this split needs sound."
    TOO_SHORT = "too_short", "The clip is shorter than `extract.min_duration_s`."
    SILENT = "silent", "The sound never rises above `extract.silence_dbfs`."
    BLACK = "black", "No frame is brighter than `extract.black_level`."
    STILL = "still", "The picture hardly changes: less than `extract.still_difference`."
    NO_MOMENT = "no_moment", "The file of published moments names no frame of the clip."
    DUPLICATE = "duplicate", "It shows the same as a clip of the test split; only the latter is kept."
    PRIVATE = "private", "The video is private."
    REMOVED = "removed", "The video, or its channel, was removed or does not exist."
    GEO_BLOCKED = "geo_blocked", "The video is not to be had in this country; a proxy may help."
    AGE_GATED = "age_gated", "The video asks for a sign-in that proves an age; `runtime.download.cookies` may help."
    MEMBERS_ONLY = "members_only", "The video is for paying members of its channel."
    NO_FORMAT = "no_format", "The video has no format that `data.videos` allows."
    BLOCKED = "blocked", "The site refused this machine (a bot check, or too many requests); run again later."
    NETWORK = "network", "The download failed for a passing reason, also after all retries; run again."
    TIMEOUT = "timeout", "Decoding took longer than `extract.timeout_s`."
    DECODE_ERROR = "decode_error", "The decoder gave up inside the file."
    RENDER_ERROR = "render_error", "The embedded world could not render the clip."
    UPSTREAM = "upstream", "An earlier stage already left this clip out."
