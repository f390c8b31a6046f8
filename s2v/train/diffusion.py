"""Stage `diffusion`: the denoiser on cached latents, conditioned on image features (paper 6.1, Eq. 3-4)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.files import sha256
from s2v.models.autoencoder import autoencoder
from s2v.models.image_encoder import unit
from s2v.models.latent_diffusion import LatentDiffusion, shape
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.denoising import DenoisingTask
from s2v.train.loop import train_stage
from s2v.train.task import Batch

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from s2v.config import DiffusionConfig, RuntimeConfig


class DiffusionTask(DenoisingTask[LatentDiffusion]):
    """The condition is the feature of the picture."""

    config: DiffusionConfig

    def __init__(
        self, config: DiffusionConfig, latents: Tensor, features: Tensor, vae: AutoencoderKL, runtime: Runtime
    ) -> None:
        """`latents` [2, N, C, h, w] and `features` [2, N, D] of pictures and of their mirror images."""
        z = unit(features)
        self.features = runtime.near(z)
        self.shape = shape(config, features.shape[-1], latents.shape[-3], latents.shape[-1])
        model = LatentDiffusion(**self.shape)
        model.fit_statistics(z.flatten(0, 1), latents.flatten(0, 1))
        super().__init__(config, model, latents, vae, runtime)

    def draw(self, n: int) -> Batch:
        drawn = super().draw(n)
        if self.config.condition_noise:
            drawn["z_noise"] = self.config.condition_noise * torch.randn(n, self.features.shape[-1])
        return drawn

    def predict(self, noisy: Tensor, given: dict[str, Any]) -> Tensor:
        row = given["mirrored"].to(self.features.device), given["index"].to(self.features.device)
        z = self.features[row].to(noisy.device)
        return self.model(noisy, given["timestep"], z, given["keep"], given.get("z_noise"))

    def shown(self) -> Tensor:
        return self.features[0, self.fixed]


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
