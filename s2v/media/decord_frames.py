"""Frames through decord, where they can be placed in time.

decord counts frames from the first one that it finds: it says neither when a stream begins nor which frames an edit
list hides, and its way to a frame ends elsewhere in some containers. So ffmpeg lists the pictures' times (nothing is
decoded for that), and decord reads the files in which it counts the same pictures; ffmpeg reads the others.
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from s2v.errors import Reason
from s2v.media.diagnosis import ClipError, Header, pixel_aspect
from s2v.media.ffmpeg import command, open_input, run
from s2v.media.frames import PictureForm, Pictures
from s2v.media.jpegs import read_jpeg_stream
from s2v.media.passes import Passed, Wanted, read

_CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
_HIDDEN = 4  # flag of a packet whose frame is not shown
_WHOLE_S = 24 * 3600.0
_PACKET = re.compile(rb"^0, +\S+, +(-?\d+|NOPTS), +\d+, +\d+, 0x[0-9a-f]+(?:, F=0x([0-9A-Fa-f]+))?", re.MULTILINE)
_TIME_BASE = re.compile(rb"^#tb 0: (\d+)/(\d+)", re.MULTILINE)


def read_with_decord(wanted: Wanted, form: PictureForm) -> Passed:
    """A file's sound by ffmpeg and its pictures by decord, or where it cannot place them by ffmpeg, with a note.

    Raises:
        ClipError: as `read`; timeout.
    """
    passed = read(replace(wanted, form=None))
    try:
        check_reach(passed.header)
        return replace(passed, pictures=_pictures(wanted, form, passed.header))
    except ClipError as error:
        if error.reason is not Reason.DECODE_ERROR:
            raise
        passed = read(wanted)
        return replace(passed, notes=(*passed.notes, f"ffmpeg read its pictures, since {error.detail}"))


def check_reach(header: Header) -> None:
    """Refuse what decord is known to read wrongly.

    Raises:
        ClipError: decode_error, with why.
    """
    why = None
    if not header.pictures:
        raise ClipError(Reason.NO_VIDEO)
    if header.container not in _CONTAINERS:
        why = f"decord loses its place in {header.container or 'such files'}"
    elif len(header.pictures) > 1:
        why = "decord chooses among several video streams by itself"
    elif header.pictures[0].turned and pixel_aspect(header) != 1.0:
        why = "decord does not tell turned pixels that are not square"
    elif re.search(r"smpte2084|arib-std-b67|bt2020", header.pictures[0].about):
        why = "decord does not map HDR"
    if why:
        raise ClipError(Reason.DECODE_ERROR, why)


def _pictures(wanted: Wanted, form: PictureForm, header: Header) -> Pictures:
    start_s = wanted.start_s or 0.0
    with tempfile.TemporaryDirectory(prefix="s2v-") as folder:
        times = Path(folder) / "times.npy"
        np.save(times, _times_s(wanted))
        arguments = [sys.executable, "-m", "s2v.media.decord_reader", f"--quality={form.quality}", f"--times={times}"]
        arguments += [f"--start={start_s!r}", f"--limit={wanted.limit_s!r}", f"--fps={form.fps!r}"]
        arguments += [f"--side={form.side}", f"--pixel-aspect={pixel_aspect(header)!r}"]
        arguments += ["--", str(wanted.path.absolute())]
        consume = partial(read_jpeg_stream, max_pictures=form.count(wanted.limit_s))
        finished, jpegs = run(arguments, timeout_s=wanted.timeout_s, consume=consume)
    if finished.timed_out:
        raise ClipError(Reason.TIMEOUT, f"decord was stopped after {wanted.timeout_s:g} s")
    if finished.returncode != 0:
        lines = finished.log.strip().splitlines() or ["stopped without a message"]
        raise ClipError(Reason.DECODE_ERROR, f"decord: {lines[-1]}")
    return Pictures(jpegs)


def _times_s(wanted: Wanted) -> NDArray[np.float64]:
    """Time of each picture of the whole file on its timeline, rising, in s [F]."""
    source = open_input(start_s=None, limit_s=_WHOLE_S)
    output = source["V:0"].output("pipe:1", format="framecrc", vcodec="copy", copyinkf=None)
    arguments = command([output], path=wanted.path, executable=wanted.ffmpeg)
    finished, listed = run(arguments, timeout_s=wanted.timeout_s, consume=lambda stream: stream.read())
    base, packets = _TIME_BASE.search(listed), _PACKET.findall(listed)
    if finished.returncode or base is None or not packets:
        raise ClipError(Reason.DECODE_ERROR, "the times of its pictures cannot be listed")
    if any(time == b"NOPTS" for time, _ in packets):
        raise ClipError(Reason.DECODE_ERROR, "decord makes up times of pictures that have none")
    if any(int(flags or b"0", 16) & _HIDDEN for _, flags in packets):
        raise ClipError(Reason.DECODE_ERROR, "decord counts pictures that its edit list hides")
    return np.sort([int(time) for time, _ in packets]) * (int(base[1]) / int(base[2]))
