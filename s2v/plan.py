"""What a run of a configuration would take: clips, jobs, downloads, disk, hours; and how each number is known.

Every line ends with the ground it stands on: `measured here`, `published`, `assumed`, or `not measured`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from s2v.config.foreign import MethodName
from s2v.config.methods import METHODS
from s2v.config.repeats import ablation_runs, drawn_again
from s2v.configfile import split_names
from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import Config
    from s2v.measure import ClipCost

VIDEOS_PER_HOUR = 300
PUBLISHED = "published: about 300 videos an hour and guest session (wiki of yt-dlp, page Extractors)"
SOURCE_MINUTES = 4.0
"""Length of a whole video, of which clips are sections; it is not in the lists."""

CLIP_S = 10.0
_BY_ID = ("vggsound", "celebvhq")
_GB = 1e9

Row = dict[str, Any]
Target = Literal["all", "table2", "table3"]


def report(config: Config, files: list[Path], *, measure: bool = False) -> Iterator[str]:
    """Lines for people, one section after another.

    Args:
        config: the configuration.
        files: those it came from.
        measure: also time a few steps of each training at its configured size.

    Raises:
        UserError: the list or the folder of the data is not there, or is wrong.
    """
    from s2v.data.manifest import manifest_rows

    for key, path, what in _lists(config):
        if not path.is_file():
            raise UserError(f"{key}: {path} is not there; put {what} at {path.resolve()}")
    rows = manifest_rows(config.data)
    yield f"plan of {' + '.join(str(path) for path in files)}"
    sections = (_clips(config, rows), _jobs(config), _bytes_and_hours(config, rows), _training(config, rows, measure))
    for section in sections:
        yield ""
        for what, value, ground in section:
            yield f"  {what:<24}{value:<34}{ground}"
    yield ""
    yield "`snakemake -n` with the same files says which jobs are still to be done."


Line = tuple[str, str, str]


def _lists(config: Config) -> Iterator[tuple[str, Path, str]]:
    """(key, file, what it is) of the lists that a user must bring."""
    data = config.data
    if data.source == "vggsound" and data.vggsound is not None:
        what = "VGGSound's published list (rows of YouTube id, start second, label, split)"
        yield "data.vggsound.csv", Path(data.vggsound.csv), what
    if data.source == "celebvhq" and data.celebvhq is not None:
        what = "CelebV-HQ's published list (celebvhq_info.json)"
        yield "data.celebvhq.json_file", Path(data.celebvhq.json_file), what
    if data.source == "vegas" and data.vegas is not None and data.vegas.csv is not None:
        yield "data.vegas.csv", Path(data.vegas.csv), "a list with the columns path,label,split"
    if data.source == "folder" and data.folder is not None and data.folder.csv is not None:
        yield "data.folder.csv", Path(data.folder.csv), "a list with the columns path,label[,split]"
    if config.select.mode == "published" and config.select.moments is not None:
        yield "select.moments", Path(config.select.moments), "the authors' top1_boxes_top10_moments.json"


def _clips(config: Config, rows: list[Row]) -> Iterator[Line]:
    counted = f"measured here: counted in {_where(config)}"
    per_split = Counter(row["split"] for row in rows)
    for split in split_names(config):
        yield f"clips, {split}", f"{per_split[split]:,}", counted
    yield "clips", f"{len(rows):,}", counted
    yield "classes", f"{len({row['label'] for row in rows if row['label']}):,}", counted
    yield "videos", f"{len(_videos(rows)):,}", counted
    hours = sum(_length_s(config, row) for row in rows) / 3600
    known = all(row["end_s"] is not None for row in rows)
    yield "length of all clips", f"{hours:,.1f} h", counted if known else _assumed_length(config)


def _where(config: Config) -> str:
    names = [str(path) for _, path, _ in _lists(config)]
    if names:
        return names[0]
    section = config.data.section()
    folder = section.watched()[0] if section is not None else None
    return folder or "the world"


def _videos(rows: list[Row]) -> set[str]:
    """Videos that clips are sections of; elsewhere a clip is a video."""
    return {str(json.loads(row["extra"]).get("video_id", row["clip_id"])) for row in rows}


def _length_s(config: Config, row: Row) -> float:
    """Seconds of a clip that are read."""
    if row["start_s"] is not None and row["end_s"] is not None:
        length = row["end_s"] - row["start_s"]
    elif config.data.source == "world" and config.data.world is not None:
        from s2v.world.recipe import REELS

        world = config.data.world
        length = world.photos_per_reel / world.fps if row["split"] in REELS else sum(world.duration_s) / 2
    else:
        length = CLIP_S
    return float(min(length, config.extract.max_duration_s))


def _assumed_length(config: Config) -> str:
    if config.data.source == "world":
        return "assumed: the mean of data.world.duration_s for each clip"
    return f"assumed: {CLIP_S:g} s a clip"


def jobs(config: Config, *targets: Target) -> dict[str, int]:
    """Jobs of a run from nothing to `targets`, by rule.

    Args:
        config: the configuration.
        targets: `all` is the workflow's default, `table2` and `table3` are these files; none is `all`.
    """
    targets = targets or ("all",)
    data, shards = config.data, config.data.shards
    whole = {split for split in split_names(config) if config.pack.keep.get(split) == "all"}
    tars = len(data.videos.tars) if data.source in _BY_ID and data.videos.source == "tar_urls" else 0
    marked = _marked(config, targets)
    # fig04 shows what sound2vision makes, whether it is a row of the table or not.
    shown: set[Drawn] = {("", "sound2vision", seed) for seed in config.generate.seeds} if "all" in targets else set()
    drawn = marked | shown
    needs = [METHODS[method] for _, method, _ in drawn]
    ablated = config.ablation.wanted().values() if "table2" in targets else ()
    ldm = any("vae" in need.parts for need in needs)
    unclip = any("align_unclip" in need.parts.values() for need in needs)
    packed = _read(config, ldm)
    found = {
        "manifest": 1,
        "unpack": tars,
        "fetch": shards,
        "extract": shards,
        "duplicates": int(config.duplicates.max_distance is not None),
        "localise": int(config.select.mode != "published"),
        "select": shards,
        "pack": shards if packed - whole else 0,
        "pack_frames": shards if packed & whole else 0,
        "encoder": 1 + ldm,
        "embed": len(_embedded(config))
        + (len({*config.diffusion.splits, "train", "val"}) if ldm else 0)
        + 2 * len({row.frame for row in ablated if row.frame}),
        "generator": 1,
        "vae": int(ldm),
        "latents": len(config.diffusion.splits) if ldm else 0,
        "diffusion": int(ldm),
        "embed_unclip": 2 * unclip,
        "align": len({(folder, heard) for folder, method, _ in drawn if (heard := METHODS[method].parts.get("align"))}),
        "judge": int(config.evaluate.evaluator == "judge"),
        "generate": len(drawn),
        "evaluate": len(marked),
        "table1": int("all" in targets),
        "table2": int("table2" in targets),
        "table3": int("table3" in targets),
        "fig04": int("all" in targets),
        "coverage": 1,
    }
    return {rule: n for rule, n in found.items() if n}


Drawn = tuple[str, MethodName, int]
"""Folder of a training, method, generation seed."""


def _marked(config: Config, targets: Sequence[Target]) -> set[Drawn]:
    """Pictures that are judged."""
    rows: dict[Target, list[tuple[str, MethodName]]] = {
        "all": drawn_again(config, config.generate.methods, config.seeds.table1),
        "table3": drawn_again(config, [config.generate.table3.A, config.generate.table3.B], config.seeds.table3),
    }
    found: set[Drawn] = {
        (folder, method, seed)
        for target in targets
        for folder, method in rows.get(target, [])
        for seed in config.generate.seeds
    }
    if "table2" in targets:
        found |= {(folder, "sound2vision", seed) for _, _, folder, seed in ablation_runs(config)}
    return found


def _embedded(config: Config) -> set[str]:
    """Splits of which the GAN's image features are taken."""
    learned = set() if config.generator.weights else set(config.generator.splits)
    return learned if config.align.weights else learned | {"train", "val"}


