"""Mirrors: folders and tars of videos under any of the usual names, and hostile ones."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from media_files import FFMPEG, make_video
from web import site

from s2v.config import DataConfig, DownloadConfig, VegasConfig, VideosConfig
from s2v.data import local_tree, vegas
from s2v.data.fetch import run as fetch_run
from s2v.data.manifest import MANIFEST, manifest_rows
from s2v.data.unpack import run as unpack
from s2v.errors import UserError
from s2v.files import read_parquet, write_parquet

IDS = [f"{'-' if n == 0 else 'v'}{n:010d}" for n in range(8)]


def _row(n: int, shard: int = 0) -> dict:
    video, start = IDS[n], 30 + n
    clip_id, name = f"y{video}_{start}000_{start + 10}000", f"{video}_{start:06d}"
    return {"clip_id": clip_id, "source": "vggsound", "source_id": name, "start_s": float(start), "end_s": start + 10.0,
            "split": "train", "label": "hail", "shard": shard, "extra": json.dumps({"video_id": video})}  # fmt: skip


def _names() -> list[str]:
    """One clip under each style; 4 and 5 as whole videos; 6 is nowhere, and 7 is of another second."""
    return [
        f"a/{IDS[0]}_30000_40000.mp4", f"{IDS[1]}_000031.MP4", f"b/c/{IDS[2]}_32.webm", f"y{IDS[3]}_33000_43000.mp4",
        f"{IDS[4]}.mkv", f"{IDS[5]}.mp4", f"x/{IDS[7]}_99.mp4",
    ]  # fmt: skip


def test_a_tree_is_searched_under_every_usual_name(tmp_path: Path) -> None:
    for name in _names():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"video")
    (tmp_path / f"{IDS[5]}.mp4").write_bytes(b"")
    rows = list(local_tree.fetch(VideosConfig(path=str(tmp_path)), [_row(n) for n in range(8)]))
    found = [(r["path"] and os.path.relpath(r["path"], tmp_path), r["offset_s"], r["reason"]) for r in rows]
    names = _names()
    assert found[:5] == [(names[0], 30.0, None), (names[1], 31.0, None), (names[2], 32.0, None),
                         (names[3], 33.0, None), (names[4], 0.0, None)]  # fmt: skip
    assert found[5:] == [(None, 0.0, "empty"), (None, 0.0, "missing"), (None, 0.0, "missing")]


def test_a_mirror_may_have_the_names_that_tools_give(tmp_path: Path) -> None:
    names = [
        f"Ein Titel – mit [Klammern] [{IDS[0]}].mp4", f"old title-{IDS[1]}.mkv", f"{IDS[2]}_32_42.mp4",
        f"{IDS[3]}_000033_000043.mp4", f"[{IDS[4]}]-[34-44].webm", f"{IDS[5]}_35.0_45.0.MTS",
        f"A film - 001 Beginning [{IDS[6]}].mp4", f"x [{IDS[7]}].f137.mp4",
    ]  # fmt: skip
    for name in [*names, f"._Ein Titel [{IDS[0]}].mp4"]:
        (tmp_path / name).write_bytes(b"video")
    (tmp_path / f"{IDS[2]}_32_42.avi").symlink_to("nowhere")
    rows = list(local_tree.fetch(VideosConfig(path=str(tmp_path)), [_row(n) for n in range(8)]))
    found = [(row["path"] and os.path.basename(row["path"]), row["offset_s"], row["reason"]) for row in rows]
    assert found == [*zip(names[:6], (0.0, 0.0, 32.0, 33.0, 34.0, 35.0), [None] * 6, strict=True),
                     (None, 0.0, "missing"), (None, 0.0, "missing")]  # fmt: skip
    in_tar = _unpack(tmp_path, str(_tar(tmp_path / "a.tar", names)))
    assert {clip: row["offset_s"] for clip, row in in_tar.items()} == {
        _row(n)["clip_id"]: 30.0 + n if n > 1 else 0.0 for n in range(6)
    }


def test_links_do_not_lead_out_of_a_tree(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir(), outside.mkdir()
    for n in (1, 2):
        (outside / f"{IDS[n]}.mp4").write_bytes(b"x")
    (inside / f"{IDS[1]}.mp4").symlink_to(outside / f"{IDS[1]}.mp4")
    (inside / "sub").symlink_to(outside)
    (inside / "real.bin").write_bytes(b"x")
    (inside / f"{IDS[3]}.mp4").symlink_to(inside / "real.bin")
    assert set(local_tree.index(inside)) == {IDS[3], f"={IDS[3]}"}


def test_a_list_may_have_names_of_its_own_for_clips(tmp_path: Path) -> None:
    """CelebV-HQ's end in the number of a clip of its video, which is no second there, and a second of VGGSound's."""
    rows = []
    for n, own in ((0, f"{IDS[0]}_1"), (1, f"{IDS[1]}_0"), (2, f"{IDS[2]}_0")):
        rows.append(_row(n) | {"source": "celebvhq", "source_id": own, "start_s": 5.0 * n})
    names = [f"35666/{IDS[0]}_1.mp4", f"35666/{IDS[0]}_0.mp4", f"35666/{IDS[1]}_5.mp4", f"35666/{IDS[2]}_0.mp4"]
    (tmp_path / "35666").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"video")
    found = [(row["path"] and os.path.basename(row["path"]), row["offset_s"]) for row in local_tree.fetch(
        VideosConfig(path=str(tmp_path)), rows)]  # fmt: skip
    assert found == [(f"{IDS[0]}_1.mp4", 0.0), (None, 0.0), (f"{IDS[2]}_0.mp4", 10.0)]
    write_parquet(tmp_path / "m.parquet", rows, MANIFEST)
    unpack(
        tar=str(_tar(tmp_path / "a.tar", names)), manifest=[tmp_path / "m.parquet"], video_dir=tmp_path / "out",
        output=tmp_path / "u.parquet", download=DownloadConfig(),
    )  # fmt: skip
    in_tar = {row["clip_id"]: row["offset_s"] for row in read_parquet(tmp_path / "u.parquet")}
    assert in_tar == {rows[0]["clip_id"]: 0.0, rows[2]["clip_id"]: 10.0}


def test_no_folder_is_said_in_one_line(tmp_path: Path) -> None:
    for path in (None, str(tmp_path / "none")):
        with pytest.raises(UserError, match=r"data\.videos\.path"):
            list(local_tree.fetch(VideosConfig(path=path), [_row(0)]))


def _tar(path: Path, names: list[str], kind: str = "w", content: bytes = b"video") -> Path:
    with tarfile.open(path, kind) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def _unpack(folder: Path, tar: str, shards: int = 2, retries: int = 0) -> dict[str, dict]:
    manifests = []
    for shard in range(shards):
        manifests.append(folder / f"m{shard}.parquet")
        write_parquet(manifests[-1], [_row(n, shard) for n in range(8) if n % shards == shard], MANIFEST)
    listing = folder / "unpacked.parquet"
    manners = DownloadConfig(timeout_s=2, retries=retries)
    unpack(tar=tar, manifest=manifests, video_dir=folder / "videos", output=listing, download=manners)
    return {row["clip_id"]: row for row in read_parquet(listing)}


@pytest.mark.parametrize(("name", "kind"), [("a.tar", "w"), ("a.tar.gz", "w:gz")])
@pytest.mark.parametrize("remote", [False, True])
def test_wanted_videos_come_out_of_a_tar_in_one_pass(tmp_path: Path, name: str, kind: str, remote: bool) -> None:
    tar = _tar(tmp_path / name, [f"vggsound/{member}" for member in [*_names(), "other_video.mp4", "note.txt"]], kind)
    with site(tmp_path) as web:
        found = _unpack(tmp_path, f"{web.url}/{name}" if remote else str(tar))
        assert web.requests[f"/{name}"] == int(remote)
    assert {clip: row["offset_s"] for clip, row in found.items()} == {
        _row(n)["clip_id"]: 30.0 + n if n < 4 else 0.0 for n in range(6)
    }
    written = sorted(str(path.relative_to(tmp_path / "videos")) for path in (tmp_path / "videos").rglob("*.*"))
    assert written == sorted(f"{n % 2:03d}/{_row(n)['clip_id']}{'.webm' if n == 2 else '.mkv' if n == 4 else '.mp4'}"
                             for n in range(6))  # fmt: skip


def test_hostile_members_write_nothing_and_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with tarfile.open(home / "evil.tar", "w") as tar:
        for name in (f"../../{IDS[0]}_30.mp4", f"/{IDS[1]}_31.mp4"):
            member = tarfile.TarInfo(name)
            member.size = 5
            tar.addfile(member, io.BytesIO(b"video"))
        for kind, n in ((tarfile.SYMTYPE, 2), (tarfile.LNKTYPE, 3), (tarfile.CHRTYPE, 4), (tarfile.FIFOTYPE, 5)):
            member = tarfile.TarInfo(f"{IDS[n]}_{30 + n}.mp4")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    before = set(tmp_path.rglob("*"))
    assert _unpack(home, str(home / "evil.tar")) == {}
    assert {path.name for path in set(tmp_path.rglob("*")) - before} <= {"m0.parquet", "m1.parquet", "unpacked.parquet"}
    said = capsys.readouterr().err
    assert "2 members of names that leave the folder" in said and "4 members no plain files" in said


def _claim(path: Path, size: int) -> Path:
    """A tar whose first member, a wanted one or not, claims `size` bytes."""
    whole = bytearray(_tar(path, ["note.txt", f"{IDS[1]}_31.mp4"]).read_bytes())
    whole[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)
    whole[148:156] = b"        "
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize("size", [2**60, -512, -(2**60), 30 * 2**30, 20_000])
@pytest.mark.parametrize("remote", [False, True])
def test_a_size_that_cannot_be_is_said_at_once(tmp_path: Path, size: int, remote: bool) -> None:
    tar = _claim(tmp_path / "a.tar", size)
    started = time.process_time()
    with site(tmp_path) as web:
        with pytest.raises(UserError, match=rf"a\.tar: cannot be read to its end \('note\.txt' claims {size} bytes"):
            _unpack(tmp_path, f"{web.url}/a.tar" if remote else str(tar))
    assert time.process_time() - started < 5


def test_a_tar_that_is_no_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tar")
    for path, what in (
        (tmp_path / "a.tar", "no plain file"),
        (tmp_path, "no plain file"),
        (tmp_path / "no.tar", "No such"),
    ):
        with pytest.raises(UserError, match=f"cannot be read to its end .*{what}"):
            _unpack(tmp_path, str(path))


def test_of_a_clip_that_is_in_a_tar_twice_the_first_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for content in (b"first", b"the second"):
            member = tarfile.TarInfo(f"{IDS[1]}_31.mp4")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    for _ in range(2):
        [row] = _unpack(tmp_path, str(tmp_path / "a.tar")).values()
        assert Path(row["path"]).read_bytes() == b"first"
        assert "1 members of clips that are in it twice, not used" in capsys.readouterr().err


def test_a_disk_without_room_is_not_the_fault_of_the_tar(tmp_path: Path) -> None:
    tar = _tar(tmp_path / "a.tar", [f"{IDS[1]}_31.mp4"])
    (tmp_path / "videos").write_text("no folder")
    with pytest.raises(UserError, match="^.*videos: cannot be written"):
        _unpack(tmp_path, str(tar))


@pytest.mark.parametrize("fault", ["cut", 404, 503, "stall"])
def test_a_tar_that_cannot_be_read_to_its_end_is_named(tmp_path: Path, fault: int | str) -> None:
    _tar(tmp_path / "a.tar", [f"{IDS[n]}_{30 + n}.mp4" for n in range(8)])
    with site(tmp_path) as web:
        web.faults["/a.tar"] = (fault, None)
        with pytest.raises(UserError, match=r"a\.tar: cannot be read to its end") as caught:
            _unpack(tmp_path, f"{web.url}/a.tar")
        assert "\n" not in str(caught.value) and not (tmp_path / "unpacked.parquet").exists()
        web.faults.clear()
        assert len(_unpack(tmp_path, f"{web.url}/a.tar")) == 8, "a rerun completes"


@pytest.mark.parametrize("fault", ["cut", "pause", 503])
@pytest.mark.parametrize(("name", "kind"), [("a.tar", "w"), ("a.tar.gz", "w:gz")])
def test_a_lost_connection_is_taken_up_where_it_broke_off(
    tmp_path: Path, name: str, kind: str, fault: int | str
) -> None:
    content = np.random.default_rng(0).bytes(100_000)
    tar = _tar(tmp_path / name, [f"{IDS[n]}_{30 + n}.mp4" for n in range(8)], kind, content)
    with site(tmp_path) as web:
        web.faults[f"/{name}"] = (fault, 1)
        found = _unpack(tmp_path, f"{web.url}/{name}", retries=1)
        assert len(found) == 8 and all(Path(row["path"]).read_bytes() == content for row in found.values())
        assert web.requests[f"/{name}"] == 2 and len(web.ranges) == (fault != 503)
        half = tar.stat().st_size // 2
        assert all(half - 2**16 <= int(asked[6:-1]) <= half for asked in web.ranges)


@pytest.mark.parametrize("changed", [False, True])
def test_a_tar_is_not_pieced_together_from_two(tmp_path: Path, changed: bool) -> None:
    """The server can't go on in the middle, or the file there is another now."""
    names = [f"{IDS[n]}_{30 + n}.mp4" for n in range(8)]
    tar = _tar(tmp_path / "a.tar", names, content=bytes(100_000))
    with site(tmp_path) as web:
        web.faults["/a.tar"] = ("pause", 1) if changed else ("cut, no ranges", None)
        timer = threading.Timer(1.0, lambda: _tar(tar, names[::-1], content=bytes(100_000)))
        if changed:
            timer.start()
        with pytest.raises(UserError, match="can't go on there, or the file has changed"):
            _unpack(tmp_path, f"{web.url}/a.tar", retries=3)
        timer.cancel()
        assert web.requests["/a.tar"] == 2 and not (tmp_path / "unpacked.parquet").exists()


