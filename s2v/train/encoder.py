"""Stage `encoder`: f_V, pretrained with SwAV on pictures alone, no labels.

A ResNet for the GAN (paper 3.2), a ViT for the latent diffusion model (paper 6.1).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from s2v.data.table import Pictures, sha256_of, store
from s2v.media.picture import to_unit
from s2v.models.image_encoder import ImageEncoder, shape
from s2v.models.swav import SwavHead, swav_loss
from s2v.runtime import Runtime
from s2v.train.augment import color_jitter, random_resized_crops
from s2v.train.batches import batch_indices
from s2v.train.loop import TaskDefaults, finish, fit
from s2v.train.prefetch import Prefetch

if TYPE_CHECKING:
    from s2v.config import EncoderConfig, RuntimeConfig


class _Swav(TaskDefaults):
    def __init__(self, config: EncoderConfig, images: Tensor, runtime: Runtime) -> None:
        self.config, self.images, self.runtime, self.steps = config, images, runtime, config.steps
        self.encoder = ImageEncoder(**shape(config)).to(runtime.device)
        self.encoder = self.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        head = SwavHead(self.encoder.dim, config.projection_hidden, config.projection_dim, config.prototypes)
        self.net = runtime.wrap(nn.ModuleDict({"encoder": self.encoder, "head": head}))
        self.head = head.to(runtime.device)
        self.modules = {"encoder": self.encoder, "head": self.head}
        parameters = list(self.encoder.parameters()) + list(self.head.parameters())
        if config.optimizer == "adam":
            optimizer: torch.optim.Optimizer = torch.optim.Adam(
                parameters, config.learning_rate, weight_decay=config.weight_decay
            )
        else:
            optimizer = torch.optim.SGD(parameters, config.learning_rate, 0.9, weight_decay=config.weight_decay)
        self.optimizers = {"swav": optimizer}
        self.batches = Prefetch(self._batch, runtime.device)

    def _batch(self, step: int) -> tuple[Tensor]:
        config, r = self.config, self.runtime
        index = batch_indices(len(self.images), config.batch_size, config.seed, step, r.rank, r.world_size)
        return (self.images[index],)

    def _crops(self, step: int) -> list[Tensor]:
        config = self.config
        (images,) = self.batches.get(step)
        images = to_unit(images)
        crops = []
        for (count, px), scale in zip(config.crops, config.crop_scales, strict=True):
            for _ in range(count):
                crops.append(color_jitter(random_resized_crops(images, px, scale), config.color_jitter))
        return crops

    def step(self, step: int) -> dict[str, float]:
        config = self.config
        rate = 0.5 * (1 + math.cos(math.pi * step / self.steps)) * min(1.0, (step + 1) / max(1, self.steps // 20))
        for group in self.optimizers["swav"].param_groups:
            group["lr"] = config.learning_rate * max(rate, 1e-3)
        crops = self._crops(step)
        with self.runtime.autocast():
            groups: dict[int, list[Tensor]] = {}
            for crop in crops:
                groups.setdefault(crop.shape[-1], []).append(crop)
            features = [
                self.encoder(torch.cat(same).contiguous(memory_format=torch.channels_last)) for same in groups.values()
            ]
            scores = self.head(torch.cat(features)).split(len(crops[0]))
        loss = swav_loss(
            list(scores), config.temperature, config.epsilon, config.sinkhorn_iterations, config.crops[0][0]
        )
        optimizer = self.optimizers["swav"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if step < config.freeze_prototypes_steps:
            self.head.prototypes.weight.grad = None
        optimizer.step()
        return {"loss": loss.item()}


def run(*, config: EncoderConfig, packs: list[Path], output_dir: Path, runtime: RuntimeConfig, threads: int) -> None:
    """Train f_V on the frames of `packs` and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Raises:
        UserError: there are no pictures.
    """
    place = Runtime.from_config(runtime, threads)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images = tables.load(packs, Pictures(max(config.image_px, config.crops[0][1]))).rows
        task = _Swav(config, images, place)
        fingerprint = {"config": config.model_dump(mode="json"), "data": [sha256_of(p) for p in packs]}
        fit(
            task,
            name="encoder",
            output_dir=output_dir,
            seed=config.seed,
            fingerprint=fingerprint,
            checkpoint_every=config.checkpoint_every,
            runtime=place,
        )
    card = (
        f"# Image encoder f_V\n\n{_named(config)}, {task.encoder.dim}-d, trained with SwAV "
        f"on {len(images)} pictures of the split(s) {', '.join(config.splits)}, {config.steps} steps, without labels.\n"
    )
    weights: dict[str, nn.Module] = {"model.safetensors": task.encoder}
    finish(output_dir, modules=weights, config=shape(config), card=card, runtime=place)


def _named(config: EncoderConfig) -> str:
    if config.architecture == "vit":
        vit = config.vit
        return f"ViT of {vit.depth} blocks, width {vit.width}, patches of {vit.patch_px} px"
    return f"ResNet-{config.depth}, width {config.width}"
