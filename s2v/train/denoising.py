"""What trainings of denoisers share, whatever their condition (paper 6.1, Eq. 3-4)."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import torch
from torch import Tensor

from s2v.losses.denoising import denoising_loss
from s2v.media.picture import from_unit
from s2v.models.autoencoder import decode
from s2v.models.diffusion_sampler import Sampler
from s2v.models.latent_diffusion import Diffusion
from s2v.runtime import Runtime, memory_bytes
from s2v.train.ema import Ema
from s2v.train.schedule import Schedule
from s2v.train.step_in_backward import step_in_backward
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
    from torch import IntTensor

    from s2v.config.diffusion import DenoisingConfig

Net = TypeVar("Net", bound=Diffusion)

SMALL = 50_000_000
"""Parameters up to which all gradients may lie in memory."""
ROOMY = 60e9
"""Bytes of a GPU from which on they may in any case: one step of the optimiser over all parameters is then quicker."""


def noised(
    noising: DDPMScheduler, prediction: str, clean: Tensor, noise: Tensor, timestep: IntTensor
) -> tuple[Tensor, Tensor]:
    """Latents [n, C, h, w] with noise, and what a model of this `prediction` should make of them."""
    noisy = noising.add_noise(clean, noise, timestep).contiguous(memory_format=torch.channels_last)
    return noisy, noise if prediction == "epsilon" else noising.get_velocity(clean, noise, timestep)


class DenoisingTask(Task, Generic[Net]):
    """Eq. 4; a share of each batch has the null tokens for a condition, which is Eq. 3 (classifier-free guidance,
    Ho and Salimans 2022)."""

    separable = True
    ema: Ema[Net]

    def __init__(
        self, config: DenoisingConfig, model: Net, latents: Tensor, vae: AutoencoderKL, runtime: Runtime
    ) -> None:
        """`latents` [2, N, C, h, w] of pictures and of their mirror images; the model knows their statistics."""
        super().__init__(config, runtime, latents.shape[1], config.steps)
        self.config, self.vae, self.model = config, vae, model
        self.sample_every = max(1, config.steps // 4)
        self.latents = runtime.near(model.normalise(latents))
        self.model.to(runtime.device).unet.to(memory_format=torch.channels_last)
        self.ema = Ema(self.model, config.ema, ramp=True)
        self.noising = self.model.noising()
        self.modules = {"model": self.model, "ema": self.ema.net}
        self.optimizers = {
            "adam": torch.optim.AdamW(
                self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
            )
        }
        decay: Literal["cosine"] | None = "cosine" if config.cosine_decay else None
        self.rate = Schedule(config.learning_rate, max(1, config.steps // 20), decay, config.steps, 1e-2)
        large = sum(p.numel() for p in self.model.parameters()) > SMALL
        roomy = runtime.device.type == "cuda" and memory_bytes(runtime.device) >= ROOMY
        if large and not roomy and runtime.world_size == 1 and len(runtime.pieces(len(self.index(0)))) == 1:
            # 860 million gradients less in memory at full size; of a small net it is a tenth of the time.
            self.gradient_norms = step_in_backward(self.optimizers["adam"])
        self.fixed = torch.linspace(0, latents.shape[1] - 1, min(16, latents.shape[1])).long()

    @abstractmethod
    def predict(self, noisy: Tensor, given: dict[str, Any]) -> Tensor:
        """The model's prediction for noisy latents [n, C, h, w]; `given` is what `draw` gave, on the device."""

    @abstractmethod
    def shown(self) -> Tensor:
        """Conditions [n, D] of the pictures `fixed`, for samples."""

    def draw(self, n: int) -> Batch:
        config = self.config
        return {
            "mirrored": (torch.rand(n) < 0.5).long() * int(config.hflip),
            "noise": torch.randn(n, *self.latents.shape[2:]),
            "timestep": torch.randint(config.timesteps, (n,)),
            "keep": torch.rand(n) >= config.condition_dropout,
        }

    def forward(self, batch: Batch) -> Outputs:
        """What is predicted, and what it should be, [n, C, h, w]."""
        device = self.runtime.device
        clean = self.latents[batch["mirrored"], batch["index"]].to(device)
        given: dict[str, Any] = {k: v.to(device) for k, v in batch.items()}
        noise, timestep = given["noise"], given["timestep"]
        noisy, target = noised(self.noising, self.config.prediction, clean, noise, timestep)
        return self.predict(noisy, given), target

    def loss(self, *outputs: Tensor) -> Loss:
        loss = denoising_loss(*outputs)
        return loss, {"loss": loss}

    def sample(self, step: int) -> Tensor:
        """What came back of some pictures, above what is drawn for their conditions from fixed noise."""
        clean = self.model.denormalise(self.latents[0, self.fixed].to(self.runtime.device))
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
        sampler = Sampler(copy.deepcopy(self.ema.net), "dpm++", 10, 2.0)
        drawn = sampler(self.shown(), noise)
        return from_unit(decode(self.vae, torch.cat([clean, drawn])))


__all__ = ["DenoisingTask", "noised"]
