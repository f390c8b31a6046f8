"""Faults of the machine stop a stage in one line, and a plain rerun ends as if nothing had been."""

from __future__ import annotations

import json
import os
import resource
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from machine_jobs import misbehave
from media_files import FFMPEG, make_video

from s2v import world
from s2v.config import (
    DataConfig,
    DownloadConfig,
    ExtractConfig,
    FolderConfig,
    VggSoundConfig,
    VideosConfig,
    WorldConfig,
)
from s2v.data import extract, fetch, manifest
from s2v.data.breaker import Breaker
from s2v.data.workers import WorkerError, map_jobs
from s2v.errors import MachineError, Reason, machine_fault
from s2v.files import atomic_path, read_parquet, write_bytes, write_json
from s2v.identity import seedless_digest
from s2v.media import faults, process
from s2v.media.decode import decode
from s2v.media.diagnosis import ClipError, check_file
from s2v.media.faults import check_end
from s2v.media.process import Finished, execute
from s2v.workflow import Plan

CLIPS = 6
LINE = r"^[^\n]+$"


class Bench:
    """A folder of videos taken as far as fetch, and an ffmpeg that does `fault` from its third decoding on."""

    def __init__(self, videos: Path, root: Path) -> None:
        self.root, self.videos = root, videos
        self.data = DataConfig(source="folder", shards=1, folder=FolderConfig(path=str(videos), splits={"train": 1.0}))
        self.ffmpeg, self.fault, self.calls = root / "bin/ffmpeg", root / "bin/fault", root / "bin/calls"
        self.calls.mkdir(parents=True)
        self.ffmpeg.write_text(
            f"""#!/bin/sh
            case "$*" in *-version*) ;; *)
                : > {self.calls}/$$
                calls=$(ls {self.calls} | wc -l)
                if [ -e {self.fault} ] && [ $calls -ge $(cat {self.fault}.first) ]; then . {self.fault}; fi ;;
            esac
            exec {FFMPEG} "$@"\n"""
        )
        self.ffmpeg.chmod(0o755)
        self.manifest, self.fetched = root / "manifest/000.parquet", root / "fetch/000.parquet"
        self.tar, self.status = root / "extract/000.tar", root / "extract/000.parquet"
        self.spool = self.tar.parent / ".000.spool"
        manifest.run(config=self.data, output_dir=self.manifest.parent, truth=None)
        self.fetch()

    def fetch(self) -> None:
        files = {"manifest": self.manifest, "status": self.fetched, "video_dir": self.root / "videos"}
        fetch.run(config=self.data, **files, ffmpeg=FFMPEG, workers=1, download=DownloadConfig())

    def extract(self, fault: str | None = None, first: int = 3, **settings: Any) -> dict[str, str | None]:
        """Run the stage, with a fault from a decoding on; reasons by the video's name, None where it went through."""
        self.arm("", CLIPS)
        self.fault.unlink()
        if fault is not None:
            self.arm(fault, first)
        extract.run(
            config=ExtractConfig(**{"timeout_s": 60.0, **settings}),
            manifest=self.manifest,
            fetched=self.fetched,
            tar=self.tar,
            status=self.status,
            ffmpeg=str(self.ffmpeg),
            workers=1,
        )
        names = {row["clip_id"]: json.loads(row["extra"])["path"] for row in read_parquet(self.manifest)}
        return {names[row["clip_id"]]: row["reason"] for row in read_parquet(self.status)}

    def arm(self, fault: str, first: int) -> None:
        """Have ffmpeg do `fault` from its call number `first` on."""
        shutil.rmtree(self.calls)
        self.calls.mkdir()
        Path(f"{self.fault}.first").write_text(str(first))
        self.fault.write_text(fault)

    def spooled(self) -> list[str]:
        """Statuses that wait in the spool."""
        return [json.loads(path.read_text())["status"] for path in self.spool.glob("[!.]*.json")]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos") / "in"
    for index in range(CLIPS):
        make_video(folder / f"{index}.mp4", seconds=1, sound=f"sine=frequency={300 + 50 * index}")
    return folder


