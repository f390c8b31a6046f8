"""Tiny shards made on the fly, for the tests of the stages that read them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import soundfile

from s2v.media.picture import encode_jpeg

RATE = 16000


def flac(wave: np.ndarray, rate: int = RATE) -> bytes:
    """int16 [N] to FLAC bytes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    """A tar of `members`, in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def clip_members(
    clip_id: str, frames: list[np.ndarray], wave: np.ndarray | None, split: str = "train", fps: int = 10
) -> dict[str, bytes]:
    """Members of one clip as stage `extract` writes them."""
    record = {
        "clip_id": clip_id, "split": split, "fps": fps, "n_frames": len(frames), "sample_rate_hz": RATE,
        "width": frames[0].shape[1], "height": frames[0].shape[0], "duration_s": len(frames) / fps,
        "n_samples": 0 if wave is None else len(wave),
    }  # fmt: skip
    members = {f"{clip_id}.{t:03d}.jpg": encode_jpeg(frame, 95) for t, frame in enumerate(frames)}
    if wave is not None:
        members[f"{clip_id}.flac"] = flac(wave)
    return members | {f"{clip_id}.json": json.dumps(record).encode()}


def blinking_clip(seed: int, n_frames: int = 12, px: int = 24) -> tuple[list[np.ndarray], np.ndarray, range]:
    """A clip in which a bright square and a tone of one of two kinds come and go together.

    Returns:
        Frames, sound, and the frames in which there is something to see and to hear.
    """
    rng = np.random.default_rng(seed)
    kind, start = seed % 2, int(rng.integers(0, n_frames - 3))
    on = range(start, start + 4)
    colour = ((220, 60, 40), (40, 80, 230))[kind]
    hz = (400.0, 2500.0)[kind] * rng.uniform(0.9, 1.1)
    frames = []
    for t in range(n_frames):
        frame = np.full((px, px, 3), 110, np.uint8) + rng.integers(0, 12, (px, px, 3)).astype(np.uint8)
        if t in on:
            y, x = rng.integers(2, px - 12, 2)
            frame[y : y + 10, x : x + 10] = colour
        frames.append(frame)
    n = n_frames * RATE // 10
    time = np.arange(n) / RATE
    wave = rng.standard_normal(n) * 0.003
    heard = (time >= start / 10) & (time < (start + 4) / 10)
    wave = wave + np.where(heard, 0.3 * np.sin(2 * np.pi * hz * time), 0.0)
    return frames, (wave * 32767).astype(np.int16), on


def extract_tar(path: Path, seeds: range, split: str = "train", silent: tuple[int, ...] = ()) -> Path:
    """An extract shard of blinking clips named `clip-NNN`; those in `silent` have no sound."""
    members: dict[str, bytes] = {}
    for seed in seeds:
        frames, wave, _ = blinking_clip(seed)
        members |= clip_members(f"clip-{seed:03d}", frames, None if seed in silent else wave, split)
    return write_tar(path, members)
