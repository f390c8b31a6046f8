"""Where training runs: device, precision, threads, and the processes that share it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor, nn

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig


SHARE_OF_TABLES = 8


@dataclass(frozen=True)
class Runtime:
    """Device and precision of this process, and its share of the work among the processes of a `torchrun`.

    A batch of n samples is one list that all processes know; each computes a stretch of it, in pieces of at most
    `device_batch` samples. All processes have equally many pieces, so that they can wait for each other in each.
    """

    device: torch.device
    bf16: bool
    rank: int = 0
    world_size: int = 1
    resume_any: bool = False
    """Whether a training goes on from a checkpoint of other code, data or settings too."""
    device_batch: int | None = None
    """The most samples that are computed at once; None: this process's whole share."""
    node: int = 0
    """Which of the nodes that share a training this is."""
    leads_node: bool = True
    """Whether this process does what is done once on each node."""
    bf16_where_faster: bool = False
    """Without `bf16`: whether trainings that are known to be faster with bf16 autocast on this CPU use it."""

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
        node, local_rank = int(os.environ.get("GROUP_RANK", "0")), int(os.environ.get("LOCAL_RANK", "0"))
        device = torch.device("cpu")
        if config.device != "cpu" and cuda:
            device = torch.device("cuda", local_rank)
            torch.cuda.set_device(device)
        if world_size > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        device_batch = config.device_batch if isinstance(config.device_batch, int) else None
        auto, on_gpu = config.precision == "auto", device.type == "cuda"
        return cls(
            device,
            bf16=config.precision == "bf16" or (auto and on_gpu),
            rank=rank,
            world_size=world_size,
            resume_any=config.resume == "any",
            device_batch=device_batch,
            node=node,
            leads_node=local_rank == 0,
            bf16_where_faster=auto and not on_gpu and cpu_computes_bf16(),
        )

    @property
    def is_main(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def autocast(self, faster: bool = False) -> AbstractContextManager[object]:
        """bf16 autocast where `takes_bf16`, otherwise nothing."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.takes_bf16(faster) else nullcontext()

    def takes_bf16(self, faster: bool) -> bool:
        """Whether bf16 is asked for, or chosen; `faster` says whether it is known to be so on a CPU."""
        return self.bf16 or (self.bf16_where_faster and faster)

    def share(self, n: int) -> slice:
        """Which of the n samples of a batch are this process's; shares differ by at most one sample.

        Raises:
            UserError: there are fewer samples than processes.
        """
        if n < self.world_size:
            raise UserError(
                f"a batch of {n} sample(s) cannot be shared by {self.world_size} processes; lower runtime.processes, "
                "or raise the section's batch_size where the data have more"
            )
        return slice(n * self.rank // self.world_size, n * (self.rank + 1) // self.world_size)

    def pieces(self, n: int) -> list[slice]:
        """What of the n samples of a batch this process computes, in pieces of at most `device_batch`."""
        own = self.share(n)
        largest = -(-n // self.world_size)
        count = min(-(-largest // (self.device_batch or largest)), n // self.world_size)
        edges = [own.start + (own.stop - own.start) * i // count for i in range(count + 1)]
        return [slice(*edge) for edge in pairwise(edges)]

    def at_once(self, rows: Tensor) -> Iterable[Tensor]:
        """Rows that every process computes for itself, as in validation, in pieces of at most `device_batch`."""
        return rows.split(self.device_batch or max(1, len(rows)))

    def near(self, table: Tensor) -> Tensor:
        """A table that each step takes rows of, on the GPU if it takes at most an eighth of its memory."""
        if self.device.type != "cuda" or table.nbytes > memory_bytes(self.device) / SHARE_OF_TABLES:
            return table
        return table.to(self.device)

    def gather(self, own: Tensor, n: int) -> Tensor:
        """All n rows of a batch, [n, ...], of which this process has its share; without gradient."""
        if self.world_size == 1:
            return own
        # Of shares that differ in size, all_gather knows nothing.
        whole = own.new_zeros(n, *own.shape[1:])
        whole[self.share(n)] = own
        dist.all_reduce(whole)
        return whole

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Sum each tensor over processes, in place; some at a time, in pieces of about 100 MB."""
        if self.world_size == 1:
            return
        bucket: list[Tensor] = []
        for tensor in tensors:
            bucket.append(tensor)
            if sum(one.numel() for one in bucket) > _BUCKET:
                _sum(bucket)
                bucket = []
        if bucket:
            _sum(bucket)

    def broadcast(self, nets: Iterable[nn.Module]) -> None:
        """Give all processes the main one's parameters and buffers."""
        if self.world_size > 1:
            for net in nets:
                for tensor in net.state_dict().values():
                    plain = tensor.contiguous()
                    dist.broadcast(plain, 0)
                    tensor.copy_(plain)

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


_BUCKET = 25_000_000  # numbers


def _sum(tensors: list[Tensor]) -> None:
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))


def cpu_computes_bf16() -> bool:
    """Whether this CPU multiplies bf16 numbers (AVX-512 BF16, AMX); one that must convert them first is slower."""
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def memory_bytes(device: torch.device) -> int:
    """Memory of a GPU."""
    return int(torch.cuda.get_device_properties(device).total_memory)


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
