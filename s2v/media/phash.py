"""Perceptual hashes of frames (DCT of 32 x 32 grey, the signs of its lowest 64 terms): alike pictures, alike bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from s2v.media.frames import Pictures

_SIDE, _KEPT = 32, 8
_PLAIN = 2.0  # grey levels of spread below which a frame is one colour, and its hash would be noise's
_K = np.arange(_SIDE)
_DCT = np.cos(np.pi * (_K[None, :] + 0.5) * _K[:, None] / _SIDE)[:_KEPT]


def frame_hash(frame: NDArray[np.uint8]) -> int:
    """64 bits of a frame uint8 [H, W, 3]; 0 for one of a single colour, which is like no other."""
    grey = np.asarray(Image.fromarray(frame).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64)
    if grey.std() < _PLAIN:
        return 0
    terms = (_DCT @ grey @ _DCT.T).ravel()
    bits = terms > np.median(terms[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big") or 1


def clip_hash(pictures: Pictures) -> bytes:
    """Hashes of the pictures at a quarter, half and three quarters of a clip: 24 bytes, big-endian."""
    at = (len(pictures) * part // 4 for part in (1, 2, 3))
    return b"".join(frame_hash(pictures.thumbnail(index)).to_bytes(8, "big") for index in at)


__all__ = ["clip_hash", "frame_hash"]
