"""From a media file to a waveform and pictures, in one decode pass, on one timeline that starts at zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from s2v.errors import Reason
from s2v.media import SAMPLE_RATE_HZ
from s2v.media.decord_frames import read_with_decord
from s2v.media.diagnosis import ClipError, check_file, excess, is_cut_off, slack_s
from s2v.media.frames import Frames, PictureForm, Pictures
from s2v.media.passes import Passed, Wanted, Wave, read


@dataclass(frozen=True)
class Decoded:
    """One clip.

    Attributes:
        wave: int16 [N] mono, or None where none was asked for and the file has none.
        pictures: picture t is at t / fps seconds.
        sample_rate_hz: of `wave`.
        fps: of `pictures`.
        notes: what people should know of how it was read, a line each.
    """

    wave: Wave | None
    pictures: Pictures
    sample_rate_hz: int
    fps: float
    notes: tuple[str, ...] = ()

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
    crop: tuple[float, float, float, float] | None = None,
) -> Decoded:
    """Decode a video once into sound and pictures.

    Sound and picture share a timeline: a stream that begins later is filled with silence or its first frame.
    Rotation and non-square pixels are honoured, HDR is mapped to SDR. Pictures are never enlarged, and all of one size.

    Args:
        path: a local file. It is opened as that file whatever its name looks like.
        reader: `ffmpeg` does all in one process, so that no picture is ever held raw; `decord` reads the frames in a
            process of its own (it is unsafe beside torch), and ffmpeg the sound, so that both readers hear the same.
            What decord cannot place in time (`decord_frames`) is read by ffmpeg, and `notes` say so.
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
        crop: the middle square of this box is kept of a picture, shares of its height and width: top, bottom, left,
            right. Of reader `ffmpeg` only.

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
    form = PictureForm(fps=fps, side=short_side_px, quality=jpeg_quality, fast=fast, crop=crop)
    wanted = Wanted(path, ffmpeg, sample_rate_hz, start_s, limit_s, timeout_s, form=form, sound=True)
    try:
        passed = read_with_decord(wanted, form) if reader == "decord" else read(wanted)
    except ClipError as error:
        if error.reason is not Reason.NO_AUDIO or need_audio:
            raise
        passed = read(replace(wanted, sound=False))
    wave = passed.wave if passed.wave is not None and len(passed.wave) else None
    heard_s, seen_s = len(wave) / sample_rate_hz if wave is not None else 0.0, len(passed.pictures) / fps
    _check_end(passed, start_s=start, limit_s=limit_s, got_s=max(heard_s, seen_s))
    if passed.wave is not None and wave is None and need_audio:
        raise ClipError(Reason.NO_AUDIO, "the audio stream holds no sound")
    if not len(passed.pictures):
        raise ClipError(Reason.DECODE_ERROR, "the video stream holds no picture that can be decoded")
    too_long = [excess(passed.header, passed.log, start_s=start, limit_s=limit_s, got_s=s) for s in (heard_s, seen_s)]
    longer = [f"{name}: {what}" for name, what in zip(("sound", "picture"), too_long, strict=True) if what]
    if longer and wave is not None and abs(heard_s - seen_s) > slack_s(min(heard_s, seen_s)):
        # A wrong header is short of both alike; a stream that goes on alone is filled after a jump of its clock.
        raise ClipError(Reason.DECODE_ERROR, f"its clock jumps; {longer[0]}")
    early = wave is not None and seen_s - heard_s > slack_s(seen_s)
    longer += [f"its sound ends at {heard_s:.2f} s, its picture at {seen_s:.2f} s"] if early else []
    still = ["its picture never changes"] if len(set(passed.pictures.jpegs)) == 1 else []
    return Decoded(wave, passed.pictures, sample_rate_hz, fps, (*passed.notes, *longer, *still))


def decode_audio(
    path: str | Path,
    *,
    ffmpeg: str,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    start_s: float | None = None,
    max_duration_s: float = 60.0,
    timeout_s: float = 120.0,
) -> Wave:
    """Sound of any audio or video file from `start_s` on, as int16 [N] mono; for `notes` see `hear`.

    Raises:
        ClipError: missing, empty, not_a_video, truncated, no_audio, too_short, timeout or decode_error.
    """
    wanted = Wanted(Path(path), ffmpeg, sample_rate_hz, start_s, max_duration_s, timeout_s, form=None, sound=True)
    return hear(wanted)[0]


def hear(wanted: Wanted) -> tuple[Wave, tuple[str, ...]]:
    """The sound of a file, and what people should know of how it was read.

    Raises:
        ClipError: as `decode_audio`.
    """
    check_file(wanted.path)
    passed = read(wanted)
    if passed.wave is None or len(passed.wave) == 0:
        _check_end(passed, start_s=wanted.start_s or 0.0, limit_s=wanted.limit_s, got_s=0.0)
        raise ClipError(Reason.NO_AUDIO, "the audio stream holds no sound")
    return passed.wave, passed.notes


def _check_end(passed: Passed, *, start_s: float, limit_s: float, got_s: float) -> None:
    """Compare what was decoded with what the file says it has.

    Raises:
        ClipError: too_short where it ends before the window, truncated where it was cut off.
    """
    known_s = passed.header.duration_s
    if start_s and (start_s >= known_s if known_s is not None else not got_s):
        ends = "it ends" if known_s is None else f"it ends at {known_s:g} s,"
        raise ClipError(Reason.TOO_SHORT, f"{ends} before {start_s:g} s")
    cut_off = is_cut_off(passed.header, passed.log, start_s=start_s, limit_s=limit_s, got_s=got_s)
    if cut_off:
        raise ClipError(Reason.TRUNCATED, cut_off)


__all__ = ["ClipError", "Decoded", "Frames", "Pictures", "Wave", "decode", "decode_audio", "hear"]
