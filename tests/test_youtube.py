"""Downloads from a site that serves, stalls, cuts off, refuses and lies about length; and what YouTube's words mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from media_files import FFMPEG, make_video
from web import Site, site

from s2v.config import DownloadConfig, VideosConfig
from s2v.data.youtube import fetch, reason_of
from s2v.errors import Reason
from s2v.media.decode import decode

ID, OTHER = "-aBcDeFgHi_", "0123456789-"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for name in (ID, OTHER):
        make_video(folder / f"{name}.mp4", seconds=8, options=("-g", "30"))
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
    found = _fetch(web, tmp_path, rows)
    assert {row["status"] for row in found.values()} == {"ok"} and set(found) == {row["clip_id"] for row in rows}
    assert [web.requests[f"/{name}.mp4"] for name in (ID, OTHER)] == [web.requests[f"/{OTHER}.mp4"]] * 2
    assert not list((tmp_path / ".sources").iterdir()), "whole videos are dropped"
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
     ("long", Reason.NETWORK), (404, Reason.REMOVED), (410, Reason.REMOVED)],
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
        ("something that nobody has seen before", Reason.NETWORK),
    ],
)  # fmt: skip
def test_what_the_sites_words_mean(message: str, reason: Reason) -> None:
    assert reason_of(message) == reason
