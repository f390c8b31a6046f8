"""The parts of a latent diffusion model (Rombach et al. 2022; paper 6.1), built of diffusers' blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import torch
import torch.nn.functional as F
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from pydantic import Field
from torch import Tensor, nn

from s2v.models.bounds import Side

if TYPE_CHECKING:
    from s2v.config import DiffusionConfig

Scheduler: TypeAlias = DDIMScheduler | DPMSolverMultistepScheduler
SAMPLERS = ("ddim", "dpm++")
Prediction: TypeAlias = Literal["epsilon", "v_prediction"]
Betas: TypeAlias = Literal["linear", "scaled_linear", "squaredcos_cap_v2"]
Steps: TypeAlias = Annotated[int, Field(le=100_000)]


class Diffusion(nn.Module):
    """epsilon_theta(z_t, t, c): a U-Net that sees a condition as a few tokens, by cross-attention.

    No condition is a learned set of tokens. Latents are shifted and scaled per channel to mean 0 and standard deviation
    1; the numbers for both are buffers, so that they travel with the weights. Subclasses say what a condition is.

    Args:
        latent_channels: C of the latents.
        latent_px: side of the latents.
        channels: of each level of the U-Net.
        attention: which of them have attention.
        layers_per_block: residual blocks of a level.
        heads: of attention.
        groups: of group norm.
        token_dim: size of a token.
        prediction: epsilon or v_prediction.
        timesteps: T of the noising process.
        beta_schedule: its schedule, by diffusers' name.
    """

    null: nn.Parameter
    """Tokens of no condition [tokens, token_dim]."""
    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        latent_channels: int,
        latent_px: int,
        channels: list[int],
        attention: list[bool],
        layers_per_block: int,
        heads: int,
        groups: int,
        token_dim: int,
        prediction: str,
        timesteps: int,
        beta_schedule: str,
    ) -> None:
        super().__init__()
        self.latent_channels, self.latent_px = latent_channels, latent_px
        self.prediction, self.timesteps, self.beta_schedule = prediction, timesteps, beta_schedule
        self.unet = UNet2DConditionModel(
            sample_size=latent_px,
            in_channels=latent_channels,
            out_channels=latent_channels,
            down_block_types=tuple("CrossAttnDownBlock2D" if has else "DownBlock2D" for has in attention),
            up_block_types=tuple("CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(attention)),
            block_out_channels=tuple(channels),
            layers_per_block=layers_per_block,
            norm_num_groups=groups,
            cross_attention_dim=token_dim,
            attention_head_dim=heads,  # diffusers' name for the number of heads
        )
        self.register_buffer("shift", torch.zeros(latent_channels, 1, 1))
        self.register_buffer("scale", torch.ones(latent_channels, 1, 1))

    def fit_latents(self, latents: Tensor) -> None:
        """Note mean and spread of latents [N, C, h, w]."""
        self.shift.copy_(latents.mean((0, 2, 3))[:, None, None])
        self.scale.copy_(latents.std((0, 2, 3), unbiased=False).clamp_min(1e-6)[:, None, None])

    def normalise(self, latents: Tensor) -> Tensor:
        """Latents of the autoencoder -> those that diffusion works on."""
        return (latents - self.shift) / self.scale

    def denormalise(self, latents: Tensor) -> Tensor:
        """The way back."""
        return latents * self.scale + self.shift

    def condition(self, z: Tensor) -> Tensor:
        """Conditions [B, D], as a method has them -> tokens [B, tokens, token_dim]."""
        raise NotImplementedError

    def denoise(self, noisy: Tensor, timestep: Tensor, tokens: Tensor, keep: Tensor) -> Tensor:
        """Prediction [B, C, h, w] for latents `noisy` at `timestep` [B]; where `keep` [B] is false, no condition."""
        seen = torch.where(keep[:, None, None], tokens, self.null)
        out: Tensor = self.unet(noisy, timestep, seen, return_dict=False)[0]
        return out

    def noising(self) -> DDPMScheduler:
        """The forward process (Ho et al. 2020): `add_noise`, `get_velocity`."""
        return DDPMScheduler(
            num_train_timesteps=self.timesteps,
            beta_schedule=self.beta_schedule,
            prediction_type=self.prediction,
            **self._betas(),
        )

    def scheduler(self, name: str) -> Scheduler:
        """A deterministic sampler: `ddim` (Song et al. 2021, eta 0) or `dpm++` (Lu et al. 2022, order 2)."""
        if name == "ddim":
            return DDIMScheduler(
                num_train_timesteps=self.timesteps,
                beta_schedule=self.beta_schedule,
                prediction_type=self.prediction,
                clip_sample=False,
                timestep_spacing="trailing",
                **self._betas(),
            )
        if name == "dpm++":
            return DPMSolverMultistepScheduler(
                num_train_timesteps=self.timesteps,
                beta_schedule=self.beta_schedule,
                prediction_type=self.prediction,
                timestep_spacing="trailing",
                **self._betas(),
            )
        raise ValueError(f"sampler {name!r} is not one of {', '.join(SAMPLERS)}")

    def _betas(self) -> dict[str, float]:
        # Stable Diffusion's range for its schedule; diffusers' defaults are DDPM's, for its linear one.
        return {"beta_start": 0.00085, "beta_end": 0.012} if self.beta_schedule == "scaled_linear" else {}


class LatentDiffusion(Diffusion):
    """epsilon_theta(z_t, t, c) of Eq. 4: the condition is an image feature.

    The feature, at unit norm, is centred and scaled by its statistics over the training pictures and projected to
    tokens.

    Args:
        dim_feature: D, size of the image feature.
        latent_channels: C of the latents.
        latent_px: side of the latents.
        channels: of each level of the U-Net.
        attention: which of them have attention.
        layers_per_block: residual blocks of a level.
        heads: of attention.
        groups: of group norm.
        tokens: number of tokens that the feature becomes.
        token_dim: their size.
        prediction: epsilon or v_prediction.
        timesteps: T of the noising process.
        beta_schedule: its schedule, by diffusers' name.
    """

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(
        self,
        dim_feature: int,
        latent_channels: int,
        latent_px: Side,
        channels: list[int],
        attention: list[bool],
        layers_per_block: int,
        heads: int,
        groups: int,
        tokens: int,
        token_dim: int,
        prediction: Prediction,
        timesteps: Steps,
        beta_schedule: Betas,
    ) -> None:
        super().__init__(
            latent_channels,
            latent_px,
            channels,
            attention,
            layers_per_block,
            heads,
            groups,
            token_dim,
            prediction,
            timesteps,
            beta_schedule,
        )
        self.dim = dim_feature
        self.project = nn.Linear(dim_feature, tokens * token_dim)
        self.null = nn.Parameter(torch.randn(tokens, token_dim) * 0.02)
        self.register_buffer("feature_mean", torch.zeros(dim_feature))
        self.register_buffer("feature_std", torch.ones(dim_feature))

    def fit_statistics(self, features: Tensor, latents: Tensor) -> None:
        """Note mean and spread of unit-norm features [N, D] and of latents [N, C, h, w]."""
        self.feature_mean.copy_(features.mean(0))
        self.feature_std.copy_(features.std(0, unbiased=False).clamp_min(1e-6))
        self.fit_latents(latents)

    def condition(self, z: Tensor, noise: Tensor | None = None) -> Tensor:
        """Features [B, D] -> tokens [B, tokens, token_dim]; they are brought to unit norm.

        `noise` [B, D] is added to the standardised feature, which has standard deviation 1.
        """
        standard = (F.normalize(z.float(), dim=-1) - self.feature_mean) / self.feature_std
        if noise is not None:
            standard = standard + noise
        return self.project(standard).unflatten(1, self.null.shape)

    def forward(
        self, noisy: Tensor, timestep: Tensor, z: Tensor, keep: Tensor, z_noise: Tensor | None = None
    ) -> Tensor:
        """Prediction [B, C, h, w] for latents `noisy` at `timestep` [B]; where `keep` [B] is false, no condition.

        `z_noise` [B, D] is that of `condition`.
        """
        return self.denoise(noisy, timestep, self.condition(z, z_noise), keep)


def shape(config: DiffusionConfig, dim_feature: int, latent_channels: int, latent_px: int) -> dict[str, Any]:
    """What a `LatentDiffusion` is built of, for image features of `dim_feature` numbers and square latents."""
    sizes = {"dim_feature": dim_feature, "latent_channels": latent_channels, "latent_px": latent_px}
    return {**sizes, **{name: getattr(config, name) for name in (*UNET, "tokens", "token_dim")}}


UNET = (
    "channels", "attention", "layers_per_block", "heads", "groups", "prediction", "timesteps", "beta_schedule",
)  # fmt: skip
"""What the configuration says of a U-Net, whatever its condition."""

__all__ = ["SAMPLERS", "UNET", "Betas", "Diffusion", "LatentDiffusion", "Prediction", "Scheduler", "Steps", "shape"]
