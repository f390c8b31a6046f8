"""A stream of JPEG pictures, each with its length in front (multipart, ffmpeg's `mpjpeg`), and what quality means."""

from __future__ import annotations

import functools
import io
from typing import IO

from PIL import Image


def read_jpeg_stream(stream: IO[bytes], max_pictures: int) -> list[bytes]:
    """Read pictures until the stream ends; those after `max_pictures`, and a last one that is cut off, are dropped."""
    pictures: list[bytes] = []
    while line := stream.readline(256):
        name, _, value = line.partition(b":")
        if name.lower() != b"content-length":
            continue
        stream.readline(256)  # the empty line that ends a header
        length = int(value)
        picture = stream.read(length)
        if len(picture) == length and len(pictures) < max_pictures:
            pictures.append(picture)
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
