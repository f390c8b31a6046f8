"""What a run lacks before it begins: weights, packages, folders, and clips enough for each of its stages.

`s2v plan`, `s2v config check`, `s2v doctor` and `snakemake -n` say it; a run does not begin without it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow.parquet as pq

from s2v.config.methods import METHODS
from s2v.data.manifest import manifest_rows
from s2v.errors import UserError
from s2v.extras import EXTRAS
from s2v.planning.enough import Clips, notes, too_few
from s2v.stages import STAGES
from s2v.weights.catalogue import CATALOGUE, WEIGHTS_VARIABLE
from s2v.weights.checksums import is_there

if TYPE_CHECKING:
    from s2v.config import Config

Row = dict[str, Any]


class Planned(NamedTuple):
    """What a run would do: its stages (`s2v.stages`), and the methods that it draws pictures by."""

    stages: frozenset[str]
    methods: frozenset[str]


def default(config: Config) -> Planned:
    """The workflow's default target from nothing: table 1, its figure, coverage."""
    methods = frozenset(config.generate.methods)
    stages = {"manifest", "fetch", "generate", "evaluate"}
    todo = [stage for method in methods for stage in METHODS[method].parts.values()]
    todo += ["inception"] * config.evaluate.own_inception
    todo += ["judge"] * (config.evaluate.evaluator == "judge") + ["localise"] * (config.select.mode != "published")
    todo += ["tagger" for stage in todo if getattr(getattr(config, stage, None), "backbone", None) == "tagger"]
    while todo:
        stages.add(stage := todo.pop())
        todo += STAGES[stage].made_from
    return Planned(frozenset(stages), methods)


def of_jobs(jobs: Iterable[tuple[str, Mapping[str, str]]]) -> Planned:
    """What some jobs, each a rule with its wildcards, would do. A rule of variants has a wildcard of its name."""
    jobs = list(jobs)
    stages = frozenset(wildcards.get(rule, rule).removesuffix("_one") for rule, wildcards in jobs)
    return Planned(stages, frozenset(wildcards["method"] for _, wildcards in jobs if "method" in wildcards))


@dataclass(frozen=True)
class Found:
    """What keeps a run from coming to its end (`lacking`), what of its results will be missing (`notes`), a line each.

    `clips` are those of the manifest; None where the list or the folder of the data is not there, or is wrong.
    """

    lacking: list[str]
    notes: list[str]
    clips: Clips | None

    def lines(self) -> list[str]:
        """Both, as people read them."""
        return [*(f"lacking: {line}" for line in self.lacking), *(f"note: {line}" for line in self.notes)]


def check(config: Config, planned: Planned | None = None, rows: list[Row] | None = None) -> Found:
    """What a run lacks.

    Args:
        config: the configuration.
        planned: what it would do; by default the workflow's default target, from nothing.
        rows: of the manifest, where they are known.
    """
    planned = planned or default(config)
    outside = [*_videos(config, planned), *_weights(config, planned)]
    try:
        # A manifest that is there says what there is, though the videos may be gone since.
        if not rows:
            rows = listed(config) if "manifest" in planned.stages else made(config)
    except UserError as error:
        return Found([str(error), *outside], [], None)
    if rows is None:  # the manifest lies in another place, as with Snakemake's storage plugins
        return Found(outside, [], Counter())
    clips = Counter((row["split"], row["label"]) for row in rows)
    return Found([*too_few(config, planned.stages, clips), *outside], list(notes(config, planned.stages, clips)), clips)


def listed(config: Config) -> list[Row]:
    """The rows of the manifest that the list or the folder of the data gives.

    Raises:
        UserError: it is not there, with where to put it, or it is wrong.
    """
    for key, path, what in lists(config):
        if not path.is_file():
            raise UserError(f"{key}: {path} is not there; put {what} at {path.resolve()}")
    return manifest_rows(config.data)


def made(config: Config) -> list[Row] | None:
    """Split and class of each row of the manifest that a run has made; None where there is none.

    Raises:
        UserError: a shard of it is damaged.
    """
    rows: list[Row] = []
    shards = sorted(Path(config.output, "manifest").glob("*.parquet"))
    for shard in shards:
        try:
            rows += pq.read_table(shard, columns=["split", "label"]).to_pylist()
        except (OSError, ValueError) as error:
            what = " ".join(str(error).split())
            raise UserError(f"{shard}: not readable ({what}); remove it and run again") from error
    return rows if shards else None


