"""300 videos, 40 of them broken in 15 ways, killed ten times: what is lost is named, and nothing else is lost.

    python benchmarks/faults.py [--clips 300] [--kills 10] [--seed 0]
    python benchmarks/faults.py --machine

Videos are made here. They go through manifest, fetch and extract twice: undisturbed, and in a process group that is
killed with SIGKILL at random moments and started again each time. Printed are the reasons that the ledger gives, beside
those it must give, and whether the tars of both runs are the same byte for byte.

With `--machine`: twelve faults of the machine, each followed by a plain rerun, and the same questions. Small disks are
mounts in a namespace of this program's own, which needs Linux, and root or user namespaces.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from s2v.config import DataConfig, DownloadConfig, ExtractConfig, FolderConfig, WorldConfig
from s2v.data.extract import run as extract
from s2v.data.fetch import run as fetch
from s2v.data.manifest import run as manifest
from s2v.errors import UserError, machine_faults
from s2v.files import read_parquet
from s2v.media.ffmpeg import ffmpeg_path
from s2v.world import class_names

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


def run_chain(videos: str, out: Path, ffmpeg: str) -> None:
    """Manifest, fetch and extract of a folder or of the world, as the workflow's jobs run them."""
    folder = FolderConfig(path=videos, splits={"train": 1.0})
    config = DataConfig(source="folder", shards=SHARDS, folder=folder)
    if videos == "world":
        config = DataConfig(source="world", shards=2, world=WorldConfig(classes=class_names()[:2], clips={"train": 8}))
    memory = int(os.environ.get("S2V_MEMORY", "0"))
    if memory:  # from here on: with so little this program would not even start
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        with machine_faults():
            manifest(config=config, output_dir=out / "manifest", truth=None)
            for shard in (f"{i:03d}" for i in range(config.shards)):
                rows, status = out / "manifest" / f"{shard}.parquet", out / "fetch" / f"{shard}.parquet"
                tar = out / "extract" / f"{shard}.tar"
                if not tar.with_suffix(".parquet").exists():
                    fetch(config=config, manifest=rows, status=status, video_dir=out / "videos" / shard, ffmpeg=ffmpeg,
                          workers=2, download=DownloadConfig())  # fmt: skip
                    extract(config=ExtractConfig(still_difference=0.01), manifest=rows, fetched=status, tar=tar,
                            status=tar.with_suffix(".parquet"), ffmpeg=ffmpeg, workers=2)  # fmt: skip
    except UserError as error:
        print(error, flush=True)
        sys.exit(1)


def _start(videos: Path | str, out: Path, ffmpeg: str = FFMPEG, **how: Any) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--chain", str(videos), str(out), ffmpeg]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, start_new_session=True, text=True, **pipes, **how)


def _reasons(out: Path) -> dict[str, str]:
    rows = {row["clip_id"]: row for path in (out / "manifest").glob("*.parquet") for row in read_parquet(path)}
    found: dict[str, str] = {}
    for stage in ("fetch", "extract"):
        for path in (out / stage).glob("*.parquet"):
            for row in read_parquet(path):
                if row["status"] != "ok":
                    found.setdefault(rows[row["clip_id"]]["source_id"], row["reason"])
    return found


def _files(out: Path) -> dict[str, str]:
    """Digests of all tars, and of the videos that were made."""
    paths = [*out.glob("extract/*.tar"), *out.glob("videos/*/*.mp4")]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


class Trial:
    """A chain that meets one fault.

    Attributes:
        videos: a folder, or `world`.
        out: where the chain writes.
        ffmpeg: a link to the real one, which a fault may put something else in place of.
    """

    def __init__(self, videos: str, root: Path) -> None:
        self.videos, self.root, self.out, self.ffmpeg = videos, root, root / "out", root / "ffmpeg"
        self.disks: list[Path] = []
        self.out.mkdir(parents=True)
        self.ffmpeg.symlink_to(FFMPEG)

    def start(self, **how: Any) -> subprocess.Popen[str]:
        """Start the chain."""
        return _start(self.videos, self.out, str(self.ffmpeg), **how)

    def said(self, process: subprocess.Popen[str] | None = None, **how: Any) -> str:
        """What the chain says when it stops."""
        said, _ = (process or self.start(**how)).communicate()
        return said.strip()

    def disk(self, name: str, size: str) -> Path:
        """A small disk in place of a folder."""
        place = self.root / name
        place.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=True)
        self.disks.append(place)
        return place

    def at_work(self) -> subprocess.Popen[str]:
        """The chain when it has finished a few clips of a shard."""
        process = self.start()
        while len(list(self.out.glob("extract/.*.spool/[!.]*.json"))) < 3:
            assert process.poll() is None, process.communicate()
            time.sleep(0.002)
        return process

    def replaced(self, script: str | None) -> str:
        """What the chain says while something else, or nothing, is where ffmpeg was."""
        self.ffmpeg.unlink()
        if script is not None:
            self.ffmpeg.write_text(script)
            self.ffmpeg.chmod(0o755)
        said = self.said()
        self.ffmpeg.unlink(missing_ok=True)
        self.ffmpeg.symlink_to(FFMPEG)
        return said


def _remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", place], check=True)


def _temp_full(trial: Trial) -> str:
    return trial.said(env={**os.environ, "TMPDIR": str(trial.disk("temp", "24k"))})


