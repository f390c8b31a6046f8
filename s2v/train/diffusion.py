"""Stage `diffusion`: the denoiser on cached latents, conditioned on image features (paper 6.1, Eq. 3-4)."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.files import sha256
from s2v.media.picture import from_unit
from s2v.models.autoencoder import autoencoder, decode
from s2v.models.diffusion_sampler import Sampler
from s2v.models.image_encoder import unit
from s2v.models.latent_diffusion import LatentDiffusion, shape
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.batches import batch_indices
from s2v.train.loop import TaskDefaults, finish, fit
from s2v.train.step_in_backward import step_in_backward

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from s2v.config import DiffusionConfig, RuntimeConfig


class _Diffusion(TaskDefaults):
    """Eq. 4; a share of each batch has the null tokens for a condition, which is Eq. 3 (classifier-free guidance,
    Ho and Salimans 2022)."""

    def __init__(
        self, config: DiffusionConfig, latents: Tensor, features: Tensor, vae: AutoencoderKL, runtime: Runtime
    ) -> None:
        """`latents` [2, N, C, h, w] and `features` [2, N, D] of pictures and of their mirror images."""
        self.config, self.vae, self.runtime = config, vae, runtime
        self.steps, self.sample_every = config.steps, max(1, config.steps // 4)
        self.features = unit(features)
        self.shape = shape(config, features.shape[-1], latents.shape[-3], latents.shape[-1])
        self.model = LatentDiffusion(**self.shape)
        self.model.fit_statistics(self.features.flatten(0, 1), latents.flatten(0, 1))
        self.latents = self.model.normalise(latents)
        self.model.to(runtime.device).unet.to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.model).requires_grad_(False)
        self.net = runtime.wrap(self.model)
        self.noising = self.model.noising()
        self.modules: dict[str, nn.Module] = {"model": self.model, "ema": self.ema}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "adam": torch.optim.AdamW(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        if runtime.world_size == 1:  # 860 million gradients less in memory at full size
            step_in_backward(self.optimizers["adam"])
        self.fixed = torch.linspace(0, features.shape[1] - 1, min(16, features.shape[1])).long()

    def step(self, step: int) -> dict[str, float]:
        config, r = self.config, self.runtime
        rate = min(1.0, (step + 1) / max(1, self.steps // 20))
        if config.cosine_decay:
            rate *= max(0.5 * (1 + math.cos(math.pi * step / self.steps)), 1e-2)
        for group in self.optimizers["adam"].param_groups:
            group["lr"] = config.learning_rate * rate
        index = batch_indices(self.latents.shape[1], config.batch_size, config.seed, step, r.rank, r.world_size)
        mirrored = (torch.rand(len(index)) < 0.5).long() * int(config.hflip)
        clean = self.latents[mirrored, index].to(r.device)
        z = self.features[mirrored, index].to(r.device)
        noise = torch.randn(clean.shape).to(r.device)
        timestep: Any = torch.randint(config.timesteps, (len(index),)).to(r.device)
        keep = (torch.rand(len(index)) >= config.condition_dropout).to(r.device)
        noisy = self.noising.add_noise(clean, noise, timestep).contiguous(memory_format=torch.channels_last)
        target = noise if config.prediction == "epsilon" else self.noising.get_velocity(clean, noise, timestep)
        z_noise = config.condition_noise * torch.randn(z.shape).to(r.device) if config.condition_noise else None
        with r.autocast():
            predicted = self.net(noisy, timestep, z, keep, z_noise)
        loss = F.mse_loss(predicted.float(), target)
        optimizer = self.optimizers["adam"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        self._average(step)
        return {"loss": loss.item()}

    @torch.no_grad()
    def _average(self, step: int) -> None:
        # Short at first, so that the first, random weights are soon forgotten.
        decay = min(self.config.ema, (1 + step) / (10 + step))
        for averaged, own in zip(self.ema.parameters(), self.model.parameters(), strict=True):
            averaged.lerp_(own, 1 - decay)

    def sample(self, step: int) -> Tensor:
        """What came back of some pictures, above what is drawn for their features from fixed noise."""
        clean = self.model.denormalise(self.latents[0, self.fixed].to(self.runtime.device))
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
        sampler = Sampler(copy.deepcopy(self.ema), "dpm++", 10, 2.0)
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
    task = _Diffusion(config, both[0], both[1], vae, place)
    fingerprint = {"config": config.model_dump(mode="json"), "data": [sha256(path) for path in [*latents, *features]]}
    fit(
        task,
        name="diffusion",
        output_dir=output_dir,
        seed=config.seed,
        fingerprint=fingerprint,
        checkpoint_every=config.checkpoint_every,
        runtime=place,
    )
    card = (
        f"# Latent diffusion model\n\nU-Net on latents of {both[0].shape[2]} x {both[0].shape[3]} x "
        f"{both[0].shape[4]}, conditioned on {both[1].shape[2]}-d image features by cross-attention to {config.tokens} "
        f"tokens. Trained on {both[0].shape[1]} pictures of the split(s) {', '.join(config.splits)} without labels: "
        f"{config.steps} steps at batch {config.batch_size}, {config.prediction}, the condition left out in "
        f"{100 * config.condition_dropout:g} %. `model.safetensors` is the average of the weights (EMA).\n"
    )
    weights: dict[str, nn.Module] = {"model.safetensors": task.ema}
    finish(output_dir, modules=weights, config=task.shape, card=card, runtime=place)


def _both(files: list[Path], name: str) -> Tensor:
    tensors = [load_tensors(path) for path in files]
    return torch.stack([torch.cat([t[key] for t in tensors]) for key in (name, f"{name}_flipped")])


__all__ = ["run"]
