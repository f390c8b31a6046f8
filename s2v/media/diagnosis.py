"""What a decoder's log says about a file: its streams, how long it should be, why it could not be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from s2v.errors import Reason
from s2v.media.faults import check_reachable, reading_fault
from s2v.media.ffmpeg import Finished
from s2v.media.process import MEMORY_BYTES

_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)(?:, start: (\d+\.\d+))?", re.MULTILINE)
_FORMAT = re.compile(r"^Input #0, ([\w,]+), from ", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:(\d+).*?: (Video|Audio|Subtitle|Data|Attachment): (.*)$", re.MULTILINE)
_OWN_DURATION = re.compile(r"^      DURATION +: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_START = re.compile(r", start (\d+\.\d+)")
_TURNED = re.compile(r"display ?matrix: rotation of -?(?:90|270)\.", re.IGNORECASE)
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
_MAX_ATOMS = 64  # looked at on the way to the index
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
class Stream:
    """What ffmpeg printed about a stream.

    Attributes:
        about: its line.
        is_default: it is marked as the one to play.
        turned: its picture is to be shown turned by a quarter.
        duration_s: by its own tags; None where they do not say.
    """

    about: str
    is_default: bool
    turned: bool
    duration_s: float | None


@dataclass(frozen=True)
class Header:
    """What ffmpeg printed about its input.

    Attributes:
        container: ffmpeg's names of it, with commas between.
        duration_s: of sound and picture, by the file's own word; None if it has none.
        start_s: the latest start of it or a stream; some containers count it into the duration, or even twice.
        pictures: its video streams in order, covers left out.
        sounds: its audio streams in order.
        others: whether there are streams of another kind, which may be longer than sound and picture.
    """

    container: str
    duration_s: float | None
    start_s: float
    pictures: tuple[Stream, ...]
    sounds: tuple[Stream, ...]
    others: bool


def one_line(text: str, limit: int = 300) -> str:
    """`text` as one printable line: controls, line breaks and undecodable bytes become spaces or `?`."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.encode("utf-8", "replace").decode().split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def read_header(log: str) -> Header:
    """Parse the part of ffmpeg's log that describes the input."""
    about_input = re.split(r"^(?:Stream mapping:|Output #)", log, maxsplit=1, flags=re.MULTILINE)[0]
    container, whole = _FORMAT.search(about_input), _DURATION.search(about_input)
    found = list(_STREAM.finditer(about_input))
    ends = [*(match.start() for match in found[1:]), len(about_input)][: len(found)]
    streams: list[tuple[int, str, Stream]] = []
    for match, end in zip(found, ends, strict=True):
        number, kind, about = match.groups()
        more = about_input[match.end() : end]
        own = _OWN_DURATION.search(more)
        stream = Stream(about, "(default)" in about, bool(_TURNED.search(more)), _seconds(own) if own else None)
        if "(attached pic)" not in about:
            streams.append((int(number), kind, stream))
    streams.sort(key=lambda entry: entry[0])  # a transport stream's are printed by programme
    pictures = tuple(stream for _, kind, stream in streams if kind == "Video")
    sounds = tuple(stream for _, kind, stream in streams if kind == "Audio")
    abouts = "\n".join(stream.about for stream in pictures + sounds)
    own_s = [stream.duration_s for stream in pictures + sounds if stream.duration_s is not None]
    return Header(
        container=container[1] if container else "",
        duration_s=max(own_s) if own_s else _seconds(whole) if whole else None,
        start_s=max(float(start) for start in [whole[4] if whole and whole[4] else 0, *_START.findall(abouts)]),
        pictures=pictures,
        sounds=sounds,
        others=any(kind not in ("Video", "Audio") for _, kind, _ in streams),
    )


def pixel_aspect(header: Header) -> float:
    """Width over height of a pixel of its first video stream."""
    # The container's word, printed last, counts more than the codec's.
    found = _PIXEL_ASPECT.findall(header.pictures[0].about) if header.pictures else []
    width, height = (int(part) for part in found[-1]) if found else (1, 1)
    return width / height if width and height else 1.0


def _seconds(clock: re.Match[str]) -> float:
    return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])


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
        if _ends_inside_index(path):
            raise ClipError(Reason.TRUNCATED, "it ends inside its index (moov)")
    except OSError as error:
        raise (reading_fault(path, error) or ClipError(Reason.MISSING, f"cannot be read: {error.strerror}")) from error


def is_cut_off(header: Header, log: str, *, start_s: float, limit_s: float, got_s: float) -> str | None:
    """Why the file looks cut off, when `got_s` seconds of the window were decoded; None if it is whole."""
    # A transport stream promises no length: ffmpeg takes its last time less its first.
    if header.duration_s is None or header.container in ("mpeg", "mpegts"):
        return None
    expected = min(header.duration_s - header.start_s - start_s, limit_s)
    missing = expected - got_s
    evidence = any(sign in log for sign in _CUT_OFF)
    # Subtitles and chapters may go on after the last sound and picture: there the length alone says nothing.
    if (missing > slack_s(expected) and not header.others) or (evidence and missing > _SLACK_WITH_EVIDENCE_S):
        return f"{got_s:.2f} s of {expected:.2f} s could be decoded"
    return None


def excess(header: Header, log: str, *, start_s: float, limit_s: float, got_s: float) -> str | None:
    """What to say when more was decoded than the file says it has; None if that is not so, or it only guesses."""
    if header.duration_s is None or "Estimating duration" in log:
        return None
    expected = min(header.duration_s - start_s, limit_s)
    if got_s - expected > slack_s(expected):
        return f"{got_s:.2f} s were decoded where the file says {expected:.2f} s"
    return None


def slack_s(expected_s: float) -> float:
    """Seconds by which lengths may differ that say the same."""
    return max(_SLACK_S, _SLACK_SHARE * expected_s)


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
    opened = header.duration_s is not None or header.pictures or header.sounds or "Stream mapping" in log
    if "Format not on whitelist" in log:
        return ClipError(Reason.NOT_A_VIDEO, "a playlist or script that names other files; these are not followed")
    if not opened and any(sign in log for sign in _NOT_MEDIA):
        return ClipError(Reason.NOT_A_VIDEO, last)
    if want_video and not header.pictures:
        return ClipError(Reason.NO_VIDEO)
    if want_audio and not header.sounds:
        return ClipError(Reason.NO_AUDIO)
    if any(sign in log for sign in _CUT_OFF):
        return ClipError(Reason.TRUNCATED, last)
    return ClipError(Reason.DECODE_ERROR, last)


def _ends_inside_index(path: Path) -> bool:
    """Whether this is an mp4 whose moov says that it is longer than what is there."""
    end = path.stat().st_size
    with open(path, "rb") as stream:
        at = 0
        for _ in range(_MAX_ATOMS):
            stream.seek(at)
            head = stream.read(16)
            size = int.from_bytes(head[:4], "big")
            if size == 1:  # the size follows in eight bytes
                size = int.from_bytes(head[8:], "big")
            if head[4:8] == b"moov":
                return at + size > end
            if head[4:8] not in _MP4_ATOMS or size < 8:
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
