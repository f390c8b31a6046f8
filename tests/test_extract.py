"""fetch and extract on real files: what a shard holds, that bad videos stop nothing, and that a kill loses little."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from media_files import FFMPEG, make_bad_files, make_hostile_names, make_video
from PIL import Image

from s2v.config import DataConfig, DownloadConfig, ExtractConfig, FolderConfig, WorldConfig
from s2v.data import extract, fetch, manifest
from s2v.data.folder import clip_id_of
from s2v.data.status import EXTRACTED
from s2v.data.workers import WorkerError, map_jobs
from s2v.errors import Reason, UserError
from s2v.files import read_parquet
from s2v.media.checks import check_content
from s2v.media.decode import Decoded, Pictures, decode
from s2v.media.diagnosis import ClipError
from s2v.media.phash import clip_hash
from s2v.media.picture import encode_jpeg


class Shard:
    """One shard of a folder, taken as far as fetch."""

    def __init__(self, videos: Path, out: Path, **folder: Any) -> None:
        self.out = out
        config = DataConfig(source="folder", shards=1, folder=FolderConfig(path=str(videos), **folder))
        manifest.run(config=config, output_dir=out / "manifest", truth=None)
        self.manifest = out / "manifest/000.parquet"
        self.fetched = out / "fetch/000.parquet"
        self.tar, self.status = out / "extract/000.tar", out / "extract/000.parquet"
        files = {"manifest": self.manifest, "status": self.fetched, "video_dir": out / "videos"}
        fetch.run(config=config, **files, ffmpeg=FFMPEG, workers=1, download=DownloadConfig())

    def extract(self, workers: int = 1, **settings: Any) -> dict[str, dict[str, Any]]:
        """Run the stage; rows by the video's name."""
        extract.run(
            config=ExtractConfig(**settings),
            manifest=self.manifest,
            fetched=self.fetched,
            tar=self.tar,
            status=self.status,
            ffmpeg=FFMPEG,
            workers=workers,
        )
        names = {row["clip_id"]: json.loads(row["extra"])["path"] for row in read_parquet(self.manifest)}
        return {names[row["clip_id"]]: row for row in read_parquet(self.status)}

    def members(self) -> dict[str, bytes]:
        """What the tar holds, in its order."""
        with tarfile.open(self.tar) as tar:
            return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_a_shard_holds_sound_frames_and_their_description(tmp_path: Path) -> None:
    make_video(tmp_path / "in/dog/a.mp4", seconds=2)
    make_video(tmp_path / "in/cat/b.mp4", seconds=1.5)
    shard = Shard(tmp_path / "in", tmp_path / "out")
    assert all(row["status"] == "ok" and row["stage"] == "extract" for row in shard.extract().values())
    members, clip_id = shard.members(), clip_id_of("dog/a.mp4")
    assert len(members) == 2 + 20 + 2 + 15
    with tarfile.open(shard.tar) as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in tar} == {(0, 0, 0, "", 0o644)}
    about = json.loads(members[f"{clip_id}.json"])
    split = about.pop("split")
    assert split in {"train", "val", "test", "judge"}
    assert about == {
        "clip_id": clip_id,
        "fps": 10,
        "n_frames": 20,
        "width": 96,
        "height": 64,
        "sample_rate_hz": 16000,
        "n_samples": 32000,
        "duration_s": 2.0,
    }
    wave, rate = soundfile.read(io.BytesIO(members[f"{clip_id}.flac"]), dtype="int16")
    assert rate == 16000 and wave.shape == (32000,) and np.abs(wave).max() > 1000
    frame = Image.open(io.BytesIO(members[f"{clip_id}.019.jpg"]))
    assert frame.size == (96, 64) and frame.format == "JPEG"
    assert f"{clip_id}.020.jpg" not in members
    # Members of a clip are neighbours, as WebDataset needs them.
    keys = [name.partition(".")[0] for name in members]
    assert keys == sorted(keys)


def test_bad_files_and_hostile_names_stop_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = make_bad_files(tmp_path / "in")
    good = make_hostile_names(tmp_path / "in")
    monkeypatch.chdir(tmp_path)  # a relative folder, as in a configuration
    shard = Shard(Path("in"), tmp_path / "out", splits={"train": 1.0})
    (tmp_path / "in" / good[0]).unlink()  # gone between fetch and extract
    rows = shard.extract()
    assert set(rows) == {*expected, *good}
    fetched = {row["clip_id"]: row for row in read_parquet(shard.fetched)}
    for name, reason in expected.items():
        row = rows[name]
        first = row if row["reason"] != "upstream" else fetched[row["clip_id"]]
        assert (row["status"], first["reason"]) == ("failed", reason), name
    assert rows[good[0]]["reason"] == "missing"
    assert all(rows[name]["status"] == "ok" for name in good[1:])
    assert {name.partition(".")[0] for name in shard.members()} == {clip_id_of(name) for name in good[1:]}
    assert set(read_parquet(shard.status)[0]) == set(EXTRACTED.names)


