"""Lee et al. 2022 (CVPR), whom the paper's Figure 12 compares with: their joint space, and editing in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from s2v.config.base import Fraction, NonNegative, Positive, Slice
from s2v.config.mel import MelConfig
from s2v.config.training import NormedConfig, TrainingConfig

Weight = Annotated[float, Field(ge=0)]


class JointTextConfig(Slice):
    """Sizes of the text tower."""

    pieces: Positive = Field(400, description="most words that are known as a whole")
    width: Positive = 64
    layers: Positive = 2
    heads: Positive = 4
    length: Positive = Field(24, description="tokens of a text; longer ones are cut")


class JointConfig(TrainingConfig, NormedConfig):
    """One space of pictures, texts and sounds: pictures and texts first, as CLIP; then sounds to what is there."""

    captioned: str = Field("captioned", description="split of pictures with sentences")
    tagged: str = Field("tagged", description="split of sounds with names")
    prompt: str = Field("{}", pattern=r"\{\}", description="text around a name")
    dim: Positive = 512
    image_px: Positive = 224
    image_width: Positive = 64
    audio: MelConfig = MelConfig(window_s=10.0, n_fft=1024, hop=256, bands=128, columns=512)
    audio_width: Positive = 64
    text: JointTextConfig = JointTextConfig()
    picture_steps: NonNegative = Field(1000, description="steps of pictures against texts")
    sound_steps: Positive = Field(1000, description="steps of sounds against names, the rest then stands still")
    multiplier: float = Field(14.3, gt=0, description="of cosines of pictures and texts; CLIP begins with 1 / 0.07")
    sound_multiplier: float = Field(14.3, gt=0, description="of cosines of sounds; Lee et al. have exp(0.07) = 1.07")
    self_weight: Weight = Field(1.0, description="of sounds against themselves with masks")
    mask_mels: Fraction = Field(0.15, description="most of the bands that a mask hides (SpecAugment)")
    mask_time: Fraction = Field(0.30, description="most of the time that a mask hides")


class LeeConfig(Slice):
    """Editing of a picture by a sound: Adam on the generator's variables, and what Figure 12 measures of it."""

    generator: Literal["run", "lee-stylegan2"] = Field(
        "run",
        description="run: our G and stage joint; lee-stylegan2: their StyleGAN2 of landscapes (14 x 512 numbers), "
        "their audio encoder and CLIP ViT-B/32, see `s2v weights list`; ours then still draws with our G",
    )

    inversion_steps: Positive = Field(150, description="of the search for the picture's own variables, of all methods")
    steps: Positive = Field(300, description="of Adam; published 300")
    learning_rate: float = Field(0.1, gt=0, description="published: 0.1 (README), 0.05 (code)")
    rise: Fraction = Field(0.05, description="share of the steps in which the rate rises; published 0.05")
    fall: Fraction = Field(0.25, description="share in which it falls by half a cosine; published 0.25")
    multiplier: float = Field(1.07, gt=0, description="of the cosine of picture and sound; published exp(0.07) = 1.07")
    similarity_weights: list[Weight] = Field(
        [0.008, 0.002], min_length=2,
        description="lambda_sim of |w - w0|^2, a curve; published: 0.002 (README), 0.008 (code)",
    )  # fmt: skip
    identity_weight: Weight = Field(
        0.0, description="lambda_id; published: 0 (README), 0.005 (code) of a face recogniser's feature; here of f_V's"
    )
    ours_weights: list[float] = Field(
        [0.0, 0.25, 0.5, 0.75, 1.0], min_length=3,
        description="share of the sound in z = (1 - share) z_inv^V + share z^A, a curve (paper 5.2, Fig. 11 and 12)",
    )  # fmt: skip
    moved_weights: list[float] = Field(
        [0.0, 0.5, 1.0, 2.0, 4.0], min_length=2,
        description="lambda of z = z_inv^V + lambda (loud z^A - soft z^A), a curve (paper 5.2, Fig. 13)",
    )  # fmt: skip
    pairs: Positive = Field(96, description="of a picture and a sound of another class")
    batch_size: Positive = Field(
        32, description="pictures that are edited at once; each is for itself, but for rounding"
    )
    seed: int = Field(0, description="of the pairs")


__all__ = ["JointConfig", "JointTextConfig", "LeeConfig", "MelConfig"]
