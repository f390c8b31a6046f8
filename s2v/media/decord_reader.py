"""Frames through decord, as a program of its own: it has crashed beside torch, and a hang here can be killed.

Writes JPEGs to standard output: ``python -m s2v.media.decord_reader --times TIMES.npy --fps 10 -- VIDEO``.
"""

from __future__ import annotations

import argparse
import io
import sys

import numpy as np
from PIL import Image

from s2v.media.frames import MAX_ASPECT
from s2v.media.jpegs import write_jpeg

SAME_S = 0.002  # decord's times are in single precision, a container's may be in ms


def frame_size(width: float, height: int, side: int) -> tuple[int, int]:
    """Even (width, height), the short side at most `side`, never enlarged: twin of ffmpeg's scale filter."""
    shrink = min(1.0, side / min(width, height), MAX_ASPECT * side / max(width, height))
    even = [max(2, 2 * int(length * shrink / 2 + 0.001)) for length in (width, height)]
    return even[0], even[1]


def frame_indices(times_s: np.ndarray, fps: float, limit_s: float) -> list[int]:
    """For each time n / fps, the last frame whose own time rounds to n or less (ffmpeg's `fps` filter).

    Args:
        times_s: [F] presentation times, rising, the window's start at 0.
    """
    if len(times_s) == 0:
        return []
    slots = np.floor(times_s * fps + 0.5).astype(int)
    step = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0 / fps
    count = int(np.floor((times_s[-1] + step) * fps + 0.5))
    count = max(1, min(count, int(np.ceil(limit_s * fps - 1e-6))))
    last = np.searchsorted(slots, np.arange(count), side="right") - 1
    return [int(index) for index in np.clip(last, 0, len(times_s) - 1)]


def main() -> None:
    """Entry point of the program."""
    import decord

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=float, default=0.0)
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--quality", type=int, default=90)
    parser.add_argument("--pixel-aspect", type=float, default=1.0)
    parser.add_argument("--times", required=True, help=".npy of each picture's time in s, rising")
    parser.add_argument("video")
    wanted = parser.parse_args()
    try:
        wanted.video.encode()
        source = wanted.video
    except UnicodeEncodeError:  # decord takes names in UTF-8 only
        source = open(wanted.video, "rb")  # noqa: SIM115
    reader = decord.VideoReader(source, ctx=decord.cpu(0), num_threads=1)
    times = np.load(wanted.times)
    counted = np.asarray(reader.get_frame_timestamp(np.arange(len(reader))))[:, 0]
    if len(counted) != len(times) or np.abs(counted - counted[0] - (times - times[0])).max() > SAME_S:
        sys.exit("decord counts other pictures than the file has")
    times -= wanted.start
    inside = np.flatnonzero((times > -1e-6) & (times < wanted.limit))
    out, shown, size = sys.stdout.buffer, -1, None
    jpeg = io.BytesIO()
    for index in frame_indices(times[inside], wanted.fps, wanted.limit):
        if index != shown:
            image = Image.fromarray(reader[int(inside[index])].asnumpy())
            size = size or frame_size(image.width * wanted.pixel_aspect, image.height, wanted.side)
            jpeg, shown = io.BytesIO(), index
            image.resize(size, Image.Resampling.BOX).save(jpeg, "JPEG", quality=wanted.quality)
        write_jpeg(out, jpeg.getvalue())
    out.flush()


if __name__ == "__main__":
    main()
