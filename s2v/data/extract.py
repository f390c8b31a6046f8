"""extract: one decode pass per video gives its waveform and frames, gathered in one tar a shard (paper 4.1).

Each finished clip waits in a hidden spool folder beside the tar. A killed run goes on from there: a clip
whose video and settings are unchanged is not decoded again, and the final tar holds the same bytes. Nothing is noted
there of a failure that may be the machine's, so the next run tries that clip again.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile
from PIL import Image

from s2v.data.breaker import SUSPECT, Breaker
from s2v.data.status import EXTRACTED, ClipError, Row, failed_row, ok_row, path_of, upstream_row
from s2v.data.workers import WorkerError, map_jobs
from s2v.errors import Reason, UserError, machine_faults
from s2v.extras import absent
from s2v.files import (
    atomic_path,
    digest,
    read_json,
    read_parquet,
    sweep,
    write_bytes,
    write_json,
    write_parquet,
)
from s2v.identity import code_digest
from s2v.media.checks import check_content
from s2v.media.decode import Decoded, decode
from s2v.media.diagnosis import one_line
from s2v.media.faults import check_ffmpeg, check_gone
from s2v.media.phash import clip_hash
from s2v.progress import track

if TYPE_CHECKING:
    from s2v.config import ExtractConfig

STAGE = "extract"
_LIMIT = "max_failed_share"


@machine_faults()
def run(
    *,
    config: ExtractConfig,
    manifest: Path,
    fetched: Path,
    tar: Path,
    status: Path,
    ffmpeg: str,
    workers: int,
) -> None:
    """Extract all clips of a shard.

    Args:
        config: the `extract` slice.
        manifest: manifest/{shard}.parquet.
        fetched: fetch/{shard}.parquet, whose `path` names each clip's video.
        tar: written; per clip {id}.flac (16 kHz mono PCM16), {id}.000.jpg ... (one each 1/fps s) and
            {id}.json.
        status: written; one row per clip of the manifest.
        ffmpeg: the executable.
        workers: programs at work at once.

    Raises:
        UserError: the reader is not installed.
        MachineError: the machine failed, or so many clips failed alike that it must have; what is finished is kept.
    """
    check_ffmpeg(ffmpeg)
    missing = absent("decord") if config.reader == "decord" else None
    if missing:
        raise UserError(f"extract.reader: {missing}")
    spool = tar.parent / f".{tar.stem}.spool"
    spool.mkdir(parents=True, exist_ok=True)
    sweep(spool)
    rows = sorted(read_parquet(manifest), key=lambda row: str(row["clip_id"]))
    arrived = {row["clip_id"]: row for row in read_parquet(fetched)}
    settings = config.model_dump(mode="json", exclude={_LIMIT})
    statuses: dict[str, Row] = {}
    parts: dict[str, Path] = {}
    jobs: list[dict[str, Any]] = []
    for row in rows:
        clip_id, got = row["clip_id"], arrived[row["clip_id"]]
        if got["status"] != "ok":
            statuses[clip_id] = upstream_row(clip_id, STAGE, got)
            continue
        clip = {
            "clip_id": clip_id,
            "split": row["split"],
            "path": path_of(got),
            "start_s": None if row["start_s"] is None else row["start_s"] - got["offset_s"],
            "end_s": None if row["end_s"] is None else row["end_s"] - got["offset_s"],
        }
        if config.crop == "face":
            try:
                clip["crop"] = face_box(row, config.crop_margin)
            except ClipError as error:
                statuses[clip_id] = failed_row(clip_id, STAGE, error)
                continue
        parts[clip_id] = spool / f"{clip_id}.{_fingerprint(clip, settings, ffmpeg)}.tar"
        if parts[clip_id].with_suffix(".json").exists():
            statuses[clip_id] = read_json(parts[clip_id].with_suffix(".json"))
        else:
            jobs.append({"clip": clip, "settings": settings, "ffmpeg": ffmpeg, "part": str(parts[clip_id])})
    advice = f"; where the videos are that bad, raise extract.{_LIMIT}"
    breaker = Breaker(tar.stem, len(parts), config.max_failed_share, advice)
    # Two decoders at most per clip, each with its own limit; a worker that outlives them hangs.
    results = map_jobs(extract_clip, jobs, workers=workers, timeout_s=4 * config.timeout_s + 60)
    for index, result in track(results, total=len(jobs), description=f"extract {tar.stem}"):
        clip_id = jobs[index]["clip"]["clip_id"]
        if isinstance(result, WorkerError):
            reason = Reason.TIMEOUT if result.timed_out else Reason.DECODE_ERROR
            result = failed_row(clip_id, STAGE, ClipError(reason, f"worker: {result}"))
        breaker.count(result)
        statuses[clip_id] = result
    ok = [row["clip_id"] for row in rows if statuses[row["clip_id"]]["status"] == "ok"]
    with atomic_path(tar) as temporary, open(temporary, "wb") as whole:
        for clip_id in ok:
            with open(parts[clip_id], "rb") as part:
                shutil.copyfileobj(part, whole)
        whole.write(bytes(2 * tarfile.BLOCKSIZE))
        whole.write(bytes(-whole.tell() % tarfile.RECORDSIZE))
    found = [statuses[row["clip_id"]] for row in rows]
    hashes = [bytes.fromhex(row["phash"]) if "phash" in row else None for row in found]
    write_parquet(status, [{**row, "phash": phash} for row, phash in zip(found, hashes, strict=True)], EXTRACTED)
    shutil.rmtree(spool, ignore_errors=True)


def face_box(row: Row, margin: float) -> tuple[float, float, float, float]:
    """The box of a face in a manifest row with `margin` (a share of the picture) on each side, within the picture.

    Raises:
        ClipError: no_face.
    """
    box = json.loads(row["extra"])["face"]
    if box["bottom"] <= box["top"] or box["right"] <= box["left"]:
        raise ClipError(Reason.NO_FACE, f"{box}")
    top, left = (max(0.0, box[side] - margin) for side in ("top", "left"))
    bottom, right = (min(1.0, box[side] + margin) for side in ("bottom", "right"))
    return top, bottom, left, right


def extract_clip(*, clip: dict[str, Any], settings: dict[str, Any], ffmpeg: str, part: str) -> Row:
    """Decode one clip into `part`, a tar without its end (none if it fails); return its row and leave it beside.

    Raises:
        MachineError: the failure is not the clip's.
    """
    started = time.monotonic()
    need_audio = clip["split"] not in settings["soundless_splits"]
    try:
        decoded = decode(
            clip["path"],
            reader=settings["reader"],
            fast=settings["frames"] == "fast",
            ffmpeg=ffmpeg,
            sample_rate_hz=settings["sample_rate_hz"],
            fps=settings["fps"],
            short_side_px=settings["short_side_px"],
            jpeg_quality=settings["jpeg_quality"],
            start_s=clip["start_s"],
            end_s=clip["end_s"],
            max_duration_s=settings["max_duration_s"],
            timeout_s=settings["timeout_s"],
            need_audio=need_audio,
            crop=clip.get("crop"),
        )
        limits = {key: settings[key] for key in ("min_duration_s", "silence_dbfs", "black_level", "still_difference")}
        check_content(decoded, **limits, need_audio=need_audio)
        write_bytes(part, pack_clip(clip["clip_id"], clip["split"], decoded))
        # As text here, since the row passes through JSON.
        phash = {"phash": clip_hash(decoded.pictures).hex()}
        remarks = one_line("; ".join(decoded.notes)) or None
        row = ok_row(clip["clip_id"], STAGE, round(time.monotonic() - started, 3)) | phash | {"detail": remarks}
    except ClipError as error:
        row = failed_row(clip["clip_id"], STAGE, error, round(time.monotonic() - started, 3))
        if error.reason is Reason.MISSING:
            check_gone(Path(clip["path"]))
        if error.reason is Reason.TIMEOUT:
            check_ffmpeg(ffmpeg)
        if error.reason in SUSPECT:
            return row
    # Written last: a status beside a part says that the part is whole.
    write_json(Path(part).with_suffix(".json"), row)
    return row


def pack_clip(clip_id: str, split: str, decoded: Decoded) -> bytes:
    """A clip's sound, description and pictures as members of a tar, without its end: clips can be put in a row.

    No times, no owners: equal clips are equal bytes.
    """
    pictures = decoded.pictures.jpegs
    width, height = Image.open(io.BytesIO(pictures[0])).size
    about = {
        "clip_id": clip_id,
        "split": split,
        "fps": decoded.fps,
        "n_frames": len(pictures),
        "width": width,
        "height": height,
        "sample_rate_hz": decoded.sample_rate_hz,
        "n_samples": 0 if decoded.wave is None else len(decoded.wave),
        "duration_s": round(decoded.duration_s, 6),
    }
    members = {f"{clip_id}.json": json.dumps(about, sort_keys=True).encode()}
    members |= {f"{clip_id}.{index:03d}.jpg": picture for index, picture in enumerate(pictures)}
    if decoded.wave is not None:
        sound = io.BytesIO()
        soundfile.write(sound, decoded.wave, decoded.sample_rate_hz, format="FLAC", subtype="PCM_16")
        members[f"{clip_id}.flac"] = sound.getvalue()
    return b"".join(_member(name, members[name]) for name in sorted(members))


def _member(name: str, data: bytes) -> bytes:
    about = tarfile.TarInfo(name)
    about.size = len(data)
    return about.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def _fingerprint(clip: dict[str, Any], settings: dict[str, Any], ffmpeg: str) -> str:
    """What a spooled clip was made of: video (path, size, time), settings, decoder and this code."""
    values: list[Any] = [clip, settings, code_digest("s2v.data.extract"), ffmpeg]
    for path in (Path(clip["path"]), Path(ffmpeg)):
        try:
            about = path.stat()
            values.append([about.st_size, about.st_mtime_ns])
        except OSError:
            values.append(None)
    return digest(values)