def test_splits_that_need_no_sound_keep_clips_without_it(tmp_path: Path) -> None:
    make_video(tmp_path / "in/mute.mp4", sound=None)
    make_video(tmp_path / "in/silent.mp4", sound="anullsrc=sample_rate=44100:channel_layout=mono")
    shard = Shard(tmp_path / "in", tmp_path / "out", splits={"images": 1.0})
    assert all(row["status"] == "ok" for row in shard.extract().values())
    mute, silent = clip_id_of("mute.mp4"), clip_id_of("silent.mp4")
    assert f"{mute}.flac" not in shard.members() and f"{silent}.flac" in shard.members()
    assert json.loads(shard.members()[f"{mute}.json"])["n_samples"] == 0


def test_an_empty_shard_is_an_empty_tar(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.mp4").write_bytes(b"")
    shard = Shard(tmp_path / "in", tmp_path / "out")
    assert shard.extract()["a.mp4"]["reason"] == "upstream"
    assert shard.members() == {}


def test_the_same_videos_give_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    for index in range(4):
        make_video(tmp_path / f"in/{index}.mp4", seconds=1)
    one, two = (Shard(tmp_path / "in", tmp_path / name) for name in ("one", "two"))
    one.extract()
    time.sleep(0.01)
    two.extract(workers=2)
    assert one.tar.read_bytes() == two.tar.read_bytes()


SCRIPT = """
import sys
from pathlib import Path
from s2v.config import ExtractConfig
from s2v.data.extract import run
out = Path(sys.argv[1])
run(config=ExtractConfig(), manifest=out / "manifest/000.parquet", fetched=out / "fetch/000.parquet",
    tar=out / "extract/000.tar", status=out / "extract/000.parquet", ffmpeg=sys.argv[2], workers=1)
"""


def start_extract(shard: Shard) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(shard.out), FFMPEG], start_new_session=True)


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    for index in range(10):
        make_video(tmp_path / f"in/{index}.mp4", seconds=2, size="320x240")
    (tmp_path / "in/bad.mp4").write_text("no video")
    whole = Shard(tmp_path / "in", tmp_path / "whole")
    whole.extract()

    shard = Shard(tmp_path / "in", tmp_path / "killed")
    spool = shard.tar.parent / ".000.spool"
    process = start_extract(shard)
    deadline = time.monotonic() + 60
    while len(list(spool.glob("[!.]*.json"))) < 4:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not shard.tar.exists() and not shard.status.exists()
    finished = {path: path.stat().st_mtime_ns for path in spool.glob("[!.]*.json")}
    assert 4 <= len(finished) < 11

    # A run that is killed at once must leave the finished clips alone; then a whole one.
    process = start_extract(shard)
    while len(list(spool.glob("[!.]*.json"))) <= len(finished):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    seconds = {path.name.partition(".")[0]: json.loads(path.read_text())["seconds"] for path in finished}

    rows = shard.extract()
    assert shard.tar.read_bytes() == whole.tar.read_bytes()
    again = {row["clip_id"]: row["seconds"] for row in rows.values()}
    assert {clip_id: again[clip_id] for clip_id in seconds} == seconds  # rows of the first run, not decoded twice
    assert [path.name for path in sorted(shard.tar.parent.iterdir())] == ["000.parquet", "000.tar"]


