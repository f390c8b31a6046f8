"""Stage `evaluate`: R@1, R@5, FID, IS and KID of the pictures of one method and seed (paper 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import pyarrow as pa
import torch
from torch import Tensor

from s2v.data.reader import read_images
from s2v.data.subset import indices, read_classes
from s2v.evaluate.evaluators import Evaluator, load_evaluator
from s2v.evaluate.fidelity import frechet_distance, inception_score, kernel_distance
from s2v.evaluate.pictures import read_pictures
from s2v.evaluate.result import Drawn, Result, write_result
from s2v.evaluate.retrieval import TIE_RULE, ranks, recall_at
from s2v.files import write_parquet
from s2v.runtime import Runtime
from s2v.tensors import save_tensors

if TYPE_CHECKING:
    from s2v.config import EvaluateConfig, RuntimeConfig

RANKS = pa.schema(
    [("clip_id", pa.string()), ("label", pa.string()), ("rank", pa.int32())]
    + [("further", pa.list_(pa.int32())), ("accepted", pa.list_(pa.bool_())), ("named", pa.list_(pa.string()))]
)
"""Ranks by the first evaluator and by further ones; which of those that can tell take it for one of any class; and the
class that each of them names, of the pictures with a label."""


@dataclass(frozen=True)
class Measured:
    """What an evaluator says of one picture of each clip.

    Attributes:
        result: the metrics.
        ranks: of each picture's class; None without a label.
        further: the same by each further evaluator.
        accepted: of each evaluator that can tell, whether it takes each picture for one of any class.
        named: of each evaluator, the class that it takes each picture for; None without a label.
        tensors: features [N, F], probabilities [N, K] and reference [M, F].
    """

    result: Result
    ranks: list[int | None]
    further: list[list[int | None]]
    accepted: list[list[bool]]
    named: list[list[str | None]]
    tensors: dict[str, Tensor]


def run(
    *,
    config: EvaluateConfig,
    pictures: Sequence[Path],
    reference_packs: list[Path],
    evaluator_dirs: Sequence[Path],
    classes: Path | None = None,
    outputs: Sequence[Path],
    ranks_outputs: Sequence[Path],
    tensors_outputs: Sequence[Path],
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Write the metrics of each tar of pictures, the rank of each clip, and the evaluator's tensors.

    `outputs` are JSON; a metric that cannot be had is null, and `missing` says why (no labels, no evaluator,
    too few pictures). `ranks_outputs` are Parquet (`RANKS`; rank null without a label). `tensors_outputs` are
    safetensors: features [N, F], probabilities [N, K] and reference [M, F], from which the table makes its
    intervals.

    Args:
        config: its slice.
        pictures: tars of stage generate, of one method.
        reference_packs: shards whose chosen frames are the real pictures of FID, read at the pictures' own
            size. Their labels are the class names that R@k ranks.
        evaluator_dirs: folders of judges, the first of which FID and IS of the tables are of; or of the Inception of
            the data's own classes; other evaluators need none.
        classes: of stage `classes`, those whose real pictures and names are taken; None is all.
        outputs: JSON, one for each of `pictures`, as the next two.
        ranks_outputs: Parquet.
        tensors_outputs: safetensors.
        runtime: device and precision.
        threads: of torch on the CPU.

    Raises:
        UserError: pictures or evaluator cannot be read.
    """
    place = Runtime.from_config(runtime, threads)
    evaluator, *further = [
        load_evaluator(config.evaluator, folder=folder, prompt=config.prompt, device=place.device)
        for folder in (*evaluator_dirs, *([None] if not evaluator_dirs else []))
    ]
    known = None if evaluator is None else _Known(config, evaluator, further, reference_packs, read_classes(classes))
    last: tuple[Tensor, Measured] | None = None
    for path, output, ranks_output, tensors_output in zip(
        pictures, outputs, ranks_outputs, tensors_outputs, strict=True
    ):
        images, records = read_pictures(path)
        labels: list[str | None] = [record["label"] for record in records]
        drawn = Drawn.of(records[0])
        if known is None:
            result = Result(**asdict(drawn), n=len(images), tie_rule=TIE_RULE)
            result = replace(result, missing=dict.fromkeys(("R@1", "R@5", "FID", "IS"), "no evaluator is configured"))
            measured = Measured(result, [None] * len(images), [], [], [], {"features": torch.empty(0)})
        elif last is not None and torch.equal(images, last[0]):
            # A method that draws no noise has the same pictures for every seed.
            measured = replace(last[1], result=replace(last[1].result, **asdict(drawn)))
        else:
            measured = known.measure(images, labels, drawn)
        last = images, measured
        save_tensors(tensors_output, measured.tensors)
        rows = [
            {
                "clip_id": record["clip_id"],
                "label": record["label"],
                "rank": measured.ranks[i],
                "further": [ranks[i] for ranks in measured.further],
                "accepted": [accepted[i] for accepted in measured.accepted],
                "named": [named[i] for named in measured.named if named[i]],
            }
            for i, record in enumerate(records)
        ]
        write_parquet(ranks_output, rows, RANKS)
        write_result(output, measured.result)


