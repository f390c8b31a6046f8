"""The judge: a small stand-in for CLIP (picture against class name) and Inception (features, posteriors)."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from s2v.models.bounds import Side
from s2v.models.efficientnet import EfficientNetLite0
from s2v.models.resnet import ResNet

SMALL_PX = 100
MAX_NAME_BYTES = 200


class TextTower(nn.Module):
    """Reads a class name letter by letter (UTF-8 bytes): embedding, GRU in both directions, linear."""

    def __init__(self, dim: int, width: int = 64) -> None:
        super().__init__()
        self.letters = nn.Embedding(256, 32)
        self.gru = nn.GRU(32, width, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * width, dim)

    def forward(self, names: list[str]) -> Tensor:
        """Names (case does not count, nor what is beyond `MAX_NAME_BYTES`) -> [C, dim] of unit norm."""
        codes = [list((name.lower() or " ").encode()[:MAX_NAME_BYTES]) for name in names]
        lengths = torch.tensor([len(code) for code in codes])
        device = self.letters.weight.device
        padded = torch.zeros(len(codes), int(lengths.max()), dtype=torch.long, device=device)
        for row, code in zip(padded, codes, strict=True):
            row[: len(code)] = torch.tensor(code, device=device)
        packed = pack_padded_sequence(self.letters(padded), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed)
        return F.normalize(self.head(torch.cat([last[0], last[1]], 1)), dim=1)


class Judge(nn.Module):
    """Image tower and text tower in one space, and a classifier on the image tower.

    Args:
        class_names: of the classifier.
        image_px: side at which every picture is seen, real or generated.
        width: channels of the image tower's first stage.
        dim: size of the shared space, and of the classifier's hidden layer, whose values are the features for
            FID.
        about: its label, what it was trained on, and how well it does on what was held out.
        sees: `colour`, or `edges`: grey pictures and how they change along both axes.
        line: of `none`, above which a picture is of no class; None where it was not taught to say so.
        backbone: of the image tower; `efficientnet-lite0` is ImageNet's, and learns nothing more.
    """

    def __init__(
        self, class_names: list[str], image_px: Side, width: int, dim: int, about: dict[str, Any] | None = None,
        sees: Literal["colour", "edges"] = "colour", line: float | None = None,
        backbone: Literal["resnet10", "efficientnet-lite0"] = "resnet10",
    ) -> None:  # fmt: skip
        super().__init__()
        self.sees, self.line = sees, line
        self.class_names, self.about = class_names, about or {}
        self.image_px, self.dim = image_px, dim
        self.backbone: ResNet | EfficientNetLite0
        if backbone == "resnet10":
            self.backbone = ResNet(10, width, small_input=image_px < SMALL_PX)
        else:
            self.backbone = EfficientNetLite0()
        self.project = nn.Linear(self.backbone.dim, dim)
        self.text = TextTower(dim)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.hidden = nn.Linear(self.backbone.dim, dim)
        self.classify = nn.Linear(dim, len(class_names))
        self.doubt = nn.Linear(dim, 1) if line is not None else None

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See pictures [B, 3, px, px] in [-1, 1].

        Returns:
            Embedding [B, dim] of unit norm, features [B, dim], logits [B, K].
        """
        pooled = self.backbone(edges(images) if self.sees == "edges" else images)
        features = self.hidden(pooled)
        return F.normalize(self.project(pooled), dim=1), features, self.classify(F.relu(features))

    def none(self, features: Tensor) -> Tensor:
        """How much pictures of features [B, dim] are of no class, [B]; to be compared with `line`."""
        assert self.doubt is not None
        doubt: Tensor = self.doubt(F.relu(features))[:, 0]
        return doubt

    def similarity(self, embedding: Tensor, names: list[str]) -> Tensor:
        """Scaled cosine similarity of picture embeddings [B, dim] to class names -> [B, C]."""
        scale = self.log_scale.clamp(max=math.log(100)).exp()
        scores: Tensor = scale * embedding @ self.text(names).T
        return scores


def edges(images: Tensor) -> Tensor:
    """Brightness of pictures [B, 3, H, W], and how it changes from left to right and from top to bottom."""
    grey = (images * images.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    across, down = F.pad(grey, (1, 1, 0, 0), mode="replicate"), F.pad(grey, (0, 0, 1, 1), mode="replicate")
    return torch.cat([grey, across[..., 2:] - across[..., :-2], down[..., 2:, :] - down[..., :-2, :]], 1)


__all__ = ["Judge", "TextTower", "edges"]