def test_other_settings_or_another_video_make_a_spooled_clip_stale(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in/a.mp4", seconds=1)
    clip = {"clip_id": "a", "split": "train", "path": str(video), "start_s": None, "end_s": None}
    first = extract._fingerprint(clip, {"fps": 10}, FFMPEG)
    assert first == extract._fingerprint(clip, {"fps": 10}, FFMPEG)
    assert first != extract._fingerprint(clip, {"fps": 5}, FFMPEG)
    os.utime(video, ns=(1, 1))
    assert first != extract._fingerprint(clip, {"fps": 10}, FFMPEG)


def test_links_that_came_to_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    secret = make_video(tmp_path / "outside/secret.mp4")
    video = make_video(tmp_path / "in/a.mp4")
    shard = Shard(tmp_path / "in", tmp_path / "out")
    video.unlink()
    video.symlink_to(secret)
    config = DataConfig(source="folder", shards=1, folder=FolderConfig(path=str(tmp_path / "in")))
    files = {"manifest": shard.manifest, "status": shard.fetched, "video_dir": tmp_path / "v"}
    fetch.run(config=config, **files, ffmpeg=FFMPEG, workers=1, download=DownloadConfig())
    row = read_parquet(shard.fetched)[0]
    assert row["reason"] == "missing" and "out of the folder" in row["detail"] and row["path"] is None


def test_the_world_is_rendered_once(tmp_path: Path) -> None:
    from s2v import world

    settings = {"clips": {"train": 1, "images": 1}, "size_px": 32, "duration_s": (1.0, 1.2), "photos_per_reel": 10}
    config = WorldConfig(classes=world.class_names()[:2], **settings)  # type: ignore[arg-type]
    data = DataConfig(source="world", shards=1, world=config)
    manifest.run(config=data, output_dir=tmp_path / "m", truth=tmp_path / "truth.parquet")
    videos, status = tmp_path / "videos", tmp_path / "fetch.parquet"

    def run(data: DataConfig = data) -> dict[str, int]:
        files = {"manifest": tmp_path / "m/000.parquet", "status": status, "video_dir": videos}
        fetch.run(config=data, **files, ffmpeg=FFMPEG, workers=1, download=DownloadConfig())
        assert all(row["status"] == "ok" for row in read_parquet(status))
        return {path.name: path.stat().st_mtime_ns for path in videos.glob("*.mp4")}

    first = run()
    assert len(first) == 4
    # A whole video is kept, a cut one and one that a kill left without its note are made again, a stray one goes.
    names = sorted(first)
    (videos / names[0]).write_bytes((videos / names[0]).read_bytes()[:-10])
    (videos / names[1]).with_suffix(".json").unlink()
    (videos / ".half.part.mp4").write_bytes(b"x")
    (videos / "stray.mp4").write_bytes(b"x")
    (videos / "stray.json").write_text("{}")
    (videos / "notes.txt").write_text("a person's own file")
    second = run()
    assert {name for name in names if second[name] != first[name]} == set(names[:2])
    assert not (videos / "stray.mp4").exists() and not (videos / ".half.part.mp4").exists()
    assert (videos / "notes.txt").exists()
    assert run() == second
    other = DataConfig(source="world", shards=1, world=config.model_copy(update={"fps": 5}))
    assert all(run(other)[name] != second[name] for name in names)


def crash(how: str) -> str:
    """A job that goes wrong in the given way (run in a worker)."""
    if how == "die":
        os._exit(3)
    if how == "hang":
        time.sleep(60)
    if how == "raise":
        raise ValueError("two\nlines")
    print("prints do not disturb the answers")
    return how


def test_workers_survive_jobs_that_die_hang_or_raise() -> None:
    ways = ["fine", "die", "fine", "raise", "hang", "fine"]
    results = dict(map_jobs(crash, [{"how": how} for how in ways], workers=2, timeout_s=4))
    assert [results[index] for index in (0, 2, 5)] == ["fine"] * 3
    assert all(isinstance(results[index], WorkerError) for index in (1, 3, 4))
    assert str(results[1]) == "died (3)" and "longer than 4 s" in str(results[4])
    assert str(results[3]) == "ValueError: two"


def test_a_still_picture_is_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    frames = np.full((12, 32, 48, 3), 90, np.uint8)
    frames[:, 8:16] = 200
    limits = {"min_duration_s": 0.5, "silence_dbfs": -60.0, "black_level": 0.04, "need_audio": False}
    changed = frames.copy()
    changed[6:, :, 20:40] = 20
    still, moving = (Decoded(None, Pictures([encode_jpeg(f) for f in each]), 16000, 10) for each in (frames, changed))
    check_content(still, **limits)
    check_content(moving, still_difference=0.02, **limits)
    with pytest.raises(ClipError, match="differ from the first by 0.0000, below 0.02") as caught:
        check_content(still, still_difference=0.02, **limits)
    assert caught.value.reason is Reason.STILL


def test_hashes_tell_copies_from_other_clips_and_plain_frames_from_both(tmp_path: Path) -> None:
    def hashes(path: Path) -> list[int]:
        data = clip_hash(decode(path, ffmpeg=FFMPEG, short_side_px=64).pictures)
        return [int.from_bytes(data[i : i + 8], "big") for i in (0, 8, 16)]

    card = {"picture": "mandelbrot=size=160x120:rate=20"}
    first = hashes(make_video(tmp_path / "a.mp4", **card))
    copy = hashes(make_video(tmp_path / "b.mp4", options=("-crf", "35", "-vf", "scale=96:72"), **card))
    other = hashes(make_video(tmp_path / "c.mp4", picture="testsrc2=size=160x120:rate=20"))
    assert max((a ^ b).bit_count() for a, b in zip(first, copy, strict=True)) <= 8
    assert min((a ^ b).bit_count() for a, b in zip(first, other, strict=True)) > 16
    assert hashes(make_video(tmp_path / "d.mp4", picture="color=red:size=160x120:rate=20")) == [0, 0, 0]


def test_a_reader_that_is_not_installed_stops_the_stage_before_any_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "videos" / "a.mp4")
    shard = Shard(tmp_path / "videos", tmp_path / "out")
    monkeypatch.setattr(extract, "absent", lambda name: f"{name} has no build for this machine")
    with pytest.raises(UserError, match="extract.reader: decord has no build"):
        shard.extract(reader="decord")
    assert shard.extract(reader="ffmpeg")
