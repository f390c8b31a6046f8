"""What a decoder's log says about a file: its streams, how long it should be, why it could not be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from s2v.errors import Reason
from s2v.media.faults import check_reachable, reading_fault
from s2v.media.ffmpeg import Finished
from s2v.media.process import MEMORY_BYTES

_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:\d+.*?: (Video|Audio): (.*)$", re.MULTILINE)
_PIXEL_ASPECT = re.compile(r"\bSAR (\d+):(\d+)")
_CUT_OFF = (
    "partial file",
    "File ended prematurely",
    "moov atom not found",
    "Truncat",
    "truncat",
    "corrupt input packet",
)
_NOT_MEDIA = ("Error opening input", "Invalid data found when processing input")
_MP4_ATOMS = (
    b"ftyp",
    b"moov",
    b"mdat",
    b"free",
    b"skip",
    b"wide",
    b"pnot",
    b"uuid",
    b"styp",
    b"sidx",
    b"moof",
)
_NOISE = re.compile(r"^\[[^\]]*\] ?|@ 0x[0-9a-f]+")
_TOO_MUCH = f"it asks for more than the {MEMORY_BYTES / 2**30:g} GiB of memory that a decoder gets"
# A header may be a little longer than what can be decoded (encoder delay, a longer subtitle track).
_SLACK_S, _SLACK_SHARE, _SLACK_WITH_EVIDENCE_S = 1.0, 0.1, 0.25


class ClipError(Exception):
    """A clip can't be used. `reason` is one of the closed list; `detail` is one line for people.

    Attributes:
        reason: why, as counted in the coverage report.
        detail: one line without control characters.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = one_line(detail) or reason.help
        super().__init__(f"{reason}: {self.detail}")


@dataclass(frozen=True)
class Header:
    """What ffmpeg printed about its input.

    Attributes:
        duration_s: by the container's own word; None if it has none.
        has_video: there is a video stream (a cover picture is none).
        has_audio: there is an audio stream.
        pixel_aspect: width of a pixel over its height.
    """

    duration_s: float | None
    has_video: bool
    has_audio: bool
    pixel_aspect: float = 1.0


def one_line(text: str, limit: int = 300) -> str:
    """`text` as one printable line: controls, line breaks and undecodable bytes become spaces or `?`."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.encode("utf-8", "replace").decode().split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def read_header(log: str) -> Header:
    """Parse the part of ffmpeg's log that describes the input."""
    about_input = re.split(r"^(?:Stream mapping:|Output #)", log, maxsplit=1, flags=re.MULTILINE)[0]
    found = _DURATION.search(about_input)
    duration = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else None
    streams = _STREAM.findall(about_input)
    # The container's word, printed last, counts more than the codec's.
    aspects = [_PIXEL_ASPECT.findall(rest) for kind, rest in streams if kind == "Video"]
    width, height = (int(part) for part in aspects[0][-1]) if aspects and aspects[0] else (1, 1)
    return Header(
        duration_s=duration,
        pixel_aspect=width / height if width and height else 1.0,
        has_video=any(kind == "Video" and "(attached pic)" not in rest for kind, rest in streams),
        has_audio=any(kind == "Audio" for kind, _ in streams),
    )


def check_file(path: Path) -> None:
    """Refuse what no decoder needs to see: a missing or empty file, a folder, a pipe or a device.

    Raises:
        ClipError: with reason missing, empty or not_a_video.
    """
    check_reachable(path)
    try:
        if not path.is_file():
            raise (ClipError(Reason.NOT_A_VIDEO, "not a regular file") if path.exists() else ClipError(Reason.MISSING))
        with open(path, "rb") as stream:
            start = stream.read(12)
        if not start:
            raise ClipError(Reason.EMPTY)
        # An AVI says in its first bytes how long it is; no decoder complains when the rest is missing.
        promised, held = int.from_bytes(start[4:8], "little") + 8, path.stat().st_size
        if start[:4] == b"RIFF" and start[8:] == b"AVI " and held < 0.95 * promised < 0.95 * 2**32:
            raise ClipError(Reason.TRUNCATED, f"{held} of {promised} bytes are there")
    except OSError as error:
        raise (reading_fault(path, error) or ClipError(Reason.MISSING, f"cannot be read: {error.strerror}")) from error


