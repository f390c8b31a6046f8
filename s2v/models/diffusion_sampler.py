"""Drawing latents from a latent diffusion model: a deterministic solver with classifier-free guidance."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.models.latent_diffusion import LatentDiffusion


class ConstantCrossAttention:
    """Attention to tokens that stay the same for all steps of a solver, so that keys and values are computed once."""

    def __init__(self) -> None:
        self.kept: tuple[Tensor, Tensor] | None = None

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, attention_mask: None = None, **_: Any
    ) -> Tensor:
        """[B, N, C] and tokens [B, T, E] -> [B, N, C], as diffusers' own processor computes it."""
        batch = len(hidden_states)

        def split(x: Tensor) -> Tensor:
            return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        if self.kept is None:
            self.kept = split(attn.to_k(encoder_hidden_states)), split(attn.to_v(encoder_hidden_states))
        out = F.scaled_dot_product_attention(split(attn.to_q(hidden_states)), *self.kept)
        shown: Tensor = attn.to_out[0](out.transpose(1, 2).reshape(batch, -1, out.shape[1] * out.shape[3]))
        return shown


class Sampler:
    """Latents from noise and features.

    Args:
        model: trained; it is frozen and its cross-attention is changed for sampling alone.
        scheduler: ddim or dpm++.
        steps: of the solver.
        guidance: w in prediction = null + w (conditional - null): 0 ignores the condition, 1 is the condition alone
            (both take one pass of the net a step), others take two, as one batch.
    """

    def __init__(self, model: LatentDiffusion, scheduler: str, steps: int, guidance: float) -> None:
        self.model, self.guidance = model.eval().requires_grad_(False), guidance
        self.model.unet.to(memory_format=torch.channels_last)
        self.scheduler = model.scheduler(scheduler)
        self.steps = steps
        self.constant: list[ConstantCrossAttention] = []
        for name, module in self.model.unet.named_modules():
            if name.endswith(".attn2"):
                self.constant.append(ConstantCrossAttention())
                module.set_processor(self.constant[-1])

    @torch.inference_mode()
    def __call__(self, z: Tensor, noise: Tensor) -> Tensor:
        """Features [B, D] and noise [B, C, h, w] -> latents of the autoencoder [B, C, h, w], on the model's device."""
        model, guidance = self.model, self.guidance
        device = model.null.device
        latents = noise.to(device)
        for attention in self.constant:
            attention.kept = None
        null = model.null.expand(len(latents), -1, -1)
        if guidance == 0:
            tokens = null
        else:
            tokens = model.condition(z.to(device))
            if guidance != 1:
                tokens = torch.cat([null, tokens])
        # A solver keeps its last predictions: each batch has one of its own.
        scheduler = copy.deepcopy(self.scheduler)
        scheduler.set_timesteps(self.steps, device=device)
        latents = latents * scheduler.init_noise_sigma
        double = guidance not in (0, 1)
        for timestep in scheduler.timesteps:
            seen = scheduler.scale_model_input(latents, timestep)
            seen = (torch.cat([seen, seen]) if double else seen).contiguous(memory_format=torch.channels_last)
            predicted = model.unet(seen, timestep, tokens, return_dict=False)[0]
            if double:
                without, conditional = predicted.chunk(2)
                predicted = torch.lerp(without, conditional, guidance)
            latents = scheduler.step(predicted, timestep, latents, return_dict=False)[0]
        for attention in self.constant:
            attention.kept = None
        return model.denormalise(latents)


__all__ = ["ConstantCrossAttention", "Sampler"]
