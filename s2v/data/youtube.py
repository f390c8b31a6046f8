"""Videos by id from YouTube through yt-dlp's Python API: the whole video small, then its wanted sections, cut here.

Downloads of sections alone are throttled by the site, so each video is fetched once, whole, at a low resolution, cut
without re-encoding, and dropped. What came of a clip is noted beside its file as it ends; a killed job goes on from the
notes, and a rerun asks again only for what may have passed since.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.data.status import FETCHED_STAGE, Row, failed_row, ok_row, with_path
from s2v.data.workers import WorkerError, map_jobs
from s2v.errors import Reason, UserError
from s2v.files import atomic_path, read_json, write_json
from s2v.media.diagnosis import ClipError, one_line

if TYPE_CHECKING:
    from s2v.config import DownloadConfig, VideosConfig

URL = "https://www.youtube.com/watch?v={video_id}"
PASSING = frozenset([Reason.NETWORK, Reason.BLOCKED])
"""Reasons that may be gone at the next try; all others are final."""

# First match wins. yt-dlp hands the site's own words through, which change in detail more than in these parts.
_REASONS = [
    (Reason.BLOCKED, r"not a bot|HTTP Error 429|Too Many Requests|HTTP Error 403|rate.?limited|captcha"),
    (Reason.AGE_GATED, r"confirm your age|age.restricted|inappropriate for some users"),
    (Reason.MEMBERS_ONLY, r"members.only|channel's members|Join this channel|requires payment|requires purchase"),
    (Reason.PRIVATE, r"private video|video is private"),
    (Reason.GEO_BLOCKED, r"(available|blocked).{0,40}(in|from) your (country|location)|geo.?restrict|has blocked it"),
    (Reason.NO_FORMAT, r"Requested format is not available|No video formats|only images are available|Unsupported URL"),
    (
        Reason.REMOVED,
        r"HTTP Error 4(04|10)|removed|terminated|does not exist|no longer available|copyright|account.{0,60}closed"
        r"|video unavailable|isn't available|is not available|Incomplete YouTube ID|violat",
    ),
]
_REASONS_RE = [(reason, re.compile(pattern, re.I)) for reason, pattern in _REASONS]
_CUT_TIMEOUT_S = 300.0
_VIDEO_TIMEOUT_S = 3600.0


def reason_of(message: str) -> Reason:
    """The reason that an error message of yt-dlp stands for; what is unknown may be passing."""
    return next((reason for reason, pattern in _REASONS_RE if pattern.search(message)), Reason.NETWORK)


def fetch(
    config: VideosConfig, rows: list[Row], folder: Path, *, download: DownloadConfig, ffmpeg: str, url: str = URL
) -> Iterator[Row]:
    """Rows of stage fetch for `rows` of the manifest, as they end; a video of several clips is downloaded once.

    Args:
        config: what to ask for.
        rows: manifest rows with `start_s`, `end_s` and a `video_id` in `extra`.
        folder: where the clips go, as {clip_id}.mp4.
        download: manners.
        ffmpeg: the executable that cuts.
        url: address of a video, with {video_id} in it.
    """
    videos: dict[str, list[Row]] = {}
    for row in rows:
        earlier = _noted(folder, row)
        if earlier is not None:
            yield earlier
        else:
            videos.setdefault(str(json.loads(row["extra"])["video_id"]), []).append(row)
    jobs = [
        {
            "url": url.format(video_id=video_id),
            "video_id": video_id,
            "clips": [{key: row[key] for key in ("clip_id", "start_s", "end_s")} for row in group],
            "folder": str(folder),
            "config": config.model_dump(mode="json"),
            "download": download.model_dump(mode="json"),
            "ffmpeg": ffmpeg,
        }
        for video_id, group in videos.items()
    ]
    timeout_s = _VIDEO_TIMEOUT_S * (1 + download.retries)
    for index, result in map_jobs(
        "s2v.data.youtube:fetch_video", jobs, workers=download.parallel, timeout_s=timeout_s
    ):
        if isinstance(result, WorkerError):
            error = ClipError(Reason.NETWORK, f"worker: {result}")
            result = [_failed(clip["clip_id"], error) for clip in jobs[index]["clips"]]  # type: ignore[index,attr-defined]
        yield from result


def fetch_video(
    *,
    url: str,
    video_id: str,
    clips: list[dict[str, Any]],
    folder: str,
    config: dict[str, Any],
    download: dict[str, Any],
    ffmpeg: str,
) -> list[Row]:
    """Download one video and cut its clips; a row of stage fetch for each, noted beside it where it is final."""
    place = Path(folder)
    sources = place / ".sources"
    sources.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    rows = []
    try:
        source = _download(url, sources, video_id, config, download, ffmpeg)
    except ClipError as error:
        rows = [_failed(clip["clip_id"], error, time.monotonic() - started) for clip in clips]
        if error.reason not in PASSING:
            for row in rows:
                write_json(place / f"{row['clip_id']}.json", {"row": row})
        return rows
    for clip in clips:
        target = place / f"{clip['clip_id']}.mp4"
        try:
            _cut(source, target, clip["start_s"], clip["end_s"], ffmpeg)
            row = ok_row(clip["clip_id"], FETCHED_STAGE, round(time.monotonic() - started, 3))
            rows.append(with_path(row, str(target), clip["start_s"] or 0.0))
        except ClipError as error:
            rows.append(_failed(clip["clip_id"], error, time.monotonic() - started))
        size = target.stat().st_size if target.exists() else None
        write_json(place / f"{clip['clip_id']}.json", {"row": rows[-1], "bytes": size})
    source.unlink(missing_ok=True)
    return rows


def _noted(folder: Path, row: Row) -> Row | None:
    """What an earlier run noted of a clip, if it is final and its file is still whole."""
    try:
        note = read_json(folder / f"{row['clip_id']}.json")
        earlier: Row = note["row"]
        if earlier["status"] == "ok" and (folder / f"{row['clip_id']}.mp4").stat().st_size != note["bytes"]:
            return None
        return earlier
    except (UserError, OSError, KeyError, TypeError):
        return None


def _failed(clip_id: str, error: ClipError, seconds: float = 0.0) -> Row:
    return with_path(failed_row(clip_id, FETCHED_STAGE, error, round(seconds, 3)), None)


def _download(
    url: str, sources: Path, video_id: str, config: dict[str, Any], download: dict[str, Any], ffmpeg: str
) -> Path:
    """The whole video as a file in `sources`; passing faults are tried again after twice the pause each time.

    Raises:
        ClipError: a final fault, or a passing one after all retries.
    """
    low, high = download["sleep_s"]
    pause_s = max(1.0, high)
    for attempt in range(download["retries"] + 1):
        try:
            time.sleep(random.uniform(low, high))
            return _download_once(url, sources, video_id, config, download, ffmpeg)
        except ClipError as error:
            if error.reason not in PASSING or attempt == download["retries"]:
                raise
            time.sleep(pause_s)
            pause_s *= 2
    raise AssertionError("the last attempt raises or returns")


def _download_once(
    url: str, sources: Path, video_id: str, config: dict[str, Any], download: dict[str, Any], ffmpeg: str
) -> Path:
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import YoutubeDLError

    height = config["height"]
    limits = {
        "format": config["format"] or f"bv*[height<={height}]+ba/b[height<={height}]/wv*+ba/w",
        "proxy": download["proxy"],
        "cookiefile": download["cookies"],
        "ratelimit": download["rate_limit_kbps"] and 1024 * download["rate_limit_kbps"],
    }
    options = {
        **{key: value for key, value in limits.items() if value is not None},
        # An id may hold % or begin with -; as a part of the template it is text.
        "outtmpl": {"default": str(sources / f"v{video_id}").replace("%", "%%") + ".%(ext)s"},
        "merge_output_format": "mkv",
        "ffmpeg_location": ffmpeg,
        "socket_timeout": download["timeout_s"],
        "noplaylist": True,
        "continuedl": True,
        "retries": 0,
        "fragment_retries": 0,
        "extractor_retries": 0,
        "cachedir": False,
        "quiet": True,
        "noprogress": True,
        "no_warnings": True,
        "logger": _Silent(),
    }
    try:
        with YoutubeDL(options) as downloader:
            about = downloader.extract_info(url, download=True)
            found = [part["filepath"] for part in about.get("requested_downloads") or [] if part.get("filepath")]
    except YoutubeDLError as error:
        message = one_line(re.sub(r"\x1b\[[0-9;]*m", "", str(error)))
        raise ClipError(reason_of(message), message[:300]) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClipError(Reason.NETWORK, f"{type(error).__name__}: {error}") from error
    path = Path(found[0]) if found else None
    if path is None or not path.is_file() or path.resolve().parent != sources.resolve():
        raise ClipError(Reason.NETWORK, "the download left no file")
    return path


class _Silent:
    """yt-dlp's messages reach us as exceptions; what it prints beside them would drown a shard's log."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def _cut(source: Path, target: Path, start_s: float | None, end_s: float | None, ffmpeg: str) -> None:
    """Copy a section without re-encoding; an edit list hides what lies between the key frame before it and its start.

    Raises:
        ClipError: the video ends before the section, or is none.
    """
    start = start_s or 0.0
    length = [] if end_s is None else ["-t", f"{end_s - start:.3f}"]
    with atomic_path(target) as temporary:
        command = [ffmpeg, "-v", "error", "-nostdin", "-y", "-ss", f"{start:.3f}", "-i", f"file:{source}", *length]
        command += ["-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-f", "mp4"]
        command += ["-progress", "pipe:1", f"file:{temporary}"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_CUT_TIMEOUT_S)
            if done.returncode == 0 and re.search(r"^total_size=\d+\nout_time_us=[1-9]", done.stdout, re.M):
                return
            what = one_line(done.stderr) or "nothing lies in the section; the video is shorter than the list says"
            raise ClipError(Reason.NOT_A_VIDEO if done.stderr else Reason.TOO_SHORT, what[:300])
        raise ClipError(Reason.TIMEOUT, f"cutting took longer than {_CUT_TIMEOUT_S:g} s")


__all__ = ["PASSING", "fetch", "fetch_video", "reason_of"]
