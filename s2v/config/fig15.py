"""The systems of Figure 15, S2I and Pedersoli et al., and its table."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from s2v.config.base import Positive, Slice
from s2v.config.mel import MelConfig
from s2v.config.training import NormedConfig, SteppedConfig


class S2iAutoencoderConfig(SteppedConfig, NormedConfig):
    """S2I's spectrogram autoencoder, whose code is the embedding (Fanzeres and Nadeu 2023)."""

    weights: Literal["s2i-autoencoder"] | None = Field(None, description="published weights, in place of training")
    audio: MelConfig = MelConfig(n_fft=1024, hop=160, bands=128, columns=100)
    width: Positive = Field(64, description="scale of the maps; published: 64, which is 80 to 512 maps")
    dim: Positive = Field(512, description="numbers of the embedding")
    learning_rate: float = Field(0.05, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    steps: Positive = 765000


class S2iGeneratorConfig(SteppedConfig, NormedConfig):
    """S2I's GAN. Its training was never released: losses and rates are our reading."""

    weights: Literal["s2i-generator"] | None = Field(None, description="published weights, in place of training")
    resolution: Literal[32, 48, 64, 96] = 96
    width: Positive = Field(64, description="scale of the maps; published: 64, which is 512 to 64 maps")
    d_width: Positive = Field(64, description="the same of the discriminator; published: 64")
    learning_rate: float = Field(2e-4, gt=0, description="of the generator")
    d_learning_rate: float = Field(2e-4, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    beta1: float = Field(0.5, ge=0, lt=1, description="of Adam")
    pixels: Literal["l1", "l2"] = "l1"
    pixel_weight: float = Field(10.0, ge=0, description="of the distance of pictures, beside the adversarial loss")
    adversarial_weight: float = Field(1.0, ge=0)
    steps: Positive = 100000


class PedersoliVqvaeConfig(SteppedConfig):
    """Stage 1 of Pedersoli et al. 2022: a VQ-VAE of pictures."""

    splits: list[str] = Field(
        ["images"], description="packed splits whose frames it is trained on; where not named, those of `generator`"
    )
    resolution: Positive = Field(256, description="side of the pictures")
    code_px: Positive = Field(32, description="side of the map of codes")
    hidden: Positive = 128
    residual_hidden: Positive = 32
    residual_layers: Positive = 2
    codes: Positive = 64
    code_dim: Positive = 64
    commitment: float = Field(0.25, ge=0)
    learning_rate: float = Field(1e-4, gt=0)
    weight_decay: float = Field(0.0, ge=0)


class PedersoliAudioConfig(SteppedConfig, NormedConfig):
    """Stage 2 of Pedersoli et al. 2022: from a sound to the VQ-VAE's latents."""

    audio: MelConfig = MelConfig()
    depth: Literal[10, 18] = 18
    width: Positive = 64
    dropout: float = Field(0.2, ge=0, lt=1)
    learning_rate: float = Field(1e-4, gt=0)
    weight_decay: float = Field(0.0, ge=0)


class Fig15Config(Slice):
    """table_vegas5.csv and fig15.png: which clips they are about."""

    classes: list[str] | None = Field(
        None,
        description="classes whose test clips are taken, candidates of R@k too; null is all, [] leaves both out",
    )


__all__ = [
    "Fig15Config",
    "MelConfig",
    "PedersoliAudioConfig",
    "PedersoliVqvaeConfig",
    "S2iAutoencoderConfig",
    "S2iGeneratorConfig",
]
