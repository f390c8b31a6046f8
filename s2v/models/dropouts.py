"""Dropout of whole maps whose choice is drawn apart from the net, so that a seed, or a training's step, decides it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


class Dropouts:
    """Where a net drops maps (torch's Dropout2d): a rate and a number of maps for each place, in order."""

    def __init__(self, places: Sequence[tuple[float, int]]) -> None:
        self.widths = [maps for _, maps in places]
        self.rates = torch.cat([torch.full((maps,), rate) for rate, maps in places])

    def draw(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """What n samples' maps are multiplied with, [n, maps of all places]: 0, or 1 / (1 - rate)."""
        kept = torch.rand(n, len(self.rates), generator=generator) >= self.rates
        return kept / (1 - self.rates)

    def draw_for(self, seeds: Sequence[int]) -> Tensor:
        """The same, row i from seed i alone."""
        return torch.cat([self.draw(1, torch.Generator().manual_seed(seed)) for seed in seeds])

    def split(self, drawn: Tensor | None) -> Iterator[Tensor | float]:
        """Factors [n, maps, 1, 1] of each place; 1 where nothing is dropped."""
        if drawn is None:
            yield from [1.0] * len(self.widths)
        else:
            yield from (part[..., None, None] for part in drawn.split(self.widths, 1))


__all__ = ["Dropouts"]
