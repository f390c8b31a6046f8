"""A stream of JPEG pictures, each with its length in front (multipart, ffmpeg's `mpjpeg`), and what quality means."""

from __future__ import annotations

import functools
import io
import re
from typing import IO

from PIL import Image

_HEADER = re.compile(rb"content-length: *(\d{1,9})\r?\n\r?\n", re.IGNORECASE)


def read_jpeg_stream(stream: IO[bytes], max_pictures: int) -> list[bytes]:
    """Read pictures until the stream ends; those after `max_pictures`, and a last one that is cut off, are dropped."""
    data = stream.read()
    pictures: list[bytes] = []
    at = 0
    while len(pictures) < max_pictures and (header := _HEADER.search(data, at)):
        at = header.end() + int(header[1])
        if at > len(data):
            break
        pictures.append(data[header.end() : at])
    return pictures


def write_jpeg(stream: IO[bytes], picture: bytes) -> None:
    """Write one picture to a stream that `read_jpeg_stream` reads."""
    stream.write(b"--s2v\r\nContent-type: image/jpeg\r\nContent-length: %d\r\n\r\n%b\r\n" % (len(picture), picture))


@functools.cache
def quantisation(quality: int) -> tuple[list[int], list[int]]:
    """Steps for luma and chroma, 64 each in rows, that libjpeg takes at a quality of 1 to 100."""
    picture = io.BytesIO()
    Image.new("RGB", (16, 16)).save(picture, "JPEG", quality=quality)
    tables: dict[int, list[int]] = Image.open(picture).quantization  # type: ignore[attr-defined]
    return list(tables[0]), list(tables[1])