def _read(config: Config, ldm: bool) -> set[str]:
    """Splits whose packed shards are read."""
    found = {"train", config.generate.split, config.evaluate.reference_split} | _embedded(config)
    if not config.encoder.weights:
        found |= set(config.encoder.splits)
    if config.evaluate.evaluator == "judge":
        found.add(config.judge.split)
    if ldm:
        found |= {*config.encoder_vit.splits, *config.vae.splits, *config.diffusion.splits, "val"}
    return found


def _jobs(config: Config) -> Iterator[Line]:
    counted = "measured here: counted from the configuration"
    found = jobs(config)
    for rule, n in found.items():
        yield f"jobs, {rule}", f"{n:,}", counted
    yield "jobs", f"{sum(found.values()):,}", counted
    tables: tuple[Target, ...] = ("table2", "table3")
    for table in tables:
        both = jobs(config, "all", table)
        for rule, n in both.items():
            if n > found.get(rule, 0):
                yield f"{table}, {rule}", f"{n - found.get(rule, 0):,} more", counted
        yield f"jobs, with {table}.csv", f"{sum(both.values()):,}", counted


def _bytes_and_hours(config: Config, rows: list[Row]) -> Iterator[Line]:
    from s2v.measure import clip_cost
    from s2v.media.ffmpeg import ffmpeg_path

    world = config.data.source == "world"
    length = max(1.0, min(CLIP_S, sum(_length_s(config, row) for row in rows) / len(rows)))
    sample = next((row for row in rows if row["split"] == "train"), rows[0]) if world else None
    cost = clip_cost(config, ffmpeg_path(config.runtime.ffmpeg), length, sample)
    ground = f"measured here: {cost.what}"
    total = sum(_length_s(config, row) for row in rows) / cost.seconds
    yield from _downloads(config, rows)
    disk = {"videos": _kept_videos(config, rows, cost), "extract": total * cost.extract_bytes, "pack": 0.0}
    for row in rows:
        whole = config.pack.keep.get(row["split"]) == "all"
        disk["pack"] += (cost.frames_bytes if whole else cost.pair_bytes) * _length_s(config, row) / cost.seconds
    kept = {"videos": ground if world else _video_ground(config)}
    for stage, size in disk.items():
        if size:
            yield f"disk, {stage}", _size(size), kept.get(stage, ground)
    yield "disk, these together", _size(sum(disk.values())), "assumed: nothing is left out, and no stage's files go"
    if world:
        spent = cost.render_cpu_s
        yield "CPU, rendering", f"{spent * total / 3600:,.2f} h", f"{ground}, {spent:.2f} s of CPU"
    spent = cost.extract_cpu_s
    yield "CPU, extraction", f"{spent * total / 3600:,.2f} h", f"{ground}, {spent:.2f} s of CPU"


