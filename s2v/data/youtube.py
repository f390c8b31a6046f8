"""Videos by id from YouTube through yt-dlp's Python API: the whole video small, then its wanted sections, cut here.

Downloads of sections alone are throttled by the site, so each video is fetched once, whole, at a low resolution, cut
without re-encoding, and dropped. What came of a clip is noted beside its file as it ends; a killed job goes on from the
notes, and a rerun asks again only for what may have passed since, or may be answered otherwise now (with cookies, say).
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from s2v.data.status import FETCHED_STAGE, Row, failed_row, ok_row, with_path
from s2v.data.workers import WorkerError, map_jobs
from s2v.errors import Reason, UserError, machine_fault, without_passwords
from s2v.files import atomic_path, digest, read_json, write_json
from s2v.media.diagnosis import ClipError, one_line
from s2v.media.ffmpeg import CONTAINERS, run
from s2v.provenance import versions

if TYPE_CHECKING:
    from s2v.config import DownloadConfig, VideosConfig

URL = "https://www.youtube.com/watch?v={video_id}"
PASSING = frozenset([Reason.NETWORK, Reason.BLOCKED])
"""Reasons that may be gone at the next try; all others are final."""

# First match wins. yt-dlp hands the site's own words through, which change in detail more than in these parts. What the
# site also says of videos that are there (to a yt-dlp that it no longer answers, say) must not make them lost for good.
_REASONS = [
    (Reason.BLOCKED, r"not a bot|HTTP Error 429|Too Many Requests|HTTP Error 403|rate.?limited|captcha"),
    (Reason.BLOCKED, r"network administrator"),
    (Reason.NETWORK, r"not available on this app|needs to be reloaded|try again later|processing this video"),
    (Reason.AGE_GATED, r"confirm your age|age.restricted|inappropriate for some users"),
    (Reason.MEMBERS_ONLY, r"members.only|channel.s members|Join this channel|Premium members"),
    (Reason.MEMBERS_ONLY, r"requires (payment|purchase)"),
    (Reason.PRIVATE, r"private video|video is private"),
    (Reason.GEO_BLOCKED, r"(available|blocked).{0,40}(in|from) your (country|location)|geo.?restrict|has blocked it"),
    (Reason.GEO_BLOCKED, r"HTTP Error 451"),
    (Reason.NO_FORMAT, r"Requested format is not available|No video formats|only images are available|Unsupported URL"),
    (Reason.NO_FORMAT, r"DRM protected"),
    (
        Reason.REMOVED,
        r"HTTP Error 4(04|10)|removed|terminated|does not exist|no longer available|copyright|account.{0,60}closed"
        r"|video unavailable|isn.t available|is not available|Incomplete YouTube ID|violat",
    ),
]
_REASONS_RE = [(reason, re.compile(pattern, re.I)) for reason, pattern in _REASONS]
# What a failure depends on besides the video: it is final only while that stays. Failures not named depend on nothing.
_DEPENDS_ON = {
    Reason.NO_FORMAT: ("height", "format", "cookies", "yt_dlp"),
    Reason.GEO_BLOCKED: ("proxy",),
    Reason.AGE_GATED: ("cookies",),
    Reason.MEMBERS_ONLY: ("cookies",),
    Reason.PRIVATE: ("cookies",),
}
_OK_DEPENDS_ON = ("height", "format")
_PATIENCE = 5
"""Videos in a row that the site refuses before it is left alone: to go on asking only makes a ban longer."""
_MAX_BYTES = 2 * 2**30
"""Of one download; a small video has a hundredth of that."""
_CUT_TIMEOUT_S = 300.0
_VIDEO_TIMEOUT_S = 3600.0
# A header may promise a little more than can be copied: the sound may be shorter than the picture.
_SLACK_S = 1.5


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

    Raises:
        UserError: `download.cookies` is no file of cookies.
    """
    _check_cookies(download.cookies)
    asked = _asked(config.model_dump(mode="json"), download.model_dump(mode="json"))
    videos: dict[str, list[Row]] = {}
    for row in rows:
        earlier = _noted(folder, row["clip_id"], asked)
        if earlier is not None:
            yield earlier
        else:
            videos.setdefault(str(json.loads(row["extra"])["video_id"]), []).append(row)
    jobs: list[dict[str, Any]] = [
        {
            "url": url.format(video_id=video_id),
            "name": _source_name(video_id, config),
            "clips": [{key: row[key] for key in ("clip_id", "start_s", "end_s")} for row in group],
            "folder": str(folder),
            "config": config.model_dump(mode="json"),
            "download": download.model_dump(mode="json"),
            "ffmpeg": ffmpeg,
        }
        for video_id, group in videos.items()
    ]
    _sweep(folder / ".sources", {job["name"] for job in jobs})
    timeout_s = _VIDEO_TIMEOUT_S * (1 + download.retries)
    results = map_jobs(fetch_video, jobs, workers=download.parallel, timeout_s=timeout_s)
    refused = 0
    with contextlib.closing(cast("Generator[tuple[int, Any], None, None]", results)):
        for index, result in results:
            job, jobs[index] = jobs[index], {}
            if isinstance(result, WorkerError):
                error = ClipError(Reason.NETWORK, f"worker: {result}")
                result = [_failed(clip["clip_id"], error) for clip in job["clips"]]
            yield from result
            refused = refused + 1 if any(row["reason"] == Reason.BLOCKED for row in result) else 0
            if refused == _PATIENCE:
                break
    left_alone = ClipError(Reason.BLOCKED, f"not asked for, since the site refused {_PATIENCE} videos before it")
    for clip in (clip for job in jobs if job for clip in job["clips"]):
        # Those that were under way when it was given up may have ended well.
        yield _noted(folder, clip["clip_id"], asked) or _failed(clip["clip_id"], left_alone)


