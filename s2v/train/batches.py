"""Which samples a step sees: a function of the step alone, so that a resumed run goes on with the right ones."""

from __future__ import annotations

import functools

import torch
from torch import Tensor


@functools.lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int) -> Tensor:
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    return torch.randperm(n, generator=generator)


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Full batches in one pass over `n` samples; a set smaller than one batch is one step."""
    return max(1, n // batch_size)


def batch_indices(n: int, batch_size: int, seed: int, step: int) -> Tensor:
    """Indices [B] of the samples of one step, over all processes: seeded permutations, one per epoch.

    The incomplete batch at an epoch's end is dropped, since contrastive losses depend on the batch size.
    A set smaller than one batch gives one smaller batch.
    """
    epoch, index = divmod(step, steps_per_epoch(n, batch_size))
    return _permutation(n, seed, epoch)[index * batch_size : (index + 1) * batch_size]
