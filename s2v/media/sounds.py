"""A sound of any file for people's own uses: what is wrong with it is said in words that name what it is."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

from s2v.errors import Reason, UserError
from s2v.media import SAMPLE_RATE_HZ
from s2v.media.decode import hear
from s2v.media.diagnosis import ClipError
from s2v.media.passes import Wanted
from s2v.media.spectrogram import to_float

TIMEOUT_S = 120.0

_SIGNS = {
    b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive", b"7z\xbc\xaf": "a 7z archive", b"%PDF": "a PDF",
    b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture", b"<!doctype html": "an HTML page",
    b"<html": "an HTML page", b"<?xml": "an XML file", b"#!": "a script", b"\x7fELF": "a program", b"MZ": "a program",
}  # fmt: skip


def read_sound(path: str | Path, *, ffmpeg: str, limit_s: float, start_s: float = 0.0) -> Tensor:
    """`limit_s` seconds of a file's sound from `start_s` on: float [N] at 16 kHz in [-1, 1], at the level that it has.

    What is odd about the file is said on standard error.

    Raises:
        UserError: there is no such file, it holds something else, or no sound that can be read.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    try:
        wanted = Wanted(path, ffmpeg, SAMPLE_RATE_HZ, start_s or None, limit_s, TIMEOUT_S, form=None, sound=True)
        wave, notes = hear(wanted)
    except ClipError as error:
        what = _kind(path)
        if what:
            raise UserError(f"{path}: {what}, not a sound") from error
        if error.reason in (Reason.NOT_A_VIDEO, Reason.MISSING):
            raise UserError(f"{path}: not readable as a sound ({error.detail})") from error
        raise UserError(f"{path}: {error.detail}") from error
    for note in notes:
        print(f"{path}: {note}", file=sys.stderr)
    return to_float(torch.from_numpy(wave.copy()))


def _kind(path: Path) -> str | None:
    with open(path, "rb") as stream:
        start = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((name for sign, name in _SIGNS.items() if start[: len(sign)].lower() == sign.lower()), None)


__all__ = ["read_sound"]
