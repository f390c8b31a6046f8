"""The second generator, a latent diffusion model (paper 6.1): autoencoder, denoiser, sampler."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from s2v.config.base import Fraction, Positive, Slice
from s2v.config.training import SteppedConfig


class VaeConfig(SteppedConfig):
    """The autoencoder in whose latents diffusion happens: KL-regularised, factor 2^(levels - 1)."""

    splits: list[str] = Field(
        ["images"], description="packed splits whose frames it is trained on; where not named, those of `generator`"
    )
    resolution: Positive = Field(256, description="side of the pictures, a multiple of 2^(levels - 1)")
    channels: list[Positive] = Field(
        [128, 256, 512, 512], min_length=1, description="of each level; Stable Diffusion's"
    )
    layers_per_block: Positive = 2
    latent_channels: Positive = 4
    groups: Positive = Field(32, description="of group norm; each number of channels is a multiple of it")
    loss: Literal["l1", "l2"] = "l1"
    kl_weight: float = Field(1e-6, ge=0, description="of the KL divergence, mean over latent numbers")
    perceptual_weight: float = Field(1.0, ge=0, description="of the distance of f_V's feature maps; 0 is off")
    hflip: bool = True


class DenoisingConfig(SteppedConfig):
    """A U-Net on latents, and its training, whatever its condition."""

    channels: list[Positive] = Field(
        [320, 640, 1280, 1280], min_length=1, description="of each level; Stable Diffusion's"
    )
    attention: list[bool] = Field([True, True, True, False], description="levels with attention")
    layers_per_block: Positive = 2
    heads: Positive = 8
    groups: Positive = Field(32, description="of group norm; each number of channels is a multiple of it")
    token_dim: Positive = Field(768, description="size of a token that it sees by cross-attention")
    prediction: Literal["epsilon", "v_prediction"] = Field("epsilon", description="what is predicted; paper: epsilon")
    timesteps: Positive = Field(1000, description="T, steps of the noising process")
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "scaled_linear"
    condition_dropout: Fraction = Field(0.1, description="share of pictures trained without a condition, for guidance")
    cosine_decay: bool = Field(False, description="the learning rate falls to 0 over the training")
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.9999
    hflip: bool = True


class DiffusionConfig(DenoisingConfig):
    """The denoiser that sees the image feature (paper 6.1, Eq. 4)."""

    splits: list[str] = Field(
        ["images"], description="packed splits whose latents it is trained on; where not named, those of `generator`"
    )
    tokens: Positive = Field(4, description="tokens that the image feature becomes for cross-attention")
    condition_noise: float = Field(
        0.0, ge=0, description="deviation of noise on the standardised image feature in training; not in the paper"
    )


class SamplerConfig(Slice):
    """How the latent diffusion model draws pictures."""

    scheduler: Literal["ddim", "dpm++"] = "dpm++"
    steps: Positive = 20
    guidance: float = Field(3.0, ge=0, description="0 ignores the condition, 1 is without guidance")
    compile: bool = Field(False, description="torch.compile of the U-Net, on CUDA; pays from some thousand pictures on")


class TextSamplerConfig(SamplerConfig):
    """How the text-conditioned one draws, in which AudioToken puts its word."""

    steps: Positive = Field(50, description="of the solver; AudioToken's authors: 50")
    guidance: float = Field(7.5, ge=0, description="as above; its authors: 7.5")
    prompt: str = Field(
        "a photo of <*>",
        description="<*> stands for the sound's word, or its name; the authors add `, 4k, high resolution`",
    )