@pytest.fixture(scope="module")
def undisturbed(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    bench = Bench(videos, tmp_path_factory.mktemp("undisturbed"))
    assert set(bench.extract().values()) == {None}
    return bench.tar.read_bytes()


@pytest.fixture
def bench(videos: Path, tmp_path: Path) -> Bench:
    return Bench(videos, tmp_path)


FAULTS = {
    "ffmpeg is killed": ("kill -9 $$", "SIGKILL"),
    "ffmpeg behind a script is killed": ("exit 137", "SIGKILL"),
    "ffmpeg is told to end": ("kill -TERM $$", "SIGTERM"),
    "ffmpeg catches that it is told to end": ("echo 'Exiting normally, received signal 15.' >&2; exit 255", "SIGTERM"),
    "the worker is killed": ("kill -9 $PPID; sleep 9", "worker program was ended by SIGKILL"),
    "the temporary folder is full": (
        "echo '[out#1/s16le @ 0x55dd] Error writing trailer: No space left on device' >&2; exit 228",
        "no space left on device",
    ),
    "the temporary folder is full, older ffmpeg": (
        "echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1",
        "no space left on device",
    ),
    "a library is missing": ("echo 'ffmpeg: error while loading shared libraries: libx.so' >&2; exit 127", "libx.so"),
    "ffmpeg is of another build": ("echo \"Unrecognized option 'format_whitelist'.\" >&2; exit 1", "cannot do what"),
}


@pytest.mark.parametrize("how", FAULTS)
def test_a_fault_of_the_machine_stops_the_stage_and_a_rerun_ends_as_if_it_had_not_been(
    how: str, bench: Bench, undisturbed: bytes
) -> None:
    fault, words = FAULTS[how]
    with pytest.raises(MachineError, match=LINE) as caught:
        bench.extract(fault)
    assert words in str(caught.value) and "run again" in str(caught.value)
    assert bench.spooled() == ["ok", "ok"] and not bench.tar.exists() and not bench.status.exists()
    assert set(bench.extract().values()) == {None} and len(list(bench.calls.iterdir())) == CLIPS - 2
    assert bench.tar.read_bytes() == undisturbed


def test_a_decoder_that_crashes_over_a_clip_is_the_clips_fault(bench: Bench) -> None:
    reasons = bench.extract('case "$*" in */5.mp4*) kill -SEGV $$;; esac')
    assert reasons == {f"{index}.mp4": "decode_error" if index == 5 else None for index in range(CLIPS)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be started"),
        ("#!/bin/sh\nexit 0\n", "does not run as ffmpeg"),
        ("#!/bin/sh\necho no such library >&2; exit 127\n", "no such library"),
        ("#!/bin/sh\nwhile :; do echo ffmpeg; done\n", "does not answer"),
        ("#!/bin/sh\nsleep 60 & sleep 60\n", "does not answer"),
        ("no program at all", "cannot be started"),
    ],
)
def test_an_ffmpeg_that_is_none_stops_the_stage_before_any_clip(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, text: str | None, words: str
) -> None:
    monkeypatch.setattr(faults, "PROBE_S", 0.5)
    if text is None:
        bench.ffmpeg.unlink()
    else:
        bench.ffmpeg.write_text(text)
    with pytest.raises(MachineError, match=LINE) as caught:
        bench.extract()
    assert words in str(caught.value) and not bench.status.exists()


def test_most_of_a_shard_failing_alike_stops_the_stage_until_the_limit_is_raised(
    bench: Bench, undisturbed: bytes
) -> None:
    broken = "echo 'Error: boom' >&2; exit 1"
    with pytest.raises(MachineError, match=LINE) as caught:
        bench.extract(broken)
    for words in ("4 of 6 clips", "decode_error: Error: boom", "extract.max_failed_share", "0.5"):
        assert words in str(caught.value)
    assert bench.spooled() == ["ok", "ok"], "nothing is noted of a failure that may be the machine's"
    found = bench.extract(broken, first=1, max_failed_share=1.0)
    assert sorted(map(str, found.values())) == ["None"] * 2 + ["decode_error"] * 4
    bench.tar.unlink()
    assert set(bench.extract().values()) == {None} and bench.tar.read_bytes() == undisturbed


def test_the_breaker_leaves_few_failures_other_reasons_and_a_bad_share_alone() -> None:
    def rows(reason: Reason, count: int) -> list[dict[str, Any]]:
        return [{"status": "failed", "reason": str(reason), "detail": "as it is"}] * count

    for reason, count, clips in [
        (Reason.DECODE_ERROR, 3, 3),
        (Reason.TIMEOUT, 5, 10),
        (Reason.SILENT, 9, 9),
        (Reason.NO_AUDIO, 9, 9),
    ]:
        breaker = Breaker("000", clips)
        for row in rows(reason, count):
            breaker.count(row)
    breaker = Breaker("000", 10)
    with pytest.raises(MachineError, match="6 of 10 clips of shard 000 .*timeout: as it is"):
        for row in rows(Reason.DECODE_ERROR, 3) + rows(Reason.TIMEOUT, 6):
            breaker.count(row)


