"""What is installed, which device is used, which weights are there, and what a configuration would run."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from s2v.configchecks import split_names
from s2v.errors import UserError
from s2v.planning import needs
from s2v.planning.enough import Clips
from s2v.provenance import revision, versions
from s2v.stages import STAGES
from s2v.workflow import Plan

if TYPE_CHECKING:
    from s2v.config import Config

OLDEST_FFMPEG = 7
PACKAGES = (
    "snakemake",
    "torch",
    "torchvision",
    "torchaudio",
    "diffusers",
    "open_clip_torch",
    "torchmetrics",
    "torch-fidelity",
    "webdataset",
    "decord",
    "imageio-ffmpeg",
    "yt-dlp",
    "pyarrow",
    "numpy",
    "scipy",
)


def report(config: Config, files: list[Path]) -> Iterator[str]:
    """Lines for people, one section after another."""
    yield "installed"
    for name, version in versions(*PACKAGES).items():
        yield f"  {name:<18}{version}"
    yield f"  {'revision':<18}{revision()}"
    yield ""
    yield "this machine"
    yield f"  {'system':<18}{platform.system()} {platform.machine()}, {_cores()} CPU cores"
    yield from _device(config)
    yield f"  {'ffmpeg':<18}{ffmpeg_line(config.runtime.ffmpeg)}"
    yield ""
    yield from _weights(config)
    yield ""
    yield f"configuration {' + '.join(str(path) for path in files)}"
    found = needs.check(config)
    for name, text in _plan(config, found.clips or Counter()):
        yield f"  {name:<18}{text}"
    yield from (f"  {line}" for line in found.lines() or ["nothing is lacking"])
    yield ""
    yield f"results in {config.output}/"
    for name, is_there in _made(config):
        yield f"  {name:<18}{'there' if is_there else '-'}"
    yield ""
    yield "`snakemake -n` says which of them would be made again."


def _made(config: Config) -> Iterator[tuple[str, bool]]:
    """(stage, whether a file of it is there) of the stages that the configuration has."""
    plan = Plan(config)
    optional = {"judge": plan.judge, "duplicates": plan.duplicates, "unpack": plan.tars}
    made: dict[str, str] = {}
    for stage in STAGES.values():
        if stage.gives and optional.get(stage.name) != []:
            made.setdefault(re.sub(r"\{\w+\}", "*", stage.gives), stage.name)
    for pattern, name in made.items():
        yield name, any(Path(config.output).glob(pattern))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device(config: Config) -> Iterator[str]:
    import torch

    from s2v.runtime import Runtime

    try:
        place = Runtime.from_config(config.runtime, torch.get_num_threads())
    except UserError as error:
        yield f"  {'device':<18}{error}"
        return
    precision = "bf16 autocast" if place.bf16 else "bf16 where faster" if place.bf16_where_faster else "fp32"
    name = torch.cuda.get_device_name(place.device) if place.device.type == "cuda" else f"{_cores()} threads"
    yield f"  {'device':<18}{place.device} ({name}), {precision}"
    if place.device.type == "cuda":
        yield f"  {'GPUs':<18}{torch.cuda.device_count()}"


def ffmpeg_line(setting: str) -> str:
    """Version and place of the ffmpeg that `runtime.ffmpeg` names, or what is wrong with it."""
    from s2v.media.ffmpeg import ffmpeg_path

    try:
        path = ffmpeg_path(setting)
        command = [path, "-hide_banner", "-version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except UserError as error:
        return str(error)
    except (OSError, subprocess.SubprocessError) as error:
        return f"runtime.ffmpeg: {setting} does not run ({error})"
    first = (done.stdout.splitlines() or ["?"])[0]
    version = first.removeprefix("ffmpeg version ").split(" ")[0]
    number = re.match(r"n?(\d+)\.", version)
    old = number is not None and int(number[1]) < OLDEST_FFMPEG
    note = f"; older than {OLDEST_FFMPEG}: it does not tell where a stream changes its form" if old else ""
    return f"{version} ({setting}: {path}){note}"


def _weights(config: Config) -> Iterator[str]:
    from s2v.weights.catalogue import CATALOGUE, WEIGHTS_VARIABLE
    from s2v.weights.checksums import there

    name = os.environ.get(WEIGHTS_VARIABLE)
    folder = Path(name).expanduser() if name else None
    wanted = needs.weights(config, needs.default(config))
    yield f"published weights (${WEIGHTS_VARIABLE}: {name or 'not set'})"
    for entry in CATALOGUE.values():
        found = folder is not None and there(folder, entry)
        path = entry.files[0].path if len(entry.files) == 1 else f"{entry.files[0].path.split('/')[0]}/"
        needed = "; this configuration needs it" if entry.name in wanted and not found else ""
        yield f"  {entry.name:<18}{path if found else f'absent ({path}){needed}'}"
    yield "  `s2v weights list` says what they are and their licences, `s2v weights fetch NAME` brings them."


def _plan(config: Config, clips: Clips) -> Iterator[tuple[str, str]]:
    data, encoder, generator, align = config.data, config.encoder, config.generator, config.align
    yield "name", config.name
    if data.source == "world" and data.world is not None:
        world = data.world
        counts = ", ".join(f"{split} {n}" for split, n in world.clips.items())
        yield "data", f"embedded world, {len(world.classes)} classes, {clips.total()} clips (a class: {counts})"
    else:
        classes = len({label for _, label in clips if label})
        yield "data", f"{data.source}, {classes} classes, {clips.total()} clips"
    n = {split: sum(k for (at, _), k in clips.items() if at == split) for split in split_names(config)}
    yield "splits", f"{', '.join(f'{split} {k}' for split, k in n.items())}; {data.shards} shards"
    yield "pairs", f"{config.select.mode} frame; {align.audio.window_s:g} s of sound"
    yield (
        "encoder",
        encoder.weights
        or (
            f"ResNet-{encoder.depth} of width {encoder.width}, {encoder.image_px} px, {encoder.steps} steps of "
            f"{encoder.batch_size} on {', '.join(encoder.splits)}"
        ),
    )
    yield (
        "generator",
        generator.weights
        or (
            f"{generator.resolution} px, {generator.channels} channels, "
            f"{generator.warmup_steps} + {generator.steps} steps of {generator.batch_size} "
            f"on {', '.join(generator.splits)}"
        ),
    )
    yield "align", align.weights or f"loss {align.loss}, at most {align.epochs} epochs of batch {align.batch_size}"
    yield "generate", f"{', '.join(config.generate.methods)}; seeds {', '.join(map(str, config.generate.seeds))}"
    yield "evaluator", config.evaluate.evaluator


__all__ = ["report"]
