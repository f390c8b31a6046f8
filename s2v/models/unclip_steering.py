"""Stable unCLIP as `s2v.models.diffusion_steering` takes a model: its condition is a feature, beside a text."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor


class SteeredUnclip:
    """A pipeline of `s2v.models.stable_unclip`. Latents and predictions are float32, whatever its nets are.

    Args:
        pipeline: frozen.
        prompt: of all that is drawn, also where the condition says nothing.
        noise_level: of the noise on features, the same for all of them.
    """

    def __init__(self, pipeline: Any, prompt: str, noise_level: int) -> None:
        self.pipeline, self.noise_level = pipeline, noise_level
        self.device, self.dtype = pipeline.unet.device, pipeline.unet.dtype
        dim = pipeline.unet.config.projection_class_embeddings_input_dim
        self.null = torch.zeros(1, 1, dim, device=self.device)
        with torch.inference_mode():
            self.text = pipeline.encode_prompt(prompt, self.device, 1, False)[0]

    @torch.inference_mode()
    def unet(self, latents: Tensor, timestep: Tensor, conditions: Tensor, return_dict: bool) -> tuple[Tensor]:
        """Latents [B, C, h, w] and conditions [B, 1, 2 D] -> what the U-Net predicts."""
        (predicted,) = self.pipeline.unet(
            latents.to(self.dtype),
            timestep,
            encoder_hidden_states=self.text.expand(len(latents), -1, -1),
            class_labels=conditions[:, 0].to(self.dtype),
            return_dict=return_dict,
        )
        return (predicted.float(),)

    @torch.inference_mode()
    def condition(self, z: Tensor) -> Tensor:
        """Features [B, D] as encoders give them -> [B, 1, 2 D], with the same noise on each and its level beside it."""
        noise = torch.randn(1, z.shape[1], generator=torch.Generator().manual_seed(0)).to(self.device, self.dtype)
        seen: Tensor = self.pipeline.noise_image_embeddings(
            image_embeds=z.to(self.device, self.dtype), noise_level=self.noise_level, noise=noise.expand(len(z), -1)
        )
        return seen.float()[:, None]

    def normalise(self, latents: Tensor) -> Tensor:
        """Latents of the autoencoder -> those that diffusion works on."""
        return latents * float(self.pipeline.vae.config.scaling_factor)

    def denormalise(self, latents: Tensor) -> Tensor:
        """The way back."""
        return latents / float(self.pipeline.vae.config.scaling_factor)

    def noising(self) -> DDPMScheduler:
        """The forward process of its folder's scheduler."""
        return DDPMScheduler(**self._noise())

    def scheduler(self, name: str) -> Any:
        """DDIM with the noise of its folder's scheduler, over the whole of it."""
        if name != "ddim":
            raise ValueError(f"{name!r}: only ddim is steered with")
        return DDIMScheduler(**self._noise(), clip_sample=False, set_alpha_to_one=False, timestep_spacing="trailing")

    def _noise(self) -> dict[str, Any]:
        names = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "prediction_type")
        return {name: self.pipeline.scheduler.config[name] for name in names}


__all__ = ["SteeredUnclip"]
