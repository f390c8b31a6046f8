"""From a media file to a waveform and frames, in one decode pass, on one timeline that starts at zero."""

from __future__ import annotations

import math
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from s2v.errors import Reason
from s2v.media.diagnosis import ClipError, Header, check_file, explain_failure, is_cut_off, read_header
from s2v.media.ffmpeg import command, open_input, run
from s2v.media.ppm import Frames, read_ppm_stream

Wave = npt.NDArray[np.int16]
MAX_ASPECT = 4


@dataclass(frozen=True)
class Decoded:
    """One clip.

    Attributes:
        wave: int16 [N] mono, or None where none was asked for and the file has none.
        frames: uint8 [T, H, W, 3], frame t at t / fps seconds; H and W are even.
        sample_rate_hz: of `wave`.
        fps: of `frames`.
    """

    wave: Wave | None
    frames: Frames
    sample_rate_hz: int
    fps: float

    @property
    def duration_s(self) -> float:
        """Seconds of the longer of sound and picture."""
        sound = 0.0 if self.wave is None else len(self.wave) / self.sample_rate_hz
        return max(sound, len(self.frames) / self.fps)


def decode(
    path: str | Path,
    *,
    reader: Literal["ffmpeg", "decord"] = "ffmpeg",
    ffmpeg: str,
    sample_rate_hz: int = 16000,
    fps: float = 10,
    short_side_px: int = 256,
    start_s: float | None = None,
    end_s: float | None = None,
    max_duration_s: float = 60.0,
    timeout_s: float = 120.0,
    need_audio: bool = True,
    fast: bool = False,
) -> Decoded:
    """Decode a video once into sound and frames.

    Sound and picture share a timeline: a stream that begins later is filled with silence or its first frame.
    Rotation and non-square pixels are honoured. Frames are never enlarged.

    Args:
        path: a local file. It is opened as that file whatever its name looks like.
        reader: `ffmpeg` does all in one process; `decord` reads the frames in a process of its own (it is
            unsafe beside torch), and ffmpeg the sound, so that both readers hear the same.
        ffmpeg: the executable, from `ffmpeg_path`.
        sample_rate_hz: of the waveform.
        fps: frames a second.
        short_side_px: upper bound of a frame's short side (and, times 4, of its long side).
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
    read = partial(_read, path, ffmpeg=ffmpeg, rate=sample_rate_hz, fps=fps, side=short_side_px, start_s=start_s)
    read = partial(read, limit_s=limit_s, timeout_s=timeout_s, fast=fast)
    try:
        wave, frames, log = read(pictures=reader == "ffmpeg", sound=True)
    except ClipError as error:
        if error.reason is not Reason.NO_AUDIO or need_audio:
            raise
        wave, frames, log = read(pictures=True, sound=False)
    header = read_header(log)
    if header.duration_s is not None and start >= header.duration_s:
        raise ClipError(Reason.TOO_SHORT, f"it ends at {header.duration_s:g} s, before {start:g} s")
    if reader == "decord":
        if not header.has_video:
            raise ClipError(Reason.NO_VIDEO)
        try:
            frames = _read_with_decord(
                path,
                start_s=start,
                limit_s=limit_s,
                fps=fps,
                side=short_side_px,
                timeout_s=timeout_s,
                header=header,
            )
        except ClipError as error:
            heard_s = 0.0 if wave is None else len(wave) / sample_rate_hz
            cut_off = is_cut_off(header, log, start_s=start, limit_s=limit_s, got_s=heard_s)
            if cut_off and error.reason is Reason.DECODE_ERROR:
                raise ClipError(Reason.TRUNCATED, cut_off) from error
            raise
    if wave is not None and len(wave) == 0 and need_audio:
        raise ClipError(Reason.NO_AUDIO, "the audio stream holds no sound")
    decoded = Decoded(wave if wave is not None and len(wave) else None, frames, sample_rate_hz, fps)
    cut_off = is_cut_off(header, log, start_s=start, limit_s=limit_s, got_s=decoded.duration_s)
    if cut_off:
        raise ClipError(Reason.TRUNCATED, cut_off)
    if len(frames) == 0:
        raise ClipError(Reason.DECODE_ERROR, "the video stream holds no picture that can be decoded")
    return decoded


def decode_audio(
    path: str | Path,
    *,
    ffmpeg: str,
    sample_rate_hz: int = 16000,
    max_duration_s: float = 60.0,
    timeout_s: float = 120.0,
) -> Wave:
    """Sound of any audio or video file as int16 [N] mono, its start at time zero.

    Raises:
        ClipError: missing, empty, not_a_video, truncated, no_audio, timeout or decode_error.
    """
    path = Path(path)
    check_file(path)
    read = partial(_read, path, ffmpeg=ffmpeg, rate=sample_rate_hz, fps=1, side=2, start_s=None, limit_s=max_duration_s)
    wave, _, log = read(timeout_s=timeout_s, pictures=False, sound=True)
    if wave is None or len(wave) == 0:
        raise ClipError(Reason.NO_AUDIO, "the audio stream holds no sound")
    return wave


def _read(
    path: Path,
    *,
    ffmpeg: str,
    rate: int,
    fps: float,
    side: int,
    start_s: float | None,
    limit_s: float,
    timeout_s: float,
    pictures: bool,
    sound: bool,
    fast: bool = False,
) -> tuple[Wave | None, Frames, str]:
    """One ffmpeg process: frames through its standard output, sound through a temporary file; and its log."""
    source = open_input(start_s=start_s, limit_s=limit_s, skip_frame="noref" if fast else None)
    n_frames = math.ceil(limit_s * fps - 1e-6)
    # A jump in a file's clock would be filled with silence or repeated frames without end: bounded here.
    bound = {"t": f"{limit_s:.6f}", "threads": 1, "map_metadata": -1}
    with tempfile.TemporaryDirectory(prefix="s2v-") as folder:
        raw = Path(folder) / "sound.raw"
        outputs = []
        if pictures:
            filters = f"fps={fps}:start_time=0,{_scale(side)}"
            outputs.append(
                source["V:0"].output(
                    "pipe:1", format="image2pipe", vcodec="ppm", vf=filters, **{"frames:v": n_frames}, **bound
                )
            )
        if sound:
            filters = f"aresample=osr={rate}:async=1:first_pts=0,aformat=sample_fmts=s16:channel_layouts=mono"
            outputs.append(
                source["a:0"].output(f"file:{raw}", format="s16le", acodec="pcm_s16le", ac=1, af=filters, **bound)
            )
        finished, frames = run(
            command(outputs, path=path, executable=ffmpeg),
            timeout_s=timeout_s,
            consume=partial(read_ppm_stream, max_frames=n_frames),
        )
        error = explain_failure(finished, path, timeout_s=timeout_s, want_video=pictures, want_audio=sound)
        if error:
            raise error
        wave = np.fromfile(raw, "<i2")[: round(limit_s * rate)].astype(np.int16) if sound else None
    return wave, frames, finished.log


def _scale(side: int) -> str:
    """ffmpeg's scale filter to even sizes, the short side at most `side`, square pixels, never enlarging."""
    shrink = f"min(1,min({side}/min(iw*sar,ih),{MAX_ASPECT * side}/max(iw*sar,ih)))"
    width, height = (f"max(2,2*floor({length}*{shrink}/2+0.001))" for length in ("iw*sar", "ih"))
    return f"scale=w='{width}':h='{height}':flags=bicubic+accurate_rnd+full_chroma_int+bitexact,setsar=1"


def _read_with_decord(
    path: Path, *, start_s: float, limit_s: float, fps: float, side: int, timeout_s: float, header: Header
) -> Frames:
    arguments = [sys.executable, "-m", "s2v.media.decord_reader"]
    arguments += [f"--start={start_s!r}", f"--limit={limit_s!r}", f"--fps={fps!r}", f"--side={side}"]
    arguments += [f"--pixel-aspect={header.pixel_aspect!r}", "--", str(path.absolute())]
    consume = partial(read_ppm_stream, max_frames=math.ceil(limit_s * fps - 1e-6))
    finished, frames = run(arguments, timeout_s=timeout_s, consume=consume)
    if finished.timed_out:
        raise ClipError(Reason.TIMEOUT, f"decord was stopped after {timeout_s:g} s")
    if finished.returncode != 0:
        lines = finished.log.strip().splitlines() or ["stopped without a message"]
        raise ClipError(Reason.DECODE_ERROR, f"decord: {lines[-1]}")
    return frames


__all__ = ["ClipError", "Decoded", "Frames", "Wave", "decode", "decode_audio"]
