"""From a media file to a waveform and pictures, in one decode pass, on one timeline that starts at zero."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from s2v.errors import Reason
from s2v.media import SAMPLE_RATE_HZ
from s2v.media.diagnosis import ClipError, Header, check_file, explain_failure, is_cut_off, read_header
from s2v.media.ffmpeg import command, open_input, run
from s2v.media.frames import Frames, PictureForm, Pictures, picture_output
from s2v.media.jpegs import read_jpeg_stream

Wave = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Decoded:
    """One clip.

    Attributes:
        wave: int16 [N] mono, or None where none was asked for and the file has none.
        pictures: picture t is at t / fps seconds.
        sample_rate_hz: of `wave`.
        fps: of `pictures`.
    """

    wave: Wave | None
    pictures: Pictures
    sample_rate_hz: int
    fps: float

    @property
    def duration_s(self) -> float:
        """Seconds of the longer of sound and picture."""
        sound = 0.0 if self.wave is None else len(self.wave) / self.sample_rate_hz
        return max(sound, len(self.pictures) / self.fps)

    @property
    def frames(self) -> Frames:
        """The pictures as uint8 [T, H, W, 3]."""
        return self.pictures.pixels()


def decode(
    path: str | Path,
    *,
    reader: Literal["ffmpeg", "decord"] = "ffmpeg",
    ffmpeg: str,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    fps: float = 10,
    short_side_px: int = 256,
    jpeg_quality: int = 90,
    start_s: float | None = None,
    end_s: float | None = None,
    max_duration_s: float = 60.0,
    timeout_s: float = 120.0,
    need_audio: bool = True,
    fast: bool = False,
) -> Decoded:
    """Decode a video once into sound and pictures.

    Sound and picture share a timeline: a stream that begins later is filled with silence or its first frame.
    Rotation and non-square pixels are honoured. Pictures are never enlarged.

    Args:
        path: a local file. It is opened as that file whatever its name looks like.
        reader: `ffmpeg` does all in one process, so that no picture is ever held raw; `decord` reads the frames in a
            process of its own (it is unsafe beside torch), and ffmpeg the sound, so that both readers hear the same.
        ffmpeg: the executable, from `ffmpeg_path`.
        sample_rate_hz: of the waveform.
        fps: pictures a second.
        short_side_px: upper bound of a picture's short side (and, times 4, of its long side).
        jpeg_quality: of the pictures, 1 to 100 as libjpeg counts.
        start_s, end_s: the part that is wanted; None is the file's start or end.
        max_duration_s: what lies later than this after `start_s` is not read. Bounds memory.
        timeout_s: for each decoder process, which is then killed.
        need_audio: a file without sound is an error.
        fast: do not decode frames that no other frame needs; what is kept may be some frames older than its time.
            Of reader `ffmpeg` only.

    Raises:
        ClipError: missing, empty, not_a_video, truncated, no_video, no_audio, too_short, timeout or
        decode_error.
    """
    path = Path(path)
    check_file(path)
    start = start_s or 0.0
    limit_s = max_duration_s if end_s is None else min(max_duration_s, end_s - start)
    if limit_s <= 0:
        raise ClipError(Reason.TOO_SHORT, f"the window from {start:g} s to {end_s} s is empty")
    form = PictureForm(fps=fps, side=short_side_px, quality=jpeg_quality, fast=fast)
    read = partial(_read, path, ffmpeg=ffmpeg, rate=sample_rate_hz, start_s=start_s)
    read = partial(read, limit_s=limit_s, timeout_s=timeout_s)
    try:
        wave, pictures, log = read(form=form if reader == "ffmpeg" else None, sound=True)
    except ClipError as error:
        if error.reason is not Reason.NO_AUDIO or need_audio:
            raise
        wave, pictures, log = read(form=form, sound=False)
    header = read_header(log)
    if header.duration_s is not None and start >= header.duration_s:
        raise ClipError(Reason.TOO_SHORT, f"it ends at {header.duration_s:g} s, before {start:g} s")
    if reader == "decord":
        if not header.has_video:
            raise ClipError(Reason.NO_VIDEO)
        try:
            pictures = _read_with_decord(
                path, form=form, start_s=start, limit_s=limit_s, timeout_s=timeout_s, header=header
            )
        except ClipError as error:
            heard_s = 0.0 if wave is None else len(wave) / sample_rate_hz
            cut_off = is_cut_off(header, log, start_s=start, limit_s=limit_s, got_s=heard_s)
            if cut_off and error.reason is Reason.DECODE_ERROR:
                raise ClipError(Reason.TRUNCATED, cut_off) from error
            raise
    if wave is not None and len(wave) == 0 and need_audio:
        raise ClipError(Reason.NO_AUDIO, "the audio stream holds no sound")
    decoded = Decoded(wave if wave is not None and len(wave) else None, pictures, sample_rate_hz, fps)
    cut_off = is_cut_off(header, log, start_s=start, limit_s=limit_s, got_s=decoded.duration_s)
    if cut_off:
        raise ClipError(Reason.TRUNCATED, cut_off)
    if not len(pictures):
        raise ClipError(Reason.DECODE_ERROR, "the video stream holds no picture that can be decoded")
    return decoded


def decode_audio(
    path: str | Path,
    *,
    ffmpeg: str,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    max_duration_s: float = 60.0,
    timeout_s: float = 120.0,
) -> Wave:
    """Sound of any audio or video file as int16 [N] mono, its start at time zero.

    Raises:
        ClipError: missing, empty, not_a_video, truncated, no_audio, timeout or decode_error.
    """
    path = Path(path)
    check_file(path)
    read = partial(_read, path, ffmpeg=ffmpeg, rate=sample_rate_hz, start_s=None, limit_s=max_duration_s)
    wave, _, log = read(timeout_s=timeout_s, form=None, sound=True)
    if wave is None or len(wave) == 0:
        raise ClipError(Reason.NO_AUDIO, "the audio stream holds no sound")
    return wave


def _read(
    path: Path,
    *,
    ffmpeg: str,
    rate: int,
    start_s: float | None,
    limit_s: float,
    timeout_s: float,
    form: PictureForm | None,
    sound: bool,
) -> tuple[Wave | None, Pictures, str]:
    """One ffmpeg process: JPEGs through its standard output, sound through a temporary file; and its log."""
    source = open_input(start_s=start_s, limit_s=limit_s, skip_frame="noref" if form and form.fast else None)
    n_pictures = form.count(limit_s) if form else 0
    # A jump in a file's clock would be filled with silence or repeated frames without end: bounded here.
    bound = {"t": f"{limit_s:.6f}", "threads": 1, "map_metadata": -1}
    with tempfile.TemporaryDirectory(prefix="s2v-") as folder:
        heard = Path(folder) / "sound.raw"
        outputs = [picture_output(source, form, n_pictures=n_pictures, **bound)] if form else []
        if sound:
            filters = f"aresample=osr={rate}:async=1:first_pts=0,aformat=sample_fmts=s16:channel_layouts=mono"
            outputs.append(
                source["a:0"].output(f"file:{heard}", format="s16le", acodec="pcm_s16le", ac=1, af=filters, **bound)
            )
        finished, jpegs = run(
            command(outputs, path=path, executable=ffmpeg),
            timeout_s=timeout_s,
            consume=partial(read_jpeg_stream, max_pictures=n_pictures),
        )
        error = explain_failure(finished, path, timeout_s=timeout_s, want_video=form is not None, want_audio=sound)
        if error:
            raise error
        wave = np.fromfile(heard, "<i2")[: round(limit_s * rate)].astype(np.int16) if sound else None
        return wave, Pictures(jpegs), finished.log


def _read_with_decord(
    path: Path, *, form: PictureForm, start_s: float, limit_s: float, timeout_s: float, header: Header
) -> Pictures:
    arguments = [sys.executable, "-m", "s2v.media.decord_reader", f"--quality={form.quality}"]
    arguments += [f"--start={start_s!r}", f"--limit={limit_s!r}", f"--fps={form.fps!r}", f"--side={form.side}"]
    arguments += [f"--pixel-aspect={header.pixel_aspect!r}"]
    consume = partial(read_jpeg_stream, max_pictures=form.count(limit_s))
    finished, jpegs = run([*arguments, "--", str(path.absolute())], timeout_s=timeout_s, consume=consume)
    if finished.timed_out:
        raise ClipError(Reason.TIMEOUT, f"decord was stopped after {timeout_s:g} s")
    if finished.returncode != 0:
        lines = finished.log.strip().splitlines() or ["stopped without a message"]
        raise ClipError(Reason.DECODE_ERROR, f"decord: {lines[-1]}")
    return Pictures(jpegs)


__all__ = ["ClipError", "Decoded", "Frames", "Pictures", "Wave", "decode", "decode_audio"]
