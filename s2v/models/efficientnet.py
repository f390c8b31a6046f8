"""EfficientNet-lite0 (Tan and Le 2019, without squeeze and swish): what ImageNet taught of the real world."""

from __future__ import annotations

from typing import Self

from torch import Tensor, nn

COARSE = 5
"""Stages whose last map is the last of stride 16."""


class EfficientNetLite0(nn.Module):
    """timm's, without its classifier. It is taken as it was trained: its batch norms never learn."""

    dim = 1280

    def __init__(self) -> None:
        super().__init__()
        # Here, since timm takes seconds to import.
        from timm.models.efficientnet import tf_efficientnet_lite0

        self.net = tf_efficientnet_lite0(pretrained=False, num_classes=0)
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """It stays as it is in evaluation."""
        return super().train(False)

    def forward(self, images: Tensor) -> Tensor:
        """See pictures [B, 3, px, px] in [-1, 1]: pooled features [B, 1280]."""
        features: Tensor = self.net(images)
        return features

    def features(self, images: Tensor) -> Tensor:
        """A map [B, 112, px / 16, px / 16] of the same pictures.

        It is not the last: that has a stride of 32, which leaves little of where things are in a small picture.
        """
        net = self.net
        maps: Tensor = net.blocks[:COARSE](net.bn1(net.conv_stem(images)))
        return maps


__all__ = ["EfficientNetLite0"]
