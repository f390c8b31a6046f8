"""Stage `diffusion`: the denoiser on cached latents, conditioned on image features (paper 6.1, Eq. 3-4)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.files import sha256
from s2v.losses.denoising import denoising_loss
from s2v.media.picture import from_unit
from s2v.models.autoencoder import autoencoder, decode
from s2v.models.diffusion_sampler import Sampler
from s2v.models.image_encoder import unit
from s2v.models.latent_diffusion import LatentDiffusion, shape
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.ema import Ema
from s2v.train.loop import train_stage
from s2v.train.schedule import Schedule
from s2v.train.step_in_backward import step_in_backward
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from s2v.config import DiffusionConfig, RuntimeConfig


class DiffusionTask(Task):
    """Eq. 4; a share of each batch has the null tokens for a condition, which is Eq. 3 (classifier-free guidance,
    Ho and Salimans 2022)."""

    separable = True
    ema: Ema[LatentDiffusion]

    def __init__(
        self, config: DiffusionConfig, latents: Tensor, features: Tensor, vae: AutoencoderKL, runtime: Runtime
    ) -> None:
        """`latents` [2, N, C, h, w] and `features` [2, N, D] of pictures and of their mirror images."""
        super().__init__(config, runtime, features.shape[1], config.steps)
        self.config, self.vae = config, vae
        self.sample_every = max(1, config.steps // 4)
        self.features = unit(features)
        self.shape = shape(config, features.shape[-1], latents.shape[-3], latents.shape[-1])
        self.model = LatentDiffusion(**self.shape)
        self.model.fit_statistics(self.features.flatten(0, 1), latents.flatten(0, 1))
        self.latents = self.model.normalise(latents)
        self.model.to(runtime.device).unet.to(memory_format=torch.channels_last)
        self.ema = Ema(self.model, config.ema, ramp=True)
        self.noising = self.model.noising()
        self.modules = {"model": self.model, "ema": self.ema.net}
        self.optimizers = {
            "adam": torch.optim.AdamW(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        decay: Literal["cosine"] | None = "cosine" if config.cosine_decay else None
        self.rate = Schedule(config.learning_rate, max(1, config.steps // 20), decay, config.steps, 1e-2)
        if runtime.world_size == 1 and len(runtime.pieces(len(self.index(0)))) == 1:
            # 860 million gradients less in memory at full size.
            self.gradient_norms = step_in_backward(self.optimizers["adam"])
        self.fixed = torch.linspace(0, features.shape[1] - 1, min(16, features.shape[1])).long()

    def draw(self, n: int) -> Batch:
        config = self.config
        drawn = {
            "mirrored": (torch.rand(n) < 0.5).long() * int(config.hflip),
            "noise": torch.randn(n, *self.latents.shape[2:]),
            "timestep": torch.randint(config.timesteps, (n,)),
            "keep": torch.rand(n) >= config.condition_dropout,
        }
        if config.condition_noise:
            drawn["z_noise"] = config.condition_noise * torch.randn(n, self.features.shape[-1])
        return drawn

    def forward(self, batch: Batch) -> Outputs:
        """What is predicted, and what it should be, [n, C, h, w]."""
        device, samples = self.runtime.device, (batch["mirrored"], batch["index"])
        clean, z = self.latents[samples].to(device), self.features[samples].to(device)
        given: dict[str, Any] = {k: v.to(device) for k, v in batch.items()}
        noise, timestep = given["noise"], given["timestep"]
        noisy = self.noising.add_noise(clean, noise, timestep).contiguous(memory_format=torch.channels_last)
        epsilon = self.config.prediction == "epsilon"
        target = noise if epsilon else self.noising.get_velocity(clean, noise, timestep)
        return self.model(noisy, timestep, z, given["keep"], given.get("z_noise")), target

    def loss(self, *outputs: Tensor) -> Loss:
        loss = denoising_loss(*outputs)
        return loss, {"loss": loss}

    def sample(self, step: int) -> Tensor:
        """What came back of some pictures, above what is drawn for their features from fixed noise."""
        clean = self.model.denormalise(self.latents[0, self.fixed].to(self.runtime.device))
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
        sampler = Sampler(copy.deepcopy(self.ema.net), "dpm++", 10, 2.0)
        drawn = sampler(self.features[0, self.fixed], noise)
        return from_unit(decode(self.vae, torch.cat([clean, drawn])))


def run(
    *,
    config: DiffusionConfig,
    latents: list[Path],
    features: list[Path],
    vae_dir: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train the denoiser; `latents` (stage `latents`) and `features` (stage `embed`) are of the same splits, in the
    same order. The autoencoder of `vae_dir` only shows samples.

    Raises:
        UserError: latents and features do not belong together.
    """
    place = Runtime.from_config(runtime, threads)
    both = [_both(latents, "latents"), _both(features, "features")]
    if both[0].shape[1] != both[1].shape[1]:
        raise UserError(
            f"{latents[0]}: latents of {both[0].shape[1]} pictures, and features of {both[1].shape[1]}; "
            "run stages latents and embed again"
        )
    vae = load(autoencoder, vae_dir, place.device)
    torch.manual_seed(config.seed)
    task = DiffusionTask(config, both[0], both[1], vae, place)
    train_stage(
        task,
        name="diffusion",
        config=config,
        data=[sha256(path) for path in [*latents, *features]],
        output_dir=output_dir,
        weights={"model.safetensors": task.ema.net},
        shape=task.shape,
        card=lambda _: (
            f"# Latent diffusion model\n\nU-Net on latents of {both[0].shape[2]} x {both[0].shape[3]} x "
            f"{both[0].shape[4]}, conditioned on {both[1].shape[2]}-d image features by cross-attention to "
            f"{config.tokens} tokens. Trained on {both[0].shape[1]} pictures of the split(s) "
            f"{', '.join(config.splits)} without labels: {config.steps} steps at batch {config.batch_size}, "
            f"{config.prediction}, the condition left out in {100 * config.condition_dropout:g} %. "
            "`model.safetensors` is the average of the weights (EMA).\n"
        ),
    )


def _both(files: list[Path], name: str) -> Tensor:
    keys = (name, f"{name}_flipped")
    tensors = [load_tensors(path, need=keys) for path in files]
    return torch.stack([torch.cat([t[key] for t in tensors]) for key in keys])


__all__ = ["run"]