def fetch_video(
    *,
    url: str,
    name: str,
    clips: list[dict[str, Any]],
    folder: str,
    config: dict[str, Any],
    download: dict[str, Any],
    ffmpeg: str,
) -> list[Row]:
    """Download one video and cut its clips; a row of stage fetch for each, noted beside it where it is final."""
    place, started = Path(folder), time.monotonic()
    sources = place / ".sources"
    sources.mkdir(parents=True, exist_ok=True)

    def attempt() -> list[ClipError | None]:
        source, duration_s = _download(url, sources, name, config, download, ffmpeg)
        faults: list[ClipError | None] = [None] * len(clips)
        try:
            for index, clip in enumerate(clips):
                try:
                    _cut(source, _video(place, clip["clip_id"]), clip, duration_s, ffmpeg)
                except ClipError as error:
                    if error.reason in PASSING:
                        raise
                    faults[index] = error
        finally:
            source.unlink(missing_ok=True)
        return faults

    try:
        faults = _persist(attempt, download["retries"], *download["sleep_s"])
    except ClipError as error:
        faults = [error] * len(clips)
    rows, asked = [], _asked(config, download)
    for clip, fault in zip(clips, faults, strict=True):
        video, seconds = _video(place, clip["clip_id"]), round(time.monotonic() - started, 3)
        if fault is None:
            row = with_path(ok_row(clip["clip_id"], FETCHED_STAGE, seconds), str(video), clip["start_s"] or 0.0)
        else:
            row = _failed(clip["clip_id"], fault, seconds)
        rows.append(row)
        if fault is None or fault.reason not in PASSING:
            size = video.stat().st_size if fault is None else None
            write_json(video.with_suffix(".json"), {"row": row, "bytes": size, "asked": _relevant(asked, row)})
    return rows


def _video(folder: Path, clip_id: str) -> Path:
    return folder / f"{clip_id}.mp4"


def _noted(folder: Path, clip_id: str, asked: dict[str, Any]) -> Row | None:
    """What an earlier run noted of a clip, if it is final for what is `asked` now and its file is still whole."""
    video = _video(folder, clip_id)
    try:
        note = read_json(video.with_suffix(".json"))
        row: Row = note["row"]
        if note["asked"] != _relevant(asked, row):
            return None
        if row["status"] != "ok":
            return row
        return with_path(row, str(video), row["offset_s"]) if video.stat().st_size == note["bytes"] else None
    except (UserError, OSError, KeyError, TypeError, ValueError):
        return None


