"""Running ffmpeg over a file: once for nearly all files, again where the first log says what was missing."""

from __future__ import annotations

import io
import re
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from PIL import Image

from s2v.errors import Reason
from s2v.media.diagnosis import ClipError, Header, explain_failure, read_header
from s2v.media.ffmpeg import command, open_input, run
from s2v.media.frames import PictureForm, Pictures, Slots, picture_output
from s2v.media.jpegs import read_jpeg_stream
from s2v.media.mono import loudest_of_opposed, mono
from s2v.media.reading import Reading, needed, remarks
from s2v.media.unneeded import left_out

Wave = npt.NDArray[np.int16]
_MOST_PASSES = 3  # plain; another stream than the first; that stream, whose own peculiarities show only then
_GAP_S = 0.04  # a packet lost is filled with silence; ffmpeg's own 0.1 leaves what follows as much too early
_COMPLAINT = re.compile(r"^\[(?:h264|hevc|vist|dec)\b.*@", re.MULTILINE)
_CLEAN = "aeval='if(isnan(val(ch)),0,clip(val(ch),-1,1))':channel_layout=same"


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a file: `limit_s` s from `start_s` on, its pictures in a `form` (None is none), its sound."""

    path: Path
    ffmpeg: str
    rate: int
    start_s: float | None
    limit_s: float
    timeout_s: float
    form: PictureForm | None
    sound: bool


@dataclass(frozen=True)
class Passed:
    """What came of it: `wave` (None where no sound was wanted), `pictures`, the decoder's `log`, words for people."""

    wave: Wave | None
    pictures: Pictures
    header: Header
    log: str
    notes: tuple[str, ...]


def read(wanted: Wanted) -> Passed:
    """Read a file as it needs to be read.

    Raises:
        ClipError: it cannot be.
    """
    reading, size, notes = Reading(), None, []
    spared, spared_of = _spared(wanted, reading), reading.picture
    for _ in range(_MOST_PASSES):
        if reading.picture != spared_of:
            spared, spared_of = _spared(wanted, reading), reading.picture
        try:
            passed = _once(wanted, reading, size, spared)
            if spared and _COMPLAINT.search(passed.log):
                # What a damaged picture is mended with may be one that was left out.
                spared = {}
                passed = _once(wanted, reading, size, spared)
        except ClipError as error:
            if reading.hdr is None or "zscale" not in error.detail:
                raise
            notes.append(f"HDR ({reading.hdr}), which looks washed out: this ffmpeg has no zscale to map its tones")
            reading = replace(reading, hdr=None)
            passed = _once(wanted, reading, size, spared)
            break
        better = needed(reading, passed.header, passed.log, pictures=wanted.form is not None, sound=wanted.sound)
        if better.picture_changes and len(passed.pictures):
            size = Image.open(io.BytesIO(passed.pictures.jpegs[0])).size
        if better == reading:
            break
        reading = better
    return replace(passed, notes=(*notes, *remarks(reading, passed.header, passed.log), *passed.notes))


def _spared(wanted: Wanted, reading: Reading) -> dict[str, str]:
    """ffmpeg's option that leaves out packets which are not needed; none where all are decoded, or `fast` says so."""
    if wanted.form is None or wanted.form.fast or wanted.start_s:
        return {}
    found = left_out(
        wanted.path, executable=wanted.ffmpeg, fps=wanted.form.fps, limit_s=wanted.limit_s, picture=reading.picture,
        timeout_s=wanted.timeout_s,
    )  # fmt: skip
    return {"bsf:v": found} if found else {}


