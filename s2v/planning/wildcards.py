"""What a job's wildcards say: its training, its variant, the stage that it is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from s2v.report import targets
from s2v.stages import STAGES


class Wildcards(Protocol):
    """What Snakemake hands to a function of an input, a param or a resource: the wildcards of the job's rule."""

    def __getattr__(self, name: str) -> str: ...


Values = dict[str, Any]
Files = str | list[str]
"""One file that has a name in the rule's input, or several; an empty list where there is none."""

InputFunction = Callable[[Wildcards], Files]
Amount = Callable[[Wildcards, int], int]
"""Of the wildcards and the attempt, which Snakemake counts from 1."""

StageOf = str | Callable[[Wildcards], str]
"""A stage, or how a job's wildcards say which of its variants it is."""

FIG15 = "fig15/"
"""Folder of the pictures of the classes of Figure 15, and of their marks."""

FRAMES = ("mid", "top1")
"""Frames that Table 2 names, whichever one is chosen: `embed_mid` are the features of the middle ones."""


def either(rule: str) -> str:
    """Wildcard pattern of the stages that one rule makes."""
    return f"({'|'.join(stage.name for stage in STAGES.values() if stage.rule == rule)})"


def training_of(wildcards: Wildcards) -> int:
    """The number of the training seed of a job."""
    return int(wildcards.again.split("/")[1]) if wildcards.again else 0


def variant_classes(wildcards: Wildcards) -> Files:
    """Names of the classes of a variant that takes some; nothing where all are taken."""
    some = wildcards.variant.startswith(("classes/", FIG15))
    return f"<results>/{wildcards.variant}classes.json" if some else []


def embedded(wildcards: Wildcards) -> str:
    """The stage of a job of rule embed, without the frame that it names."""
    stage, _, frame = wildcards.embed.rpartition("_")
    return stage if frame in FRAMES else wildcards.embed


def embedded_frame(wildcards: Wildcards) -> str:
    """The frame that a job of rule embed sees: a column of the packed shards."""
    frame = wildcards.embed.rpartition("_")[2]
    return f"{frame}.jpg" if frame in FRAMES else "jpg"


def target_of(wildcards: Wildcards) -> targets.Target:
    """The target whose claims a job writes: claims.csv has all of the paper's."""
    return "paper" if wildcards.claims == "claims" else "evidence"


def steered_by(wildcards: Wildcards) -> str:
    """The method of a sheet of steered pictures, or of what is measured of it."""
    return "sound2vision_ldm" if wildcards.sheet in ("fig18", "fig19", "control_ldm") else "sound2vision"


def steered_size(wildcards: Wildcards) -> str:
    """The stage that asks for as much memory."""
    return "generate_ldm" if steered_by(wildcards).endswith("_ldm") else "generate"


def stage_name(stage: StageOf, wildcards: Wildcards) -> str:
    """The stage that a job is of."""
    return stage if isinstance(stage, str) else stage(wildcards)


def stage_of_method(stage: str, wildcards: Wildcards) -> str:
    """`generate_ldm` for a method whose last word is ldm, where that has sizes of its own."""
    sized = f"{stage}_{wildcards.method.rpartition('_')[2]}"
    return sized if sized in STAGES else stage


__all__ = [
    "FIG15",
    "Amount",
    "Files",
    "InputFunction",
    "StageOf",
    "Values",
    "Wildcards",
    "either",
    "embedded",
    "embedded_frame",
    "stage_name",
    "stage_of_method",
    "steered_by",
    "steered_size",
    "target_of",
    "training_of",
    "variant_classes",
]
