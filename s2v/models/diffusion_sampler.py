"""Drawing latents from a latent diffusion model: a deterministic solver with classifier-free guidance."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.models.latent_diffusion import Diffusion


class ConstantCrossAttention:
    """Attention to tokens that stay the same for all steps of a solver, so that keys and values are computed once."""

    def __init__(self) -> None:
        self.kept: tuple[Tensor, Tensor] | None = None

    def project(self, attn: Any, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [B, T, E] -> keys and values [B, heads, T, C / heads] of the attention `attn`."""
        return _split(attn, attn.to_k(tokens)), _split(attn, attn.to_v(tokens))

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, attention_mask: None = None, **_: Any
    ) -> Tensor:
        """[B, N, C] and tokens [B, T, E] -> [B, N, C], as diffusers' own processor computes it."""
        keys, values = self.kept or self.project(attn, encoder_hidden_states)
        out = F.scaled_dot_product_attention(_split(attn, attn.to_q(hidden_states)), keys, values)
        shown: Tensor = attn.to_out[0](out.transpose(1, 2).flatten(2))
        return shown


def _split(attn: Any, x: Tensor) -> Tensor:
    return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)


class _Denoiser(nn.Module):
    """The U-Net as a function of its inputs alone, keys and values of its cross-attention among them."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet
        self.attention = [module for name, module in unet.named_modules() if name.endswith(".attn2")]
        self.constant = [ConstantCrossAttention() for _ in self.attention]
        for module, processor in zip(self.attention, self.constant, strict=True):
            module.set_processor(processor)  # type: ignore[operator]

    def project(self, tokens: Tensor) -> list[Tensor]:
        """Tokens [B, T, E] -> keys and values of all cross-attention, in turn."""
        pairs = [own.project(module, tokens) for own, module in zip(self.constant, self.attention, strict=True)]
        return [tensor for pair in pairs for tensor in pair]

    def forward(self, noisy: Tensor, timestep: Tensor, tokens: Tensor, *kept: Tensor) -> Tensor:
        """[B, C, h, w] -> prediction [B, C, h, w]."""
        for i, own in enumerate(self.constant):
            own.kept = kept[2 * i], kept[2 * i + 1]
        out: Tensor = self.unet(noisy, timestep, tokens, return_dict=False)[0]
        for own in self.constant:
            own.kept = None
        return out


class Sampler:
    """Latents from noise and features.

    Args:
        model: trained; it is frozen and its cross-attention is changed for sampling alone.
        scheduler: ddim or dpm++.
        steps: of the solver.
        guidance: w in prediction = null + w (conditional - null): 0 ignores the condition, 1 is the condition alone
            (both take one pass of the net a step), others take two, as one batch.
        compiled: on CUDA, the U-Net goes through torch.compile: a minute once for each size of batch, then faster.
    """

    def __init__(self, model: Diffusion, scheduler: str, steps: int, guidance: float, compiled: bool = False) -> None:
        self.model, self.guidance = model.eval().requires_grad_(False), guidance
        self.model.unet.to(memory_format=torch.channels_last)
        self.scheduler = model.scheduler(scheduler)
        self.steps = steps
        self.denoiser = _Denoiser(self.model.unet).eval()
        self.predict: Any = self.denoiser
        if model.null.device.type == "cpu":
            self.predict = Traced(self.denoiser)
        elif compiled:
            self.predict = torch.compile(self.denoiser, dynamic=False)

    @torch.no_grad()
    def __call__(self, z: Tensor, noise: Tensor) -> Tensor:
        """Features [B, D] and noise [B, C, h, w] -> latents of the autoencoder [B, C, h, w], on the model's device."""
        model, guidance = self.model, self.guidance
        device = model.null.device
        latents = noise.to(device)
        tokens = model.null.expand(len(latents), -1, -1)
        double = guidance not in (0, 1)
        if guidance != 0:
            conditional = model.condition(z.to(device))
            tokens = torch.cat([tokens, conditional]) if double else conditional
        kept = self.denoiser.project(tokens)
        # A solver keeps its last predictions: each batch has one of its own.
        scheduler = copy.deepcopy(self.scheduler)
        scheduler.set_timesteps(self.steps, device=device)
        if hasattr(scheduler, "set_begin_index"):  # else the first step looks for it, and waits for the GPU
            scheduler.set_begin_index(0)
        latents = latents * scheduler.init_noise_sigma
        for timestep in scheduler.timesteps:
            seen = scheduler.scale_model_input(latents, timestep)
            seen = (torch.cat([seen, seen]) if double else seen).contiguous(memory_format=torch.channels_last)
            predicted = self.predict(seen, timestep, tokens, *kept)
            if double:
                without, with_condition = predicted.chunk(2)
                predicted = torch.lerp(without, with_condition, guidance)
            latents = scheduler.step(predicted, timestep, latents, return_dict=False)[0]
        return model.denormalise(latents)


class Traced:
    """`net`, frozen, as a graph for each shape of its inputs: of the time of small nets on the CPU, much is Python's.

    torch.jit.trace is deprecated in favour of torch.compile, which here takes 40 s where this takes one, needs a C++
    compiler, and is no faster (benchmarks/generate.py).
    """

    def __init__(self, net: nn.Module, most: int = 4) -> None:
        self.net, self.most = net, most
        self.graphs: dict[tuple[tuple[torch.Size, torch.dtype], ...], Any] = {}

    def __call__(self, *inputs: Tensor) -> Tensor:
        """What `net` gives, bit by bit."""
        shapes = tuple((tensor.shape, tensor.dtype) for tensor in inputs)
        if shapes not in self.graphs:
            if len(self.graphs) >= self.most:
                self.graphs.pop(next(iter(self.graphs)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.graphs[shapes] = torch.jit.freeze(torch.jit.trace(self.net, inputs, check_trace=False))
        out: Tensor = self.graphs[shapes](*inputs)
        return out


__all__ = ["ConstantCrossAttention", "Sampler", "Traced"]
