"""What can be told of a face from its picture: sex, age, skin, how it is held, and the shape of the head; and whether
there is one, and what is behind it."""

from __future__ import annotations

from dataclasses import dataclass
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


NOWHERE = "nowhere"
"""The scene of a picture that has none."""


@dataclass(frozen=True)
class Seen:
    """What is told of some pictures, on the CPU.

    Attributes:
        person: [N, K], in the units of `LOOKS`; nothing where there is no face.
        face: [N], whether there is one.
        scene: of each the name of what is behind, or `NOWHERE`.
    """

    person: Tensor
    face: Tensor
    scene: list[str]


class FaceReader(nn.Module):
    """ResNet-10 and a linear layer: a number for each thing that is told, one for whether there is a face, and one for
    each scene.

    Args:
        names: `LOOKS`, and directions of the head.
        scenes: `NOWHERE`, and the scenes that it knows.
        image_px: side that pictures are brought to.
        width: channels of the first layer.
        about: how it was trained, and how well it reads.
    """

    mean: Tensor
    spread: Tensor

    def __init__(
        self, names: list[str], scenes: list[str], image_px: Side, width: int, about: dict[str, object]
    ) -> None:
        super().__init__()
        self.names, self.scenes, self.image_px, self.about = names, scenes, image_px, about
        self.backbone = ResNet(10, width, small_input=image_px < 100)
        self.head = nn.Linear(self.backbone.dim, len(names) + 1 + len(scenes))
        self.register_buffer("mean", torch.zeros(len(names)))
        self.register_buffer("spread", torch.ones(len(names)))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures [B, 3, px, px] in [-1, 1] -> standardised numbers [B, K], logits: face [B], scene [B, S]."""
        person, face, scene = self.head(self.backbone(images)).split([len(self.names), 1, len(self.scenes)], 1)
        return person, face[:, 0], scene

    @torch.no_grad()
    def look(self, images: Tensor, batch_size: int = 64) -> Seen:
        """What is told of pictures uint8 [N, 3, H, W]."""
        people, faces, scenes = [torch.empty(0, len(self.names))], [torch.empty(0, dtype=torch.bool)], []
        for part in images.split(batch_size):
            person, face, scene = self(to_unit(resize(part, self.image_px)).to(self.mean.device))
            people.append((person.float() * self.spread + self.mean).cpu())
            faces.append((face > 0).cpu())
            scenes += [self.scenes[i] for i in scene.argmax(1).tolist()]
        return Seen(torch.cat(people), torch.cat(faces), scenes)

    def read(self, images: Tensor) -> Tensor:
        """Pictures uint8 [N, 3, H, W] of faces -> what is told of each, float [N, K], in the units of `LOOKS`."""
        return self.look(images).person

    def standard(self, told: Tensor) -> Tensor:
        """What was read [N, K], in units of its spread over people: as far as two differ in it."""
        return (told - self.mean.cpu()) / self.spread.cpu()


def as_numbers(row: dict[str, Any]) -> list[float]:
    """A row of the truth of the embedded speakers, as a reader should tell it."""
    sex = 1.0 if row["sex"] == "woman" else -1.0
    return [sex, row["age"], row["skin"], sum(row["hair"]) / 3, *row["pose"], *row["shape"]]


def mirrored(told: Tensor) -> Tensor:
    """What is true of the mirror images of pictures of which `told` [N, K] is."""
    found = told.clone()
    for name in ("yaw", "roll"):
        found[:, LOOKS.index(name)] *= -1
    found[:, LOOKS.index("x")] = 1 - told[:, LOOKS.index("x")]
    return found


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Cosines [N, M] of standardised numbers."""
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T


__all__ = ["LOOKS", "NOWHERE", "FaceReader", "Seen", "as_numbers", "mirrored", "similarity"]