def test_raising_the_limit_is_no_change_of_what_a_stage_is_made_from() -> None:
    from s2v.configfile import load

    config = load(["config.yaml"])
    raised = config.model_copy(update={"extract": config.extract.model_copy(update={"max_failed_share": 1.0})})
    assert seedless_digest(raised) == seedless_digest(config)
    assert raised.extract != config.extract
    given = [Plan(one).values("extract", "max_failed_share") for one in (config, raised)]
    assert (
        given[0] == given[1] and 'PLAN.values("extract", "max_failed_share")' in Path("rules/extract.smk").read_text()
    )


MACHINE = ["ENOSPC", "EDQUOT", "EIO", "ENOMEM", "EMFILE", "EROFS", "ESTALE", "ENOTCONN", "EACCES", "memory", "nowhere"]


@pytest.mark.parametrize("how", [*MACHINE, "SIGKILL", "SIGTERM", "SIGXCPU", "SIGBUS"])
def test_what_the_machine_does_to_a_worker_is_not_booked_as_a_jobs_error(how: str) -> None:
    with pytest.raises(MachineError, match=LINE):
        list(map_jobs(misbehave, [{"how": how}], workers=1, timeout_s=60))


def test_a_job_that_crashes_its_worker_is_tried_twice_before_it_is_blamed(tmp_path: Path) -> None:
    jobs = [{"how": "SIGSEGV", "once": str(tmp_path / "once")}, {"how": "SIGABRT"}, {"how": "fine"}, {"how": "ENOENT"}]
    found = dict(map_jobs(misbehave, jobs, workers=1, timeout_s=60))
    assert (found[0], found[2]) == ("SIGSEGV", "fine")
    assert isinstance(found[1], WorkerError) and str(found[1]) == "died (SIGABRT)"
    assert isinstance(found[3], WorkerError), "a file that is gone is not the machine's doing"


def test_a_worker_that_cannot_start_is_the_machines_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    function = SimpleNamespace(__module__="no.such.module", __qualname__="f")
    with pytest.raises(MachineError, match="a worker program cannot start .*no"):
        list(map_jobs(function, [{}], workers=1, timeout_s=60))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(OSError):
        list(map_jobs(misbehave, [{"how": "fine"}], workers=1, timeout_s=60))


def test_a_time_limit_ends_all_that_a_decoder_started(videos: Path, tmp_path: Path) -> None:
    script, pids = tmp_path / "ffmpeg", tmp_path / "pids"
    script.write_text(f"#!/bin/sh\n(sleep 300 & echo $! >> {pids}; wait) &\nsleep 300 & echo $! >> {pids}\nexit 0\n")
    script.chmod(0o755)
    started = time.monotonic()
    with pytest.raises(ClipError) as caught:
        decode(videos / "0.mp4", ffmpeg=str(script), timeout_s=1.0)
    assert caught.value.reason is Reason.TIMEOUT and time.monotonic() - started < 10
    left = [int(pid) for pid in pids.read_text().split()]
    assert len(left) == 2
    _wait_until(lambda: not any(_lives(pid) for pid in left))


