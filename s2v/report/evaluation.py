"""Anybody's pictures on the protocol of the tables: measured as stage `evaluate` measures, and kept as one JSON file.

Beside the JSON lie `.safetensors` (features, posteriors, ranks: what intervals and comparisons need) and `.parquet`
(which picture is which clip's). The JSON has their checksums.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from torch import Tensor

from s2v.config import EvaluateConfig, RuntimeConfig
from s2v.control import outputs
from s2v.errors import UserError
from s2v.evaluate import audiovisual, outside, sounds
from s2v.evaluate.audiovisual import Networks
from s2v.evaluate.evaluate import Measured, class_names, measure
from s2v.evaluate.evaluators import Evaluator, load_evaluator
from s2v.evaluate.outside import Pictures, Said
from s2v.evaluate.result import Drawn, read_result_fields, result_fields
from s2v.evaluate.sounds import Sounds
from s2v.files import read_json, read_parquet, sha256, write_parquet
from s2v.media.picture import to_unit
from s2v.report.measures import metrics_of
from s2v.report.rows import Row, row_of
from s2v.runtime import Runtime
from s2v.tensors import load_tensors, save_tensors

FORMAT = 1
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
    draws: list[dict[str, Any]]
    bootstrap: int
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
    split: str = "test"
    name: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    draws: int | None = None
    px: int | None = None
    skip_broken: bool = False


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
    inputs = [*asked.pictures, *filter(None, (asked.labels, asked.names, asked.reference)), asked.sounds]
    outputs.check(written, inputs, force)
    place, said = Runtime.from_config(runtime, 1), Said()  # more threads may sum in another order than the stage's one
    heard = sounds.read(asked.sounds, said, split=asked.split, labels=asked.labels)
    evaluator, weights, judged_by = _evaluator(asked, heard, config, place)
    pictures = outside.read(
        asked.pictures, heard.clips, said, listed=asked.names, draws=asked.draws, px=asked.px,
        skip_broken=asked.skip_broken,
    )  # fmt: skip
    px = pictures.images[0].shape[-1]
    real, real_names, real_labels, digest = _real(asked, heard, said, px)
    labels = [heard.labels[clip] for clip in pictures.clips]
    names = class_names([*real_labels, *heard.labels.values()])
    reference = evaluator.features(to_unit(real)) if len(real) else torch.empty(0, 0)
    name = asked.name or _name(asked, pictures)
    measured = [
        measure(evaluator, images, labels, names, reference, _drawn(record, name, number), config.inception_splits)
        for number, (images, record) in enumerate(zip(pictures.images, pictures.records, strict=True))
    ]
    results = [one.result for one in measured]
    ranks = np.array([[rank or 0 for rank in one.ranks] for one in measured])
    row = row_of(results, pictures.clips, ranks, [one.tensors for one in measured], config.bootstrap)
    networks, lacking = _score(
        row, audiovisual.networks(evaluator, judged_by, config.prompt, place.device), pictures, heard, labels, names,
        real, real_names,
    )  # fmt: skip
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
        found[key] = " ".join(value.split())
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
    found = read_json(path)
    hint = "s2v evaluate writes them (of a run: s2v evaluate results/generate/METHOD --sounds results -o METHOD.json)"
    if not isinstance(found, dict) or "protocol" not in found:
        raise UserError(f"{path}: no evaluation; {hint}")
    fields = {key: value for key, value in found.items() if key not in ("again", "s2v", outputs.MADE)}
    try:
        evaluation = TypeAdapter(Evaluation).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: no evaluation of this version ({where}: {first['msg']}); {hint}") from error
    if evaluation.format != FORMAT:
        raise UserError(
            f"{path}: an evaluation of format {evaluation.format}, and this s2v reads {FORMAT}; make it anew"
        )
    return evaluation


def read_row(path: Path, evaluation: Evaluation) -> Row:
    """The row of an evaluation, from the files beside its JSON.

    Raises:
        UserError: they are not there, or not those that were written with it.
    """
    made = read_json(path).get(outputs.MADE, {})
    for suffix in (".safetensors", ".parquet"):
        file = path.with_suffix(suffix)
        if not file.is_file() or made.get(file.name) != sha256(file):
            raise UserError(f"{file}: not there as it was written with {path.name}; keep the three together")
    need = ("features", "probabilities", "reference", "ranks")
    tensors = load_tensors(path.with_suffix(".safetensors"), need=need)
    table = [line for line in read_parquet(path.with_suffix(".parquet"), ["clip_id", "number"]) if line["number"] == 0]
    results = [read_result_fields(path, fields) for fields in evaluation.draws]
    each = [
        {"features": features, "probabilities": probabilities, "reference": tensors["reference"]}
        for features, probabilities in zip(tensors["features"], tensors["probabilities"], strict=True)
    ]
    clips = [line["clip_id"] for line in table]
    if not tensors["ranks"].shape == tensors["features"].shape[:2] == (len(results), len(clips)):
        raise UserError(f"{path.with_suffix('.safetensors')}: not of {len(results)} pictures of {len(clips)} clips")
    row = row_of(results, clips, tensors["ranks"].numpy(), each, evaluation.bootstrap)
    row.result = replace(row.result, method=evaluation.name, missing=row.result.missing | evaluation.missing)
    row.scores = {
        name.removeprefix("score/"): tensor.double().numpy() for name, tensor in tensors.items() if "/" in name
    }
    return row


def _score(
    row: Row,
    nets: Networks,
    pictures: Pictures,
    heard: Sounds,
    labels: list[str | None],
    names: list[str],
    real: Tensor,
    real_names: list[str],
) -> tuple[dict[str, str], dict[str, str]]:
    """Put AIS, IIS and AIC into a row. What made each of them, and why one of them is not there."""
    missing = dict(nets.missing or {})
    sounding: list[Tensor] | None = None
    if nets.hears is not None:
        found = {clip: nets.hears.hear(wave) for clip, wave in heard.waves() if clip in set(pictures.clips)}
        if len(found) == len(pictures.clips):
            sounding = [found[clip] for clip in pictures.clips]
        else:
            missing["AIS"] = f"{len(pictures.clips) - len(found)} clips have no sound"
    frames: Tensor | None = None
    if nets.sees is not None:
        place = {name: i for i, name in enumerate(real_names)}
        if all(clip in place for clip in pictures.clips):
            frames = nets.sees[2](to_unit(real[[place[clip] for clip in pictures.clips]]))
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
        {"clip_id": clip, "label": label, "number": number, "picture": outside.readable(file), "rank": rank}
        for number, (files, one) in enumerate(zip(pictures.files, measured, strict=True))
        for clip, label, file, rank in zip(pictures.clips, labels, files, one.ranks, strict=True)
    ]
    write_parquet(written[1], rows, PICTURES)


def _evaluator(
    asked: Asked, heard: Sounds, config: EvaluateConfig, place: Runtime
) -> tuple[Evaluator, str, Path | None]:
    """The evaluator that was asked for, a digest of a judge's weights, and the run that the judge is of."""
    judge: Path | None = None
    if asked.evaluator != "clip_inception":
        folder = Path(asked.evaluator) if asked.evaluator else heard.run
        if folder is None:
            raise UserError(
                f"{heard.where}: sounds of no run bring no evaluator; say --evaluator clip_inception, or the folder of "
                "a run whose judge it should be"
            )
        judge = folder / "judge" if (folder / "judge").is_dir() else folder
        if not (judge / "model.safetensors").is_file():
            hint = f"`snakemake --cores all {folder / 'judge' / 'model.safetensors'}` makes one"
            raise UserError(f"{folder}: has no trained judge; {hint}, or say --evaluator")
    kind = "clip_inception" if judge is None else "judge"
    evaluator = load_evaluator(kind, judge_dir=judge, prompt=config.prompt, device=place.device)
    assert evaluator is not None
    return evaluator, sha256(judge / "model.safetensors")[:16] if judge else "", judge.parent if judge else None


def _real(asked: Asked, heard: Sounds, said: Said, px: int) -> tuple[Tensor, list[str], list[str | None], str]:
    """The real pictures, their clips, their labels, and a digest; none of them where there are none."""
    if asked.reference is not None:
        real, names, digest = outside.read_all([asked.reference], said, px)
        return real, names, [None] * len(names), digest
    if heard.run is None:
        return torch.empty(0, 3, px, px, dtype=torch.uint8), [], [], ""
    real, names, _, digest = heard.real(px)
    return real, names, [heard.labels[name] for name in names], digest


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


__all__ = ["ABOUT", "Asked", "Evaluation", "Protocol", "Value", "evaluate", "read", "read_row", "told", "values_of"]
