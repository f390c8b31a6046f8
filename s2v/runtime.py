"""Where training runs: device, precision, threads, and the processes that share it."""

from __future__ import annotations

import ctypes
import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import nn

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig


@dataclass(frozen=True)
class Runtime:
    """Device and precision of this process, and its place among the processes of a `torchrun`."""

    device: torch.device
    bf16: bool
    rank: int = 0
    world_size: int = 1
    resume_any: bool = False
    """Whether a training goes on from a checkpoint of other code, data or settings too."""

    @classmethod
    def from_config(cls, config: RuntimeConfig, threads: int) -> Runtime:
        """Settle device, precision and thread count; join the process group when started by `torchrun`.

        Raises:
            UserError: CUDA is asked for by name and is not there.
        """
        torch.set_num_threads(max(1, threads))
        keep_freed_memory()
        cuda = torch.cuda.is_available()
        if config.device == "cuda" and not cuda:
            raise UserError("runtime.device: cuda is asked for, but torch sees no CUDA device; use auto or cpu")
        world_size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        device = torch.device("cpu")
        if config.device != "cpu" and cuda:
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(device)
        if world_size > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        bf16 = config.precision == "bf16" or (config.precision == "auto" and device.type == "cuda")
        return cls(device, bf16, rank, world_size, config.resume == "any")

    @property
    def is_main(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[object]:
        """bf16 autocast where asked for, otherwise nothing."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()

    def wrap(self, module: nn.Module) -> nn.Module:
        """`module` on the device, its gradients averaged over processes where there are several."""
        module = module.to(self.device)
        if self.world_size == 1:
            return module
        ids = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=ids)

    def mean(self, value: float) -> float:
        """Mean of a number over processes, so that all of them decide alike."""
        if self.world_size == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return float(tensor) / self.world_size

    def barrier(self) -> None:
        """Wait for the other processes."""
        if self.world_size > 1:
            dist.barrier()


def keep_freed_memory() -> None:
    """Tell glibc to keep large pieces of memory that are freed, for those that are asked for next.

    It would give them back, and the kernel would clear them anew at every layer of every step: a fifth of the time of a
    training on the CPU. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for parameter, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 64 * 2**20)):
        mallopt(parameter, value)


_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # malloc.h


def unwrap(module: nn.Module) -> nn.Module:
    """The module inside a DDP wrapper, or the module itself."""
    return module.module if isinstance(module, nn.parallel.DistributedDataParallel) else module
