"""What a run of a configuration would take: clips, jobs, downloads, disk, hours; and how each number is known.

Every line ends with the ground it stands on: `measured here`, `published`, `assumed`, or `not measured`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.configchecks import split_names
from s2v.errors import UserError
from s2v.planning import needs, samples
from s2v.planning.dag import planned
from s2v.planning.samples import CLIP_S

if TYPE_CHECKING:
    from s2v.config import Config
    from s2v.planning.clip_cost import ClipCost

VIDEOS_PER_HOUR = 300
PUBLISHED = "published: about 300 videos an hour and guest session (wiki of yt-dlp, page Extractors)"
SOURCE_MINUTES = 4.0
"""Length of a whole video, of which clips are sections; it is not in the lists."""

LONG_STEP_MINUTES = 0.5
"""Of one thread. Longer ones are timed on a CPU where `runtime.device: cpu` asks for it."""

_BY_ID = ("vggsound", "celebvhq")
_GB = 1e9

Row = dict[str, Any]
Line = tuple[str, str, str]
"""What, how much, how it is known."""


def report(config: Config, files: list[Path], *, measure: bool = False) -> Iterator[str]:
    """Lines for people, one section after another.

    Args:
        config: the configuration.
        files: those it came from.
        measure: also time a few steps of each training at its configured size.

    Where the list or the folder of the data is not there yet, clips are as many as the data set was published with.
    """
    yield f"plan of {' + '.join(str(path) for path in files)}"
    yield from needs.check(config).lines()
    try:
        rows, counted = needs.listed(config), f"measured here: counted in {_where(config)}"
    except UserError:
        rows, counted = samples.rows_as_published(config), "assumed: as many as the data set was published with"
    cost = _own_clips(config, rows) if counted.startswith("measured") else None
    sections = (
        _clips(config, rows, counted, cost),
        _jobs(config, files),
        _bytes_and_hours(config, rows, cost),
        _training(config, rows, measure),
    )
    for section in sections:
        yield ""
        for what, value, ground in section:
            yield f"  {what:<24}{value:<34}{ground}"
    yield ""
    yield "`snakemake -n` with the same files says which jobs are still to be done."


def _own_clips(config: Config, rows: list[Row]) -> ClipCost | str | None:
    """What clips of a user's own folder cost, by some of them; why none of these can be used; None: no folder."""
    if config.data.source != "folder" or config.data.folder is None:
        return None
    from s2v.media.ffmpeg import ffmpeg_path
    from s2v.planning.clip_cost import own_clips_cost

    root = Path(config.data.folder.path)
    paths = [root / json.loads(row["extra"])["path"] for row in rows]
    # As in stage fetch, a link that leads out of the folder is not followed.
    inside = [path.resolve().is_relative_to(root.resolve()) for path in paths]
    there = [row | {"path": str(path)} for row, path, own in zip(rows, paths, inside, strict=True) if own]
    return own_clips_cost(config, ffmpeg_path(config.runtime.ffmpeg), there)


def _clip_s(cost: ClipCost | str | None) -> float:
    return CLIP_S if cost is None or isinstance(cost, str) else cost.seconds


def _clips(config: Config, rows: list[Row], counted: str, cost: ClipCost | str | None) -> Iterator[Line]:
    per_split = Counter(row["split"] for row in rows)
    for split in split_names(config):
        yield f"clips, {split}", f"{per_split[split]:,}", counted
    yield "clips", f"{len(rows):,}", counted
    yield "classes", f"{len({row['label'] for row in rows if row['label']}):,}", counted
    yield "videos", f"{len(_videos(rows)):,}", counted
    hours = sum(_length_s(config, row, _clip_s(cost)) for row in rows) / 3600
    if any(row["end_s"] is None for row in rows):
        made = config.data.rendered() is not None
        each = f"the mean of data.{config.data.source}.duration_s for each clip" if made else f"{CLIP_S:g} s a clip"
        counted = f"assumed: {each}"
        if isinstance(cost, str):
            counted += f", since those that were tried cannot be used ({cost})"
        elif cost is not None:
            counted = f"measured here: {cost.what}"
    yield "length of all clips", f"{hours:,.1f} h", counted


