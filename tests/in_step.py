"""Videos whose picture is white while a tone sounds, in many containers, codecs, forms and states of damage."""

from __future__ import annotations

import random
import subprocess
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from media_files import FFMPEG, ffmpeg
from numpy.typing import NDArray

from s2v.media.decode import Decoded

SLOT_S, SLOTS, RATE = 0.2, 30, 48000
_BITS = np.random.default_rng(3).integers(0, 2, SLOTS)

VIDEO = {
    "h264": ["libx264", "-preset", "ultrafast"],
    "h264_b": ["libx264", "-preset", "veryfast", "-bf", "3", "-b-pyramid", "normal", "-g", "30"],
    "h264_open": ["libx264", "-preset", "veryfast", "-x264-params", "open-gop=1:keyint=20:bframes=3"],
    "hevc": ["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
    "mpeg4": ["mpeg4", "-bf", "2"],
    "mpeg2": ["mpeg2video", "-bf", "2", "-q:v", "4"],
    "mjpeg": ["mjpeg", "-q:v", "4"],
    "vp8": ["libvpx", "-deadline", "realtime", "-cpu-used", "8"],
    "vp9": ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "theora": ["libtheora", "-q:v", "7"],
    "wmv2": ["wmv2", "-q:v", "4"],
}
AUDIO = {
    "aac": ["aac"], "mp3": ["libmp3lame"], "opus": ["libopus"], "vorbis": ["libvorbis"], "flac": ["flac"],
    "pcm": ["pcm_s16le"], "ac3": ["ac3"], "mp2": ["mp2"], "wma": ["wmav2"],
}  # fmt: skip
H264 = ("h264", "h264_b", "h264_open")
HOLDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mp4": ((*H264, "hevc", "mpeg4", "vp9"), ("aac", "mp3", "opus", "flac", "ac3")),
    "mov": ((*H264, "mjpeg", "mpeg4"), ("aac", "pcm", "ac3")),
    "mkv": ((*H264, "hevc", "mpeg2", "vp8"), ("aac", "mp3", "opus", "vorbis", "flac", "pcm")),
    "webm": (("vp8", "vp9"), ("opus", "vorbis")),
    "avi": (("mpeg4", "mjpeg", "h264"), ("mp3", "pcm", "ac3")),
    "flv": (("h264", "h264_b"), ("aac", "mp3")),
    "ts": ((*H264, "hevc", "mpeg2"), ("aac", "mp3", "ac3", "mp2")),
    "mpg": (("mpeg2",), ("mp2", "ac3")),
    "ogv": (("theora",), ("vorbis", "opus", "flac")),
    "wmv": (("wmv2",), ("wma",)),
    "nut": (("mpeg4", "h264_b"), ("pcm", "vorbis")),
}
RATES = {"opus": (48000,), "ac3": (32000, 44100, 48000), "mp2": (32000, 44100, 48000), "flv": (22050, 44100)}
OFFSETS = ("none", "sound late", "picture late", "both late", "copy-cut")
CANNOT: dict[str, tuple[str, ...]] = {"avi": OFFSETS, "mpg": ("copy-cut",)}  # what ffmpeg cannot write there
DAMAGES = ("none", "none", "flipped", "zeroed", "cut")


@dataclass(frozen=True)
class Case:
    """One way to make the file."""

    container: str
    video: str
    audio: str
    channels: int
    rate: int
    fps: int
    offset: str
    damage: str
    seed: int

    def __str__(self) -> str:
        """For the name of a test."""
        return "-".join(str(value).replace(" ", "_") for value in astuple(self))


