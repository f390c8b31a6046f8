"""fetch: every clip's video as a file. The world is rendered here, YouTube's are downloaded, the rest is looked for."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.data.breaker import Breaker
from s2v.data.manifest import MODULES, source
from s2v.data.status import FETCHED, FETCHED_STAGE, ClipError, Row, failed_row, ok_row, with_path
from s2v.data.workers import WorkerError, map_jobs
from s2v.errors import AGAIN, MachineError, Reason, UserError, machine_faults
from s2v.files import atomic_path, digest, read_json, read_parquet, read_table, sweep, write_json, write_parquet
from s2v.identity import code_digest
from s2v.media.diagnosis import check_file
from s2v.media.faults import check_ffmpeg, check_folder
from s2v.progress import track

if TYPE_CHECKING:
    from s2v.config import DataConfig, DownloadConfig

STAGE = FETCHED_STAGE
_RENDER_TIMEOUT_S = 600.0


@machine_faults()
def run(
    *,
    config: DataConfig,
    manifest: Path,
    status: Path,
    video_dir: Path,
    ffmpeg: str,
    workers: int,
    download: DownloadConfig,
    unpacked: Sequence[Path] = (),
) -> None:
    """Make or find the video of every clip of a shard.

    Args:
        config: the `data` slice.
        manifest: manifest/{shard}.parquet.
        status: written; status columns, `path` (null where it failed), and `path_bytes` where the path is not
            UTF-8.
        video_dir: where rendered and downloaded videos are kept; one that is whole and of the same recipe is not
            made again, one that the manifest no longer names is removed.
        ffmpeg: the executable that encodes rendered videos and cuts downloaded ones.
        workers: programs at work at once.
        download: manners of downloading.
        unpacked: with `data.videos.source: tar_urls`, what stage `unpack` wrote.

    Raises:
        MachineError: the machine failed, or so many clips failed alike that it must have; what is finished is kept.
    """
    rows = sorted(read_parquet(manifest), key=lambda row: str(row["clip_id"]))
    video_dir.mkdir(parents=True, exist_ok=True)
    done: dict[str, Row] = {}
    if config.rendered() is not None:
        made = _render(config, rows, video_dir, ffmpeg, workers)
    elif config.source in ("folder", "vegas"):
        made = _look(config, rows)
    elif config.videos.source == "youtube":
        _sweep(video_dir, {row["clip_id"] for row in rows})
        check_ffmpeg(ffmpeg)
        from s2v.data import youtube

        made = youtube.fetch(config.videos, rows, video_dir, download=download, ffmpeg=ffmpeg)
    elif config.videos.source == "tar_urls":
        _sweep(video_dir, {row["clip_id"] for row in rows})
        made = _look_unpacked(rows, unpacked)
    else:
        from s2v.data import local_tree

        if config.videos.path is not None and Path(config.videos.path).exists():
            check_folder(Path(config.videos.path))
        made = local_tree.fetch(config.videos, rows)
    # Of a published list videos may be missing, however many.
    breaker = Breaker(manifest.stem, len(rows)) if _is_found(config) else None
    for row in track(made, total=len(rows), description=f"fetch {manifest.stem}"):
        if breaker is not None:
            breaker.count(row)
        done[row["clip_id"]] = row
    write_parquet(status, [done[row["clip_id"]] for row in rows], FETCHED)


def _is_found(config: DataConfig) -> bool:
    """Whether the clips are those that were found, or are made, here: none of them should be missing."""
    folder, vegas = config.folder, config.vegas
    return config.rendered() is not None or {
        "folder": folder is not None and folder.labels != "csv",
        "vegas": vegas is not None and vegas.csv is None,
    }.get(config.source, False)


def unused(config: DataConfig) -> list[str]:
    """Modules that `run` never enters under a configuration: a folder is not looked through anew when the world's code
    changes, nor a mirror when that of downloads does."""
    by_id = config.source in ("vggsound", "celebvhq")
    sources = {
        "s2v.data.youtube": by_id and config.videos.source == "youtube",
        "s2v.data.local_tree": by_id and config.videos.source == "local_tree",
    }
    return [module for module, used in sources.items() if not used]


def _look(config: DataConfig, rows: list[Row]) -> Iterator[Row]:
    """Rows of a folder: the file is there, is not empty, and lies in the folder."""
    section = config.folder if config.source == "folder" else config.vegas
    if section is None:
        raise UserError(f"data.{config.source}: missing, although it is data.source; add the section")
    root = Path(section.path)
    base = root.resolve()
    check_folder(root)
    for row in rows:
        path = root / json.loads(row["extra"])["path"]
        try:
            if not Path(os.path.realpath(path)).is_relative_to(base):  # unlike `resolve`, it bears links in a circle
                raise ClipError(Reason.MISSING, "a symbolic link leads out of the folder; it is not followed")
            check_file(path)
            yield with_path(ok_row(row["clip_id"], STAGE), str(path))
        except ClipError as error:
            yield with_path(failed_row(row["clip_id"], STAGE, error), None)


def _look_unpacked(rows: list[Row], unpacked: Sequence[Path]) -> Iterator[Row]:
    """Rows of videos that came out of tars."""
    wanted = [row["clip_id"] for row in rows]
    filters = [("clip_id", "in", wanted)]
    found = {row["clip_id"]: row for path in unpacked for row in read_table(path, filters=filters).to_pylist()}
    for clip_id in wanted:
        try:
            if clip_id not in found:
                raise ClipError(Reason.MISSING, "no tar of data.videos.tars has it under a usual name")
            check_file(Path(found[clip_id]["path"]))
            yield with_path(ok_row(clip_id, STAGE), found[clip_id]["path"], found[clip_id]["offset_s"])
        except ClipError as error:
            yield with_path(failed_row(clip_id, STAGE, error), None)


def _render(config: DataConfig, rows: list[Row], folder: Path, ffmpeg: str, workers: int) -> Iterator[Row]:
    """Rows of clips that are rendered here: those already there, then the others as they are rendered."""
    section, module = config.rendered(), source(config.source)
    assert section is not None
    _sweep(folder, {row["clip_id"] for row in rows})
    check_ffmpeg(ffmpeg)
    settings = section.model_dump(mode="json")
    code = code_digest(MODULES[config.source])
    jobs: list[dict[str, Any]] = []
    for row in rows:
        video = folder / f"{row['clip_id']}.mp4"
        clip = {key: value for key, value in row.items() if key != "shard"}
        recipe = digest([clip, module.recipe(clip, section), code, Path(ffmpeg).name])
        if _is_whole(video, recipe):
            yield with_path(ok_row(row["clip_id"], STAGE), str(video))
        else:
            own = {"settings": settings, "video": str(video), "recipe": recipe, "ffmpeg": ffmpeg}
            jobs.append({"of": config.source, "clip": clip, **own})
    for index, result in map_jobs(render_clip, jobs, workers=workers, timeout_s=_RENDER_TIMEOUT_S):
        clip_id = jobs[index]["clip"]["clip_id"]
        if isinstance(result, WorkerError):
            if result.timed_out:  # what a clip is made of does not make it slow
                raise MachineError(f"rendering {clip_id} {result}; see what else runs here, and {AGAIN}")
            error = ClipError(Reason.RENDER_ERROR, str(result))
            yield with_path(failed_row(clip_id, STAGE, error), None)
        else:
            yield with_path(ok_row(clip_id, STAGE, result), jobs[index]["video"])


def render_clip(*, of: str, clip: Row, settings: dict[str, Any], video: str, recipe: str, ffmpeg: str) -> float:
    """Render a clip of a source to `video`, whole or not at all, and note its recipe beside it; returns seconds."""
    from s2v.config import RenderedConfig, SpeakersConfig, WorldConfig

    started = time.monotonic()
    note = _note(Path(video))
    note.unlink(missing_ok=True)
    with atomic_path(video) as temporary:
        kinds: dict[str, type[RenderedConfig]] = {"world": WorldConfig, "speakers": SpeakersConfig}
        section = kinds[of].model_validate(settings)
        source(of).render(clip, temporary, config=section, ffmpeg=ffmpeg)
    write_json(note, {"recipe": recipe, "bytes": Path(video).stat().st_size})
    return round(time.monotonic() - started, 3)


def _note(video: Path) -> Path:
    return video.with_suffix(".json")


def _is_whole(video: Path, recipe: str) -> bool:
    """Whether `video` was rendered to its end from the same recipe."""
    try:
        return bool(read_json(_note(video)) == {"recipe": recipe, "bytes": video.stat().st_size})
    except (UserError, OSError):
        return False


def _sweep(folder: Path, wanted: set[str]) -> None:
    """Remove what a killed run left half done, and rendered videos that the manifest no longer names.

    Only files that carry our note are touched.
    """
    sweep(folder)
    for note in folder.glob("*.json"):
        if note.stem not in wanted:
            note.with_suffix(".mp4").unlink(missing_ok=True)
            note.unlink(missing_ok=True)