def _asked(config: dict[str, Any], download: dict[str, Any]) -> dict[str, Any]:
    """What the outcome of a download depends on, besides the video."""
    return {
        "height": config["height"],
        "format": config["format"],
        "cookies": download["cookies"],
        "proxy": download["proxy"],
        "yt_dlp": versions("yt-dlp")["yt-dlp"],
    }


def _relevant(asked: dict[str, Any], row: Row) -> str:
    """Hash of those parts of `asked` that a row depends on; a proxy may hold a password, so notes have no values."""
    keys = _OK_DEPENDS_ON if row["status"] == "ok" else _DEPENDS_ON.get(Reason[row["reason"].upper()], ())
    return digest({key: asked[key] for key in keys})


def _source_name(video_id: str, config: VideosConfig) -> str:
    """Name, without suffix, of a whole video on its way; a half one of another format is not gone on with."""
    return f"v{video_id}-{digest([config.height, config.format])[:8]}"


def _sweep(sources: Path, wanted: set[str]) -> None:
    """Remove what is left of downloads that nobody asks for any more."""
    for path in sources.glob("v*"):
        if path.name.partition(".")[0] not in wanted:
            path.unlink(missing_ok=True)


def _check_cookies(path: str | None) -> None:
    if path is None:
        return
    from http.cookiejar import LoadError

    from yt_dlp.cookies import YoutubeDLCookieJar

    try:
        YoutubeDLCookieJar(_cookies(path)).load()
    except (OSError, ValueError, LoadError) as error:
        what = one_line(str(getattr(error, "strerror", None) or error))
        raise UserError(f"runtime.download.cookies: {path!r} is no cookies.txt in Netscape format ({what})") from error


def _cookies(path: str) -> io.StringIO:
    """A copy: yt-dlp writes cookies back to the file that it is given, here from several programs at once."""
    return io.StringIO(Path(path).expanduser().read_text(encoding="utf-8"))


def _failed(clip_id: str, error: ClipError, seconds: float = 0.0) -> Row:
    return with_path(failed_row(clip_id, FETCHED_STAGE, error, round(seconds, 3)), None)


def _persist(attempt: Callable[[], list[ClipError | None]], retries: int, low_s: float, high_s: float) -> Any:
    """What `attempt` returns; passing faults are tried again after twice the pause each time.

    Raises:
        ClipError: a final fault, or a passing one after all retries.
    """
    pause_s = max(1.0, high_s)
    for left in range(retries, -1, -1):
        time.sleep(random.uniform(low_s, high_s))
        try:
            return attempt()
        except ClipError as error:
            if error.reason not in PASSING or not left:
                raise
        time.sleep(pause_s)
        pause_s *= 2
    raise AssertionError("the last attempt raises or returns")


