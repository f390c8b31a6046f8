"""f_V: the image encoder. A ResNet for the GAN (paper 3.2), a ViT for the latent diffusion model (paper 6.1).

EfficientNet-lite0 is not the paper's: what ImageNet taught, for folders too small to learn to see from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.picture import Policy, resize, to_unit
from s2v.models.bounds import Side
from s2v.models.efficientnet import EfficientNetLite0
from s2v.models.resnet import ResNet

if TYPE_CHECKING:
    from s2v.config import EncoderConfig
    from s2v.models.vit import ViT

SMALL_PX = 100
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PUBLISHED: dict[str, dict[str, Any]] = {
    "swav-resnet50": {"depth": 50, "width": 64, "image_px": 224},
    # It learned at 224 px. Frames of a small folder are kept at 128, which take a third of the time.
    "efficientnet-lite0": {"image_px": 128, "architecture": "efficientnet-lite0"},
}
"""What an `ImageEncoder` is built of to be one of published weights."""


class ImageEncoder(nn.Module):
    """f_V: pictures -> pooled features (2048-d at full size).

    Args:
        depth: of the ResNet, or blocks of the ViT; None for efficientnet-lite0, which has one size.
        width: channels of the ResNet's first stage, or size of the ViT's tokens; likewise.
        image_px: side of the pictures that it sees.
        architecture: resnet, vit or efficientnet-lite0.
        patch_px: side of the ViT's patches; crops are multiples of it.
        heads: of the ViT's attention.
        stem: of the ViT.
    """

    def __init__(
        self,
        depth: int | None = None,
        width: int | None = None,
        *,
        image_px: Side,
        architecture: Literal["resnet", "vit", "efficientnet-lite0"] = "resnet",
        patch_px: Side = 16,
        heads: int = 12,
        stem: Literal["patch", "conv"] = "patch",
    ) -> None:
        super().__init__()
        self.image_px = image_px
        self.policy: Policy = "squash"
        self.backbone: ResNet | ViT | EfficientNetLite0
        if architecture == "efficientnet-lite0":
            self.backbone = EfficientNetLite0()
        elif depth is None or width is None:
            raise ValueError(f"architecture {architecture} has a depth and a width")
        elif architecture == "vit":
            # Here, since timm takes seconds to import and the GAN's encoder does without.
            from s2v.models.vit import ViT

            self.backbone = ViT(image_px, patch_px, width, depth, heads, stem)
        else:
            self.backbone = ResNet(depth, width, small_input=image_px < SMALL_PX)
        self.dim = self.backbone.dim
        self.mean: Tensor
        self.std: Tensor
        self.standardises = architecture != "efficientnet-lite0"
        if self.standardises:
            self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
            self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in [-1, 1], already at their size -> raw features [B, D]."""
        out: Tensor = self.backbone(self.normalise(x))
        return out

    def normalise(self, x: Tensor) -> Tensor:
        """[-1, 1] -> ImageNet statistics; EfficientNet-lite0 has learned from [-1, 1] itself."""
        return ((x + 1) / 2 - self.mean) / self.std if self.standardises else x

    @torch.inference_mode()
    def encode(self, images: Tensor, batch_size: int = 64) -> Tensor:
        """uint8 [N, 3, H, W] of any size -> raw features [N, D] on the CPU; squashed to `image_px`."""
        device = next(self.parameters()).device
        if not len(images):  # a shard may be empty, and a ViT has no patches of nothing
            return torch.empty(0, self.dim)
        parts = [
            self(to_unit(resize(part, self.image_px)).to(device)).float().cpu() for part in images.split(batch_size)
        ]
        return torch.cat(parts)


def shape(config: EncoderConfig) -> dict[str, Any]:
    """What an `ImageEncoder` is built of. Where published weights take its place, its own sizes count for nothing."""
    if config.weights:
        return PUBLISHED[config.weights]
    common: dict[str, Any] = {"image_px": config.image_px, "architecture": config.architecture}
    if config.architecture == "vit":
        return {**common, **config.vit.model_dump()}
    return {**common, "depth": config.depth, "width": config.width}


def unit(features: Tensor) -> Tensor:
    """Features at unit norm, as the generator and the losses take them."""
    return F.normalize(features.float(), dim=-1)


__all__ = ["PUBLISHED", "ImageEncoder", "shape", "unit"]
