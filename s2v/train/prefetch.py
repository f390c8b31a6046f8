"""The next step's batch is read while the GPU works on this one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor


class Prefetch:
    """Batches of a training whose batch is a function of the step.

    On CUDA the next batch is read in a thread, into pinned memory, and copied without waiting. On the CPU nothing is
    read ahead: the thread would take the time from the step.

    Args:
        read: the tensors of a step's batch, on the CPU. It must not draw from torch's global random numbers.
        device: where they are wanted.
        ahead: None: on CUDA alone.
    """

    def __init__(
        self, read: Callable[[int], dict[str, Tensor]], device: torch.device, ahead: bool | None = None
    ) -> None:
        self.read, self.device = read, device
        self.pool = ThreadPoolExecutor(1) if (device.type == "cuda" if ahead is None else ahead) else None
        self.next: tuple[int, Future[dict[str, Tensor]]] | None = None

    def get(self, step: int) -> dict[str, Tensor]:
        """The batch of `step`, on the device."""
        if self.pool is None:
            return {name: tensor.to(self.device) for name, tensor in self.read(step).items()}
        batch = self.next[1].result() if self.next is not None and self.next[0] == step else self._read(step)
        self.next = step + 1, self.pool.submit(self._read, step + 1)
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}

    def _read(self, step: int) -> dict[str, Tensor]:
        read = self.read(step).items()
        return {name: one.pin_memory() if self._far(one) else one for name, one in read}

    def _far(self, tensor: Tensor) -> bool:
        return self.device.type == "cuda" and tensor.device.type == "cpu"


__all__ = ["Prefetch"]
