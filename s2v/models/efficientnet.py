"""EfficientNet-lite0 (Tan and Le 2019, without squeeze and swish): what ImageNet taught of the real world."""

from __future__ import annotations

from typing import Self

from torch import Tensor, nn


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


__all__ = ["EfficientNetLite0"]
