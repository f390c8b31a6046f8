"""Stable unCLIP 2.1 as the second generator (paper 6.1), as the paper's authors run it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from s2v.config.base import Positive, Slice


class EmbedUnclipConfig(Slice):
    """Its CLIP image encoder as an f_V."""

    input: Literal["clip", "imagenet"] = Field(
        "clip",
        description="how it is shown pictures; clip: centre crop and statistics that it was trained with, of its "
        "folder; imagenet: as the authors' code does, squashed to 256 px, ImageNet's statistics, 224 px",
    )


class UnclipConfig(Slice):
    """How it draws. Numbers are those of the authors' code; the paper gives none."""

    steps: Positive = Field(20, description="of the scheduler of its folder")
    guidance: float = Field(10.0, ge=1, description="1 is without guidance")
    noise_level: Annotated[int, Field(ge=0, lt=1000)] = Field(0, description="of the noise on the feature")
    prompt: str = ""
    unit_norm: bool = Field(
        False, description="features at norm 1, as the paper has the GAN's; the authors' code takes them as they are"
    )
    batch_size: Positive = Field(4, description="pictures that are drawn at once; changes none of them")
    precision: Literal["fp16", "bf16", "fp32"] = Field("fp16", description="of its nets on CUDA; the CPU has fp32")
    px: Positive | None = Field(None, description="side at which pictures are kept; null: as drawn, 768")


__all__ = ["EmbedUnclipConfig", "UnclipConfig"]
