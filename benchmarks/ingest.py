"""CPU time from video to shard, beside ffmpeg's own decoding, usual scripts and other readers, in one run.

    python benchmarks/ingest.py [--kinds h264-720 hevc-720] [--clips 8] [--rounds 3] [--json ingest.json]

The same files (AAC or Opus beside the picture, 30 frames a second; drawn and encoded here) go through

- floor: ffmpeg decodes sound and picture and throws them away;
- usual: one ffmpeg call for the wav and one for the frames as JPEG files, as public scripts of this field do;
- PyAV, where it is installed (`pip install av`): one pass over a file, each frame that is kept shrunk by ffmpeg's own
  scaler and written as JPEG, the sound resampled to a wav;
- video2dataset, where it is installed (`pip install --no-deps video2dataset` suffices): its own subsamplers in the
  order of its own workers. Its frames stay an mp4, so they are not yet pictures;
- s2v: stage `extract`, to a tar with FLAC and JPEG; with `extract.frames: fast`; with `extract.reader: decord`.

Frames are taken 10 times a second with a short side of 256, one thread a file. The ways take turns in each round, each
round begins with another one, and medians over rounds are shown. CPU is user and system time of all processes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from s2v.config import ExtractConfig
from s2v.data.extract import run as extract
from s2v.data.manifest import MANIFEST
from s2v.data.status import FETCHED, ok_row, with_path
from s2v.files import read_parquet, write_parquet
from s2v.media.ffmpeg import ffmpeg_path

FFMPEG = ffmpeg_path("bundled")
FILTER = "fps=10,scale=w='if(gt(iw,ih),-2,256)':h='if(gt(iw,ih),256,-2)'"
H264 = ("-c:v", "libx264", "-preset", "medium", "-c:a", "aac")
HEVC = ("-c:v", "libx265", "-preset", "fast", "-x265-params", "log-level=error:pools=1:frame-threads=1", "-c:a", "aac")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "5", "-c:a", "libopus")
KINDS = {
    "h264-720": ("1280x720", 10, "mp4", (*H264, "-b:v", "2M")),
    "h264-1080": ("1920x1080", 5, "mp4", (*H264, "-b:v", "4M")),
    "h264-360": ("640x360", 10, "mp4", (*H264, "-b:v", "600k")),
    "hevc-720": ("1280x720", 10, "mp4", (*HEVC, "-b:v", "1.3M")),
    "vp9-720": ("1280x720", 10, "webm", (*VP9, "-b:v", "1.5M")),
}
"""Size, seconds, container and coding; bit rates as of videos of the web."""


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg on one thread, quietly."""
    subprocess.run([FFMPEG, "-v", "error", "-nostdin", "-y", *arguments], check=True)


def make_clips(folder: Path, count: int, kind: str) -> list[Path]:
    """Moving, noisy pictures, which compress as filmed ones do, and tones."""
    size, seconds, suffix, coding = KINDS[kind]
    paths = [folder / f"clip{i:03d}.{suffix}" for i in range(count)]

    def make(item: tuple[int, Path]) -> None:
        i, path = item
        picture = f"mandelbrot=size={size}:rate=30:start_scale={3 / (1 + i % 9)}:end_scale={0.3 / (1 + i % 7)}"
        sound = f"sine=frequency={200 + 31 * i}:sample_rate=44100,tremolo"
        colours = "scale=out_color_matrix=bt709,format=yuv420p"
        inputs = ["-f", "lavfi", "-t", str(seconds), "-i", f"{picture},noise=alls=8:allf=t+u,{colours}"]
        inputs += ["-f", "lavfi", "-t", str(seconds), "-i", sound]
        ffmpeg(*inputs, *coding, "-colorspace", "bt709", "-threads", "1", str(path))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, enumerate(paths)))
    return paths


def floor(paths: list[Path], folder: Path, workers: int) -> None:
    """Decode and throw away."""

    def one(path: Path) -> None:
        ffmpeg("-threads", "1", "-i", str(path), "-f", "null", "-")

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, paths))


def usual(paths: list[Path], folder: Path, workers: int) -> None:
    """A call for the sound, a call for the frames, and files."""

    def one(path: Path) -> None:
        place = folder / path.stem
        place.mkdir()
        ffmpeg("-threads", "1", "-i", str(path), "-vn", "-ac", "1", "-ar", "16000", str(place / "sound.wav"))
        ffmpeg("-threads", "1", "-i", str(path), "-vf", FILTER, "-q:v", "2", str(place / "%03d.jpg"))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, paths))


def pyav(paths: list[Path], folder: Path, workers: int) -> None:
    """PyAV's own loop: decode once, keep the frames of ten times a second, JPEG by Pillow, a wav."""
    import av
    from PIL import Image

    def one(path: Path) -> None:
        place = folder / path.stem
        place.mkdir()
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
        with av.open(str(path)) as container, wave.open(str(place / "sound.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(16000)
            picture, heard = container.streams.video[0], container.streams.audio[0]
            picture.thread_type = "NONE"
            shrink, kept = 256 / min(picture.width, picture.height), 0
            size = {"width": round(picture.width * shrink / 2) * 2, "height": round(picture.height * shrink / 2) * 2}
            for packet in container.demux(picture, heard):
                for frame in packet.decode():
                    if isinstance(frame, av.AudioFrame):
                        for part in resampler.resample(frame):
                            sound.writeframes(part.to_ndarray().tobytes())
                    elif frame.time is not None and frame.time >= kept / 10 - 1e-6:
                        small = frame.reformat(**size, format="rgb24", interpolation="AREA").to_ndarray()
                        Image.fromarray(small).save(place / f"{kept:03d}.jpg", quality=90)
                        kept += 1

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, paths))