def lists(config: Config) -> Iterator[tuple[str, Path, str]]:
    """(key, file, what it is) of the lists that a user must bring."""
    data = config.data
    if data.source == "vggsound" and data.vggsound is not None:
        what = "VGGSound's published list (rows of YouTube id, start second, label, split)"
        yield "data.vggsound.csv", Path(data.vggsound.csv), what
    if data.source == "celebvhq" and data.celebvhq is not None:
        what = "CelebV-HQ's published list (celebvhq_info.json)"
        yield "data.celebvhq.json_file", Path(data.celebvhq.json_file), what
    if data.source == "vegas" and data.vegas is not None and data.vegas.csv is not None:
        yield "data.vegas.csv", Path(data.vegas.csv), "a list with the columns path,label,split[,start,end]"
    if data.source == "folder" and data.folder is not None and data.folder.labels == "csv" and data.folder.csv:
        yield "data.folder.csv", Path(data.folder.csv), "a list with the columns path,label[,split,start,end]"
    if config.select.mode == "published" and config.select.moments is not None:
        yield "select.moments", Path(config.select.moments), "the authors' top1_boxes_top10_moments.json"


def weights(config: Config, planned: Planned) -> dict[str, str]:
    """Published weights that `planned` takes, {name: the key that asks for them}."""
    wanted = {
        named: f"{stage}.weights"
        for stage in ("encoder", "generator", "align", "align_unclip", "s2i_autoencoder", "s2i_generator", "inception")
        if stage in planned.stages and (named := getattr(config, stage).weights)
    }
    wanted |= {
        named: f"{stage}.backbone"
        for stage in ("align", "align_ldm", "align_unclip")
        if stage in planned.stages and (named := getattr(config, stage).backbone) not in (None, "tagger")
    }
    if "table2" in planned.stages:
        rows = {name: row for name, row in config.ablation.rows.items() if row is not None}
        wanted |= {row.backbone: f"ablation.rows.{name}.backbone" for name, row in rows.items() if row.backbone}
    if planned.stages & {"evaluate", "fig12"} and config.evaluate.evaluator == "clip_inception":
        wanted["clip-vit-b32"] = "evaluate.evaluator"
        if not config.evaluate.own_inception:
            wanted["inception-v3"] = "evaluate.evaluator"
    if "judge" in planned.stages:
        every = {"judge": config.judge, **{f"judges.{name}": one for name, one in config.judges.items()}}
        wanted |= {one.backbone: f"{key}.backbone" for key, one in every.items() if one.backbone != "resnet10"}
    if "inception" in planned.stages and config.inception.start:
        wanted[config.inception.start] = "inception.start"
    kinds = {METHODS[method].renders.kind for method in planned.methods}
    if "embed_unclip" in planned.stages or "stable_unclip" in kinds:
        wanted["stable-unclip"] = "Stable unCLIP"
    wanted |= {name: METHODS[method].title for method in planned.methods for name in METHODS[method].weights}
    if "fig12" in planned.stages and config.lee.generator == "lee-stylegan2":
        wanted |= dict.fromkeys(("lee-stylegan2", "lee-audio", "clip-vit-b32"), "lee.generator")
    return wanted


def _weights(config: Config, planned: Planned) -> Iterator[str]:
    name, wanted = os.environ.get(WEIGHTS_VARIABLE), weights(config, planned)
    absent = {}
    for entry, key in wanted.items():
        files = [file for file in CATALOGUE[entry].files if name is None or not is_there(Path(name).expanduser(), file)]
        if files:
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            absent[entry] = f"{entry} ({files[0].path}{more}; {key})"
    if absent:
        where = f"${WEIGHTS_VARIABLE}, {name}, lacks" if name else f"{WEIGHTS_VARIABLE} is not set, and this takes"
        first = "" if name else f"`export {WEIGHTS_VARIABLE}=~/weights`, then "
        carried = [f"; {one} lies in the Python package {said}" for one in absent if (said := CATALOGUE[one].package)]
        yield f"{where} {', '.join(absent.values())}: {first}`s2v weights fetch {' '.join(absent)}`{''.join(carried)}"
    if "clip-vit-b32" in wanted:
        yield from _packages("open_clip", "torch_fidelity")


def _packages(*names: str) -> Iterator[str]:
    for name in names:
        if find_spec(name) is None:
            yield f'the package {name} is not installed: pip install "s2v[{EXTRAS[name]}]"'


def _videos(config: Config, planned: Planned) -> Iterator[str]:
    """What stage `fetch` lacks."""
    if "fetch" not in planned.stages or config.data.source not in ("vggsound", "celebvhq"):
        return
    videos = config.data.videos
    if videos.source == "local_tree" and (videos.path is None or not Path(videos.path).is_dir()):
        yield f"data.videos.path: {videos.path!r} is no folder; name the one in which the videos lie"
    if videos.source == "tar_urls":
        for tar in videos.tars or ["(none is named)"]:
            if "://" not in tar and not Path(tar).is_file():
                yield f"data.videos.tars: {tar} is not there"
    if videos.source == "youtube":
        yield from _packages("yt_dlp")


__all__ = ["Found", "Planned", "check", "default", "listed", "lists", "of_jobs", "weights"]
