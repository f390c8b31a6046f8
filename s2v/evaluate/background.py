"""Which part of a test frame is background, by the world's recipe: where it is the same without the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.evaluate.staged import told
from s2v.world.render import paint
from s2v.world.thing import things

if TYPE_CHECKING:
    from s2v.config import WorldConfig

DIFFERENT = 8
"""Of 255: pixels that differ by more with and without the source are not background."""
LEAST_SHARE = 0.2
"""Clips with less background than this are left out: what fills the picture (rain, the sea) has none."""
BORDER = 16
"""Of the frame's side one part in so many is left out around the source: the hand shakes, and the source moves."""


def background(clip_id: str, label: str, world: WorldConfig, split: str, px: int) -> Tensor | None:
    """Mask bool [px, px] of a test clip's background, None where there is too little.

    Args:
        clip_id: its name.
        label: its class.
        world: the world's configuration.
        split: its split.
        px: side.
    """
    scene = told(clip_id, label, world, split).scene
    cast = [(things()[label], scene, scene.strength)]
    with_source, without = (paint(scene, those, 0.0, world.size_px).astype(np.int16) for those in (cast, []))
    source = torch.from_numpy((np.abs(with_source - without).max(2) > DIFFERENT).astype(np.float32))[None, None]
    reach = world.size_px // BORDER
    source = F.max_pool2d(source, 2 * reach + 1, 1, reach)
    mask = F.adaptive_max_pool2d(source, px)[0, 0] == 0
    return mask if float(mask.float().mean()) >= LEAST_SHARE else None


def distance(pictures: Tensor, frame: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference over the mask [px, px] of pictures [K, 3, px, px] to one frame [3, px, px], all uint8:
    [K], of values in 0 to 1."""
    return (pictures.float() - frame.float()).abs().mean(1)[:, mask].mean(1) / 255


__all__ = ["background", "distance"]