def test_a_program_that_leaves_its_group_and_keeps_the_pipe_does_not_hold_the_reader(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    started = time.monotonic()
    script = f"setsid sleep 60 & echo $! > {pid}; exit 0"
    finished, _ = execute(["/bin/sh", "-c", script], timeout_s=1.0)
    assert finished.timed_out and time.monotonic() - started < 10
    os.kill(int(pid.read_text()), signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="the system ends a program with its parent on Linux alone")
def test_a_killed_run_leaves_no_worker_and_no_decoder_behind(bench: Bench) -> None:
    slow = "echo $$ $PPID > " + shlex.quote(str(bench.root / "pids")) + "; exec sleep 300"
    bench.arm(slow, 1)
    files = [bench.manifest, bench.fetched, bench.tar, bench.status]
    code = f"""if True:
        from pathlib import Path
        from s2v.config import ExtractConfig
        from s2v.data.extract import run
        manifest, fetched, tar, status = map(Path, {list(map(str, files))!r})
        run(config=ExtractConfig(), manifest=manifest, fetched=fetched, tar=tar, status=status,
            ffmpeg={str(bench.ffmpeg)!r}, workers=1)"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    _wait_until(lambda: (bench.root / "pids").exists() and len((bench.root / "pids").read_text().split()) == 2, 60)
    left = [int(pid) for pid in (bench.root / "pids").read_text().split()]
    parent.kill()
    parent.wait()
    _wait_until(lambda: not any(_lives(pid) for pid in left))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no limit of memory here")
def test_memory_runs_out_at_our_limit_for_a_clip_and_at_anothers_for_the_machine(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    monkeypatch.setattr(process, "MEMORY_BYTES", 700 * 2**20)
    frame = b"!\xf9\x04\x08\x0a\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"
    crafted = tmp_path / "crafted.gif"
    crafted.write_bytes(
        b"GIF89a" + struct.pack("<HH", 9000, 9000) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + 9 * frame + b";"
    )
    with pytest.raises(ClipError, match=r"it asks for more than the 4 GiB of memory that a decoder gets") as caught:
        decode(crafted, ffmpeg=FFMPEG, need_audio=False)
    assert caught.value.reason is Reason.DECODE_ERROR
    monkeypatch.undo()
    code = f"""if True:
        import resource
        from s2v.errors import MachineError
        from s2v.media.decode import decode
        resource.setrlimit(resource.RLIMIT_AS, (700 * 2**20, 700 * 2**20))
        try:
            decode({str(crafted)!r}, ffmpeg={FFMPEG!r}, need_audio=False)
        except MachineError as error:
            print("machine:", error)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("machine:") and "crafted.gif" in done.stdout and "ulimit -v" in done.stdout, done
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_what_a_clip_says_of_itself_is_not_taken_for_the_machines_word(tmp_path: Path) -> None:
    words = "[out#1/x @ 0x1] Error writing trailer: No space left on device"
    name = "av_interleaved_write_frame(): No space left on device"
    path = make_video(
        tmp_path / f"a\n{name}\n.mp4",
        seconds=1,
        options=(
            "-metadata",
            f"title={words}",
            "-metadata",
            f"comment=x\n{words}\nExiting normally, received signal 15.",
        ),
    )
    assert len(decode(path, ffmpeg=FFMPEG).frames) == 10
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ClipError):
        decode(path, ffmpeg=FFMPEG)


def test_an_input_output_error_is_the_machines_where_something_is_written(videos: Path) -> None:
    arguments = [FFMPEG, "-nostdin", "-i", f"file:{videos / '0.mp4'}", "file:/disk/sound.raw"]
    written = Finished(251, "[out#1/s16le @ 0x1] Error writing trailer: Input/output error", False)
    with pytest.raises(MachineError, match=r"^/disk: input/output error"):
        check_end(written, arguments)
    for log in ("Error opening output files: Input/output error", "[in#0 @ 0x1] Error during demuxing: I/O error"):
        assert check_end(Finished(251, log, False), arguments).log == log, "the file can be read, so it is damaged"


