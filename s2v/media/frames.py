"""What a decoder is asked for and gives: pictures at a steady rate, as JPEG from the decoder on."""

from __future__ import annotations

import io
import math
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from s2v.media.jpegs import quantisation
from s2v.media.reading import Reading

Frames = npt.NDArray[np.uint8]
MAX_ASPECT = 4
THUMBNAIL_PX = 32


@dataclass(frozen=True)
class PictureForm:
    """The form that pictures are wanted in.

    Attributes:
        fps: pictures a second.
        side: upper bound of the short side (and, times `MAX_ASPECT`, of the long one).
        quality: of the JPEGs, as libjpeg counts.
        fast: frames that no other frame needs are not decoded.
        crop: the middle square of this box is kept of a picture, shares of its height and width: top, bottom, left,
            right; None: all.
    """

    fps: float
    side: int
    quality: int
    fast: bool = False
    crop: tuple[float, float, float, float] | None = None

    def count(self, seconds: float) -> int:
        """Most pictures that `seconds` can give."""
        return math.ceil(seconds * self.fps - 1e-6)


@dataclass(frozen=True)
class Pictures:
    """Pictures of one clip: T JPEGs of one size, whose width and height are even."""

    jpegs: list[bytes]

    def __len__(self) -> int:
        """T."""
        return len(self.jpegs)

    def thumbnail(self, index: int) -> Frames:
        """uint8 [32, 32, 3], squeezed: enough to see what is black, still or alike, at a fraction of the cost."""
        with Image.open(io.BytesIO(self.jpegs[index])) as image:
            image.draft("RGB", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
            small = image.convert("RGB").resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
            return np.asarray(small)

    def pixels(self) -> Frames:
        """uint8 [T, H, W, 3]."""
        return np.stack([np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")) for jpeg in self.jpegs])


@dataclass(frozen=True)
class Slots:
    """A folder for pictures that change their form: each is fitted into `size` and lies under the number of its time.

    A change of form sets all filters up anew, and filling from the start would begin once more; so they do not fill.
    """

    folder: Path
    size: tuple[int, int]

    def jpegs(self, form: PictureForm, most: int) -> list[bytes]:
        """At most `most` pictures: each time's own or the one before it, before the first one that one."""
        there = sorted(int(path.stem) for path in self.folder.glob("*.png"))
        count = min(most, there[-1] + 1) if there else 0
        own = []
        for t in there:
            jpeg = io.BytesIO()
            Image.open(self.folder / f"{t}.png").convert("RGB").save(jpeg, "JPEG", quality=form.quality)
            own.append(jpeg.getvalue())
        return [own[max(0, bisect_right(there, t) - 1)] for t in range(count)]


def picture_output(
    source: Any,
    form: PictureForm,
    *,
    reading: Reading,
    slots: Slots | None,
    n_pictures: int,
    **bound: Any,
) -> Any:
    """Output of an ffmpeg-python input: JPEGs to standard output, or into `slots`."""
    shrink = f"min(1,min({form.side}/min(iw*sar,ih),{MAX_ASPECT * form.side}/max(iw*sar,ih)))"
    width, height = (f"max(2,2*floor({length}*{shrink}/2+0.001))" for length in ("iw*sar", "ih"))
    # Pixels stay YCbCr from the decoder to the JPEG, with the range and the matrix that JPEG has. The mean over the
    # area costs half of what bicubic does. Another matrix (BT.709, as most video in HD has) is changed for JPEG's on
    # the small picture, which costs a third of doing it on the way there.
    small = f"scale=w='{width}':h='{height}':out_range=full:flags=area+accurate_rnd+bitexact,format=yuvj420p"
    matrix = "scale=out_color_matrix=bt601:flags=neighbor+bitexact,format=yuvj420p"
    if reading.hdr:
        small, matrix = f"scale=w='{width}':h='{height}':flags=area+accurate_rnd+bitexact", _tone_mapped(reading.hdr)
    filters = f"fps={form.fps}:start_time=0,{_cropped(form)}{small},{matrix},setsar=1"
    quality = _quality(form.quality)
    stream = source[f"V:{reading.picture}"]
    if slots is None:
        return stream.output("pipe:1", format="mpjpeg", vcodec="mjpeg", vf=filters, **quality, **bound)
    filters = filters.replace(":start_time=0", "") + f",{_fitted(*slots.size)}"
    target = f"{str(slots.folder).replace('%', '%%')}/%d.png"
    # PNG, since ffmpeg's JPEG encoder gives up where a part begins before the one before it ends.
    named = {"format": "image2", "vcodec": "png", "frame_pts": 1, "fps_mode": "passthrough"}
    return stream.output(f"file:{target}", vf=filters, **named, **bound)


def _cropped(form: PictureForm) -> str:
    if form.crop is None:
        return ""
    top, bottom, left, right = form.crop
    # At least two pixels each way, however small a box is.
    side = f"max(2,min(iw*{right - left!r},ih*{bottom - top!r}))"
    x, y = f"iw*{(left + right) / 2!r}-ow/2", f"ih*{(top + bottom) / 2!r}-oh/2"
    return f"crop=w='{side}':h='{side}':x='{x}':y='{y}',"


def _tone_mapped(transfer: str) -> str:
    """Filters from HDR to JPEG's YCbCr. White of 203 cd/m2 (ITU-R BT.2408) becomes white; what is brighter is cut."""
    linear = f"zscale=tin={transfer}:min=2020_ncl:pin=2020:t=linear:npl=203,format=gbrpf32le,zscale=p=709"
    return f"{linear},tonemap=clip:desat=0,zscale=t=709:m=170m:r=full,format=yuvj420p"


def _fitted(width: int, height: int) -> str:
    """Filters that put any picture into one of a size, its shape kept, black around it."""
    return f"scale={width}:{height}:force_original_aspect_ratio=decrease:flags=area,pad={width}:{height}:-1:-1"


def _quality(quality: int) -> dict[str, Any]:
    """ffmpeg's options for the quantisation tables of libjpeg's `quality`: its own scale means other tables."""
    luma, chroma = (",".join(map(str, table)) for table in quantisation(quality))
    # 8 is where ffmpeg takes the tables as they are. The usual Huffman tables cost a fifth less time and 3 % more room.
    return {
        "q:v": 8,
        "intra_matrix": luma,
        "chroma_intra_matrix": chroma,
        "huffman": "default",
        "flags": "+bitexact",
    }
