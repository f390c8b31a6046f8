"""A stream of binary PPM pictures: self-describing frames, so nobody must know a video's size beforehand."""

from __future__ import annotations

from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image

Frames = npt.NDArray[np.uint8]


def read_ppm_stream(stream: IO[bytes], max_frames: int) -> Frames:
    """Read pictures until the stream ends.

    Args:
        stream: binary PPM (P6, 255) pictures, one after the other.
        max_frames: pictures after this many are read and dropped.

    Returns:
        uint8 [T, H, W, 3]; [0, 0, 0, 3] for an empty stream. Should the size change within the stream, later
        pictures are resized to the first one's. A last picture that is cut off is dropped.
    """
    frames: Frames = np.empty((0, 0, 0, 3), np.uint8)
    count = 0
    while (size := _read_header(stream)) is not None:
        width, height = size
        if count == 0:
            # Untouched pages take no memory, so room for the longest clip costs only what is filled.
            frames = np.empty((max_frames, height, width, 3), np.uint8)
        if count < max_frames and frames.shape[1:3] == (height, width):
            if not _read_into(stream, frames[count]):
                break
        else:
            picture = np.empty((height, width, 3), np.uint8)
            if not _read_into(stream, picture):
                break
            if count < max_frames:
                like_first = (frames.shape[2], frames.shape[1])
                frames[count] = np.asarray(Image.fromarray(picture).resize(like_first, Image.Resampling.BICUBIC))
        count += 1
    return frames[: min(count, max_frames)]


def write_ppm(stream: IO[bytes], picture: Frames) -> None:
    """Write one uint8 [H, W, 3] picture to a stream that `read_ppm_stream` reads."""
    height, width, _ = picture.shape
    stream.write(b"P6\n%d %d\n255\n" % (width, height))
    stream.write(np.ascontiguousarray(picture).tobytes())


def _read_header(stream: IO[bytes]) -> tuple[int, int] | None:
    """Width and height of the next picture, or None at the end of the stream."""
    if stream.readline(8) != b"P6\n":
        return None
    size = stream.readline(32).split()
    if len(size) != 2 or stream.readline(8) != b"255\n":
        return None
    return int(size[0]), int(size[1])


def _read_into(stream: IO[bytes], picture: Frames) -> bool:
    view = picture.reshape(-1).data
    return bool(stream.readinto(view) == len(view))  # type: ignore[attr-defined]
