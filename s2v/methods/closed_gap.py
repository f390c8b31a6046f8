"""The mean gap between the modalities, closed after training: sounds are moved to where pictures are (paper 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.data.reader import read_images, read_waves
from s2v.errors import UserError
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods.base import Sources
from s2v.models.image_encoder import unit

if TYPE_CHECKING:
    from s2v.methods.ears import Ear
    from s2v.methods.renderers import Eye

BATCH = 64


def mean_gap(method: str, f_v: Eye, f_a: Ear, sources: Sources) -> Tensor:
    """E[z^V - z^A] over the training pairs, [D], of features at unit norm.

    Raises:
        UserError: the train split has no pair of a frame and a sound.
    """
    images, seen, _ = read_images(sources.train_packs, f_v.image_px, policy=f_v.policy)
    waves, heard, _ = read_waves(sources.train_packs, SAMPLE_RATE_HZ)
    if not waves or seen != heard:
        raise UserError(
            f"{method}: closes the gap of training pairs, and the train split has {len(seen)} frame(s) and "
            f"{len(heard)} sound(s) that do not make pairs; see coverage.csv"
        )
    window_s = sources.config.window_s
    n = round(window_s * SAMPLE_RATE_HZ)
    z_v, z_a = [], []
    for i in range(0, len(waves), BATCH):
        z_v.append(unit(f_v.encode(images[i : i + BATCH])))
        batch = torch.stack([fit_window(torch.from_numpy(wave), n) for wave in waves[i : i + BATCH]])
        z_a.append(unit(f_a.encode(batch, window_s)))
    return torch.cat(z_v).mean(0) - torch.cat(z_a).mean(0)


__all__ = ["mean_gap"]
