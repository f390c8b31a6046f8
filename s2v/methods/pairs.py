"""The training pairs that a method goes by: frames as features, with the sounds that belong to them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from s2v.data.reader import read_images, read_waves
from s2v.errors import UserError
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods.base import Sources
from s2v.methods.renderers import Eye
from s2v.models.image_encoder import unit

BATCH = 64


def training_pairs(method: str, f_v: Eye, sources: Sources) -> Iterator[tuple[Tensor, Tensor]]:
    """f_V of frames at unit norm [B, D], and their sounds cut or tiled to the window [B, N]; shard by shard.

    Raises:
        UserError: the train split has no pairs, or frames and sounds of a shard do not make pairs.
    """
    n, clips = round(sources.config.window_s * SAMPLE_RATE_HZ), 0
    for pack in sources.train_packs:
        images, seen, _ = read_images([pack], f_v.image_px, policy=f_v.policy)
        waves, heard, _ = read_waves([pack], SAMPLE_RATE_HZ)
        if seen != heard:
            raise _unpaired(method, len(seen), len(heard))
        clips += len(waves)
        for i in range(0, len(waves), BATCH):
            sounds = torch.stack([fit_window(torch.from_numpy(wave), n) for wave in waves[i : i + BATCH]])
            yield unit(f_v.encode(images[i : i + BATCH])), sounds
    if not clips:
        raise _unpaired(method, 0, 0)


def _unpaired(method: str, frames: int, sounds: int) -> UserError:
    return UserError(
        f"{method}: goes by training pairs, and the train split has {frames} frame(s) and {sounds} sound(s) that do "
        "not make pairs; see coverage.csv"
    )


__all__ = ["training_pairs"]
