"""What can be told of a face from its picture: sex, age, skin, how it is held, and the shape of the head."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.picture import resize, to_unit
from s2v.models.bounds import Side
from s2v.models.resnet import ResNet

LOOKS = ("sex", "age", "skin", "hair", "yaw", "pitch", "roll", "x", "y", "size")
"""What it tells before the head's directions: sex from -1 (man) to 1 (woman), years, skin and hair from 0 (fair, dark)
to 1 (dark, light), and the pose (`s2v.speakers.portrait.Pose`)."""


class FaceReader(nn.Module):
    """ResNet-10 and a linear layer, a number for each thing that is told.

    Args:
        names: `LOOKS`, and directions of the head.
        image_px: side that pictures are brought to.
        width: channels of the first layer.
        about: how it was trained, and how well it reads.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, names: list[str], image_px: Side, width: int, about: dict[str, object]) -> None:
        super().__init__()
        self.names, self.image_px, self.about = names, image_px, about
        self.backbone = ResNet(10, width, small_input=image_px < 100)
        self.head = nn.Linear(self.backbone.dim, len(names))
        self.register_buffer("mean", torch.zeros(len(names)))
        self.register_buffer("spread", torch.ones(len(names)))

    def forward(self, images: Tensor) -> Tensor:
        """Pictures [B, 3, px, px] in [-1, 1] -> standardised numbers [B, K]."""
        told: Tensor = self.head(self.backbone(images))
        return told

    @torch.no_grad()
    def read(self, images: Tensor, batch_size: int = 64) -> Tensor:
        """Pictures uint8 [N, 3, H, W] -> what is told of each, float [N, K] on the CPU, in the units of `LOOKS`."""
        found = []
        for part in images.split(batch_size):
            seen = to_unit(resize(part, self.image_px)).to(self.mean.device)
            found.append((self(seen).float() * self.spread + self.mean).cpu())
        return torch.cat(found) if found else torch.empty(0, len(self.names))

    def standard(self, told: Tensor) -> Tensor:
        """What was read [N, K], in units of its spread over people: as far as two differ in it."""
        return (told - self.mean.cpu()) / self.spread.cpu()


def as_numbers(row: dict[str, Any]) -> list[float]:
    """A row of the truth of the embedded speakers, as a reader should tell it."""
    sex = 1.0 if row["sex"] == "woman" else -1.0
    return [sex, row["age"], row["skin"], sum(row["hair"]) / 3, *row["pose"], *row["shape"]]


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Cosines [N, M] of standardised numbers."""
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T


__all__ = ["LOOKS", "FaceReader", "as_numbers", "similarity"]