class _Known:
    """What pictures are measured against: the evaluators, and what they see in the real ones, looked at once a size."""

    def __init__(
        self,
        config: EvaluateConfig,
        evaluator: Evaluator,
        further: Sequence[Evaluator | None],
        packs: list[Path],
        classes: frozenset[str] | None,
    ) -> None:
        self.config, self.packs, self.classes = config, packs, classes
        self.evaluators = [evaluator, *(one for one in further if one is not None)]
        self.px = 0
        self.features: list[Tensor] = []
        self.labels: list[str | None] = []

    def measure(self, images: Tensor, labels: list[str | None], drawn: Drawn) -> Measured:
        if self.px != images.shape[-1]:
            self.px = images.shape[-1]
            real, _, real_labels = read_images(self.packs, self.px)
            kept = indices(real_labels, self.classes)
            self.labels = [real_labels[i] for i in kept]
            self.features = [one.features(real[kept]) for one in self.evaluators]
        names, (evaluator, *further) = class_names([*self.labels, *labels]), self.evaluators
        others = list(zip(further, self.features[1:], strict=True))
        splits = self.config.inception_splits
        return measure(evaluator, images, labels, names, self.features[0], drawn, splits, others)


def measure(
    evaluator: Evaluator,
    images: Tensor,
    labels: list[str | None],
    names: list[str],
    reference: Tensor,
    drawn: Drawn,
    splits: int,
    further: Sequence[tuple[Evaluator, Tensor]] = (),
) -> Measured:
    """All that is measured of one picture of each clip; of stage `evaluate`, and of anybody's pictures.

    Args:
        evaluator: that measures.
        images: uint8 [N, 3, R, R], in the order of the clips' names, since IS deals them into parts.
        labels: of the clips.
        names: the candidates of R@k.
        reference: its features of the real pictures [M, F]; none of them, [0, F], is allowed.
        drawn: what the pictures are.
        splits: parts of IS, cut to N.
        further: evaluators beside it, each with its features of the real pictures.
    """
    others = [one for one, _ in further]
    result = Result(
        **asdict(drawn), n=len(images), tie_rule=TIE_RULE, evaluator=evaluator.label, classes=len(names),
        further=[one.label for one in others],
    )  # fmt: skip
    result, ranks, named = _retrieval([evaluator, *others], images, labels, names, result)
    parts = min(splits, len(images))
    result, tensors = _fidelity(evaluator, images, reference, parts, result)
    if others:
        every = [result, *(_fidelity(one, images, own, parts, result)[0] for one, own in further)]
        fids, scores = [one.fid for one in every], [one.inception for one in every]
        result = replace(
            result,
            fid_by_evaluator=[value for value in fids if value is not None],
            is_by_evaluator=[value for value in scores if value is not None],
        )
    said = [one.accepts(images) for one in (evaluator, *others)]
    accepted = [one.tolist() for one in said if one is not None]
    if accepted:
        result = replace(result, accepted=float(torch.tensor(accepted).float().mean()))
    return Measured(result, ranks[0], ranks[1:], accepted, named, tensors)


def class_names(labels: list[str | None]) -> list[str]:
    """The candidates of R@k: every label that occurs, sorted."""
    return sorted({label for label in labels if label})


def _retrieval(
    evaluators: Sequence[Evaluator], images: Tensor, labels: list[str | None], names: list[str], result: Result
) -> tuple[Result, list[list[int | None]], list[list[str | None]]]:
    """The result with R@1 and R@5, and by each evaluator the ranks of the labelled pictures, and the classes that it
    names (None elsewhere)."""
    rank: list[list[int | None]] = [[None] * len(images) for _ in evaluators]
    named: list[list[str | None]] = [[None] * len(images) for _ in evaluators]
    labelled = [i for i, label in enumerate(labels) if label]
    if not labelled or len(names) < 2:
        reason = "the clips have no labels" if not labelled else "there is only one class"
        return replace(result, missing=result.missing | {"R@1": reason, "R@5": reason}), rank, named
    truth = torch.tensor([names.index(labels[i] or "") for i in labelled])
    scores = [evaluator.rank(images[labelled], names) for evaluator in evaluators]
    values = [ranks(each, truth) for each in scores]
    for n, (found, each) in enumerate(zip(values, scores, strict=True)):
        for i, value, best in zip(labelled, found.tolist(), each.argmax(1).tolist(), strict=True):
            rank[n][i], named[n][i] = value, names[best]
    first, fifth = ([recall_at(found, k) for found in values] for k in (1, 5))
    apart = first if len(first) > 1 else []
    return (
        replace(result, r1=fmean(first), r5=fmean(fifth), r1_by_evaluator=apart, n_labelled=len(labelled)),
        rank,
        named,
    )


def _fidelity(
    evaluator: Evaluator, images: Tensor, reference: Tensor, splits: int, result: Result
) -> tuple[Result, dict[str, Tensor]]:
    """The result with FID, KID and IS, and the tensors that they came from."""
    features, probabilities = evaluator.describe(images)
    score, spread = inception_score(probabilities, splits)
    result = replace(result, inception=score, inception_std=spread, inception_splits=splits, n_reference=len(reference))
    if len(features) < 2 or len(reference) < 2:
        reason = "FID needs at least two pictures, generated and real"
        result = replace(result, missing=result.missing | {"FID": reason})
    else:
        fid, kid = frechet_distance(features, reference), kernel_distance(features, reference)
        result = replace(result, fid=fid, kid=kid)
    return result, {"features": features, "probabilities": probabilities, "reference": reference}


__all__ = ["RANKS", "Measured", "class_names", "measure", "run"]