def _disk_full(name: str, size: str) -> Callable[[Trial], str]:
    def meet(trial: Trial) -> str:
        place = trial.disk(name, size)
        said = trial.said()
        _remount(place, "size=99m")
        return said

    return meet


def _read_only(trial: Trial) -> str:
    place = trial.disk("out/extract", "99m")
    _remount(place, "ro")
    said = trial.said()
    _remount(place, "rw")
    return said


def _family(pid: int) -> dict[int, str]:
    """Command lines of all that descends from a process."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: _command_line(child) for child in found - {pid}}


def _command_line(pid: int) -> str:
    """Of a live process; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _killed(what: str) -> Callable[[Trial], str]:
    def meet(trial: Trial) -> str:
        process = trial.at_work()
        while process.poll() is None:
            for pid, line in _family(process.pid).items():
                if what in line.split("\0")[0] or what in line.split("\0")[1:3]:
                    os.kill(pid, signal.SIGKILL)
                    return trial.said(process)
        return trial.said(process)

    return meet


def _parent_killed(trial: Trial) -> str:
    process = trial.at_work()
    family = _family(process.pid)
    process.kill()
    process.wait()
    time.sleep(1)
    left = [pid for pid in family if _command_line(pid)]
    return f"(killed; of {len(family)} workers and decoders {len(left)} are left a second later)"


def _little_memory(trial: Trial) -> str:
    return trial.said(env={**os.environ, "S2V_MEMORY": str(MEMORY)})


def _clock_set_back(trial: Trial) -> str:
    """All that was written before is a day newer than what is written after."""
    process = trial.at_work()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for path in trial.out.rglob("*"):
        ahead = path.stat().st_mtime + 86400
        os.utime(path, (ahead, ahead))
    return "(killed; then the clock was a day behind all that it had written)"


MEMORY = 600 * 2**20
MACHINE: dict[str, Callable[[Trial], str]] = {
    "temporary folder full": _temp_full,
    "disk of the videos full": _disk_full("out/videos", "400k"),
    "disk of the output full": _disk_full("out/extract", "3m"),
    "worker killed": _killed("s2v.data.workers"),
    "ffmpeg killed": _killed("ffmpeg"),
    "parent killed": _parent_killed,
    "ffmpeg missing": lambda trial: trial.replaced(None),
    "ffmpeg is something else": lambda trial: trial.replaced("#!/bin/sh\nexit 0\n"),
    "ffmpeg hangs": lambda trial: trial.replaced("#!/bin/sh\nsleep 600\n"),
    "output read-only": _read_only,
    f"memory limited to {MEMORY >> 20} MiB": _little_memory,
    "clock set back a day": _clock_set_back,
}


def machine_table(root: Path) -> None:
    """Meet each fault, run again, compare and print."""
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if "S2V_OWN_MOUNTS" not in os.environ:
        if shutil.which("unshare") is None or subprocess.run([*own, "true"], stderr=subprocess.DEVNULL).returncode:
            raise SystemExit("small disks need mounts of one's own (unshare -m): Linux, and root or user namespaces")
        done = subprocess.run([*own, sys.executable, __file__, "--machine"], env={**os.environ, "S2V_OWN_MOUNTS": "1"})
        raise SystemExit(done.returncode)
    videos = root / "videos"
    videos.mkdir()
    for i, (way, (_, make)) in enumerate(WAYS.items()):
        make(videos / f"broken {i:02d} {way}.mp4")
    for i in range(45):
        video(videos / f"good {i:03d}.mp4", i)
    wholes = {kind: Trial(kind, root / f"whole {Path(kind).name}") for kind in (str(videos), "world")}
    for whole in wholes.values():
        if said := whole.said():
            raise SystemExit(f"the undisturbed run failed: {said}")
    print("| fault | what the stage says | finished before | lost | wrong reasons | same bytes |\n" + 6 * "|---" + "|")
    for name, meet in MACHINE.items():
        kind = "world" if "videos" in name else str(videos)
        trial, whole = Trial(kind, root / name), wholes[kind]
        said = meet(trial).replace(str(trial.root), "...").replace(str(root), "...")
        booked = _reasons(trial.out)
        kept = len(list(trial.out.glob("extract/.*.spool/[!.]*.json"))) + len(list(trial.out.glob("videos/*/*.mp4")))
        again = trial.said()
        found, right = _reasons(trial.out), _reasons(whole.out)
        lost = set(found) - set(right)
        wrong = {clip for clip in {**found, **booked} if {**found, **booked}[clip] != right.get(clip)}
        same = _files(trial.out) == _files(whole.out) and not again
        cells = (name, said, kept, len(lost), len(wrong), "yes" if same else f"no {again}")
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        for place in trial.disks:
            subprocess.run(["umount", place], check=True)


def main() -> None:
    """Make, run, kill, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--machine", action="store_true", help="the faults of the machine")
    parser.add_argument("--chain", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.chain:
        return run_chain(arguments.chain[0], Path(arguments.chain[1]), arguments.chain[2])
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        if arguments.machine:
            return machine_table(root)
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
        whole_tars, same = _files(root / "whole"), found == _reasons(root / "killed")
        print(f"{len(whole_tars)} tars in {seconds:.0f} s; after {kills} kills they are the same: ", end="")
        print(f"{whole_tars == _files(root / 'killed')}; so are the reasons: {same}")


if __name__ == "__main__":
    main()
