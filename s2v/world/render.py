"""A clip as frames and sound, and as an mp4 file."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from s2v.errors import AGAIN, MachineError
from s2v.media.faults import check_end
from s2v.media.process import execute
from s2v.world.canvas import Canvas, Placement
from s2v.world.places import PLACES, light
from s2v.world.recipe import REELS, SOUNDS, Clip, Companion, Interference, Scene, Story, pairs, sounding, story
from s2v.world.sound import RATE, at_level, low_pass
from s2v.world.thing import Thing, things

if TYPE_CHECKING:
    from s2v.config import WorldConfig

WEAK = 0.06
TIMEOUT_S = 300.0
Frames = NDArray[np.uint8]
Cast = list[tuple[Thing, Scene, float]]
"""Things in a picture with their scenes and strengths, from the back to the front."""


@lru_cache(maxsize=4)
def _place(family: str, seed: int, size: int) -> Frames:
    """The bare place: drawn once for all frames of a clip."""
    return PLACES[family](np.random.default_rng(seed), size).done()


def company(thing: Thing, scene: Scene, other: Companion | None) -> Cast:
    """A thing, and who stands beside it. What fills the picture lies behind what stands in it."""
    cast = [(thing, scene, scene.strength)]
    if other is not None:
        cast.append((things()[other.label], other.scene, other.scene.strength))
    return sorted(cast, key=lambda each: each[0].kind == "source")


def paint(view: Scene, cast: Cast, t: float, size: int) -> Frames:
    """One picture: the place of `view` with the things of `cast` in it, [size, size, 3]."""
    canvas = Canvas(_place(view.family, view.place_seed, size))
    for thing, scene, strength in cast:
        rng = np.random.default_rng(scene.draw_seed)
        if thing.kind == "scape":
            thing.draw(canvas.at(None), scene.look, strength, t, rng)
        else:
            canvas.at(Placement(scene.x, scene.y, scene.height, scene.flip, scene.tilt))
            thing.draw(canvas, scene.look, 1.0, t, rng)
    return light(canvas.done(), view.gain, view.warmth, view.haze)


def reel(clip: Clip, config: WorldConfig) -> Frames:
    """The photos of an image-only clip, [T, size, size, 3]."""
    thing = things()[clip.label]
    shown = enumerate(pairs(clip, config))
    return np.stack([paint(s, company(thing, s, other), 0.37 * i, config.size_px) for i, (s, other) in shown])


def film(s: Story, config: WorldConfig) -> Frames:
    """The frames of a clip, [T, size, size, 3]; a slightly larger picture is drawn and the hand shakes over it."""
    known = things()
    thing, size = known[s.clip.label], config.size_px
    margin = max(1, size // 32)
    frames: list[Frames] = []
    count, every = round(s.duration_s * config.fps), config.fps if s.clip.split in SOUNDS else 1
    for i in range(0, count, every):
        t = i / config.fps
        cast: Cast = []
        on = sounding(s.seen, t)
        if on:
            cast = company(thing, s.scene, s.together)
        elif thing.kind == "scape":
            cast = [(thing, s.scene, WEAK)]
        elif s.distractor and s.distractor_scene and s.distractor_interval and sounding([s.distractor_interval], t):
            # A distractor stands in the same place: only the thing differs.
            cast.append((known[s.distractor], s.distractor_scene, 1.0))
        picture = paint(s.scene, cast, t, size + 2 * margin)
        a, b, c, d = s.shake
        dx = round(margin * (1 + 0.7 * np.sin(a * t + c)))
        dy = round(margin * (1 + 0.7 * np.sin(b * t + d)))
        frames += [picture[dy : dy + size, dx : dx + size]] * min(every, count - i)
    return np.stack(frames)


def soundtrack(s: Story, config: WorldConfig) -> NDArray[np.int16]:
    """The sound of a clip at 16 kHz, int16, with absolute levels: 1 / distance, or strength; far sounds lose highs."""
    thing = things()[s.clip.label]
    rng = np.random.default_rng(s.sound_seed)
    n = round(s.duration_s * RATE)
    voice_seed = int(rng.integers(2**62))
    out = heard(thing, s.scene, s.intervals, voice_seed, n)
    if thing.kind == "scape":
        quiet = thing.sound(np.random.default_rng(voice_seed + 1), n, s.scene.look, WEAK)[:n]
        out += at_level(quiet, 0.02 * thing.level)
    if s.together:
        out += heard(things()[s.together.label], s.together.scene, s.intervals, s.together.seed, n)
    if s.interference:
        add_interference(out, s.interference, s.intervals)
    bed = np.cumsum(rng.standard_normal(n))
    bed = bed - np.convolve(bed, np.ones(200) / 200, "same")
    out += s.noise_bed * bed / max(1e-9, float(bed.std()))
    return np.asarray(np.clip(out, -1, 1) * 32767).astype(np.int16)


def heard(thing: Thing, scene: Scene, intervals: list[tuple[float, float]], seed: int, n: int) -> NDArray[np.float64]:
    """A thing's voice in its intervals and silence between, n samples, as loud and dull as it is far."""
    out = np.zeros(n)
    near = 1 / scene.distance if thing.kind == "source" else scene.strength
    for start, end in intervals:
        m = min(n, round(end * RATE)) - round(start * RATE)
        voice = thing.sound(np.random.default_rng(seed), m, scene.look, scene.strength)[:m]
        voice = at_level(voice, thing.level * near)
        fade = np.clip(np.minimum(np.arange(m), np.arange(m)[::-1]) / (0.03 * RATE), 0, 1)
        out[round(start * RATE) : round(start * RATE) + m] += voice * fade
    return low_pass(out, 7500 / scene.distance**0.7) if thing.kind == "source" else out