def _video_ground(config: Config) -> str:
    return f"assumed: {_kbps(config):,.0f} kbit/s at {config.data.videos.height} lines; clips are cut from whole videos"


def _kbps(config: Config) -> float:
    """Bit rate of picture and sound on the web: 500 kbit/s at 360 lines, growing a little slower than the area."""
    return float(500 * (config.data.videos.height / 360) ** 1.5 + 128)


def _kept_videos(config: Config, rows: list[Row], cost: ClipCost) -> float:
    """Bytes of the videos under the output; those of a folder stay where they are."""
    seconds = sum(_length_s(config, row) for row in rows)
    if config.data.source == "world":
        return cost.video_bytes * seconds / cost.seconds
    if config.data.source in _BY_ID and config.data.videos.source != "local_tree":
        return seconds * _kbps(config) * 125
    return 0.0


def _downloads(config: Config, rows: list[Row]) -> Iterator[Line]:
    data, videos = config.data, len(_videos(rows))
    if data.source not in _BY_ID:
        text = "rendered here" if data.source == "world" else "the videos are there"
        yield "download", "none", f"measured here: {text}"
    elif data.videos.source == "youtube":
        size = videos * SOURCE_MINUTES * 60 * _kbps(config) * 125
        rate = f"{_kbps(config):,.0f} kbit/s at {data.videos.height} lines"
        yield "download, size", _size(size), f"assumed: {SOURCE_MINUTES:g} minutes a video, {rate}"
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

    from s2v.measure import step_cost, trainings
    from s2v.runtime import Runtime

    classes = sorted({str(row["label"]) for row in rows if row["label"]}) or ["nothing"]
    n_train = sum(row["split"] == "train" for row in rows)
    place = Runtime.from_config(config.runtime, torch.get_num_threads()) if measure else None
    why = "not measured: give --measure for hours"
    if place is not None and place.device.type == "cpu" and config.runtime.device != "cpu":
        place, why = None, "not measured: there is no CUDA device; runtime.device: cpu measures on the CPU"
    unit = "CPU" if config.runtime.device == "cpu" else "GPU"
    total = {"all": 0.0, "table3": 0.0}
    for training in trainings(config, n_train, classes):
        for name, first, steps in training.phases:
            what, size = f"{unit}, {training.name}{name}", f"{steps:,} steps of batch {training.batch:,}"
            if place is None:
                yield what, size, why
                continue
            cost = step_cost(training, first, place)
            hours = cost.seconds * steps / 3600
            total[training.target] += hours
            shown = torch.cuda.get_device_name(place.device) if place.device.type == "cuda" else "the CPU"
            ground = f"measured here: {cost.seconds:.3g} s a step on {shown}"
            if cost.measured < training.batch:
                ground += f", from batch {cost.measured} (no more fits)"
            yield what, f"{hours:,.2f} h, {size}", ground
    if place is not None:
        rest = "reading and validation come on top"
        yield f"{unit}, all trainings", f"{total['all']:,.2f} h", f"measured here: the sum; {rest}"
        if total["table3"]:
            both = sum(total.values())
            yield f"{unit}, with table3.csv", f"{both:,.2f} h", f"measured here: the sum, with its models; {rest}"


__all__ = ["jobs", "report"]
