"""Test clips with sound, as all take them that measure or show how sounds steer pictures (paper 5)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from s2v.data.reader import read_images, read_waves
from s2v.errors import UserError
from s2v.media.spectrogram import SAMPLE_RATE_HZ, to_float

SOFT_DB, LOUD_DB = -24.0, 0.0
"""Gains between which a sound's direction of volume lies."""


@dataclass(frozen=True)
class TestSet:
    """Test clips with sound: names, classes, waveforms [N_i] and frames uint8 [N, 3, px, px]."""

    __test__ = False  # no test, whatever its name says to pytest

    keys: list[str]
    labels: list[str]
    waves: list[Tensor]
    frames: Tensor

    @classmethod
    def read(cls, packs: list[Path], px: int) -> TestSet:
        """Of packed shards; the order is that of the SHA-1 of the names.

        Raises:
            UserError: clips have no class, or there is only one.
        """
        waves, keys, labels = read_waves(packs, SAMPLE_RATE_HZ)
        frames, seen, _ = read_images(packs, px)
        place = {key: i for i, key in enumerate(seen)}
        order = sorted(range(len(keys)), key=lambda i: hashlib.sha1(keys[i].encode()).hexdigest())
        named = [i for i in order if labels[i]]
        if len({labels[i] for i in named}) < 2:
            raise UserError("the packs need clips of at least two classes")
        return cls(
            [keys[i] for i in named], [labels[i] or "" for i in named],
            [to_float(torch.from_numpy(waves[i])) for i in named], frames[[place[keys[i]] for i in named]],
        )  # fmt: skip

    def first_of_each(self, n: int) -> TestSet:
        """The first n clips of each class."""
        kept = [i for i, label in enumerate(self.labels) if self.labels[:i].count(label) < n]
        keys, labels, waves = ([every[i] for i in kept] for every in (self.keys, self.labels, self.waves))
        return TestSet(keys, labels, waves, self.frames[kept])  # type: ignore[arg-type]

    def partner(self, i: int) -> int:
        """The next clip of another class: with whom a clip is mixed."""
        n = len(self.keys)
        return next(j % n for j in range(i + 1, i + n) if self.labels[j % n] != self.labels[i])


__all__ = ["LOUD_DB", "SOFT_DB", "TestSet"]