def test_a_disk_that_cannot_be_read_is_not_a_missing_file(tmp_path: Path) -> None:
    dead = tmp_path / "dead.mp4"
    dead.symlink_to("/proc/self/mem")  # a regular file that gives an input/output error
    with pytest.raises(MachineError, match=r"^.*dead.mp4: input/output error; see to its disk, and run again"):
        check_file(dead)
    arguments = [FFMPEG, "-nostdin", "-i", f"file:{dead}"]
    with pytest.raises(MachineError, match="input/output error"):
        check_end(Finished(1, "Error during demuxing: Input/output error", False), arguments)
    with pytest.raises(ClipError) as caught:
        check_file(tmp_path / "none.mp4")
    assert caught.value.reason is Reason.MISSING


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder outside of pytest's, which root may enter and no one else, and rights of another user."""
    folder = Path(tempfile.mkdtemp(prefix="s2v-test-"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_rights_of_a_file_are_its_own_and_rights_of_a_folder_are_not(nobody: Path) -> None:
    video = nobody / "in/a.mp4"
    video.parent.mkdir()
    video.write_bytes(b"x" * 99)
    video.chmod(0)
    with pytest.raises(ClipError, match="Permission denied"):
        check_file(video)
    video.chmod(0o644)
    video.parent.chmod(0)
    try:
        with pytest.raises(MachineError, match="permission denied; give this user the right to it"):
            check_file(video)
    finally:
        video.parent.chmod(0o755)
    video.parent.chmod(0o555)
    with pytest.raises(OSError) as caught:
        write_json(video.parent / "b.json", 1)
    assert str(machine_fault(caught.value)).startswith(f"{video.parent}/b.json: permission denied")


def test_videos_that_went_with_their_disk_are_not_missing_clips(bench: Bench, undisturbed: bytes) -> None:
    for empty in (True, False):
        bench.videos.rename(bench.root / "elsewhere")
        try:
            if empty:
                bench.videos.mkdir()
            for stage in (bench.extract, bench.fetch):
                with pytest.raises(MachineError, match=r"in: is (empty|gone), though .*mount its disk"):
                    stage()
        finally:
            if empty:
                bench.videos.rmdir()
            (bench.root / "elsewhere").rename(bench.videos)
    bench.fetch()
    assert set(bench.extract().values()) == {None} and bench.tar.read_bytes() == undisturbed


def test_a_mirror_may_lack_most_of_a_list_but_not_be_empty(tmp_path: Path) -> None:
    ids = [f"{index:011d}" for index in range(10)]
    (tmp_path / "list.csv").write_text("".join(f"{name},0,dog,train\n" for name in ids))
    section = VggSoundConfig(csv=str(tmp_path / "list.csv"), n_classes=None)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    data = DataConfig(source="vggsound", shards=1, vggsound=section, videos=VideosConfig(path=str(mirror)))
    manifest.run(config=data, output_dir=tmp_path / "m", truth=None)
    files = {"manifest": tmp_path / "m/000.parquet", "status": tmp_path / "f.parquet", "video_dir": tmp_path / "v"}
    with pytest.raises(MachineError, match="mirror: is empty"):
        fetch.run(config=data, **files, ffmpeg=FFMPEG, workers=1, download=DownloadConfig())
    make_video(mirror / f"{ids[0]}.mp4")
    fetch.run(config=data, **files, ffmpeg=FFMPEG, workers=1, download=DownloadConfig())
    assert sorted(row["reason"] or "" for row in read_parquet(files["status"])) == [""] + ["missing"] * 9


def test_a_fault_while_the_world_is_rendered_leaves_it_to_the_next_run(bench: Bench, tmp_path: Path) -> None:
    sizes = {"size_px": 32, "duration_s": (1.0, 1.2), "photos_per_reel": 4}
    section = WorldConfig(classes=world.class_names()[:2], clips={"train": 2}, **sizes)
    data = DataConfig(source="world", shards=1, world=section)
    manifest.run(config=data, output_dir=tmp_path / "m", truth=tmp_path / "truth.parquet")

    def render(name: str, ffmpeg: Path) -> dict[str, bytes]:
        files = {"manifest": tmp_path / "m/000.parquet", "status": tmp_path / name / "000.parquet"}
        fetch.run(config=data, **files, video_dir=tmp_path / name, ffmpeg=str(ffmpeg), workers=1,
                  download=DownloadConfig())  # fmt: skip
        assert {row["status"] for row in read_parquet(files["status"])} == {"ok"}
        return {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.mp4")}

    whole = render("whole", Path(FFMPEG))
    bench.arm("echo 'Error writing trailer: No space left on device' >&2; exit 1", 3)
    with pytest.raises(MachineError, match=LINE):
        render("again", bench.ffmpeg)
    assert len(list((tmp_path / "again").glob("*.mp4"))) == 2
    bench.fault.unlink()
    assert render("again", bench.ffmpeg) == whole and len(whole) == 4


WRITERS = {
    "text": "files.write_text(path, 'x' * 10)",
    "json": "files.write_json(path, 1)",
    "parquet": "files.write_parquet(path, [{'a': 1}], pa.schema([('a', pa.int64())]))",
    "tensors": "tensors.save_tensors(path, {'a': torch.zeros(9)})",
    "figure": "held = files.atomic_path(path); held.__enter__()",
}
WRITE = """
import os, sys, time
from pathlib import Path
from s2v import files
path = Path(sys.argv[1])
if "torch" in sys.argv[2]:
    import torch
    from s2v import tensors
import pyarrow as pa
if sys.argv[3] == "hang":
    def hang(*arguments):
        # What a library may leave beside the file, as safetensors does.
        Path(arguments[0]).with_name(".tmpabcdef").touch()
        print("writing", flush=True)
        time.sleep(300)
    os.chmod = hang
exec(sys.argv[2])
print("writing", flush=True)
if sys.argv[3] == "hang":
    time.sleep(300)
"""


@pytest.mark.parametrize("kind", WRITERS)
def test_what_a_killed_job_left_half_written_goes_when_its_target_is_next_written(kind: str, tmp_path: Path) -> None:
    target = tmp_path / ("a_name_of_more_than_forty_letters_that_is_cut" + kind)
    write = [sys.executable, "-c", WRITE, str(target), WRITERS[kind]]
    jobs = [subprocess.Popen([*write, "hang"], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for job in jobs:
            assert job.stdout is not None and job.stdout.readline() == b"writing\n"
        assert len(list(tmp_path.glob(".*.part"))) == 2
        jobs[0].kill()
        jobs[0].wait()
        other = target.with_name(target.name + "_and_on")  # cut to the same forty letters
        write_bytes(other, b"1")
        write_bytes(other, b"2")
        (alive,) = tmp_path.glob(".*.part*")
        assert list(alive.iterdir()), "what the live job writes is left alone"
        jobs[1].kill()
        jobs[1].wait()
        write_bytes(target, b"whole")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([target.name, other.name])
    finally:
        for job in jobs:
            job.kill()
            job.wait()


def test_a_part_of_an_older_version_goes_too_and_a_persons_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    for name in (".a.abcdefgh.part.json", ".a.txt", ".a.part.json", ".b.abcdefgh.part.json"):
        (tmp_path / name).touch()
    (tmp_path / ".a.bcdefghi.part").mkdir()  # killed before it could lock it
    with atomic_path(target) as temporary:
        temporary.write_text("1")
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", ".a.txt", ".a.part.json", ".b.abcdefgh.part.json"}


FULL = """
import os, subprocess, sys
from pathlib import Path
from test_machine_faults import Bench, CLIPS, MachineError
root, videos, place = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
disk = root / ("temp" if place == "temp" else "extract")
disk.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={sys.argv[4]}", "none", disk], check=True)
os.environ["TMPDIR"] = str(disk)
if place != "temp":
    del os.environ["TMPDIR"]
bench = Bench(videos, root)
try:
    bench.extract()
except MachineError as error:
    print(error)
print(len(bench.spooled()), flush=True)
subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
assert set(bench.extract().values()) == {None}
Path(sys.argv[5]).write_bytes(bench.tar.read_bytes())
"""


@pytest.mark.parametrize(("place", "size"), [("temp", "16k"), ("output", "200k")])
def test_a_full_disk_stops_the_stage_and_room_is_all_that_the_rerun_needs(
    place: str, size: str, videos: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if shutil.which("unshare") is None or subprocess.run([*own, "true"], capture_output=True).returncode:
        pytest.skip("a small disk needs a mount of one's own, which this system does not allow")
    code = [sys.executable, "-c", FULL, str(tmp_path), str(videos), place, size, str(tmp_path / "tar")]
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run([*own, *code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0, done.stderr
    line, kept = done.stdout.strip().splitlines()
    assert "o space left on device" in line and "make room" in line and int(kept) < CLIPS
    assert (tmp_path / "tar").read_bytes() == undisturbed


JOB = """
import sys
from types import SimpleNamespace as N
sys.path.append("workflow_scripts")
from adapter import job
with job(N(config={}, log=[sys.argv[1]], rule="pack", output=["a/b"], threads=1)):
    exec(sys.argv[2])
"""


@pytest.mark.parametrize(
    ("log", "body", "line"),
    [
        ("job.log", "raise OSError(28, 'No space left', '/disk/000.tar')",
         "pack: /disk/000.tar: no space left on device; make room, and run again; what is finished is kept"),
        ("job.log", "raise MemoryError", "pack: this job: cannot allocate memory; allow it more memory, or let"),
        ("job.log", "raise RuntimeError('File too large (os error 27)')", "pack: this job: file too large; allow"),
        ("job.log", "print('x' * 10**5); raise ValueError('our own')", "pack: ValueError: our own; the traceback"),
        ("/dev/full", "raise OSError(28, 'No space left', '/disk/000.tar')", "pack: /disk/000.tar: no space left"),
        ("/proc/none/job.log", "pass", "pack: "),
    ],
)  # fmt: skip
def test_any_stage_says_a_fault_of_the_machine_in_one_line(log: str, body: str, line: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", JOB, str(tmp_path / log), body], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.splitlines()[0].startswith(line), done.stderr
    assert "Traceback" not in done.stderr


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _wait_until(condition: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
