"""What a picture's file claims, looked at before any decoder allocates it or follows it.

Pillow reads a JPEG's EXIF where it opens it, and 2 MB of that can point at 10 GB of tags; libwebp allocates the canvas
that an animation names. So only what decides the pixels reaches them, and no more of it than a picture needs.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import islice

from s2v.errors import UserError

MAX_PIXELS = 50_000_000
MAX_SIDE = 32_768
MAX_ASPECT = 64  # panoramas of 1:50 pass
MAX_BYTES = 256 * 2**20
MAX_PARTS = 65_536  # chunks of a PNG or WebP, segments of a JPEG: each costs time and memory, however small it is
MAX_SCANS = 64  # each goes over all pixels of a JPEG; usual progressive ones have ten

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KINDS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_JPEG = b"\xff\xd8"
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_SOS = 0xDA
# APP0 (JFIF) and APP14 (Adobe) say what the channels are; other APPn and comments say nothing of pixels.
_DROPPED = {*range(0xE1, 0xF0), 0xFE} - {0xEE}
_BARE = {0x01, *range(0xD0, 0xD9)}  # markers without content
_SCAN_HEADS = [b"\xff\xda\x00" + bytes([6 + 2 * channels, channels]) for channels in (1, 2, 3, 4)]


def plain(data: bytes) -> bytes:
    """A JPEG's, PNG's or WebP's bytes without text, EXIF, colour profiles and other notes; other bytes as they are.

    Raises:
        UserError: the file is larger, or has more parts or scans, or a WebP a larger canvas, than a picture may have.
    """
    if len(data) > MAX_BYTES:
        raise UserError(f"picture of {len(data)} bytes is above the limit of {MAX_BYTES}")
    if data.startswith(_PNG):
        return _PNG + b"".join(_counted(_png_chunks(data)))
    if data.startswith(_JPEG):
        scans = sum(data.count(head) for head in _SCAN_HEADS)
        if scans > MAX_SCANS:
            raise UserError(f"JPEG of {scans} scans is above the limit of {MAX_SCANS}")
        return _JPEG + b"".join(_counted(_jpeg_segments(data)))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        check_size(*_webp_size(data))
        deque(_counted(_webp_chunks(data)), maxlen=0)
    return data


def check_size(width: int, height: int) -> None:
    """Say what of a picture's size is more than may be.

    Raises:
        UserError: there are too many pixels, a side is too long, or one side is too many times the other.
    """
    what = f"picture of {width}x{height} pixels is above the limit of"
    if width * height > MAX_PIXELS:
        raise UserError(f"{what} {MAX_PIXELS} pixels")
    if max(width, height) > MAX_SIDE:
        raise UserError(f"{what} {MAX_SIDE} pixels a side")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UserError(f"{what} {MAX_ASPECT} for the longer side by the shorter")


def _counted(parts: Iterator[bytes]) -> Iterator[bytes]:
    yield from islice(parts, MAX_PARTS)
    if next(parts, None) is not None:
        raise UserError(f"picture file of more than {MAX_PARTS} parts")


def _png_chunks(data: bytes) -> Iterator[bytes]:
    """Each chunk, with its length and checksum; b"" for one that is left out."""
    at = len(_PNG)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        yield data[at:end] if kind in _PNG_KINDS else b""
        at = len(data) if kind == b"IEND" else end


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    """Each segment up to the first scan; b"" for one that is left out; then all the rest."""
    at = len(_JPEG)
    while found := _JPEG_MARKER.search(data, at):
        kind, at = found[1][0], found.end()
        if kind == _SOS:
            yield data[at - 2 :]
            return
        if kind not in _BARE:
            begin, at = at, at + int.from_bytes(data[at : at + 2])
            yield b"" if kind in _DROPPED else bytes([0xFF, kind]) + data[begin:at]


def _webp_chunks(data: bytes) -> Iterator[bytes]:
    """The head of each chunk."""
    at = 12
    while at < len(data):
        yield data[at : at + 8]
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2


def _webp_size(data: bytes) -> tuple[int, int]:
    """(width, height) of the canvas, or of the one frame of a file that names no canvas."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + bits % 2**14, 1 + (bits >> 14) % 2**14
    return int.from_bytes(body[6:8], "little") % 2**14, int.from_bytes(body[8:10], "little") % 2**14


__all__ = ["MAX_ASPECT", "MAX_BYTES", "MAX_PARTS", "MAX_PIXELS", "MAX_SCANS", "MAX_SIDE", "check_size", "plain"]
