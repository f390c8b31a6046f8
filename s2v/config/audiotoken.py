"""AudioToken (Yariv et al. 2023), and what it is made of here: a text-conditioned diffusion model and a tagger."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from s2v.config.base import Fraction, Positive, Seconds
from s2v.config.diffusion import DenoisingConfig
from s2v.config.training import AudioConfig, NormedConfig, SteppedConfig


class TextDiffusionConfig(DenoisingConfig):
    """The latent diffusion model that sees a sentence; it stands in for Stable Diffusion."""

    split: str = Field("captioned", description="packed split of pictures with a sentence each; it learns from them")
    templates: list[str] = Field(
        ["{}"], min_length=1, description="each time a sentence is seen, one of these stands around it"
    )
    pieces: Positive = Field(1000, description="most words that the text tower knows as a whole")
    length: Annotated[int, Field(ge=3, le=1000)] = Field(77, description="tokens of a text; Stable Diffusion: 77")
    text_layers: Positive = Field(12, description="of the text tower; Stable Diffusion's has 12")
    text_heads: Positive = Field(12, description="of its attention")


class TaggerConfig(SteppedConfig, NormedConfig):
    """The audio tagger whose maps AudioToken hears with; it stands in for BEATs."""

    split: str = Field("tagged", description="packed split of sounds with names; it learns from them")
    audio: AudioConfig = AudioConfig()
    width: Positive = Field(16, description="channels of its first layer")
    crop_s: Seconds | None = Field(None, description="of the window a step hears so much, anywhere; null: all of it")


class AudioTokenConfig(SteppedConfig):
    """The embedder that makes one word of a sound; it alone is trained."""

    prompt: str = Field("a photo of <*>", description="<*> stands for the sound's word")
    token_weight: float = Field(0.01, ge=0, description="of mean |token| in the loss")
    dropout: Fraction = Field(
        0.0,
        lt=1,
        description="of the attention over time, never switched off, as in the authors' code, where it is 0.5",
    )
    warmup_steps: Positive = 500
    validations: Positive = Field(10, description="how often the loss on the val split is looked at; the best is kept")
