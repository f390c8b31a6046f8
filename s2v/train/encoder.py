"""Stage `encoder`: f_V, pretrained with SwAV on pictures alone, no labels.

A ResNet for the GAN (paper 3.2), a ViT for the latent diffusion model (paper 6.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.data.table import Pictures, sha256_of, store
from s2v.losses.swav import swav_loss
from s2v.media.picture import to_unit
from s2v.models.image_encoder import ImageEncoder, shape
from s2v.models.swav import SwavHead
from s2v.runtime import Runtime
from s2v.train.augment import crop, draw_crops, draw_jitter, jitter
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task, Update

if TYPE_CHECKING:
    from s2v.config import EncoderConfig, RuntimeConfig


class SwavTask(Task):
    """Crops of pictures, scored against prototypes; each crop's code is predicted from the others'."""

    def __init__(self, config: EncoderConfig, images: Tensor, runtime: Runtime) -> None:
        super().__init__(config, runtime, len(images), config.steps)
        self.config, self.images = config, runtime.near(images)
        encoder = ImageEncoder(**shape(config))
        self.faster_in_bf16 = config.architecture == "resnet"
        encoder.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        head = SwavHead(encoder.dim, config.projection_hidden, config.projection_dim, config.prototypes)
        self.encoder = shared_norms(encoder, config.sync_batch_norm, runtime)
        self.head = shared_norms(head.to(runtime.device), config.sync_batch_norm, runtime)
        self.modules = {"encoder": self.encoder, "head": self.head}
        parameters = [*self.encoder.parameters(), *self.head.parameters()]
        decay = config.weight_decay
        self.optimizers = {
            "swav": torch.optim.Adam(parameters, config.learning_rate, weight_decay=decay)
            if config.optimizer == "adam"
            else torch.optim.SGD(parameters, config.learning_rate, 0.9, weight_decay=decay)
        }
        self.rate = Schedule(config.learning_rate, max(1, config.steps // 20), "cosine", config.steps, 1e-3)
        self.crops = [
            (px, scale)
            for (count, px), scale in zip(config.crops, config.crop_scales, strict=True)
            for _ in range(count)
        ]

    def updates(self, step: int) -> Iterator[Update]:
        self.head.prototypes.requires_grad_(step >= self.config.freeze_prototypes_steps)
        return super().updates(step)

    def draw(self, n: int) -> Batch:
        device, drawn = self.runtime.device, {}
        for i, (_, scale) in enumerate(self.crops):
            drawn[f"crop {i}"] = draw_crops(n, scale, device)
            drawn[f"jitter {i}"] = draw_jitter(n, self.config.color_jitter, device)
        return drawn

    def read(self, index: Tensor) -> Batch:
        return {"image": self.images[index]}

    def forward(self, batch: Batch) -> Outputs:
        """Scores [n, prototypes] of each crop."""
        images = to_unit(batch["image"])
        by_side: dict[int, list[Tensor]] = {}
        for i, (px, _) in enumerate(self.crops):
            view = jitter(crop(images, batch[f"crop {i}"], px), batch[f"jitter {i}"])
            by_side.setdefault(px, []).append(view)
        features = [
            self.encoder(torch.cat(same).contiguous(memory_format=torch.channels_last)) for same in by_side.values()
        ]
        scores: Tensor = self.head(torch.cat(features))
        return scores.split(len(images))

    def loss(self, *outputs: Tensor) -> Loss:
        config = self.config
        loss = swav_loss(
            list(outputs), config.temperature, config.epsilon, config.sinkhorn_iterations, config.crops[0][0]
        )
        return loss, {"loss": loss}


def run(*, config: EncoderConfig, packs: list[Path], output_dir: Path, runtime: RuntimeConfig, threads: int) -> None:
    """Train f_V on the frames of `packs` and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Raises:
        UserError: there are no pictures.
    """
    place = Runtime.from_config(runtime, threads)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images = tables.load(packs, Pictures(max(config.image_px, config.crops[0][1]))).rows
        task = SwavTask(config, images, place)
        train_stage(
            task,
            name="encoder",
            config=config,
            data=[sha256_of(p) for p in packs],
            output_dir=output_dir,
            weights={"model.safetensors": task.encoder},
            shape=shape(config),
            card=lambda _: (
                f"# Image encoder f_V\n\n{config.named}, {task.encoder.dim}-d, trained with SwAV on {len(images)} "
                f"pictures of the split(s) {', '.join(config.splits)}, {config.steps} steps, without labels.\n"
            ),
        )