def _fetch(folder: Path, config: DataConfig, rows: list[dict], unpacked: tuple[Path, ...] = ()) -> list[dict]:
    write_parquet(folder / "rows.parquet", rows, MANIFEST)
    fetch_run(config=config, manifest=folder / "rows.parquet", status=folder / "fetched.parquet", ffmpeg=FFMPEG,
              video_dir=folder / "videos" / "000", workers=1, download=DownloadConfig(), unpacked=unpacked)  # fmt: skip
    return read_parquet(folder / "fetched.parquet")


def test_stage_fetch_takes_what_came_out_of_tars(tmp_path: Path) -> None:
    found = _unpack(tmp_path, str(_tar(tmp_path / "a.tar", [f"{IDS[1]}_31.mp4"])), shards=1)
    config = DataConfig(source="vggsound", videos=VideosConfig(source="tar_urls"))
    rows = _fetch(tmp_path, config, [_row(1), _row(2)], (tmp_path / "unpacked.parquet",))
    assert [(r["status"], r["reason"], r["offset_s"]) for r in rows] == [("ok", None, 31.0), ("failed", "missing", 0.0)]
    assert rows[0]["path"] == found[_row(1)["clip_id"]]["path"] and Path(rows[0]["path"]).read_bytes() == b"video"


def test_vegas_videos_are_found_in_its_folder(tmp_path: Path) -> None:
    for n in range(4):
        make_video(tmp_path / "vegas" / "dog" / "videos" / f"v{n}.mp4", seconds=0.5)
    section = VegasConfig(path=str(tmp_path / "vegas"), train=2, test=2)
    config = DataConfig(source="vegas", shards=1, vegas=section)
    rows = _fetch(tmp_path, config, manifest_rows(config))
    assert [row["status"] for row in rows] == ["ok"] * 4 and len(vegas.manifest_rows(section)) == 4
    assert pa.parquet.read_schema(tmp_path / "fetched.parquet").names[-1] == "offset_s"


@pytest.mark.parametrize(("name", "kind"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tar.xz", "w:xz")])
def test_a_tar_on_disk_that_was_cut_off_is_named(tmp_path: Path, name: str, kind: str) -> None:
    tar = _tar(tmp_path / name, [f"{IDS[n]}_{30 + n}.mp4" for n in range(8)], kind)
    whole = tar.read_bytes()
    assert len(_unpack(tmp_path, str(tar))) == 8
    for size in (len(whole) // 2 // 512 * 512, len(whole) // 3, 0):
        tar.write_bytes(whole[:size])
        with pytest.raises(UserError, match="cannot be read to its end"):
            _unpack(tmp_path, str(tar))
