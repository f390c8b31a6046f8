"""More ways to draw from a latent diffusion model: several conditions at once, from a given picture, and back to noise.

All of them go by DDIM with eta 0 (Song et al. 2021), which is deterministic and can be run backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddim_inverse import DDIMInverseScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor


class Steerable(Protocol):
    """A trained latent diffusion model, frozen, whatever its condition is."""

    @property
    def null(self) -> Tensor:
        """The condition that says nothing, [1, tokens, token_dim]."""

    @property
    def unet(self) -> Any:
        """(latents [B, C, h, w], timestep, conditions [B, tokens, token_dim], return_dict=False) -> (prediction,)."""

    def condition(self, z: Tensor) -> Tensor:
        """Features [B, D] -> conditions [B, tokens, token_dim]."""
        ...

    def normalise(self, latents: Tensor) -> Tensor:
        """Latents of the autoencoder -> those that diffusion works on."""
        ...

    def denormalise(self, latents: Tensor) -> Tensor:
        """The way back."""
        ...

    def noising(self) -> DDPMScheduler:
        """The forward process."""
        ...

    def scheduler(self, name: str) -> Any:
        """A deterministic sampler; `ddim` is asked for."""
        ...


class Steering:
    """Latents, steered.

    Args:
        model: trained.
        steps: of the solver, in either direction.
    """

    def __init__(self, model: Steerable, steps: int = 50) -> None:
        self.model, self.steps = model, steps

    @property
    def device(self) -> torch.device:
        """Of the model."""
        return self.model.null.device

    def compose(self, features: Sequence[Tensor], weights: Sequence[float], noise: Tensor) -> Tensor:
        """Draw under several conditions at once (Liu et al. 2022, the conjunction; paper 6.1, Fig. 19).

        The prediction is null + sum_i w_i (conditional_i - null): each condition has a guidance of its own. One alone
        with weight 1 is a draw without guidance.

        Args:
            features: K of [B, D].
            weights: w_i of each.
            noise: [B, C, h, w].

        Returns:
            Latents of the autoencoder [B, C, h, w].
        """
        scheduler = self._scheduler()
        latents = noise.to(self.device) * scheduler.init_noise_sigma
        return self._solve(latents, features, weights, scheduler, scheduler.timesteps)

    def renoise(self, latents: Tensor, z: Tensor, noise: Tensor, strength: float, guidance: float = 1.0) -> Tensor:
        """Noise the latents of a picture in part, then draw on from there under z (Meng et al. 2022).

        It is how the paper's authors' code does image and sound, with the mean of both features as z; no script of
        theirs calls it.

        Args:
            latents: of the autoencoder, [B, C, h, w].
            z: condition [B, D].
            noise: [B, C, h, w].
            strength: share of the steps that are drawn anew; 0 is the picture, 1 is all noise.
            guidance: 1 is none.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength {strength:g} is not between 0 and 1")
        scheduler = self._scheduler()
        first = self.steps - round(self.steps * strength)
        timesteps = scheduler.timesteps[first:]
        start = self.model.normalise(latents.to(self.device))
        if not len(timesteps):
            return latents.to(self.device)
        noisy = self.model.noising().add_noise(start, noise.to(self.device), timesteps[:1].expand(len(start)))
        return self._solve(noisy, [z], [guidance], scheduler, timesteps)

    def invert(self, latents: Tensor, z: Tensor) -> Tensor:
        """The noise from which `compose` comes back to these latents under the same z: DDIM run backwards.

        Args:
            latents: of the autoencoder, [B, C, h, w].
            z: condition [B, D].
        """
        scheduler: Any = DDIMInverseScheduler.from_config(self._scheduler().config)
        scheduler.set_timesteps(self.steps, device=self.device)
        start = self.model.normalise(latents.to(self.device))
        return self._run(start, [z], [1.0], scheduler, scheduler.timesteps)

    def _scheduler(self) -> Any:
        scheduler = self.model.scheduler("ddim")
        assert isinstance(scheduler, DDIMScheduler)
        scheduler.set_timesteps(self.steps, device=self.device)
        return scheduler

    def _solve(
        self, latents: Tensor, features: Sequence[Tensor], weights: Sequence[float], scheduler: Any, timesteps: Tensor
    ) -> Tensor:
        return self.model.denormalise(self._run(latents, features, weights, scheduler, timesteps))

    @torch.no_grad()
    def _run(
        self, latents: Tensor, features: Sequence[Tensor], weights: Sequence[float], scheduler: Any, timesteps: Tensor
    ) -> Tensor:
        model, batch = self.model, len(latents)
        conditions = [model.condition(z.to(self.device)) for z in features]
        plain = len(conditions) == 1 and weights[0] == 1
        tokens = torch.cat(conditions if plain else [model.null.expand(batch, -1, -1), *conditions])
        for timestep in timesteps:
            seen = latents.repeat(len(tokens) // batch, 1, 1, 1).contiguous(memory_format=torch.channels_last)
            predicted = model.unet(seen, timestep, tokens, return_dict=False)[0]
            if not plain:
                null, *own = predicted.chunk(len(conditions) + 1)
                predicted = null + sum(w * (one - null) for w, one in zip(weights, own, strict=True))
            latents = scheduler.step(predicted, timestep, latents, return_dict=False)[0]
        return latents


__all__ = ["Steering"]
