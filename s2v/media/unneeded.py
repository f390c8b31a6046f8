"""Frames that need no decoding: no other frame is predicted from them, and at the wanted rate none of them is kept.

Leaving such packets out changes no picture that is kept. They are found without decoding: one pass copies the packets,
their times say which frames the filter `fps` keeps, and two bytes of each say whether others are predicted from them.
H.264 and HEVC alone: a frame of VP9 or AV1 also passes on how the symbols of the next ones are coded.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from s2v.media.faults import check_end
from s2v.media.ffmpeg import command, open_input, run
from s2v.media.process import execute

CODECS = ("h264", "hevc")
LEAST_BYTES = 1_000_000
"""Of a file: a smaller one is decoded as fast as it is looked through."""
WORTH = 0.1
"""Share of the packets under which looking for them costs as much as it saves."""
MOST_LEFT_OUT = 5000
"""Packets that an expression names: longer ones may not fit into an argument."""
MOST_TERMS = 90
"""Of a sum: ffmpeg's expressions have a hundred at most."""
_DISCARD = 4
_TIME_BASE = re.compile(r"^#tb 0: (\d+)/(\d+)$", re.MULTILINE)
_CODEC = re.compile(r"^#codec_id 0: (\w+)$", re.MULTILINE)
_PACKET = re.compile(
    r"^0, *(-?\d+|NOPTS), *(-?\d+|NOPTS), *\d+, *(\d+), 0x[0-9a-f]+(?:, F=0x([0-9A-Fa-f]+))?", re.MULTILINE
)


@dataclass(frozen=True)
class Packet:
    """Of a video stream, in the order of decoding: its time in ticks, None where it has none; whether its frame is
    shown; its bytes."""

    pts: int | None
    shown: bool
    data: bytes


def left_out(path: Path, *, executable: str, fps: float, limit_s: float, picture: int, timeout_s: float) -> str | None:
    """The value of ffmpeg's input option `bsf:v` that leaves out what is not needed of a file.

    Args:
        path: a local file that is read from its start.
        executable: ffmpeg.
        fps: pictures a second that are kept, from time zero on.
        limit_s: seconds that are read.
        picture: number of the video stream.
        timeout_s: for the pass over the packets.

    Returns:
        None where it is not known, or not worth it; the file is then decoded as a whole.
    """
    if path.suffix.lower() == ".webm" or path.stat().st_size < LEAST_BYTES or not _filters_packets(executable):
        return None
    with tempfile.TemporaryDirectory(prefix="s2v-") as folder:
        body = Path(folder) / "packets"
        stream = open_input(start_s=None, limit_s=limit_s)[f"V:{picture}"]
        outputs = [stream.output("pipe:1", format="framecrc", codec="copy"),
                   stream.output(f"file:{body}", format="data", codec="copy")]  # fmt: skip
        arguments = command(outputs, path=path, executable=executable)
        finished, listed = run(
            arguments, timeout_s=timeout_s, consume=lambda pipe: pipe.read().decode("ascii", "replace")
        )
        if finished.returncode or finished.timed_out or not body.exists():
            return None  # what is wrong with it is said when it is decoded
        codec, base = _CODEC.search(listed), _TIME_BASE.search(listed)
        if codec is None or base is None or codec[1] not in CODECS:
            return None
        packets = list(_packets(listed, body.read_bytes()))
    times = unneeded(packets, codec[1], Fraction(int(base[1]), int(base[2])), Fraction(fps).limit_denominator(10**6))
    if len(times) < WORTH * len(packets) or len(times) > MOST_LEFT_OUT:
        return None
    terms = [f"eq(pts,{time})" for time in times]
    sums = ["+".join(terms[i : i + MOST_TERMS]) for i in range(0, len(terms), MOST_TERMS)]
    return ",".join(f"noise=drop='{one}'" for one in sums)


def unneeded(packets: list[Packet], codec: str, base: Fraction, fps: Fraction) -> list[int]:
    """Times of the packets that can be left out, in ticks of `base` seconds; none where anything is in doubt."""
    shown = sorted(packet.pts for packet in packets if packet.shown and packet.pts is not None)
    if len(shown) != sum(packet.shown for packet in packets) or len(set(shown)) != len(shown):
        return []
    layers = _layers(packets) if codec == "hevc" else 0
    if layers is None:
        return []
    spare = {packet.pts for packet in packets if packet.shown and _is_spare(packet.data, codec, layers)}
    # The filter shows a frame from its own time, rounded to that of a picture, until the next one's. The first two and
    # the last two are kept: at the ends it fills.
    rounded = [_nearest(time * base * fps) for time in shown]
    return [
        time
        for i, time in enumerate(shown)
        if 2 <= i < len(shown) - 2 and rounded[i] == rounded[i + 1] and time in spare
    ]


def units(data: bytes) -> list[bytes]:
    """The NAL units of a packet of H.264 or HEVC: each after its length in four bytes (mp4), or after a start code.

    Raises:
        ValueError: it is neither.
    """
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if not size or at + 4 + size > len(data):
            break
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    if at == len(data):
        return found
    if not data.startswith((b"\0\0\1", b"\0\0\0\1")):
        raise ValueError("neither lengths nor start codes")
    return [unit for unit in data.split(b"\0\0\1")[1:] if unit]


def _is_spare(data: bytes, codec: str, top: int) -> bool:
    """Whether no other frame is predicted from this one."""
    try:
        slices = [unit for unit in units(data) if _is_slice(unit, codec)]
    except ValueError:
        return False
    if not slices:
        return False
    if codec == "h264":
        return not any(unit[0] & 0x60 for unit in slices)  # nal_ref_idc
    # A picture of a type that no other of its sub-layer refers to, in the highest sub-layer.
    return all((unit[0] >> 1 & 0x3F) in range(0, 16, 2) and (unit[1] & 7) - 1 == top for unit in slices)


def _is_slice(unit: bytes, codec: str) -> bool:
    if codec == "h264":
        return (unit[0] & 0x1F) in range(1, 6)
    return len(unit) > 1 and (unit[0] >> 1 & 0x3F) < 32


def _layers(packets: list[Packet]) -> int | None:
    """The highest temporal sub-layer of a stream of HEVC; None where its packets cannot be read."""
    try:
        return max((unit[1] & 7) - 1 for packet in packets for unit in units(packet.data) if _is_slice(unit, "hevc"))
    except ValueError:
        return None


def _nearest(value: Fraction) -> int:
    """Rounded as ffmpeg does: halves away from zero."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


def _packets(listed: str, body: bytes) -> Iterator[Packet]:
    at = 0
    for _, pts, size, flags in _PACKET.findall(listed):
        is_shown = not int(flags or "0", 16) & _DISCARD
        yield Packet(None if pts == "NOPTS" else int(pts), is_shown, body[at : at + int(size)])
        at += int(size)


@lru_cache(maxsize=8)
def _filters_packets(executable: str) -> bool:
    """Whether this ffmpeg filters the packets of an input (7.1 and newer do)."""
    tried = [executable, "-v", "error", "-nostdin", "-bsf:v", "noise=drop='eq(pts,1)'", "-f", "lavfi"]
    tried += ["-i", "color=size=16x16:duration=0.1", "-f", "null", "-"]
    finished, _ = execute(tried, timeout_s=60.0)
    return check_end(finished, tried).returncode == 0


__all__ = ["CODECS", "Packet", "left_out", "units", "unneeded"]