def _where(config: Config) -> str:
    names = [str(path) for _, path, _ in needs.lists(config)]
    if names:
        return names[0]
    section = config.data.section()
    folder = section.watched()[0] if section is not None else None
    return folder or f"the {config.data.source}"


def _videos(rows: list[Row]) -> set[str]:
    """Videos that clips are sections of; elsewhere a clip is a video."""
    known = ((row["clip_id"], json.loads(row["extra"])) for row in rows)
    return {str(extra.get("video_id") or extra.get("path") or clip_id) for clip_id, extra in known}


def _length_s(config: Config, row: Row, clip_s: float = CLIP_S) -> float:
    """Seconds of a clip that are read; `clip_s` where nothing says how long it is."""
    if row["end_s"] is not None:
        length = row["end_s"] - (row["start_s"] or 0)
    elif (made := config.data.rendered()) is not None:
        length = made.clip_s(row["split"])
    else:
        length = clip_s
    return float(min(length, config.extract.max_duration_s))


def _jobs(config: Config, files: list[Path]) -> Iterator[Line]:
    """From nothing to the workflow's default, and what further tables add."""
    tables = [f"{config.output}/table2.csv", f"{config.output}/table3.csv"]
    try:
        found, *more = planned(files, ["all"], *(["all", table] for table in tables))
    except UserError as error:
        yield "jobs", "unknown", f"not measured: {' '.join(str(error).split())}"
        return
    counted = "measured here: counted in Snakemake's graph"
    for rule, n in found.items():
        yield f"jobs, {rule}", f"{n:,}", counted
    yield "jobs", f"{found.total():,}", counted
    for table, both in zip(tables, more, strict=True):
        for rule, n in (both - found).items():
            yield f"{Path(table).stem}, {rule}", f"{n:,} more", counted
        yield f"jobs, with {Path(table).name}", f"{both.total():,}", counted


def _bytes_and_hours(config: Config, rows: list[Row], own: ClipCost | str | None) -> Iterator[Line]:
    from s2v.media.ffmpeg import ffmpeg_path
    from s2v.planning.clip_cost import clip_cost

    world = config.data.rendered() is not None
    lengths = [_length_s(config, row, _clip_s(own)) for row in rows]
    if own is None or isinstance(own, str):
        sample = next((row for row in rows if row["split"] == "train"), rows[0]) if world else None
        length = max(1.0, min(CLIP_S, sum(lengths) / len(rows)))
        cost = clip_cost(config, ffmpeg_path(config.runtime.ffmpeg), length, sample)
    else:
        cost = own
    ground = f"measured here: {cost.what}"
    total = sum(lengths) / cost.seconds
    yield from _downloads(config, rows)
    disk = {"videos": _kept_videos(config, rows, cost), "extract": total * cost.extract_bytes, "pack": 0.0}
    for row, length in zip(rows, lengths, strict=True):
        whole = config.pack.keep.get(row["split"]) == "all"
        disk["pack"] += (cost.frames_bytes if whole else cost.pair_bytes) * length / cost.seconds
    web = f"assumed: {_rate(config)}; clips are cut from whole videos"
    for stage, size in disk.items():
        if size:
            yield f"disk, {stage}", _size(size), web if stage == "videos" and not world else ground
    yield "disk, these together", _size(sum(disk.values())), "assumed: nothing is left out, and no stage's files go"
    if world:
        spent = cost.render_cpu_s
        yield "CPU, rendering", f"{spent * total / 3600:,.2f} h", f"{ground}, {spent:.2f} s of CPU"
    spent = cost.extract_cpu_s
    yield "CPU, extraction", f"{spent * total / 3600:,.2f} h", f"{ground}, {spent:.2f} s of CPU"


def _kbps(config: Config) -> float:
    """Bit rate of picture and sound on the web: 500 kbit/s at 360 lines, growing a little slower than the area."""
    return float(500 * (config.data.videos.height / 360) ** 1.5 + 128)


def _rate(config: Config) -> str:
    return f"{_kbps(config):,.0f} kbit/s at {config.data.videos.height} lines"


