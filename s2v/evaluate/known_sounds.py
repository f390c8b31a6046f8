"""Stage `known_sounds`: features of the sounds that f_A learned from, and how near to them held-out ones lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.control.familiarity import KnownSounds
from s2v.data.reader import read_waves
from s2v.data.subset import indices
from s2v.errors import UserError
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.frozen_audio_encoder import FrozenAudioEncoder
from s2v.models.hearing import audio_of, load_hearing
from s2v.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig

BATCH = 64
MOST = 20_000
"""Sounds of a split that are kept, evenly over its shards: 10 MB at 256 numbers each."""


def run(
    *,
    align_dir: Path,
    train_packs: list[Path],
    val_packs: list[Path],
    classes: list[str] | None,
    output: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Write the file of `KnownSounds`.

    Args:
        align_dir: folder of f_A.
        train_packs: shards that it learned from.
        val_packs: shards of held-out sounds.
        classes: those that alignment learned from; None is all.
        output: safetensors.
        runtime: device.
        threads: of torch on the CPU.

    Raises:
        UserError: a split has no sound.
    """
    place = Runtime.from_config(runtime, threads)
    f_a = load_hearing(align_dir, place.device)
    kept, window_s = None if classes is None else frozenset(classes), float(audio_of(align_dir)["window_s"])
    learned, labels = _heard(f_a, train_packs, kept, window_s)
    held_out, _ = _heard(f_a, val_packs, kept, window_s)
    for split, found in (("train", learned), ("val", held_out)):
        if not len(found):
            raise UserError(f"known_sounds: the {split} split has no sound; see coverage.csv")
    KnownSounds.measured(learned, labels, held_out).write(output)


def _heard(
    f_a: AudioEncoder | FrozenAudioEncoder, packs: list[Path], classes: frozenset[str] | None, window_s: float
) -> tuple[Tensor, list[str | None]]:
    """Features [N, D] and labels of the sounds of a split, shard by shard."""
    n, most = round(window_s * SAMPLE_RATE_HZ), -(-MOST // max(1, len(packs)))
    features: list[Tensor] = [torch.empty(0, f_a.dim)]
    labels: list[str | None] = []
    for pack in packs:
        waves, _, said = read_waves([pack], SAMPLE_RATE_HZ)
        chosen = indices(said, classes)[:most]
        for i in range(0, len(chosen), BATCH):
            batch = torch.stack([fit_window(torch.from_numpy(waves[j]), n) for j in chosen[i : i + BATCH]])
            features.append(f_a.encode(batch, window_s).float().cpu())
        labels += [said[j] for j in chosen]
    return torch.cat(features), labels