def _download(
    url: str, sources: Path, name: str, config: dict[str, Any], download: dict[str, Any], ffmpeg: str
) -> tuple[Path, float | None]:
    """The whole video as a file in `sources`, and how many seconds it should have by the site's word.

    Raises:
        ClipError: with the reason that yt-dlp's message stands for, or it is too large, and nothing of it is left.
    """
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import YoutubeDLError

    height = config["height"]
    limits = {
        "format": config["format"] or f"bv*[height<={height}]+ba/b[height<={height}]/wv*+ba/w",
        "proxy": download["proxy"],
        "cookiefile": download["cookies"] and _cookies(download["cookies"]),
        "ratelimit": download["rate_limit_kbps"] and 1024 * download["rate_limit_kbps"],
    }
    options = {
        **{key: value for key, value in limits.items() if value is not None},
        "outtmpl": {"default": _as_template(sources.absolute() / name) + ".%(ext)s"},
        "merge_output_format": "mkv",
        "ffmpeg_location": ffmpeg,
        "socket_timeout": download["timeout_s"],
        "noplaylist": True,
        "continuedl": True,
        "retries": 0,
        "fragment_retries": 0,
        "extractor_retries": 0,
        # A lost fragment is a fault, not a hole in the video.
        "skip_unavailable_fragments": False,
        # YouTube's own code must be run to be let in; whichever is installed will do.
        "js_runtimes": {runtime: {} for runtime in ("deno", "node", "bun", "quickjs")},
        "cachedir": False,
        "quiet": True,
        "noprogress": True,
        "no_warnings": True,
        "logger": _Silent(),
        "progress_hooks": [_stop_at_limit],
    }
    try:
        with YoutubeDL(options) as downloader:
            about = downloader.extract_info(url, download=True)
            found = [part["filepath"] for part in about.get("requested_downloads") or [] if part.get("filepath")]
    except ClipError:
        for part in sources.glob(f"{name}.*"):
            part.unlink(missing_ok=True)
        raise
    except YoutubeDLError as error:
        _blame_machine(error)
        message = without_passwords(one_line(re.sub(r"\x1b\[[0-9;]*m", "", str(error))))
        raise ClipError(reason_of(message), message[:300]) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _blame_machine(error)
        raise ClipError(Reason.NETWORK, without_passwords(f"{type(error).__name__}: {error}")) from error
    path = Path(found[0]) if found else None
    if path is None or not path.is_file() or path.resolve().parent != sources.resolve():
        raise ClipError(Reason.NETWORK, "the download left no file")
    return path, about.get("duration")


def _stop_at_limit(progress: dict[str, Any]) -> None:
    """A site may say no length, and send for ever."""
    if (progress.get("downloaded_bytes") or 0) > _MAX_BYTES:
        raise ClipError(Reason.NO_FORMAT, f"larger than {_MAX_BYTES / 2**30:g} GiB")


def _blame_machine(error: Exception) -> None:
    fault = machine_fault(error)
    if fault:
        raise fault from error


def _as_template(path: Path) -> str:
    """A template of yt-dlp for just this path: % would begin a field, and $ a variable of the environment.

    A $ can't be escaped there; as what an unknown field falls back to it comes after variables were filled in.
    """
    return str(path).replace("%", "%%").replace("$", "%(no_such_field|$)s")


class _Silent:
    """yt-dlp's messages reach us as exceptions; what it prints beside them would drown a shard's log."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def _cut(source: Path, target: Path, clip: dict[str, Any], duration_s: float | None, ffmpeg: str) -> None:
    """Copy a section without re-encoding; an edit list hides what lies between the key frame before it and its start.

    Raises:
        ClipError: the video ends before the section, cutting takes too long, or the file is damaged, as that of a
            download that lost its end is.
    """
    start, end = clip["start_s"] or 0.0, clip["end_s"]
    length = [] if end is None else ["-t", f"{end - start:.3f}"]
    with atomic_path(target) as temporary:
        command = [ffmpeg, "-v", "error", "-nostdin", "-y", "-ss", f"{start:.3f}"]
        command += ["-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS]
        command += ["-i", f"file:{source.absolute()}", *length, "-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy"]
        command += ["-f", "mp4", "-progress", "pipe:1", f"file:{temporary.absolute()}"]
        done, progress = run(command, timeout_s=_CUT_TIMEOUT_S, consume=lambda stream: stream.read().decode())
        if done.timed_out:
            raise ClipError(Reason.TIMEOUT, f"cutting took longer than {_CUT_TIMEOUT_S:g} s")
        written = re.findall(r"^out_time_us=(\d+)$", progress, re.M)
        got_s = int(written[-1]) / 1e6 if written else 0.0
        whole_s = duration_s or 0.0
        promised_s = (whole_s if end is None else min(end, whole_s)) - start
        log = one_line(done.log.replace(str(source.absolute()), "the video"))
        if done.returncode or "partial file" in log or got_s < promised_s - _SLACK_S:
            what = log or f"{got_s:.2f} s of {promised_s:.2f} s are there"
            raise ClipError(Reason.NETWORK, f"the download is damaged: {what}"[:300])
        if not got_s:
            raise ClipError(Reason.TOO_SHORT, "nothing lies in the section; the video is shorter than the list says")


__all__ = ["PASSING", "fetch", "fetch_video", "reason_of"]
