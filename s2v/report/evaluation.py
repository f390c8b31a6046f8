"""Anybody's pictures on the protocol of the tables: measured as stage `evaluate` measures, and kept as one JSON file.

Beside the JSON lie `.safetensors` (features, posteriors, ranks: what intervals and comparisons need) and `.parquet`
(which picture is which clip's). The JSON has their checksums.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from torch import Tensor

from s2v.config import EvaluateConfig, RuntimeConfig
from s2v.control import outputs
from s2v.errors import UserError
from s2v.evaluate import audiovisual, outside, sounds
from s2v.evaluate.audiovisual import Networks
from s2v.evaluate.evaluate import Measured, class_names, measure
from s2v.evaluate.evaluators import Evaluator, load_evaluator
from s2v.evaluate.outside import Pictures, Said
from s2v.evaluate.result import Drawn, Result, read_result_fields, result_fields
from s2v.evaluate.sounds import Sounds
from s2v.files import read_json, read_parquet, sha256, write_parquet
from s2v.report.measures import metrics_of
from s2v.report.rows import Row, row_of
from s2v.runtime import Runtime
from s2v.tensors import load_tensors, save_tensors

FORMAT = 1
WEIGHTS = "model.safetensors"
MOST_RESAMPLES = 10**6
ABOUT = {
    "by": "who or what made the pictures",
    "text": "whether it was taught with text, captions or class names: yes or no",
    "licence": "of the model",
    "data": "what it was trained on",
}
"""What people may say of their pictures."""

PICTURES = pa.schema([
    ("clip_id", pa.string()), ("label", pa.string()), ("number", pa.int32()), ("picture", pa.string()),
    ("rank", pa.int32()),
])  # fmt: skip


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What two evaluations must have alike to be compared.

    Attributes:
        evaluator: who judged.
        evaluator_weights: digest of the judge's weights; empty where `evaluator` names checksums itself.
        prompt: template around a class name.
        tie_rule: of R@k.
        classes: the candidate names of R@k.
        clips: how many.
        clips_digest: of their names and classes.
        reference: number of real pictures.
        reference_digest: of their files; empty where there are none.
        inception_splits: parts of IS.
    """

    evaluator: str
    evaluator_weights: str = ""
    prompt: str
    tie_rule: str
    classes: list[str]
    clips: int
    clips_digest: str
    reference: int = 0
    reference_digest: str = ""
    inception_splits: int

    def differs(self, other: Protocol) -> str | None:
        """What is not alike, in words; None where all is."""
        words = {
            "clips_digest": "the clips (or their classes)", "evaluator": "the evaluator",
            "evaluator_weights": "the evaluator's weights", "prompt": "the prompt", "classes": "the candidate names",
            "tie_rule": "the rule of ties", "reference_digest": "the real pictures",
            "inception_splits": "the parts of IS",
        }  # fmt: skip
        for name, what in words.items():
            if getattr(self, name) != getattr(other, name):
                return what
        return None


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
@dataclass(frozen=True, kw_only=True)
class Value:
    """A metric with its 95 % interval; `chance` where it is known."""

    value: float
    low: float
    high: float
    chance: float | None = None


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the JSON says.

    Attributes:
        name: of what was measured.
        about: `ABOUT`, as far as somebody said it.
        sounds: number of clips.
        pictures: of each of them.
        px: side of the pictures.
        protocol: how it was measured.
        metrics: name -> value; shares are 0 to 1.
        missing: metric -> why it could not be had.
        networks: metric of sounds or paired frames -> what made it.
        said: what was odd about the files, and what was done about it.
        draws: the metrics of one picture of each clip, for each number, as stage `evaluate` writes them.
        bootstrap: resamples of the intervals of means.
    """

    name: str
    about: dict[str, str]
    sounds: int
    pictures: int
    px: int
    protocol: Protocol
    metrics: dict[str, Value]
    missing: dict[str, str]
    networks: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    draws: Annotated[list[dict[str, Any]], Field(min_length=1)]
    bootstrap: Annotated[int, Field(ge=2, le=MOST_RESAMPLES)]
    format: int = FORMAT


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know of some pictures; the words of `s2v evaluate --help`."""

    pictures: list[Path]
    sounds: Path
    labels: Path | None = None
    names: Path | None = None
    reference: Path | None = None
    evaluator: str | None = None
    split: str | None = None
    classes: Path | None = None
    name: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    draws: int | None = None
    px: int | None = None
    skip_broken: bool = False
    threads: int = 1