def add_interference(out: NDArray[np.float64], other: Interference, intervals: list[tuple[float, float]]) -> None:
    """Add a source that is not seen, as far below the clip's own as `snr_db` says, where each sounds."""
    own = np.concatenate([out[round(a * RATE) : round(b * RATE)] for a, b in intervals])
    start, end = (min(len(out), round(t * RATE)) for t in other.interval)
    thing, m = things()[other.label], end - start
    voice = thing.sound(np.random.default_rng(other.seed), m, other.look, 1.0)[:m]
    level = float(np.sqrt(np.mean(own**2))) * 10 ** (-other.snr_db / 20)
    voice = at_level(voice, level)
    out[start:end] += voice * np.clip(np.minimum(np.arange(m), np.arange(m)[::-1]) / (0.03 * RATE), 0, 1)


def picture_and_sound(clip: Clip, config: WorldConfig) -> tuple[Frames, NDArray[np.int16] | None]:
    """Frames uint8 [T, H, W, 3] and, but for reels, sound int16 [N] at 16 kHz."""
    if clip.split in REELS:
        return reel(clip, config), None
    s = story(clip, config)
    return film(s, config), soundtrack(s, config)


def write(clip: Clip, path: Path, *, config: WorldConfig, ffmpeg: str) -> None:
    """Encode a clip as mp4 at `path`."""
    frames, wave = picture_and_sound(clip, config)
    encode(frames, wave, path, fps=config.fps, ffmpeg=ffmpeg)


def encode(frames: Frames, wave: NDArray[np.int16] | None, path: Path, *, fps: int, ffmpeg: str) -> None:
    """Encode frames uint8 [T, H, W, 3] and sound int16 [N] at 16 kHz as H.264 + AAC in mp4 at `path`; the same bytes
    every time. Without sound every frame is a key frame.

    Raises:
        RuntimeError: ffmpeg failed; its last line.
    """
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    command = [ffmpeg, "-y", "-nostdin", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size]
    command += ["-r", str(fps), "-i", "pipe:0"]
    with tempfile.TemporaryFile() as pictures, tempfile.NamedTemporaryFile(suffix=".s16") as audio:
        pictures.write(frames.tobytes())
        pictures.seek(0)
        if wave is not None:
            audio.write(wave.astype("<i2").tobytes())
            audio.flush()
            command += ["-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", f"file:{audio.name}"]
            command += ["-c:a", "aac", "-aac_coder", "fast", "-b:a", "96k"]
        still = ["-g", "1"] if wave is None else []
        command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", *still]
        command += ["-threads", "1", "-pix_fmt", "yuv420p", "-fflags", "+bitexact"]
        command += ["-flags:v", "+bitexact", "-flags:a", "+bitexact", "-f", "mp4", f"file:{path}"]
        # "-nostdin" only stops ffmpeg from reading keys; pipe:0 is an input like any other.
        finished, _ = execute(command, timeout_s=TIMEOUT_S, stdin=pictures)
    finished = check_end(finished, command)
    if finished.timed_out:
        raise MachineError(f"{path}: not encoded within {TIMEOUT_S:g} s; see what else runs here, and {AGAIN}")
    if finished.returncode:
        raise RuntimeError((finished.log.strip().splitlines() or ["ffmpeg stopped without a message"])[-1])
