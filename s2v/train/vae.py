"""Stage `vae`: the autoencoder in whose latents diffusion happens (paper 6.1; Rombach et al. 2022)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.data.table import Pictures, sha256_of, store
from s2v.files import sha256
from s2v.media.picture import from_unit, to_unit
from s2v.models.autoencoder import autoencoder, decode, encode, shape
from s2v.models.image_encoder import ImageEncoder
from s2v.models.perceptual import perceptual_distance
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.train.batches import batch_indices
from s2v.train.loop import TaskDefaults, finish, fit

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from s2v.config import RuntimeConfig, VaeConfig


class _Pass(nn.Module):
    """There and back in one forward, which DDP wants."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures [B, 3, R, R] -> reconstructions from a drawn latent, KL divergence (mean over latent numbers)."""
        posterior = self.vae.encode(x).latent_dist
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        return self.vae.decode(posterior.sample()).sample, kl


class _Vae(TaskDefaults):
    """Reconstruction, a little KL divergence, and f_V's perceptual distance; no discriminator."""

    def __init__(self, config: VaeConfig, images: Tensor, encoder: ImageEncoder, runtime: Runtime) -> None:
        self.config, self.images, self.encoder, self.runtime = config, images, encoder, runtime
        self.steps, self.sample_every = config.steps, max(1, config.steps // 4)
        self.vae = autoencoder(**shape(config))
        self.vae.to(runtime.device)  # type: ignore[call-arg, arg-type]
        self.net = runtime.wrap(_Pass(self.vae))
        self.modules: dict[str, nn.Module] = {"vae": self.vae}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "vae": torch.optim.AdamW(self.vae.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.fixed = torch.linspace(0, len(images) - 1, min(16, len(images))).long()

    def step(self, step: int) -> dict[str, float]:
        config, r = self.config, self.runtime
        # Half a cosine to 0: the last steps sharpen what a short training has found.
        rate = min(1.0, (step + 1) / max(1, self.steps // 20)) * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        for group in self.optimizers["vae"].param_groups:
            group["lr"] = config.learning_rate * max(rate, 1e-2)
        index = batch_indices(len(self.images), config.batch_size, config.seed, step, r.rank, r.world_size)
        real = to_unit(self.images[index])
        if config.hflip:
            real = torch.where((torch.rand(len(index)) < 0.5)[:, None, None, None], real.flip(3), real)
        real = real.to(r.device).contiguous(memory_format=torch.channels_last)
        with r.autocast():
            fake, kl = self.net(real)
            distance = F.l1_loss(fake, real) if config.loss == "l1" else F.mse_loss(fake, real)
            loss = distance + config.kl_weight * kl
            if config.perceptual_weight:
                loss = loss + config.perceptual_weight * perceptual_distance(self.encoder, fake, real)
        optimizer = self.optimizers["vae"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return {"loss": loss.item(), config.loss: distance.item(), "kl": kl.item()}

    @torch.no_grad()
    def sample(self, step: int) -> Tensor:
        """Pictures, and what comes back of them."""
        images = self.images[self.fixed]
        latents = encode(self.vae, images)
        return torch.cat([images, from_unit(decode(self.vae, latents))])


def run(
    *, config: VaeConfig, packs: list[Path], encoder_dir: Path, output_dir: Path, runtime: RuntimeConfig, threads: int
) -> None:
    """Train the autoencoder on the frames of `packs`; `encoder_dir` holds the f_V of the perceptual loss.

    Raises:
        UserError: there are no pictures.
    """
    place = Runtime.from_config(runtime, threads)
    encoder = load(ImageEncoder, encoder_dir, place.device)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images = tables.load(packs, Pictures(config.resolution)).rows
        task = _Vae(config, images, encoder, place)
        data = [*(sha256_of(path) for path in packs), sha256(encoder_dir / "model.safetensors")]
        fingerprint = {"config": config.model_dump(mode="json"), "data": data}
        fit(
            task,
            name="vae",
            output_dir=output_dir,
            seed=config.seed,
            fingerprint=fingerprint,
            checkpoint_every=config.checkpoint_every,
            runtime=place,
        )
    factor = 2 ** (len(config.channels) - 1)
    card = (
        f"# Autoencoder ({config.resolution} px)\n\nKL-regularised, factor {factor}, {config.latent_channels} latent "
        f"channels, trained on {len(images)} pictures of the split(s) {', '.join(config.splits)}, {config.steps} steps "
        f"of {config.loss.upper()}, KL ({config.kl_weight:g}) and perceptual distance ({config.perceptual_weight:g}), "
        "without labels and without a discriminator.\n"
    )
    weights: dict[str, nn.Module] = {"model.safetensors": task.vae}
    finish(output_dir, modules=weights, config=shape(config), card=card, runtime=place)


__all__ = ["run"]
