"""Whether there are clips enough: of each split for the stages that take it, and of each class for what is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from itertools import count
from typing import TYPE_CHECKING

from s2v.data.splits import counts

if TYPE_CHECKING:
    from s2v.config import Config

Clips = Counter[tuple[str, str | None]]
"""How many clips there are of each (split, class)."""

_SHOWN = 5


def too_few(config: Config, stages: Set[str], found: Clips) -> Iterator[str]:
    """Stages that would end with an error for want of clips."""
    per_split: Counter[str] = Counter()
    for (split, _), n in found.items():
        per_split[split] += n
    wanting: dict[tuple[str, ...], dict[str, int]] = {}
    for stage, splits, least in _least(config):
        if stage in stages and sum(per_split[split] for split in splits) < least:
            wanting.setdefault(splits, {})[stage] = least
    for splits, wants in wanting.items():
        least, have = max(wants.values()), sum(per_split[split] for split in splits)
        names = " and ".join(f"`{split}`" for split in splits)
        yield (
            f"clips in the split {names}: there are {have}, and {', '.join(wants)} cannot do with fewer than {least}; "
            f"{_for_some(config, splits[0], least)}"
        )
    if config.evaluate.evaluator == "judge" and stages & {"judge", "evaluate"}:
        yield from _unjudged(config, found)
    if config.evaluate.evaluator == "none" and "fig12" in stages:
        yield "fig12: evaluate.evaluator is none, and how often a sound is seen takes one: judge, clip_inception"
    most, named = max(config.scaling.sizes, default=0), {label for _, label in found if label}
    if "classes" in stages and len(named) < most:
        yield f"scaling.sizes: {most} classes are asked for, and the data have {len(named)}; name fewer"
    split = config.generate.split
    tested = sum(at == split and label is not None for at, label in found)
    for stage, least in (("control", 2), ("fig12", 2), ("fig16", min(most, len(named)))):
        if stage in stages and tested < least:
            yield f"{stage}: {tested} of {least} classes have a clip in the split `{split}`; {_for_each_split(config)}"


def notes(config: Config, stages: Set[str], found: Clips) -> Iterator[str]:
    """What keeps no stage from its end, and is a part of the result that will be missing."""
    split = config.generate.split
    if "evaluate" not in stages:
        return
    # Labels of sounds with names are names of other things, too: of people, for a speaker encoder.
    sounds = {config.tagger.split, config.joint.tagged}
    named = {label for at, label in found if label and at not in sounds}
    for place, what in (("train", "not learned"), (split, "left out of the table")):
        without = sorted(named - {label for at, label in found if at == place})
        if without:
            yield f"{_names(without)}: no clip in the split `{place}`, so {what}; {_for_each_split(config)}"
    if sum(n for (at, _), n in found.items() if at == split) == 1:
        yield f"the split `{split}` has 1 clip: FID and KID need two, and are left out of the table"
    if len(named) < 2 and config.evaluate.evaluator == "clip_inception":
        yield f"the clips are of {len(named)} class(es): R@k needs two, and is left out of the table"


def _least(config: Config) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """(stage, splits that it takes, fewest clips of them together without which it ends with an error)."""
    # Processes share each batch, and none may be without a sample.
    shared = config.runtime.processes
    # Moments, and all losses of alignment but one, compare clips with each other.
    yield "localise", ("train",), max(2, shared)
    yield "av_judge", (config.av_judge.split,), max(2, shared)
    for stage in ("align", "align_ldm", "align_unclip"):
        if not getattr(config, stage).weights:
            yield stage, ("train",), max(2, shared)
            yield stage, ("val",), 2
    for stage in ("encoder", "encoder_vit", "generator", "vae", "diffusion"):
        section = getattr(config, stage)
        if not getattr(section, "weights", None):
            every = any(config.pack.keep.get(split) == "all" for split in section.splits)
            # Batch norm of a single picture has no spread.
            yield stage, tuple(section.splits), 1 if every else max(2 if "encoder" in stage else 1, shared)
    if not config.inception.weights:
        yield "inception", (config.inception.split,), max(2, shared)
    for stage in ("s2i_autoencoder", "s2i_generator", "pedersoli_audio"):
        if not getattr(getattr(config, stage), "weights", None):
            yield stage, ("train",), max(2, shared)
    yield "pedersoli_vqvae", tuple(config.pedersoli_vqvae.splits), max(1, shared)
    yield "text_diffusion", (config.text_diffusion.split,), 1
    yield "tagger", (config.tagger.split,), max(2, shared)
    for split in ("train", "val"):
        yield "audiotoken", (split,), shared
    for split in (config.joint.captioned, config.joint.tagged):
        yield "joint", (split,), max(2, shared)
    yield "generate", (config.generate.split,), 1
    yield "evaluate", (config.evaluate.reference_split,), 1


def _unjudged(config: Config, found: Clips) -> Iterator[str]:
    """Classes that the judge would have to name without having seen them."""
    judged = {label for split, label in found if label and split == config.judge.split}
    tested = {label for split, label in found if label and split == config.generate.split}
    everywhere = {label for _, label in found if label}
    otherwise = "or set evaluate.evaluator: clip_inception, or none"
    if len(everywhere) < 2:
        folder = config.data.folder if config.data.source == "folder" else None
        where = "the column label" if folder and folder.labels == "csv" else "a sub-folder for each class"
        give = f" (in {where}; clips that have none: data.folder.labels: none and evaluate.evaluator: none)"
        yield (
            f"evaluate.evaluator: judge tells classes apart, and the clips have {len(everywhere)}: give two or more"
            f"{give if folder else ''}, {otherwise}"
        )
    elif len(judged) < 2 or tested - judged:
        lost = sorted((tested or everywhere) - judged) or sorted(everywhere - judged)
        yield (
            f"{_names(lost)}: no clip in the split `{config.judge.split}`, of which the evaluator learns its classes; "
            f"{_for_each_split(config)}, {otherwise}"
        )


def _names(classes: list[str]) -> str:
    """Some classes in words."""
    shown = ", ".join(map(repr, classes[:_SHOWN])) + (", ..." if len(classes) > _SHOWN else "")
    return f"class {shown}" if len(classes) == 1 else f"{len(classes)} classes ({shown})"


def _shares(config: Config) -> dict[str, float]:
    """Shares by which clips come to their splits, where a folder's do."""
    folder = config.data.folder if config.data.source == "folder" else None
    return {split: share for split, share in folder.splits.items() if share > 0} if folder else {}


def _for_each_split(config: Config) -> str:
    """How a class comes to have clips in every split."""
    shares = _shares(config)
    if not shares:
        return "give the class clips there"
    return f"a class of {len(shares)} files or more has one in each of {', '.join(sorted(shares))}"


def _for_some(config: Config, split: str, least: int) -> str:
    """How a split comes to have so many clips."""
    shares, source = _shares(config), config.data.source
    if split in shares:
        files = next(n for n in count(1) if counts(n, shares)[split] >= least)
        return (
            f"a class of {files} files gives it {least}, and each class gives it some (data.folder.splits has shares)"
        )
    share = f", or raise data.{source}.val_share" if split == "val" and config.data.rendered() is None else ""
    return f"give it more clips{share}"


__all__ = ["Clips", "notes", "too_few"]
