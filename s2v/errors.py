"""The errors that a user can act on, and the closed list of reasons why a clip is left out."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
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


class MachineError(UserError):
    """The machine failed, not what it was given: a full disk, no memory, a killed program. A plain rerun goes on."""


AGAIN = "run again; what is finished is kept"

_ADVICE = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room, or ask for a larger quota",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EROFS: "mount it writable",
    errno.EACCES: "give this user the right to it",
    errno.EPERM: "give this user the right to it",
    errno.ENOMEM: "allow it more memory, or let less run at once",
    errno.EAGAIN: "allow it more memory and processes, or let less run at once",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "allow more open files",
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.ENXIO), "see to its disk"),
}
_NUMBER = re.compile(r"\[Errno (\d+)\]|\(os error (\d+)\)")


def machine_fault(error: BaseException) -> MachineError | None:
    """What the machine did, as one line, where `error` is its doing; else None.

    Errors of the operating system have a number; libraries in other languages write it into their text.
    """
    if isinstance(error, UserError):
        return error if isinstance(error, MachineError) else None
    number, place = getattr(error, "errno", None), getattr(error, "filename", None)
    if isinstance(error, MemoryError) or isinstance(error, ImportError) and "failed to map" in str(error):
        number = errno.ENOMEM
    elif str(error) == "can't start new thread":
        number = errno.EAGAIN
    elif isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error.strerror):
        return MachineError(f"{error.strerror}; make room in one of them, or set TMPDIR, and {AGAIN}")
    elif not isinstance(error, OSError):
        found = _NUMBER.search(str(error))
        number = int(found[1] or found[2]) if found else None
    if number not in _ADVICE:
        return None
    line = f"{'this job' if place is None else place}: {os.strerror(number).lower()}"
    return MachineError(f"{' '.join(line.split())}; {_ADVICE[number]}, and {AGAIN}")


@contextmanager
def machine_faults() -> Iterator[None]:
    """Turn what the machine does to the block (as a decorator: to the function) into a `MachineError`."""
    try:
        yield
    except Exception as error:
        fault = machine_fault(error)
        if fault is None or fault is error:
            raise
        raise fault from error


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
    NO_FACE = "no_face", "The list's box of the face has no area, and `extract.crop` is face."
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