@cache
def _package(name: str) -> Path:
    """The folder of an installed package, which is asked for before its place is taken."""
    found = find_spec(name)
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def video2dataset(paths: list[Path], folder: Path, workers: int) -> None:
    """The subsamplers of video2dataset, without its package's __init__, which wants Spark."""
    from importlib import import_module

    root = _package("video2dataset")
    for name, place in (("video2dataset", root), ("video2dataset.subsamplers", root / "subsamplers")):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(place)]
    programs = folder / "bin"
    programs.mkdir()
    (programs / "ffmpeg").symlink_to(FFMPEG)
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    frames = import_module("video2dataset.subsamplers.frame_subsampler").FrameSubsampler(10)
    size = import_module("video2dataset.subsamplers.resolution_subsampler").ResolutionSubsampler(["scale"], height=256)
    sound = import_module("video2dataset.subsamplers.audio_rate_subsampler").AudioRateSubsampler(16000, "flac", 1)

    def one(path: Path) -> None:
        heard = folder / f"{path.stem}.{'m4a' if path.suffix == '.mp4' else 'ogg'}"
        ffmpeg("-i", str(path), "-vn", "-c:a", "copy", str(heard))  # it takes sound and picture as two files
        streams: Any = {"video": [path.read_bytes()], "audio": [heard.read_bytes()]}
        metadata: Any = {}
        for step in (size, frames, sound):
            streams, metadata, error = step(streams, metadata)
            assert error is None, error
        for kind, suffix in (("video", "mp4"), ("audio", "flac")):
            (folder / f"{path.stem}.{suffix}").write_bytes(streams[kind][0])

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, paths))


def ours(paths: list[Path], folder: Path, workers: int, **values: Any) -> None:
    """Stage `extract`."""
    facts = {"source": "folder", "start_s": None, "end_s": None, "split": "train", "label": None, "shard": 0}
    rows = [{**facts, "clip_id": path.stem, "source_id": path.name, "extra": "{}"} for path in paths]
    write_parquet(folder / "manifest.parquet", rows, MANIFEST)
    fetched = [with_path(ok_row(path.stem, "fetch"), str(path)) for path in paths]
    write_parquet(folder / "fetched.parquet", fetched, FETCHED)
    tar, status = folder / "000.tar", folder / "000.parquet"
    extract(config=ExtractConfig(**values), manifest=folder / "manifest.parquet", fetched=folder / "fetched.parquet",
            tar=tar, status=status, ffmpeg=FFMPEG, workers=workers)  # fmt: skip
    assert all(row["status"] == "ok" for row in read_parquet(status)), "a clip was left out"


WAYS: dict[str, Callable[..., None]] = {
    "floor": floor,
    "usual": usual,
    "PyAV": pyav,
    "video2dataset": video2dataset,
    "s2v": ours,
    "s2v, frames: fast": lambda *a: ours(*a, frames="fast"),
    "s2v, reader: decord": lambda *a: ours(*a, reader="decord"),
}


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


PACKAGES = {"PyAV": "av", "video2dataset": "video2dataset"}


def measure(kind: str, clips: int, rounds: int, workers: int) -> dict[str, list[dict[str, float]]]:
    """CPU and clock of each way in each round."""
    ways = [way for way in WAYS if way not in PACKAGES or PACKAGES[way] in sys.modules or find_spec(PACKAGES[way])]
    for way in set(WAYS) - set(ways):
        print(f"{way} is not installed: left out", file=sys.stderr)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clips").mkdir()
        paths = make_clips(folder / "clips", clips, kind)
        size = sum(path.stat().st_size for path in paths)
        print(f"{kind}: {clips} clips, {8e-6 * size / KINDS[kind][1] / clips:.2f} Mbit/s", file=sys.stderr)
        for turn in range(rounds):
            for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    before, started = _cpu_s(), time.monotonic()
                    WAYS[way](paths, Path(place), workers)
                    found[way].append({"cpu_s": _cpu_s() - before, "wall_s": time.monotonic() - started})
    return found


def main() -> None:
    """Measure and print a table for each kind of file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--kinds", nargs="+", choices=list(KINDS), default=["h264-720", "h264-1080", "hevc-720", "vp9-720"]
    )
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    every = {}
    for kind in arguments.kinds:
        every[kind] = measure(kind, arguments.clips, arguments.rounds, arguments.workers)
        print(f"\n{kind}\n\n| way | CPU s | of the floor | s on the clock |\n|---|---:|---:|---:|")
        floors = [one["cpu_s"] for one in every[kind]["floor"]]
        for way, numbers in every[kind].items():
            # A ratio is of two that were measured in one round.
            ratio = median(one["cpu_s"] / base for one, base in zip(numbers, floors, strict=True))
            cpu, wall = (median(one[what] for one in numbers) for what in ("cpu_s", "wall_s"))
            print(f"| {way} | {cpu:.1f} | {ratio:.2f} | {wall:.1f} |", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(every, indent=1))


if __name__ == "__main__":
    main()
