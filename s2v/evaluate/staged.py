"""Test clips that the world's recipe stages once more: a source from near to far, and two sources in one place.

These are what pictures of softened and mixed sounds are held against. They are drawn and sounded as the clips' own
files are, and go through no video codec.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from s2v.media.picture import resize
from s2v.media.spectrogram import to_float
from s2v.world.recipe import APART, Clip, Story, aside, at_distance, clip_seed, story
from s2v.world.render import paint, soundtrack
from s2v.world.thing import things

if TYPE_CHECKING:
    from s2v.config import WorldConfig

DISTANCES = (2.4, 1.93, 1.55, 1.25, 1.0)
"""From far to near, by equal ratios, as far as the pictures that evaluators learn from; of a scape, its strength is
1 / distance."""


def told(clip_id: str, label: str, world: WorldConfig, split: str) -> Story:
    """The recipe of a test clip, by its name."""
    index = int(clip_id.rpartition("-")[2])
    return story(Clip(split, label, index, clip_seed(world.seed, split, label, index)), world)


def sweep(one: Story, world: WorldConfig, px: int) -> tuple[Tensor, list[Tensor]]:
    """A clip's source at each of `DISTANCES`, in the clip's place, without a second source.

    Returns:
        Pictures uint8 [K, 3, px, px], and as many sounds [N] at 16 kHz: farther ones are softer and duller.
    """
    scenes = [at_distance(one.scene, distance) for distance in DISTANCES]
    stories = [replace(one, scene=scene, interference=None) for scene in scenes]
    thing = things()[one.clip.label]
    pictures = [paint(scene, [(thing, scene, scene.strength)], 0.0, world.size_px) for scene in scenes]
    return _seen(pictures, px), [to_float(torch.from_numpy(soundtrack(each, world))) for each in stories]


def duet(first: Story, second: Story, world: WorldConfig, px: int) -> Tensor:
    """The sources of two clips in the place of the first, uint8 [3, px, px]."""
    cast = []
    for one, x in zip((first, second), APART, strict=True):
        thing = things()[one.clip.label]
        scene = aside(thing, one.scene, x)
        cast.append((thing, scene, scene.strength))
    # What fills the picture lies behind what stands in it.
    cast.sort(key=lambda each: each[0].kind == "source")
    return _seen([paint(first.scene, cast, 0.0, world.size_px)], px)[0]


def _seen(pictures: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]], px: int) -> Tensor:
    return resize(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(), px)


__all__ = ["DISTANCES", "duet", "sweep", "told"]