def cases(count: int, seed: int = 0) -> list[Case]:
    """`count` ways, each container and each kind of damage and offset among them often."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        container = list(HOLDS)[number % len(HOLDS)]
        video, audio = (draw.choice(names) for names in HOLDS[container])
        rates = RATES.get(audio) or RATES.get(container) or (16000, 22050, 44100, 48000)
        channels = draw.choice((1, 2, 2, 6) if audio in ("aac", "ac3", "flac", "pcm", "vorbis", "opus") else (1, 2))
        offset = OFFSETS[number // len(HOLDS) % len(OFFSETS)]
        offset = "none" if offset in CANNOT.get(container, ()) else offset
        damage = draw.choice(DAMAGES)
        rate, fps = draw.choice(rates), draw.choice((20, 25, 30))
        found.append(Case(container, video, audio, channels, rate, fps, offset, damage, number))
    return found


@cache
def _sources(folder: Path, fps: int) -> tuple[Path, Path]:
    """Picture without loss, and sound; what changes at the same time in both does so on a frame."""
    picture, sound = folder / f"picture{fps}.nut", folder / f"sound{fps}.wav"
    frames = np.repeat(_BITS, round(SLOT_S * fps)).astype(np.uint8) * 219 + 16
    raw = np.broadcast_to(frames[:, None], (len(frames), 96 * 64)).tobytes()
    command = [FFMPEG, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "96x64", "-r", str(fps)]
    subprocess.run([*command, "-i", "pipe:0", "-c:v", "rawvideo", str(picture)], input=raw, check=True)
    on = np.repeat(_BITS, round(SLOT_S * RATE))
    soundfile.write(sound, 0.4 * on * np.sin(2 * np.pi * 1000 * np.arange(len(on)) / RATE), RATE)
    return picture, sound


def make(case: Case, folder: Path) -> Path:
    """The file of a case."""
    picture, sound = _sources(folder, case.fps)
    path = folder / f"{case.seed:03d}.{case.container}"
    shift = ["-itsoffset", "2.3"] if case.offset == "both late" else []
    # What is left of a late stream keeps its times, so that it still belongs to the other.
    late = {"sound late": ["-af", "atrim=start=0.37"], "picture late": ["-vf", "trim=start=0.4"]}.get(case.offset, [])
    form = ["-pix_fmt", "yuvj420p" if case.video == "mjpeg" else "yuv420p", "-g", "30", "-ar", str(case.rate)]
    coding = ["-c:v", *VIDEO[case.video], "-c:a", *AUDIO[case.audio], *form, "-ac", str(case.channels), *late]
    whole = path.with_stem(path.stem + "_whole") if case.offset == "copy-cut" else path
    ffmpeg(*shift, "-i", str(picture), *shift, "-i", str(sound), *coding, "-strict", "-2", "-shortest", str(whole))
    if whole != path:
        ffmpeg("-ss", "1.3", "-i", str(whole), "-c", "copy", str(path))
    _damage(path, case)
    return path


def _damage(path: Path, case: Case) -> None:
    draw, data = random.Random(case.seed), bytearray(path.read_bytes())
    if case.damage == "flipped":
        for _ in range(12):
            data[draw.randrange(len(data) // 10, len(data))] ^= 1 << draw.randrange(8)
    elif case.damage == "zeroed":
        start = draw.randrange(len(data) // 4, len(data) // 2)
        data[start : start + len(data) // 20] = bytes(len(data) // 20)
    elif case.damage == "cut":
        del data[int(len(data) * draw.uniform(0.5, 0.95)) :]
    path.write_bytes(data)


STEP_S = 0.01
MOST_LAG = 150  # steps


def lags_s(decoded: Decoded) -> list[float]:
    """By how much sound comes after picture in each two seconds in which both can be told."""
    assert decoded.wave is not None
    hop = round(STEP_S * decoded.sample_rate_hz)
    n = len(decoded.wave) // hop
    level = np.sqrt(np.square(decoded.wave[: n * hop].astype(np.float64).reshape(n, hop)).mean(1)) / 32768
    heard = np.where(level > 0.03, 1.0, -1.0)
    bright = np.array([decoded.pictures.thumbnail(i).mean() for i in range(len(decoded.pictures))])
    at = np.minimum((np.arange(n) * STEP_S * decoded.fps + 0.5).astype(int), len(bright) - 1)
    seen = np.where(bright[at] > 128, 1.0, -1.0)
    n = min(n, round(len(bright) / decoded.fps / STEP_S))
    return [lag for start in range(0, n - 199, 100) if (lag := _lag(seen, heard, start, n)) is not None]


def _lag(seen: NDArray[np.float64], heard: NDArray[np.float64], start: int, n: int) -> float | None:
    """Lag in s at which 2 s of picture from `start` fit the sound best; None where no lag fits well."""
    part = seen[start : start + 200]
    if np.abs(np.diff(part)).sum() < 8:  # fewer than four changes tell too little
        return None
    fits = {}
    for lag in range(max(-MOST_LAG, -start), min(MOST_LAG, n - start - 200) + 1):
        fits[lag] = float((part * heard[start + lag : start + lag + 200]).mean())
    best = max(fits, key=lambda lag: (fits[lag], -abs(lag)))
    return best * STEP_S if fits[best] > 0.85 else None


__all__ = ["Case", "cases", "lags_s", "make"]