def _kept_videos(config: Config, rows: list[Row], cost: ClipCost) -> float:
    """Bytes of the videos under the output; those of a folder stay where they are."""
    seconds = sum(_length_s(config, row) for row in rows)
    if config.data.rendered() is not None:
        return cost.video_bytes * seconds / cost.seconds
    if config.data.source in _BY_ID and config.data.videos.source != "local_tree":
        return seconds * _kbps(config) * 125
    return 0.0


def _downloads(config: Config, rows: list[Row]) -> Iterator[Line]:
    data, videos = config.data, len(_videos(rows))
    if data.source not in _BY_ID:
        text = "rendered here" if data.rendered() is not None else "the videos are there"
        yield "download", "none", f"measured here: {text}"
    elif data.videos.source == "youtube":
        size = videos * SOURCE_MINUTES * 60 * _kbps(config) * 125
        yield "download, size", _size(size), f"assumed: {SOURCE_MINUTES:g} minutes a video, {_rate(config)}"
        hours = videos / VIDEOS_PER_HOUR
        yield "download, time", f"{hours:,.2f} h ({hours / 24:,.1f} days)", PUBLISHED
    elif data.videos.source == "tar_urls":
        text = f"{len(data.videos.tars)} tars, each as a whole"
        yield "download", text, "not measured: nobody is asked for their sizes"
    else:
        there = data.videos.path is not None and Path(data.videos.path).is_dir()
        text = f"data.videos.path {data.videos.path} {'is there' if there else 'is no folder yet; put videos there'}"
        yield "download", "none", f"measured here: {text}"


def _size(size: float) -> str:
    return f"{size / _GB:,.1f} GB" if size >= _GB else f"{size / 1e6:,.1f} MB"


def _training(config: Config, rows: list[Row], measure: bool) -> Iterator[Line]:
    import torch

    from s2v.planning.resources import step_minutes
    from s2v.planning.step_cost import step_cost, trainings
    from s2v.runtime import Runtime

    classes = sorted({str(row["label"]) for row in rows if row["label"]}) or ["nothing"]
    n_train = sum(row["split"] == "train" for row in rows)
    device, why = None, "not measured: give --measure for hours"
    processes, on_cpu = config.runtime.processes, config.runtime.device == "cpu"
    if config.runtime.device == "auto":
        on_cpu = not torch.cuda.is_available()
    if measure:
        device = Runtime.from_config(config.runtime, torch.get_num_threads())
    unit = "CPU" if on_cpu else "GPU"
    total = {"all": 0.0, "table3": 0.0}
    for training in trainings(config, n_train, classes):
        # A process has its share of the batch, and hours are those of all of them.
        share = max(1, training.batch // processes)
        for name, first, steps in training.phases:
            what, size = f"{unit}, {training.name}{name}", f"{steps:,} steps of batch {training.batch:,}"
            if device is None:
                yield what, size, why
                continue
            if on_cpu and config.runtime.device == "auto":
                minutes = step_minutes(config, training.name, sum(steps for _, _, steps in training.phases))
                if minutes > LONG_STEP_MINUTES:  # a configuration for GPUs, on a machine without one
                    takes = f"a step is some {minutes:,.0f} minutes of a CPU"
                    yield what, size, f"not measured: no CUDA device, and {takes}"
                    continue
            cost = step_cost(training, first, share, device)
            hours = cost.seconds * steps * processes / 3600
            total[training.target] += hours
            shown = torch.cuda.get_device_name(device.device) if device.device.type == "cuda" else "the CPU"
            fewer = f", from batch {cost.measured} (no more fits)" if cost.measured < share else ""
            yield what, f"{hours:,.2f} h, {size}", f"measured here: {cost.seconds:.3g} s a step on {shown}{fewer}"
    if device is not None:
        rest = "reading and validation come on top"
        yield f"{unit}, all trainings", f"{total['all']:,.2f} h", f"measured here: the sum; {rest}"
        if total["table3"]:
            both = f"{sum(total.values()):,.2f} h"
            yield f"{unit}, with table3.csv", both, f"measured here: the sum, with its models; {rest}"


__all__ = ["report"]
