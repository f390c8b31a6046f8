"""CPU time from mp4 to shard, beside ffmpeg's own decoding, the usual scripts and other readers, in one run.

    python benchmarks/ingest.py [--clips 60] [--workers 2] [--json ingest.json]

The same files (H.264 and AAC, 720p, 30 frames a second, 10 s; drawn and encoded here) go through

- floor: ffmpeg decodes sound and picture and throws them away;
- usual: one ffmpeg call for the wav and one for the frames as JPEG files, as public scripts of this field do;
- video2dataset, where it is installed (`pip install --no-deps video2dataset` suffices): its own subsamplers for rate of
  frames, size and rate of sound, one after the other. Its frames stay an mp4, so they are not yet pictures;
- s2v: stage `extract`, to a tar with FLAC and JPEG; with `extract.frames: fast`; with `extract.reader: decord`.

Frames are taken 10 times a second with a short side of 256. CPU is user and system time of all processes.
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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from s2v.config import ExtractConfig
from s2v.data.extract import run as extract
from s2v.data.manifest import MANIFEST
from s2v.data.status import FETCHED, ok_row, with_path
from s2v.files import read_parquet, write_parquet
from s2v.media.ffmpeg import ffmpeg_path

FFMPEG = ffmpeg_path("bundled")
SECONDS = 10
FILTER = "fps=10,scale=w='if(gt(iw,ih),-2,256)':h='if(gt(iw,ih),256,-2)'"


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg on one thread, quietly."""
    subprocess.run([FFMPEG, "-v", "error", "-nostdin", "-y", *arguments], check=True)


def make_clips(folder: Path, count: int) -> list[Path]:
    """Moving, noisy pictures, which compress as filmed ones do (about 2 Mbit/s), and two tones with noise."""
    paths = [folder / f"clip{i:03d}.mp4" for i in range(count)]

    def make(item: tuple[int, Path]) -> None:
        i, path = item
        picture = f"mandelbrot=size=1280x720:rate=30:start_scale={3 / (1 + i % 9)}:end_scale={0.3 / (1 + i % 7)}"
        sound = f"sine=frequency={200 + 31 * i}:sample_rate=44100,tremolo"
        colours = "scale=out_color_matrix=bt709,format=yuv420p"
        inputs = ["-f", "lavfi", "-t", str(SECONDS), "-i", f"{picture},noise=alls=8:allf=t+u,{colours}"]
        inputs += ["-f", "lavfi", "-t", str(SECONDS), "-i", sound]
        coding = ["-c:v", "libx264", "-preset", "medium", "-b:v", "2M", "-colorspace", "bt709", "-c:a", "aac"]
        ffmpeg(*inputs, *coding, "-threads", "1", str(path))

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


def video2dataset(paths: list[Path], folder: Path, workers: int) -> None:
    """The subsamplers of video2dataset, without its package's __init__, which wants Spark."""
    from importlib import import_module

    found = find_spec("video2dataset")
    assert found is not None and found.submodule_search_locations
    root = Path(found.submodule_search_locations[0])
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
        heard = folder / f"{path.stem}.m4a"
        ffmpeg("-i", str(path), "-vn", "-c:a", "copy", str(heard))  # it takes sound and picture as two files
        streams, metadata, error = frames({"video": [path.read_bytes()], "audio": [heard.read_bytes()]}, {})
        for step in (size, sound):
            assert error is None, error
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
    "video2dataset": video2dataset,
    "s2v": ours,
    "s2v, frames: fast": lambda *a: ours(*a, frames="fast"),
    "s2v, reader: decord": lambda *a: ours(*a, reader="decord"),
}


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clips").mkdir()
        paths = make_clips(folder / "clips", arguments.clips)
        size = sum(path.stat().st_size for path in paths)
        print(f"{len(paths)} clips, {8e-6 * size / SECONDS / len(paths):.2f} Mbit/s", file=sys.stderr)
        for way, work in WAYS.items():
            if way == "video2dataset" and find_spec(way) is None:
                print("video2dataset is not installed: left out", file=sys.stderr)
                continue
            place = folder / way.replace(" ", "_").replace(":", "").replace(",", "")
            place.mkdir()
            before, started = _cpu_s(), time.monotonic()
            work(paths, place, arguments.workers)
            found[way] = {"cpu_s": _cpu_s() - before, "wall_s": time.monotonic() - started}
    print("| way | CPU s | of the floor | s on the clock |\n|---|---|---|---|")
    for way, numbers in found.items():
        ratio = numbers["cpu_s"] / found["floor"]["cpu_s"]
        print(f"| {way} | {numbers['cpu_s']:.1f} | {ratio:.2f} | {numbers['wall_s']:.1f} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
