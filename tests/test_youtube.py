"""Downloads from a site that serves, stalls, cuts off, refuses and lies about length; and what YouTube's words mean."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from media_files import FFMPEG, ffmpeg, make_video
from web import Site, site

from s2v.config import DataConfig, DownloadConfig, VideosConfig
from s2v.data import youtube
from s2v.data.fetch import unused
from s2v.data.youtube import fetch, reason_of
from s2v.errors import Reason, UserError
from s2v.identity import import_closure
from s2v.media.decode import decode
from s2v.media.diagnosis import ClipError

ID, OTHER = "-aBcDeFgHi_", "0123456789-"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    make_video(folder / f"{ID}.mp4", seconds=8, options=("-g", "30"))
    make_video(folder / f"{OTHER}.mp4", seconds=8, options=("-g", "30", "-movflags", "+faststart"))
    return folder


@pytest.fixture
def web(videos: Path) -> Iterator[Site]:
    with site(videos) as running:
        yield running


def _row(video: str, start: float, end: float) -> dict:
    clip_id = f"y{video}_{round(1000 * start)}_{round(1000 * end)}"
    return {"clip_id": clip_id, "start_s": start, "end_s": end, "extra": json.dumps({"video_id": video})}


def _fetch(web: Site, folder: Path, rows: list[dict], **manners: object) -> dict[str, dict]:
    download = DownloadConfig(**{"retries": 2, "timeout_s": 1.0, **manners})
    found = fetch(VideosConfig(source="youtube"), rows, folder, download=download, ffmpeg=FFMPEG,
                  url=web.url + "/{video_id}.mp4")  # fmt: skip
    return {row["clip_id"]: row for row in found}


def test_sections_are_cut_at_their_start_and_a_video_is_fetched_once(web: Site, tmp_path: Path) -> None:
    rows = [_row(ID, 2.7, 5.2), _row(ID, 0.0, 2.0), _row(OTHER, 6.0, 8.0)]
    folder = tmp_path / "$HOME ~ 100%(id)s"
    found = _fetch(web, folder, rows)
    assert {row["status"] for row in found.values()} == {"ok"} and set(found) == {row["clip_id"] for row in rows}
    assert [web.requests[f"/{name}.mp4"] for name in (ID, OTHER)] == [web.requests[f"/{OTHER}.mp4"]] * 2
    assert not list((folder / ".sources").iterdir()), "whole videos are dropped"
    how = {"ffmpeg": FFMPEG, "fps": 10, "short_side_px": 64}
    for row in rows[:2]:
        got = found[row["clip_id"]]
        assert got["offset_s"] == row["start_s"]
        cut = decode(got["path"], start_s=0.0, end_s=row["end_s"] - row["start_s"], **how)
        whole = decode(str(web.folder / f"{ID}.mp4"), start_s=row["start_s"], end_s=row["end_s"], **how)
        assert abs(len(cut.frames) - len(whole.frames)) <= 1
        n = min(len(cut.frames), len(whole.frames))
        assert np.abs(cut.frames[:n].astype(int) - whole.frames[:n]).mean() < 6, "the same moments"
        assert cut.wave is not None and abs(len(cut.wave) / 16000 - (row["end_s"] - row["start_s"])) < 0.1


def test_a_rerun_asks_for_nothing_that_is_there_or_gone_for_good(web: Site, tmp_path: Path) -> None:
    web.faults[f"/{OTHER}.mp4"] = (404, None)
    rows = [_row(ID, 1.0, 3.0), _row(OTHER, 0.0, 2.0)]
    first = _fetch(web, tmp_path, rows)
    assert first[rows[1]["clip_id"]]["reason"] == Reason.REMOVED
    web.requests.clear()
    assert _fetch(web, tmp_path, rows) == first and not web.requests
    Path(first[rows[0]["clip_id"]]["path"]).write_bytes(b"cut short by something")
    assert _fetch(web, tmp_path, rows)[rows[0]["clip_id"]]["status"] == "ok" and set(web.requests) == {f"/{ID}.mp4"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(403, Reason.BLOCKED), (429, Reason.BLOCKED), (503, Reason.NETWORK), ("stall", Reason.NETWORK),
     ("long", Reason.NETWORK), ("short", Reason.NETWORK), (404, Reason.REMOVED), (410, Reason.REMOVED)],
)  # fmt: skip
def test_a_lasting_fault_is_named_and_only_passing_ones_are_asked_for_again(
    web: Site, tmp_path: Path, fault: int | str, reason: Reason
) -> None:
    web.faults[f"/{ID}.mp4"] = (fault, None)
    row = _row(ID, 0.0, 2.0)
    got = _fetch(web, tmp_path, [row], retries=0)[row["clip_id"]]
    assert (got["status"], got["reason"], got["path"]) == ("failed", reason, None) and "\n" not in got["detail"]
    web.faults.clear()
    web.requests.clear()
    again = _fetch(web, tmp_path, [row], retries=0)[row["clip_id"]]
    assert again["status"] == ("failed" if reason == Reason.REMOVED else "ok")


def test_a_download_that_was_cut_off_goes_on_where_it_was(web: Site, tmp_path: Path) -> None:
    row = _row(ID, 0.0, 2.0)
    web.faults[f"/{ID}.mp4"] = ("cut", 2)
    got = _fetch(web, tmp_path, [row], retries=4)[row["clip_id"]]
    assert got["status"] == "ok" and any(not asked.startswith("bytes=0-") for asked in web.ranges)


def test_a_download_without_an_end_is_stopped_and_removed(
    web: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(youtube, "_MAX_BYTES", 2**24)
    web.faults[f"/{ID}.mp4"] = ("endless", None)
    config, download = VideosConfig(source="youtube").model_dump(mode="json"), DownloadConfig(timeout_s=2)
    with pytest.raises(ClipError, match="no_format: larger than 0.0156"):
        youtube._download(f"{web.url}/{ID}.mp4", tmp_path, "v", config, download.model_dump(mode="json"), FFMPEG)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lost_its_end_is_damaged_even_where_its_index_comes_first(web: Site, tmp_path: Path) -> None:
    web.faults[f"/{OTHER}.mp4"] = ("short", None)
    row = _row(OTHER, 5.0, 8.0)
    assert _fetch(web, tmp_path, [row], retries=0)[row["clip_id"]]["reason"] == Reason.NETWORK
    web.faults.clear()
    assert _fetch(web, tmp_path, [row], retries=0)[row["clip_id"]]["status"] == "ok"


def test_a_killed_run_goes_on_with_the_half_that_it_has(web: Site, tmp_path: Path) -> None:
    rows = [_row(OTHER, 0.0, 2.0), _row(ID, 0.0, 2.0)]
    web.faults[f"/{ID}.mp4"] = ("pause", None)
    code = f"""if True:
        from pathlib import Path
        from s2v.config import DownloadConfig, VideosConfig
        from s2v.data.youtube import fetch
        download = DownloadConfig(timeout_s=30, parallel=1)
        list(fetch(VideosConfig(source="youtube"), {rows!r}, Path({str(tmp_path)!r}), download=download,
                   ffmpeg={FFMPEG!r}, url={web.url!r} + "/{{video_id}}.mp4"))"""
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not (parts := [path for path in (tmp_path / ".sources").glob(f"v{ID}*.part") if path.stat().st_size]):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    web.faults.clear(), web.requests.clear(), web.ranges.clear()
    had = parts[0].stat().st_size  # how much of it is the reader's pace, and so the machine's load
    found = _fetch(web, tmp_path, rows)
    assert {row["status"] for row in found.values()} == {"ok"}
    assert set(web.requests) == {f"/{ID}.mp4"}, "the other was finished"
    assert f"bytes={had}-" in web.ranges


def _dash(folder: Path) -> Path:
    """A video as YouTube has it: sound and picture apart, in fragments."""
    folder.mkdir()
    source = make_video(folder.with_suffix(".mp4"), seconds=8, options=("-g", "30", "-pix_fmt", "yuv420p"))
    ffmpeg("-i", str(source), "-c", "copy", "-seg_duration", "2", "-f", "dash", str(folder / "index.mpd"))
    return folder


def test_sound_and_picture_apart_are_put_together_and_a_lost_fragment_is_no_hole(tmp_path: Path) -> None:
    row = _row(ID, 2.7, 5.2)
    manners = {"download": DownloadConfig(retries=0, timeout_s=1), "ffmpeg": FFMPEG}
    with site(_dash(tmp_path / "dash")) as web:
        fragment = sorted(path.name for path in web.folder.glob("chunk-stream0-*"))[1]
        web.faults[f"/{fragment}"] = (503, None)
        how = {"folder": tmp_path / "out", "url": web.url + "/index.mpd?{video_id}", **manners}
        lost = next(fetch(VideosConfig(source="youtube"), [row], **how))
        assert (lost["status"], lost["reason"]) == ("failed", Reason.NETWORK)
        web.faults.clear()
        whole = next(fetch(VideosConfig(source="youtube"), [row], **how))
        assert whole["status"] == "ok"
        cut = decode(whole["path"], start_s=0.0, end_s=2.5, ffmpeg=FFMPEG, fps=10, short_side_px=64)
        assert len(cut.frames) == 25 and cut.wave is not None and abs(len(cut.wave) / 16000 - 2.5) < 0.1


def test_what_was_refused_is_asked_for_again_in_another_way(web: Site, tmp_path: Path) -> None:
    rows = [_row(ID, 0.0, 2.0), _row(OTHER, 0.0, 2.0)]
    web.faults[f"/{ID}.mp4"] = (451, None)
    get = {"download": DownloadConfig(retries=0, timeout_s=2), "ffmpeg": FFMPEG, "url": web.url + "/{video_id}.mp4"}
    odd, usual = VideosConfig(source="youtube", format="b[height>9999]"), VideosConfig(source="youtube")
    expected = [Reason.GEO_BLOCKED, Reason.NO_FORMAT]
    for attempt in range(2):
        got = {row["clip_id"]: row["reason"] for row in fetch(odd, rows, tmp_path, **get)}
        assert [got[row["clip_id"]] for row in rows] == expected
        assert bool(web.requests) == (attempt == 0), "asked once"
        web.requests.clear()
    got = {row["clip_id"]: row["reason"] for row in fetch(usual, rows, tmp_path, **get)}
    assert [got[row["clip_id"]] for row in rows] == [Reason.GEO_BLOCKED, None]
    assert set(web.requests) == {f"/{OTHER}.mp4"}
    get["download"] = DownloadConfig(retries=0, timeout_s=2, proxy=web.url)  # which is asked for other paths
    assert {row["reason"] for row in fetch(usual, rows, tmp_path, **get)} == {None}


def test_a_site_that_refuses_is_left_alone(web: Site, tmp_path: Path) -> None:
    rows = [_row(f"{n:011d}", 0.0, 1.0) for n in range(40)]
    for row in rows:
        web.faults[f"/{json.loads(row['extra'])['video_id']}.mp4"] = (429, None)
    found = _fetch(web, tmp_path, rows, retries=0)
    assert len(found) == 40 and {row["reason"] for row in found.values()} == {Reason.BLOCKED}
    assert 5 <= sum(web.requests.values()) < 12
    assert sum("not asked for" in row["detail"] for row in found.values()) > 28
    assert not list(tmp_path.glob("*.json")), "nothing of it is final"


def test_cookies_are_sent_and_their_file_is_left_as_it_is(web: Site, tmp_path: Path) -> None:
    file = tmp_path / "cookies.txt"
    file.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t2147483647\tname\tvalue\n")
    before = file.read_bytes(), file.stat().st_mtime_ns
    row = _row(ID, 0.0, 2.0)
    assert _fetch(web, tmp_path / "out", [row], cookies=str(file))[row["clip_id"]]["status"] == "ok"
    assert "name=value" in web.cookies and (file.read_bytes(), file.stat().st_mtime_ns) == before
    for content in (None, "no cookies\n", b"\xff\xfe"):
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(UserError, match=r"^runtime\.download\.cookies: .*no cookies.txt[^\n]*$"):
            _fetch(web, tmp_path / "none", [row], cookies=str(file))


def test_a_playlist_in_place_of_a_video_opens_no_other_file(tmp_path: Path) -> None:
    secret = make_video(tmp_path / "secret.mp4", seconds=2)
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / f"{ID}.mp4").write_text(f"ffconcat version 1.0\nfile '{secret}'\n")
    row = _row(ID, 0.0, 1.0)
    with site(folder) as web:
        got = _fetch(web, tmp_path / "out", [row], retries=0)[row["clip_id"]]
    assert got["status"] == "failed" and not list((tmp_path / "out").glob("*.mp4"))


def test_code_of_downloads_counts_for_downloads_alone() -> None:
    """The rule leaves out of the digest what the configuration never enters."""
    closure = import_closure("s2v.data.fetch", "s2v.data.unpack", without=unused(DataConfig()))
    assert "s2v.data.youtube" not in closure and "s2v.data.fetch" in closure
    assert "s2v.data.youtube" in import_closure("s2v.data.fetch")


def test_a_section_after_the_end_is_too_short(web: Site, tmp_path: Path) -> None:
    row = _row(ID, 100.0, 110.0)
    assert _fetch(web, tmp_path, [row])[row["clip_id"]]["reason"] == Reason.TOO_SHORT


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("[youtube] x: Private video. Sign in if you've been granted access to this video", Reason.PRIVATE),
        ("[youtube] x: Video unavailable. This video is private", Reason.PRIVATE),
        ("[youtube] x: Video unavailable", Reason.REMOVED),
        ("[youtube] x: Video unavailable. This video has been removed by the uploader", Reason.REMOVED),
        ("[youtube] x: Video unavailable. This video is no longer available because the YouTube account associated "
         "with this video has been terminated.", Reason.REMOVED),
        ("[youtube] x: This video has been removed for violating YouTube's policy on hate speech", Reason.REMOVED),
        ("[youtube] x: Video unavailable. This video is no longer available due to a copyright claim by Y",
         Reason.REMOVED),
        ("[youtube] x: Video unavailable. The uploader has not made this video available in your country",
         Reason.GEO_BLOCKED),
        ("[youtube] x: Video unavailable. This video contains content from SME, who has blocked it in your country on "
         "copyright grounds", Reason.GEO_BLOCKED),
        ("[youtube] x: Sign in to confirm your age. This video may be inappropriate for some users.", Reason.AGE_GATED),
        ("[youtube] x: Sign in to confirm you’re not a bot. Use --cookies-from-browser", Reason.BLOCKED),
        ("[youtube] x: Join this channel to get access to members-only content like this video", Reason.MEMBERS_ONLY),
        ("[youtube] x: This video is available to this channel's members on level: Fan", Reason.MEMBERS_ONLY),
        ("[youtube] x: Requested format is not available. Use --list-formats", Reason.NO_FORMAT),
        ("unable to download video data: HTTP Error 403: Forbidden", Reason.BLOCKED),
        ("Unable to download webpage: HTTP Error 429: Too Many Requests", Reason.BLOCKED),
        ("Unable to download webpage: HTTP Error 404: Not Found", Reason.REMOVED),
        ("Unable to download webpage: HTTP Error 503: Service Unavailable", Reason.NETWORK),
        ("Unable to download webpage: <urlopen error [Errno -3] Temporary failure in name resolution>", Reason.NETWORK),
        ("[youtube] x: The following content is not available on this app.. Watch on the latest version of YouTube.",
         Reason.NETWORK),
        ("[youtube] x: The page needs to be reloaded.", Reason.NETWORK),
        ("[youtube] x: This content isn't available, try again later. The current session has been rate-limited by "
         "YouTube for up to an hour.", Reason.BLOCKED),
        ("[youtube] x: Video unavailable. This video is restricted. Please check the Google Workspace administrator "
         "and/or the network administrator restrictions", Reason.BLOCKED),
        ("[youtube] x: This video is DRM protected", Reason.NO_FORMAT),
        ("[youtube] x: This video is only available to Music Premium members", Reason.MEMBERS_ONLY),
        ("[youtube] x: This video isn’t available anymore", Reason.REMOVED),
        ("something that nobody has seen before", Reason.NETWORK),
    ],
)  # fmt: skip
def test_what_the_sites_words_mean(message: str, reason: Reason) -> None:
    assert reason_of(message) == reason
