"""Editing of a picture by a sound as Lee et al. 2022 do it (CVPR; after StyleCLIP, Patashnik et al. 2021): Adam on the
generator's variables, until the picture is where the sound is in the joint space.

The loss is 1 - m cos(joint(picture), joint(sound)) + lambda_sim |w - w0|^2 + lambda_id (1 - cos(f_V(picture),
f_V(picture 0))). Their identity term asks a face recogniser, which the pictures here have no use for: f_V is in its
place. Their mask over layers is off by default, and not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from s2v.config import LeeConfig
    from s2v.methods.renderers.base import Inversion
    from s2v.models.biggan import Generator
    from s2v.models.stylegan2 import StyleGan2

Variables: TypeAlias = tuple[Tensor, ...]
"""What a generator paints of, [B, ...] each: (z^V, z^N) of IC-GAN, (w+,) of StyleGAN2."""
Paint: TypeAlias = Callable[[Variables], Tensor]
"""Variables to pictures [B, 3, R, R] in [-1, 1], with a gradient."""
See: TypeAlias = Callable[[Tensor], Tensor]
"""Pictures [B, 3, R, R] in [-1, 1] to features [B, D], with a gradient."""


@dataclass(frozen=True)
class Lee:
    """The editor.

    Attributes:
        paint: the generator.
        see: the joint space's picture encoder, unit norm.
        settings: steps, rates and weights.
        recognise: of the identity term; None where its weight is 0.
    """

    paint: Paint
    see: See
    settings: LeeConfig
    recognise: See | None = None

    def edit(self, start: Variables, heard: Tensor, similarity_weight: float) -> Variables:
        """Variables [B, ...] of pictures, moved until they show sounds [B, D] (of unit norm) in the joint space.

        Each picture is for itself: a batch changes nothing but rounding, of which so many steps make much. An infinite
        `similarity_weight` holds each where it is.
        """
        if math.isinf(similarity_weight) or self.settings.steps == 0:
            return start
        weight, settings = similarity_weight, self.settings
        moved = [one.detach().clone().requires_grad_() for one in start]
        optimizer = torch.optim.Adam(moved, settings.learning_rate)
        with torch.no_grad():
            known = self.recognise(self.paint(start)) if self.recognise and settings.identity_weight else None
        for step in range(settings.steps):
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * ramp(step / settings.steps, settings.rise, settings.fall)
            picture = self.paint(tuple(moved))
            loss = (1 - settings.multiplier * (self.see(picture) * heard).sum(1)).sum()
            if weight:
                loss = loss + weight * sum((a - b).square().sum() for a, b in zip(moved, start, strict=True))
            if known is not None and self.recognise is not None:
                loss = loss + settings.identity_weight * (1 - F.cosine_similarity(self.recognise(picture), known)).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return tuple(one.detach() for one in moved)


def ramp(share: float, rise: float, fall: float) -> float:
    """Of the learning rate, 0 to 1, when so much of the steps is done: a linear rise, and half a cosine to 0."""
    high = min(1.0, share / rise) if rise else 1.0
    return high * (0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - share) / fall))) if fall else high


def of_biggan(g: Generator) -> Paint:
    """IC-GAN: of (z^V, z^N); the feature is brought to unit norm, as everywhere."""
    g.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a quarter faster on a CPU

    def paint(variables: Variables) -> Tensor:
        feature, noise = variables
        made: Tensor = g(noise, F.normalize(feature, dim=1))
        return made

    return paint


def styles_of(g: StyleGan2, pictures: Tensor, steps: int, learning_rate: float) -> Variables:
    """(w+,) of pictures [B, 3, R, R] in [-1, 1], searched by Adam from the mean style on, each for itself.

    They take the codes of an encoder of others; this search, of the mean absolute difference at full and at an eighth
    of the resolution, is ours.
    """
    w = g.middle().expand(len(pictures), g.styles, -1).clone().requires_grad_()
    optimizer, coarse = torch.optim.Adam([w], learning_rate), max(1, pictures.shape[-1] // 8)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = learning_rate * ramp(step / steps, 0.05, 0.25)
        far = g(w) - pictures
        loss = len(far) * (far.abs().mean() + F.adaptive_avg_pool2d(far, coarse).abs().mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (w.detach(),)


def inverted(found: list[Inversion]) -> Variables:
    """(z^V, z^N) of inverted pictures."""
    return torch.stack([one.z for one in found]), torch.stack([one.noise for one in found])


__all__ = ["Lee", "Paint", "See", "Variables", "inverted", "of_biggan", "ramp", "styles_of"]
