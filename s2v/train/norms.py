"""What nets keep beside their weights, when a step's batch is computed in several processes or in several pieces.

Batch norm looks at its batch and keeps running statistics; spectral norm takes a step of its power iteration in every
forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrizations import _SpectralNorm

from s2v.runtime import Runtime

Net = TypeVar("Net", bound=nn.Module)


class _Total(torch.autograd.Function):
    """The sum over processes, whose gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        total = own.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Total.forward(ctx, gradient)


class SharedBatchNorm(_BatchNorm):
    """Batch norm whose statistics are those of all processes; for the CPU, where torch's SyncBatchNorm does not run."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Of any shape [N, C, ...]."""

    def forward(self, input: Tensor) -> Tensor:
        """[N, C, ...] -> same; N may differ between processes."""
        out = self._shared(input) if self.training else super().forward(input)
        for name in ("drop", "act"):  # of timm's BatchNormAct2d
            out = getattr(self, name)(out) if hasattr(self, name) else out
        return out

    def _shared(self, input: Tensor) -> Tensor:
        total: Callable[[Tensor], Tensor] = _Total.apply
        dims, per_channel = [0, *range(2, input.dim())], [1, -1] + [1] * (input.dim() - 2)
        x = input.float()
        count = total(x.new_tensor(x.numel() / x.shape[1]))
        mean = total(x.sum(dims)) / count
        centred = x - mean.view(per_channel)
        variance = total(centred.square().sum(dims)) / count
        if self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            momentum = self.momentum or 0.0
            with torch.no_grad():
                self.running_mean.lerp_(mean, momentum)
                self.running_var.lerp_(variance * count / (count - 1), momentum)
        out = centred * (variance + self.eps).rsqrt().view(per_channel)
        if self.affine:
            out = out * self.weight.view(per_channel) + self.bias.view(per_channel)
        return out.to(input.dtype)


def shared_norms(net: Net, wanted: bool, runtime: Runtime) -> Net:
    """`net`, whose batch norm sees the batches of all processes where that is `wanted`; weights and names stay."""
    if runtime.world_size == 1 or not wanted:
        return net
    if runtime.device.type == "cuda":
        # torch's own conversion would drop the activation of timm's norms.
        from timm.layers.norm_act import convert_sync_batchnorm

        converted: Net = convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        return converted
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            module.__class__ = SharedBatchNorm  # the same module, its parameters those of optimisers and averages
    return net


@contextmanager
def one_of_several(nets: Iterable[nn.Module], piece: int, pieces: int, repeated: bool) -> Iterator[None]:
    """Within it, forward passes are over one piece of a batch, and leave what one pass over all of it would leave.

    Batch norm still sees one piece at a time; its running statistics move by its momentum towards the mean over all
    pieces. Spectral norm takes its step once.

    Args:
        nets: that are used.
        piece: number of the piece, from 0.
        pieces: how many there are.
        repeated: this piece is computed a second time, so that nothing shall be left.
    """
    before: list[tuple[Any, str, Any]] = []
    if pieces > 1:
        for module in (module for net in nets for module in net.modules()):
            if isinstance(module, _BatchNorm):
                share = (module.momentum or 0.0) / pieces
                changes: dict[str, Any] = {"track_running_stats": module.track_running_stats and not repeated}
                # So that all pieces weigh the same in the end: later ones take from what earlier ones gave.
                changes["momentum"] = share / (1 - (pieces - 1 - piece) * share)
            elif isinstance(module, _SpectralNorm):
                changes = {"training": module.training and piece == 0 and not repeated}
            else:
                continue
            before += [(module, name, getattr(module, name)) for name in changes]
            for name, value in changes.items():
                setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


__all__ = ["one_of_several", "shared_norms"]