def _once(wanted: Wanted, reading: Reading, size: tuple[int, int] | None, spared: dict[str, str]) -> Passed:
    """One ffmpeg process: JPEGs through its standard output, sound through a temporary file."""
    form, fast = wanted.form, wanted.form is not None and wanted.form.fast
    skipped = "noref" if fast else None
    source = open_input(start_s=wanted.start_s, limit_s=wanted.limit_s, skip_frame=skipped, **spared)
    n_pictures = form.count(wanted.limit_s) if form else 0
    # A jump in a file's clock would be filled with silence or repeated frames without end: bounded here.
    bound = {"t": f"{wanted.limit_s:.6f}", "threads": 1, "map_metadata": -1}
    with tempfile.TemporaryDirectory(prefix="s2v-") as folder:
        reclock = reading.sound_changes and reading.has_clock
        heard = Path(folder) / ("sound.nut" if reclock else "sound.wav")
        outputs = []
        slots = Slots(Path(folder), size) if size else None
        if form:
            outputs.append(picture_output(source, form, reading=reading, slots=slots, n_pictures=n_pictures, **bound))
        if wanted.sound:
            clean = f"{_CLEAN}," if reading.any_number else ""
            filters = _unlike(wanted.rate) if reading.sound_changes else _alike(wanted.rate)
            stream = source[f"a:{reading.sound}"]
            outputs.append(_sound_file(stream, heard, clean + filters, **bound))
        finished, jpegs = run(
            command(outputs, path=wanted.path, executable=wanted.ffmpeg),
            timeout_s=wanted.timeout_s,
            consume=partial(read_jpeg_stream, max_pictures=n_pictures),
        )
        error = explain_failure(
            finished, wanted.path, timeout_s=wanted.timeout_s, want_video=form is not None, want_audio=wanted.sound
        )
        if error:
            raise error
        if form and slots:
            jpegs = slots.jpegs(form, n_pictures)
        if wanted.sound and reclock:
            heard = _on_one_clock(heard, wanted, bound)
        wave, opposed = _load(heard, round(wanted.limit_s * wanted.rate)) if wanted.sound else (None, False)
    notes = ("its channels cancel each other; the loudest one is heard",) if opposed else ()
    return Passed(wave, Pictures(jpegs), read_header(finished.log), finished.log, notes)


def _alike(rate: int) -> str:
    """Filters of a sound that has one form: from time zero on, gaps filled. Channels are mixed later (`mono`)."""
    clock = f"async=1:min_hard_comp={_GAP_S}:first_pts=0"
    return f"aresample=osr={rate}:{clock},aformat=sample_fmts=s16:channel_layouts=mono|stereo"


def _unlike(rate: int) -> str:
    """Filters of a sound that changes its form. They are set up anew at each change, when `first_pts` would fill from
    zero once more; so samples keep the times they have, and `_on_one_clock` fills.
    """
    return f"aresample=osr={rate},aformat=sample_fmts=s16:channel_layouts=mono"


def _sound_file(stream: Any, path: Path, filters: str, **options: Any) -> Any:
    return stream.output(f"file:{path}", format=path.suffix[1:], acodec="pcm_s16le", af=filters, **options)


def _on_one_clock(sound: Path, wanted: Wanted, bound: dict[str, Any]) -> Path:
    """A sound whose samples have times as one from zero on, without gaps."""
    source, path = open_input(start_s=None, limit_s=wanted.limit_s, copyts=None), sound.with_suffix(".wav")
    output = _sound_file(source["a:0"], path, _alike(wanted.rate), **bound)
    arguments = command([output], path=sound, executable=wanted.ffmpeg)
    finished, _ = run(arguments, timeout_s=wanted.timeout_s, consume=lambda stream: stream.read())
    error = explain_failure(finished, sound, timeout_s=wanted.timeout_s, want_video=False, want_audio=True)
    if error:
        raise ClipError(Reason.DECODE_ERROR, f"its sound, which changes its form: {error.detail}")
    return path


def _load(path: Path, most: int) -> tuple[Wave, bool]:
    """The sound as int16 [N] mono, N at most `most`, and whether its channels cancel each other."""
    if not path.exists() or not path.stat().st_size:
        return np.zeros(0, np.int16), False
    channels = soundfile.read(path, dtype="int16", always_2d=True)[0][:most].T
    opposed = len(channels) > 1 and channels.shape[1] > 0 and loudest_of_opposed(channels) is not None
    return np.ascontiguousarray(mono(channels)), opposed


__all__ = ["Passed", "Wanted", "Wave", "read"]