def evaluate(
    asked: Asked, config: EvaluateConfig, runtime: RuntimeConfig, output: Path, command: Sequence[str], force: bool
) -> tuple[Evaluation, Row]:
    """Measure pictures, and write the three files.

    Args:
        asked: what of what.
        config: prompt, parts of IS, resamples; `evaluator` is not read.
        runtime: device.
        output: the JSON.
        command: that makes it again.
        force: write over files that s2v did not write.

    Raises:
        UserError: pictures, sounds or the evaluator cannot be read, or nothing can be written there.
    """
    if output.suffix != ".json":
        raise UserError(f"{output}: an evaluation is a JSON file; give a name that ends in .json")
    written = [output.with_suffix(".safetensors"), output.with_suffix(".parquet")]
    lists = filter(None, (asked.labels, asked.names, asked.reference, asked.classes))
    outputs.check(written, [*asked.pictures, *lists, asked.sounds], force)
    place, said = Runtime.from_config(runtime, asked.threads), Said()
    heard = sounds.read(asked.sounds, said, split=asked.split, labels=asked.labels).of_classes(asked.classes)
    evaluator, weights, judged_by = _evaluator(asked, heard, config, place)
    pictures = outside.read(
        asked.pictures, heard.clips, said, listed=asked.names, draws=asked.draws, px=asked.px,
        skip_broken=asked.skip_broken,
    )  # fmt: skip
    px = pictures.images[0].shape[-1]
    real, real_names, real_labels, digest = _real(asked, heard, said, px)
    _check_memory(len(pictures.clips), len(pictures.images), len(real))
    nets = audiovisual.networks(evaluator, judged_by, config.prompt, place.device)
    # A sound that is damaged ends this before anything is measured.
    waves = heard.waves(set(pictures.clips)) if nets.hears else ()
    sounding = {clip: [hears.hear(wave) for hears in nets.hears] for clip, wave in waves}
    labels = [heard.labels[clip] for clip in pictures.clips]
    names = class_names([*real_labels, *heard.labels.values()])
    reference = evaluator.features(real) if len(real) else torch.empty(0, 0)
    name = outside.printable(asked.name) if asked.name else _name(asked, pictures)
    measured = [
        measure(evaluator, images, labels, names, reference, _drawn(record, name, number), config.inception_splits)
        for number, (images, record) in enumerate(zip(pictures.images, pictures.records, strict=True))
    ]
    results = [one.result for one in measured]
    ranks = np.array([[[rank or 0 for rank in one.ranks] for one in measured]])
    row = row_of(results, pictures.clips, labels, ranks, [one.tensors for one in measured], config.bootstrap)
    networks, lacking = _score(row, nets, pictures, sounding, labels, names, real, real_names)
    values, missing = values_of(row, config.bootstrap)
    evaluation = Evaluation(
        name=name,
        about=_about(asked.about, pictures),
        sounds=len(pictures.clips),
        pictures=len(measured),
        px=px,
        protocol=Protocol(
            evaluator=evaluator.label, evaluator_weights=weights, prompt=config.prompt, tie_rule=results[0].tie_rule,
            classes=names, clips=len(pictures.clips), clips_digest=_digest(pictures.clips, labels),
            reference=len(real), reference_digest=digest, inception_splits=results[0].inception_splits,
        ),
        metrics=values,
        missing=missing | lacking,
        networks=networks,
        said=said.lines(),
        draws=[result_fields(result) for result in results],
        bootstrap=config.bootstrap,
    )  # fmt: skip
    _write(written, pictures, labels, measured, row, reference)
    outputs.write_recipe(written, command, asdict(evaluation))
    return evaluation, row


