"""300 videos, 40 of them broken in 15 ways, killed ten times: what is lost is named, and nothing else is lost.

    python benchmarks/faults.py [--clips 300] [--kills 10] [--seed 0]

Videos are made here. They go through manifest, fetch and extract twice: undisturbed, and in a process group that is
killed with SIGKILL at random moments and started again each time. Printed are the reasons that the ledger gives, beside
those it must give, and whether the tars of both runs are the same byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from s2v.config import DataConfig, DownloadConfig, ExtractConfig, FolderConfig
from s2v.data.extract import run as extract
from s2v.data.fetch import run as fetch
from s2v.data.manifest import run as manifest
from s2v.files import read_parquet
from s2v.media.ffmpeg import ffmpeg_path

FFMPEG = ffmpeg_path("bundled")
SHARDS = 6
BROKEN = 40


def video(
    path: Path, i: int = 0, seconds: float = 4.0, picture: str | None = "", sound: str | None = "", flags: str = "0"
) -> None:
    """A moving picture with a tone; None leaves a stream out."""
    inputs: list[str] = []
    for given, usual in (
        (picture, f"testsrc2=size=320x240:rate=25,hue=h={11 * i % 360}"), (sound, f"sine=frequency={200 + 7 * i}")
    ):  # fmt: skip
        if given is not None:
            inputs += ["-f", "lavfi", "-t", str(seconds), "-i", given or usual]
    coding = ["-pix_fmt", "yuv420p", "-threads", "1", "-movflags", flags, "-f", "mp4", str(path)]
    subprocess.run([FFMPEG, "-v", "error", "-nostdin", "-y", *inputs, *coding], check=True)


def _part(share: float, flags: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        video(path, flags=flags)
        os.truncate(path, int(path.stat().st_size * share))

    return make


def _text(text: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(text) and None


def _noise_inside(path: Path) -> None:
    video(path, flags="+faststart")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = random.Random(0).randbytes(len(data) - start)
    path.write_bytes(data)


WAYS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "zero bytes": ("empty", lambda path: path.touch()),
    "text": ("not_a_video", _text("This is no film. " * 99)),
    "web page": ("not_a_video", _text("<!doctype html><title>404</title>" * 99)),
    "playlist": ("not_a_video", _text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")),
    "random bytes": ("not_a_video", lambda path: path.write_bytes(random.Random(1).randbytes(9999)) and None),
    "cut, index at the end": ("truncated", _part(0.7, "0")),
    "cut, index in front": ("truncated", _part(0.6, "+faststart")),
    "cut in its header": ("truncated", _part(0.01, "+faststart")),
    "no sound": ("no_audio", lambda path: video(path, sound=None)),
    "no picture": ("no_video", lambda path: video(path, picture=None)),
    "silent": ("silent", lambda path: video(path, sound="anullsrc=sample_rate=44100:channel_layout=mono")),
    "black": ("black", lambda path: video(path, picture="color=black:size=320x240:rate=25")),
    "still": ("still", lambda path: video(path, picture="testsrc2=size=320x240:rate=25,trim=end_frame=1,loop=-1:1")),
    "too short": ("too_short", lambda path: video(path, seconds=0.3)),
    "noise in place of its data": ("decode_error", _noise_inside),
}


def run_chain(videos: Path, out: Path) -> None:
    """Manifest, fetch and extract of a folder, as the workflow's jobs run them."""
    config = DataConfig(source="folder", shards=SHARDS, folder=FolderConfig(path=str(videos), splits={"train": 1.0}))
    manifest(config=config, output_dir=out / "manifest", truth=None)
    for shard in (f"{i:03d}" for i in range(SHARDS)):
        rows, status = out / "manifest" / f"{shard}.parquet", out / "fetch" / f"{shard}.parquet"
        tar = out / "extract" / f"{shard}.tar"
        if not tar.with_suffix(".parquet").exists():
            fetch(config=config, manifest=rows, status=status, video_dir=out / "videos", ffmpeg=FFMPEG, workers=2,
                  download=DownloadConfig())  # fmt: skip
            extract(config=ExtractConfig(still_difference=0.01), manifest=rows, fetched=status, tar=tar,
                    status=tar.with_suffix(".parquet"), ffmpeg=FFMPEG, workers=2)  # fmt: skip


def _start(videos: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--chain", str(videos), str(out)]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)


def _reasons(out: Path) -> dict[str, str]:
    rows = {row["clip_id"]: row for path in (out / "manifest").glob("*.parquet") for row in read_parquet(path)}
    found: dict[str, str] = {}
    for stage in ("fetch", "extract"):
        for path in (out / stage).glob("*.parquet"):
            for row in read_parquet(path):
                if row["status"] != "ok":
                    found.setdefault(rows[row["clip_id"]]["source_id"], row["reason"])
    return found


def _tars(out: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (out / "extract").glob("*.tar")}


def main() -> None:
    """Make, run, kill, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chain", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.chain:
        return run_chain(*arguments.chain)
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "videos").mkdir()
        expected = {f"broken {i:02d}.mp4": list(WAYS)[i % len(WAYS)] for i in range(BROKEN)}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = [pool.submit(WAYS[way][1], root / "videos" / name) for name, way in expected.items()]
            count = arguments.clips - BROKEN
            made += [pool.submit(video, root / "videos" / f"good {i:03d}.mp4", i) for i in range(count)]
            for one in made:
                one.result()
        started = time.monotonic()
        whole = _start(root / "videos", root / "whole")
        if whole.wait():
            raise SystemExit("the undisturbed run failed")
        seconds = time.monotonic() - started
        kills = 0
        while kills < arguments.kills:
            process = _start(root / "videos", root / "killed")
            try:
                process.wait(timeout=draw.uniform(1.0, max(2.0, 2 * seconds / arguments.kills)))
                shutil.rmtree(root / "killed")  # it came to its end: once more from nothing
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
        if _start(root / "videos", root / "killed").wait():
            raise SystemExit("the run after the kills failed")
        found = _reasons(root / "whole")
        print("| broken how | files | reason it must have | reasons it has |\n|---|---|---|---|")
        for way, (reason, _) in WAYS.items():
            names = [file for file, how in expected.items() if how == way]
            got = sorted({found.get(file, "none") for file in names})
            print(f"| {way} | {len(names)} | {reason} | {', '.join(got)} |")
        others = sorted(set(found) - set(expected))
        print(f"\n{len(others)} of {arguments.clips - BROKEN} good videos were left out: {others[:5]}")
        whole_tars, same = _tars(root / "whole"), found == _reasons(root / "killed")
        print(f"{len(whole_tars)} tars in {seconds:.0f} s; after {kills} kills they are the same: ", end="")
        print(f"{whole_tars == _tars(root / 'killed')}; so are the reasons: {same}")


if __name__ == "__main__":
    main()
