"""What is out of the ordinary about a picture's file, and what `s2v.media.picture` makes of it, in words."""

from __future__ import annotations

import io

from PIL import Image

from s2v.media.picture_file import plain

GREY = "grey, so its level is that of all three colours"
ALPHA = "transparent, and laid over black"
DEEP = "of 16 bits, of which the upper 8 are taken"
PALETTE = "of a palette, and taken as colours"
MOVING = "animated, of which the first frame is taken"
PRINTED = "of printing colours (CMYK), and taken as RGB"


def oddities(data: bytes) -> list[str]:
    """Of the bytes of a picture that `s2v.media.picture.decode_image` could decode."""
    image = Image.open(io.BytesIO(plain(data)), formats=("JPEG", "PNG", "WEBP"))
    deep = image.format == "PNG" and data[24:25] == b"\x10" or image.mode.startswith("I")
    moving = image.format == "PNG" and b"acTL" in data[:4096] or getattr(image, "n_frames", 1) > 1
    found = {
        GREY: image.mode in ("1", "L", "LA") or image.mode.startswith("I"),
        ALPHA: image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] != 255,
        DEEP: deep,
        PALETTE: image.mode in ("P", "PA"),
        MOVING: moving,
        PRINTED: image.mode == "CMYK",
    }
    return [what for what, so in found.items() if so]


__all__ = ["ALPHA", "DEEP", "GREY", "MOVING", "PALETTE", "PRINTED", "oddities"]
