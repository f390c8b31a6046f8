"""Pictures for the test clips, and what is measured on them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from s2v.config.base import Positive, Seconds, Slice
from s2v.config.diffusion import SamplerConfig

MethodName = Literal[
    "icgan", "sound2vision", "retrieval", "upper_bound", "ldm", "sound2vision_ldm", "icgan_top1", "icgan_mid",
    "upper_bound_top1", "upper_bound_mid", "sound2vision_shuffled", "sound2vision_scrambled",
]
"""`s2v.evaluate.generate.known_methods()`, spelled out so that a wrong name is told before anything runs."""


class RetrievalConfig(Slice):
    """Row C: nearest training image."""

    database: Literal["generator_memory", "train"] = "generator_memory"


class GenerateConfig(Slice):
    """Pictures for the test clips."""

    methods: list[MethodName] = Field(
        ["icgan", "sound2vision", "retrieval", "upper_bound"],
        description="rows of the table, and the controls that table1.md shows beside them",
    )
    seeds: list[int] = Field([0, 1, 2], min_length=1)
    split: str = "test"
    window_s: Seconds = 10.0
    icgan_frame: Literal["top1", "mid"] = Field("mid", description="frame of a test clip that row A sees")
    upper_bound_frame: Literal["top1", "mid"] = "top1"
    truncation: float = Field(0.0, ge=0, description="truncated noise; 0 is off, as in the paper")
    retrieval: RetrievalConfig = RetrievalConfig()
    ldm: SamplerConfig = SamplerConfig()


class ScalingConfig(Slice):
    """How pictures bear more classes (paper 6.1, Fig. 16 and 17). Nested sets: alignment learns from the clips of one
    and is measured on it. Encoders and generators see all classes of the data, as the paper's pretrained ones do."""

    sizes: list[Positive] = Field([50, 100, 150, 200], min_length=2, description="numbers of classes, growing")
    world: str | None = Field(
        None,
        description="file of more of the world's classes, laid over this configuration; for data.source: world, whose "
        "default has too few; null is the data of this configuration",
    )


class EvaluateConfig(Slice):
    """The protocol of R@k, FID and IS."""

    evaluator: Literal["judge", "clip_inception", "none"] = "judge"
    prompt: str = Field("{}", description="template around a class name")
    reference_split: str = "test"
    inception_splits: Positive = Field(10, description="parts of the Inception Score")
    bootstrap: Positive = 1000