def is_cut_off(header: Header, log: str, *, start_s: float, limit_s: float, got_s: float) -> str | None:
    """Why the file looks cut off, when `got_s` seconds of the window were decoded; None if it is whole."""
    if header.duration_s is None:
        return None
    expected = min(header.duration_s - start_s, limit_s)
    missing = expected - got_s
    evidence = any(sign in log for sign in _CUT_OFF)
    if missing > max(_SLACK_S, _SLACK_SHARE * expected) or (evidence and missing > _SLACK_WITH_EVIDENCE_S):
        return f"{got_s:.2f} s of {expected:.2f} s could be decoded"
    return None


def explain_failure(
    finished: Finished, path: Path, *, timeout_s: float, want_video: bool, want_audio: bool
) -> ClipError | None:
    """The error that a finished decoder's exit status and log amount to; None if it ended well."""
    log, last = finished.log, _TOO_MUCH if finished.asks_too_much else _last_line(finished.log)
    if finished.timed_out:
        return ClipError(Reason.TIMEOUT, f"stopped after {timeout_s:g} s")
    if finished.returncode == 0:
        return None
    if "Input #" not in log and not any(sign in log for sign in (*_CUT_OFF, *_NOT_MEDIA, "not on whitelist")):
        return ClipError(Reason.DECODE_ERROR, last)  # it did not come so far as to say what the file holds
    header = read_header(log)
    if "moov atom not found" in log:
        if not _starts_like_mp4(path):  # ffmpeg takes a text named .mp4 for an mp4 by its suffix
            return ClipError(Reason.NOT_A_VIDEO, "named like a video, but it holds something else")
        return ClipError(Reason.TRUNCATED, "the index at the end of the file (moov) is missing")
    opened = header.duration_s is not None or header.has_video or header.has_audio or "Stream mapping" in log
    if "Format not on whitelist" in log:
        return ClipError(Reason.NOT_A_VIDEO, "a playlist or script that names other files; these are not followed")
    if not opened and _ends_inside_index(path):
        return ClipError(Reason.TRUNCATED, "it ends inside its index (moov)")
    if not opened and any(sign in log for sign in _NOT_MEDIA):
        return ClipError(Reason.NOT_A_VIDEO, last)
    if want_video and not header.has_video:
        return ClipError(Reason.NO_VIDEO)
    if want_audio and not header.has_audio:
        return ClipError(Reason.NO_AUDIO)
    if any(sign in log for sign in _CUT_OFF):
        return ClipError(Reason.TRUNCATED, last)
    return ClipError(Reason.DECODE_ERROR, last)


def _ends_inside_index(path: Path) -> bool:
    """Whether this is an mp4 whose moov says that it is longer than what is there."""
    end = path.stat().st_size
    with open(path, "rb") as stream:
        at = 0
        for _ in range(len(_MP4_ATOMS)):
            stream.seek(at)
            head = stream.read(8)
            size = int.from_bytes(head[:4], "big")
            if head[4:] == b"moov":
                return at + size > end
            if head[4:] not in _MP4_ATOMS or size < 8:
                return False
            at += size
    return False


def _starts_like_mp4(path: Path) -> bool:
    with open(path, "rb") as stream:
        return stream.read(8)[4:] in _MP4_ATOMS


def _last_line(log: str) -> str:
    """The most telling line: the first complaint of the demuxer or decoder, without addresses and paths."""
    lines = [_NOISE.sub("", line).strip() for line in log.splitlines()]
    lines = [line for line in lines if line and "file:" not in line]
    for line in lines:
        if re.search(r"invalid|error|not found|could not|unsupported|unknown|no such|whitelist", line, re.IGNORECASE):
            return line
    return lines[-1] if lines else "the decoder stopped without a message"