def told(pairs: Sequence[str]) -> dict[str, str]:
    """What somebody says of their pictures, from KEY=VALUE.

    Raises:
        UserError: a key is none of `ABOUT`, or text is neither yes nor no.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key not in ABOUT or not value.strip():
            raise UserError(f"--about {pair!r}: give KEY=VALUE; keys are {', '.join(ABOUT)}")
        found[key] = outside.printable(" ".join(value.split()))
    if found.get("text", "yes") not in ("yes", "no"):
        raise UserError(f"--about text={found['text']}: yes or no")
    return found


def values_of(row: Row, bootstrap: int) -> tuple[dict[str, Value], dict[str, str]]:
    """Every metric of a row with its interval, and why others are not there."""
    values, missing = {}, {}
    for metric in metrics_of(row):
        why = metric.lacks(row)
        if why is not None:
            missing[metric.name] = why
            continue
        found = metric.interval(row, bootstrap)
        values[metric.name] = Value(value=found.value, low=found.low, high=found.high, chance=metric.chance(row))
    return values, missing


def read(path: Path) -> Evaluation:
    """What the JSON of an evaluation says.

    Raises:
        UserError: it is another file.
    """
    hint = "s2v evaluate writes them (of a run: s2v evaluate results/generate/METHOD --sounds results -o METHOD.json)"
    try:
        found = _printable(read_json(path))
    except RecursionError as error:
        raise UserError(f"{path}: no evaluation; {hint}") from error
    if not isinstance(found, dict) or "protocol" not in found:
        raise UserError(f"{path}: no evaluation; {hint}")
    number = found.get("format")
    if isinstance(number, int) and number != FORMAT:
        raise UserError(f"{path}: an evaluation of format {number}, and this s2v reads {FORMAT}; make it anew")
    fields = {key: value for key, value in found.items() if key not in ("again", "s2v", outputs.MADE)}
    try:
        return TypeAdapter(Evaluation).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: no evaluation of this version ({where}: {first['msg']}); {hint}") from error


def _printable(value: Any) -> Any:
    """JSON whose texts are a stranger's, as lines for a terminal and a page."""
    if isinstance(value, dict):
        return {outside.printable(key): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    return outside.printable(value) if isinstance(value, str) else value


def read_row(path: Path, evaluation: Evaluation) -> Row:
    """The row of an evaluation, from the files beside its JSON.

    Raises:
        UserError: they are not there, or not those that were written with it.
    """
    said = read_json(path).get(outputs.MADE)
    made = {Path(name).suffix: digest for name, digest in said.items()} if isinstance(said, dict) else {}
    for suffix in (".safetensors", ".parquet"):
        file = path.with_suffix(suffix)
        if not file.is_file() or made.get(suffix) != sha256(file):
            raise UserError(f"{file}: not there as it was written with {path.name}; keep the three together")
    need = ("features", "probabilities", "reference", "ranks")
    tensors = load_tensors(path.with_suffix(".safetensors"), need=need)
    table = [
        line
        for line in read_parquet(path.with_suffix(".parquet"), ["clip_id", "label", "number"])
        if line["number"] == 0
    ]
    results = [read_result_fields(path, fields) for fields in evaluation.draws]
    clips = [line["clip_id"] for line in table]
    scores = {
        outside.printable(name.removeprefix("score/")): one.double().numpy()
        for name, one in tensors.items()
        if "/" in name
    }
    _check_shapes(path.with_suffix(".safetensors"), results, len(clips), tensors, scores)
    each = [
        {"features": features, "probabilities": probabilities, "reference": tensors["reference"]}
        for features, probabilities in zip(tensors["features"], tensors["probabilities"], strict=True)
    ]
    labels = [line["label"] for line in table]
    row = row_of(results, clips, labels, tensors["ranks"].long().numpy()[None], each, evaluation.bootstrap)
    row.result = replace(row.result, method=evaluation.name, missing=row.result.missing | evaluation.missing)
    row.scores = scores
    return row


def _check_shapes(
    path: Path, results: list[Result], clips: int, tensors: dict[str, Tensor], scores: dict[str, NDArray[np.float64]]
) -> None:
    """Refuse tensors that are not those of the results."""
    shape, features, real = (len(results), clips), tensors["features"], tensors["reference"]
    whole = all(one.ndim == 3 and one.shape[:2] == shape for one in (features, tensors["probabilities"]))
    if not (whole and clips) or any(
        given != shape for given in (tensors["ranks"].shape, *(one.shape for one in scores.values()))
    ):
        raise UserError(f"{path}: not of {len(results)} pictures of {clips} clips")
    has = {(one.inception is None or one.inception_splits < 1, one.fid is None, one.kid is None) for one in results}
    if len(has) > 1 or next(iter(has))[0]:
        raise UserError(f"{path.with_suffix('.json')}: its draws have not the same metrics, or no IS; make it anew")
    if results[0].fid is not None and not (clips > 1 and len(real) > 1 and real.shape[1:] == features.shape[2:]):
        raise UserError(f"{path}: its real pictures' features are not such as FID is made of")


def _check_memory(sounds: int, draws: int, real: int) -> None:
    """Refuse what the machine cannot hold: some metrics compare all pictures with all."""
    need = 8 * sounds**2 * (draws + 2) + 2 * draws * sounds * real
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if need > there:
        raise UserError(
            f"{draws} pictures of {sounds} sounds beside {real} real ones take about {need / 2**30:.0f} GB of memory, "
            f"since KID, diversity and AIS compare all with all, and this machine has {there / 2**30:.0f}; take fewer "
            "sounds, or --draws 1"
        )


def _score(
    row: Row,
    nets: Networks,
    pictures: Pictures,
    heard: Mapping[str, Sequence[Tensor]],
    labels: list[str | None],
    names: list[str],
    real: Tensor,
    real_names: list[str],
) -> tuple[dict[str, str], dict[str, str]]:
    """Put AIS, IIS and AIC into a row. What made each of them, and why one of them is not there."""
    missing = dict(nets.missing or {})
    sounding: list[list[Tensor]] = []
    if nets.hears:
        if len(heard) == len(pictures.clips):
            sounding = [[heard[clip][i] for clip in pictures.clips] for i in range(len(nets.hears))]
        else:
            missing["AIS"] = f"{len(pictures.clips) - len(heard)} clips have no sound"
    frames: Tensor | None = None
    if nets.sees is not None:
        place = {name: i for i, name in enumerate(real_names)}
        if all(clip in place for clip in pictures.clips):
            frames = nets.sees[2](real[[place[clip] for clip in pictures.clips]])
        else:
            missing["IIS"] = "not every clip has a real picture of its name"
    each = [audiovisual.score(nets, images, sounding, frames, labels, names) for images in pictures.images]
    for name in each[0]:
        audiovisual.check(torch.stack([one[name][0] for one in each]), name)
        row.scores[name] = torch.stack([one[name][0] for one in each]).numpy()
    for kind in ("AIS", "IIS", "AIC"):
        if not any(name.startswith(kind) for name in each[0]):
            missing.setdefault(kind, "it needs two clips or more, and AIC a class of each")
    return {name: one[1] for name, one in each[0].items()}, missing


def _write(
    written: list[Path], pictures: Pictures, labels: list[str | None], measured: list[Measured], row: Row,
    reference: Tensor,
) -> None:  # fmt: skip
    tensors = {
        **{name: torch.stack([one.tensors[name] for one in measured]) for name in ("features", "probabilities")},
        "reference": reference,
        "ranks": torch.tensor([[rank or 0 for rank in one.ranks] for one in measured]),
        **{f"score/{name}": torch.from_numpy(values) for name, values in row.scores.items()},
    }
    save_tensors(written[0], tensors)
    rows = [
        {"clip_id": clip, "label": label, "number": number, "picture": file, "rank": rank}
        for number, (files, one) in enumerate(zip(pictures.files, measured, strict=True))
        for clip, label, file, rank in zip(pictures.clips, labels, files, one.ranks, strict=True)
    ]
    write_parquet(written[1], rows, PICTURES)


def _evaluator(
    asked: Asked, heard: Sounds, config: EvaluateConfig, place: Runtime
) -> tuple[Evaluator, str, Path | None]:
    """The evaluator that was asked for, a digest of the weights that a run trained for it, and the run whose judge it
    is."""
    if asked.evaluator == "clip_inception":
        return _loaded("clip_inception", None, config, place), "", None
    folder = Path(asked.evaluator) if asked.evaluator else heard.run
    if asked.evaluator and not Path(asked.evaluator).is_dir():
        raise UserError(f"--evaluator {asked.evaluator}: neither clip_inception nor the folder of a run")
    if folder is None:
        raise UserError(
            f"{heard.where}: sounds of no run bring no evaluator; say --evaluator clip_inception, or the folder of "
            "a run whose judge it should be"
        )
    judge = folder / "judge" if (folder / "judge").is_dir() else folder
    inception = folder / "inception"
    if not (judge / WEIGHTS).is_file() and (inception / WEIGHTS).is_file():
        return _loaded("clip_inception", inception, config, place), sha256(inception / WEIGHTS)[:16], None
    if not (judge / WEIGHTS).is_file():
        hint = f"`snakemake --cores all {folder / 'judge' / WEIGHTS}` makes one"
        raise UserError(f"{folder}: has no trained judge; {hint}, or say --evaluator clip_inception")
    return _loaded("judge", judge, config, place), sha256(judge / WEIGHTS)[:16], judge.parent


def _loaded(kind: str, folder: Path | None, config: EvaluateConfig, place: Runtime) -> Evaluator:
    evaluator = load_evaluator(kind, folder=folder, prompt=config.prompt, device=place.device)
    assert evaluator is not None
    return evaluator


def _real(asked: Asked, heard: Sounds, said: Said, px: int) -> tuple[Tensor, list[str], list[str | None], str]:
    """The real pictures, their clips, their labels, and a digest; none of them where there are none."""
    frames = heard if heard.run else None
    if asked.reference is not None:
        run = sounds.of_run(asked.reference)
        if run is None:
            real, names, digest = outside.read_all([asked.reference], said, px)
            return real, names, [None] * len(names), digest
        frames = run.of_classes(asked.classes)
    if frames is None:
        return torch.empty(0, 3, px, px, dtype=torch.uint8), [], [], ""
    real, names, digest = frames.real(px)
    return real, names, [frames.labels[name] for name in names], digest


def _drawn(record: dict[str, Any] | None, name: str, number: int) -> Drawn:
    return Drawn.of(record) if record else Drawn(method=name, seed=number, title=name)


def _name(asked: Asked, pictures: Pictures) -> str:
    record = pictures.records[0]
    if record:
        return str(record.get("title") if record.get("main") and record.get("title") else record["method"])
    path = asked.pictures[0]
    return outside.readable(path.resolve().stem if path.is_file() else path.resolve().name)


def _about(told: Mapping[str, str], pictures: Pictures) -> dict[str, str]:
    record = pictures.records[0]
    known: dict[str, str] = {}
    if record:
        known = {"by": f"s2v, method {record['method']}"}
        if isinstance(record.get("uses_text"), bool):
            known["text"] = "yes" if record["uses_text"] else "no"
    return known | dict(told)


def _digest(clips: list[str], labels: list[str | None]) -> str:
    return hashlib.sha256(json.dumps([clips, labels]).encode()).hexdigest()[:16]


__all__ = [
    "ABOUT",
    "MOST_RESAMPLES",
    "Asked",
    "Evaluation",
    "Protocol",
    "Value",
    "evaluate",
    "read",
    "read_row",
    "told",
    "values_of",
]
