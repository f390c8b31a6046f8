"""What a training says of itself; `s2v.train.step` and `s2v.train.loop` do the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor, nn

from s2v.train.batches import batch_indices
from s2v.train.prefetch import Prefetch

if TYPE_CHECKING:
    from s2v.config import TrainingConfig
    from s2v.runtime import Runtime
    from s2v.train.ema import Ema

Batch: TypeAlias = dict[str, Tensor]
"""Named tensors of the same samples, [n, ...]."""
Outputs: TypeAlias = tuple[Tensor, ...]
"""What the nets give for some samples, [n, ...] each, and what the loss needs beside it."""
Loss: TypeAlias = tuple[Tensor, dict[str, Tensor]]
"""The scalar that is minimised, and the scalars that are logged."""


@dataclass
class Update:
    """One step of one optimiser, over a batch that all processes share.

    Attributes:
        optimizer: its name.
        learning_rate: of this step.
        drawn: all that is random, for the whole batch and the same in every process, among it `index`. Each piece of
            the batch takes its rows, so that neither processes nor pieces change what is drawn.
        read: what is read for the samples of this process.
        forward: from some samples to outputs. It draws nothing, since a piece may be computed twice.
        loss: of the outputs of the whole batch.
        separable: whether the loss is a mean over samples. Other losses compare samples with each other, and are
            computed of all outputs at once.
    """

    optimizer: str
    learning_rate: float
    drawn: Batch
    read: Batch
    forward: Callable[[Batch], Outputs]
    loss: Callable[..., Loss]
    separable: bool


class Task:
    """A thing that is trained, with one optimiser unless `updates` says otherwise.

    Attributes:
        modules: nets that a checkpoint holds, by name.
        optimizers: by name.
        rate: the learning rate of each step.
        ema: the averaged net, if there is one.
        size: samples to learn from.
        separable: as `Update` has it.
        steps: how many.
        validate_every, sample_every: steps; 0 is never.
        monitor: the number of `validate` whose lowest value says which weights are kept; None keeps the last.
        patience: validations without a better one after which it stops.
        min_steps: before which it does not.
        gradient_norms: where gradients are dropped within the backward pass, what `step_in_backward` gave.
        faster_in_bf16: whether a CPU that computes with bf16 takes shorter steps with it (benchmarks/precision.py).
    """

    modules: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    rate: Callable[[int], float]
    ema: Ema[Any] | None = None
    separable: bool = False
    validate_every: int = 0
    sample_every: int = 0
    monitor: str | None = None
    patience: int = 0
    min_steps: int = 0
    gradient_norms: list[Tensor] | None = None
    faster_in_bf16: bool = False

    def __init__(self, config: TrainingConfig, runtime: Runtime, size: int, steps: int) -> None:
        self.batch_size, self.seed = config.batch_size, config.seed
        self.runtime, self.size, self.steps = runtime, size, steps
        self.batches = Prefetch(self._read, runtime.device)

    def autocast(self) -> AbstractContextManager[object]:
        """In which the nets compute."""
        return self.runtime.autocast(self.faster_in_bf16)

    @property
    def precision(self) -> str:
        """That of `autocast`, in words."""
        return "bf16 autocast" if self.runtime.takes_bf16(self.faster_in_bf16) else "fp32"

    def index(self, step: int) -> Tensor:
        """Which samples the batch of a step has."""
        return batch_indices(self.size, self.batch_size, self.seed, step)

    def _read(self, step: int) -> Batch:
        index = self.index(step)
        return self.read(index[self.runtime.share(len(index))])

    def read(self, index: Tensor) -> Batch:
        """What the forward pass takes of samples, on the CPU. It draws nothing: it may be read ahead of its step."""
        return {}

    def draw(self, n: int) -> Batch:
        """What is random in a batch of n samples, from torch's global random numbers."""
        return {}

    def forward(self, batch: Batch) -> Outputs:
        """From what was drawn and read for some samples to outputs."""
        raise NotImplementedError

    def loss(self, *outputs: Tensor) -> Loss:
        """Of the outputs of a whole batch, in float32."""
        raise NotImplementedError

    def updates(self, step: int) -> Iterator[Update]:
        """What a step updates, one after the other."""
        index = self.index(step)
        drawn = {"index": index, **self.draw(len(index))}
        (name,) = self.optimizers
        yield Update(name, self.rate(step), drawn, self.batches.get(step), self.forward, self.loss, self.separable)

    def validate(self, step: int) -> dict[str, float]:
        """Numbers on held-out data."""
        return {}

    def sample(self, step: int) -> Tensor:
        """Pictures to look at, uint8 [N, 3, H, W]."""
        return torch.empty(0, 3, 1, 1, dtype=torch.uint8)


__all__ = ["Batch", "Loss", "Outputs", "Task", "Update"]
