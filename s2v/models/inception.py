"""Inception-V3 (Szegedy et al. 2016) that knows a data set's own classes: features for FID, posteriors for IS."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from s2v.models.bounds import Side


class Inception(nn.Module):
    """timm's Inception-V3, whose names and sizes are torchvision's.

    Args:
        class_names: of its posteriors.
        image_px: side at which it sees pictures, 75 at least; published ones see 299.
        about: its label.
    """

    def __init__(self, class_names: list[str], image_px: Side = 299, about: dict[str, Any] | None = None) -> None:
        super().__init__()
        # Here, since timm takes seconds to import.
        from timm.models.inception_v3 import InceptionV3

        if image_px < 75:
            raise ValueError(f"image_px: {image_px}, and Inception-V3 sees 75 at least")
        self.class_names, self.image_px, self.about = class_names, image_px, about or {}
        self.net = InceptionV3(num_classes=len(class_names), aux_logits=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See pictures [B, 3, px, px] in [-1, 1].

        Returns:
            Pooled features [B, 2048], logits [B, K].
        """
        maps = self.net.forward_features(images)  # type: ignore[no-untyped-call]
        features: Tensor = self.net.forward_head(maps, pre_logits=True)
        return features, self.net.fc(features)


__all__ = ["Inception"]
