"""Stage `encoder`: f_V, pretrained with SwAV on pictures alone, no labels.

A ResNet for the GAN (paper 3.2), a ViT for the latent diffusion model (paper 6.1).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.data.table import Pictures, sha256_of, store
from s2v.files import read_json
from s2v.media.picture import Policy, resize, to_unit
from s2v.models.resnet import ResNet
from s2v.models.swav import SwavHead, swav_loss
from s2v.train.augment import color_jitter, random_resized_crops
from s2v.train.batches import batch_indices
from s2v.train.checkpoint import load_tensors
from s2v.train.loop import TaskDefaults, finish, fit
from s2v.train.prefetch import Prefetch
from s2v.train.published import publish
from s2v.train.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import EncoderConfig, RuntimeConfig
    from s2v.models.vit import ViT

SMALL_PX = 100
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ImageEncoder(nn.Module):
    """f_V: pictures -> pooled features (2048-d at full size).

    Args:
        depth: of the ResNet, or blocks of the ViT.
        width: channels of the ResNet's first stage, or size of the ViT's tokens.
        image_px: side of the pictures that it sees.
        architecture: resnet or vit.
        patch_px: side of the ViT's patches; crops are multiples of it.
        heads: of the ViT's attention.
        stem: of the ViT.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        image_px: int,
        architecture: str = "resnet",
        patch_px: int = 16,
        heads: int = 12,
        stem: str = "patch",
    ) -> None:
        super().__init__()
        self.image_px = image_px
        self.policy: Policy = "squash"
        self.backbone: ResNet | ViT
        if architecture == "vit":
            # Here, since timm takes seconds to import and the GAN's encoder does without.
            from s2v.models.vit import ViT

            self.backbone = ViT(image_px, patch_px, width, depth, heads, stem)
        else:
            self.backbone = ResNet(depth, width, small_input=image_px < SMALL_PX)
        self.dim = self.backbone.dim
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in [-1, 1], already at their size -> raw features [B, D]."""
        out: Tensor = self.backbone(self.normalise(x))
        return out

    def normalise(self, x: Tensor) -> Tensor:
        """[-1, 1] -> ImageNet statistics."""
        return ((x + 1) / 2 - self.mean) / self.std

    @torch.inference_mode()
    def encode(self, images: Tensor, batch_size: int = 64) -> Tensor:
        """uint8 [N, 3, H, W] of any size -> raw features [N, D] on the CPU; squashed to `image_px`."""
        device = next(self.parameters()).device
        parts = [
            self(to_unit(resize(part, self.image_px)).to(device)).float().cpu() for part in images.split(batch_size)
        ]
        return torch.cat(parts) if parts else torch.empty(0, self.dim)


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
    if config.weights:
        publish(config.weights, output_dir, place)
        return
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


def shape(config: EncoderConfig) -> dict[str, Any]:
    """What an `ImageEncoder` is built of."""
    common: dict[str, Any] = {"image_px": config.image_px, "architecture": config.architecture}
    if config.architecture == "vit":
        return {**common, **config.vit.model_dump()}
    return {**common, "depth": config.depth, "width": config.width}


def _named(config: EncoderConfig) -> str:
    if config.architecture == "vit":
        vit = config.vit
        return f"ViT of {vit.depth} blocks, width {vit.width}, patches of {vit.patch_px} px"
    return f"ResNet-{config.depth}, width {config.width}"


def load(folder: Path, device: torch.device | str = "cpu") -> ImageEncoder:
    """The trained, frozen f_V of a folder that `run` wrote."""
    encoder = ImageEncoder(**read_json(Path(folder) / "config.json"))
    encoder.load_state_dict(load_tensors(Path(folder) / "model.safetensors"))
    return encoder.to(device).eval().requires_grad_(False)


def unit(features: Tensor) -> Tensor:
    """Features at unit norm, as the generator and the losses take them."""
    return F.normalize(features.float(), dim=-1)
