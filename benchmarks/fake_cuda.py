"""A GPU that is not there: tensors with shape, type and device, and no values (torch's `FakeTensorMode`).

Nets, losses, optimisers and the code between them run as they would on CUDA, so that what would mix devices or types
there does so here, and what would lie in a GPU's memory can be added up. Nothing is computed: what depends on values
is not looked at, and no kernel of CUDA runs.

torch's autograd engine asks the driver for its streams, which fails without one, so `backward` walks the graph itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import heapify, heappop, heappush
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    FakeTensorMode,
)
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from s2v.train import task
from s2v.train.prefetch import Prefetch

CUDA = torch.device("cuda", 0)


@contextmanager
def fake_cuda(card_bytes: float = 24e9, real_cpu: bool = True) -> Iterator[None]:
    """Within it `Runtime(CUDA, ...)` trains and draws on a card of `card_bytes` that is not there.

    Tensors on the CPU are real, so that what is read from them (indices, lengths) holds, or with `real_cpu` off have no
    values either, so that nets of any size are made in no time. Where values decide, what is on the GPU is all ones.
    """
    graph = _Graph()
    with (
        patch.object(task, "Prefetch", partial(Prefetch, ahead=False)),  # modes are of their thread
        patch.object(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=card_bytes)),
        patch.object(nn.Module, "_apply", _moved),
        patch.object(Tensor, "backward", lambda tensor, gradient=None, **_: graph.backward([tensor], [gradient])),
        patch.object(torch.autograd, "backward", graph.backward),
        patch.object(torch.autograd, "grad", graph.grad),
        patch.object(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False),
        patch.object(torch.cuda, "is_bf16_supported", lambda *_: True),
        torch.backends.cudnn.flags(enabled=False),  # it asks the driver
        patch.object(F, "scaled_dot_product_attention", _attention),
        patch.object(torch, "tensor", _made),
        patch.object(Tensor, "new_tensor", lambda like, data: _made(data, dtype=like.dtype, device=like.device)),
        patch.object(torch.cuda, "_lazy_init", lambda: None),
        saved_tensors_hooks(graph.kept, graph.taken),
        _Elsewhere(real_cpu),
    ):
        yield


class _Elsewhere(TorchDispatchMode):
    """Operations on the GPU, or with anything that came from there, on fake tensors; the others as ever."""

    def __init__(self, real_cpu: bool) -> None:
        super().__init__()
        self.fake, self.real_cpu = FakeTensorMode(allow_non_fake_inputs=True), real_cpu
        torch._C._ensureCUDADeviceGuardSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        fake = any(isinstance(one, FakeTensor) for one in tensors)
        if fake and func.overloadpacket in _OF_ONE_TYPE:
            types = {one.dtype for one in tensors if one.is_floating_point()}
            if len(types) > 1:
                raise RuntimeError(f"{func}: expected tensors of one type, found {sorted(map(str, types))}")
        devices = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.device)]
        if not fake and self.real_cpu and all(one.type == "cpu" for one in devices):
            return func(*args, **kwargs)
        args, kwargs = tree_map(self._fake, (args, kwargs))
        try:
            with self.fake:
                return _UNKNOWN.get(func, func)(*args, **kwargs)
        except (DataDependentOutputException, DynamicOutputShapeException):
            found = func(*tree_map(_ones, args), **tree_map(_ones, kwargs))
            if func is torch.ops.aten._pack_padded_sequence.default:  # its second output is on the CPU
                return self._there(found[0], args[0].device), found[1]
            devices = {one.device for one in tree_leaves(args) if isinstance(one, FakeTensor)}
            return self._there(found, CUDA if CUDA in devices else torch.device("cpu"))

    def _fake(self, one: Any) -> Any:
        return self.fake.from_tensor(one) if isinstance(one, Tensor) and not isinstance(one, FakeTensor) else one

    def _there(self, found: Any, device: torch.device) -> Any:
        if not isinstance(found, Tensor):
            return found
        with self.fake:
            return torch.empty(found.shape, dtype=found.dtype, device=device)


_OF_ONE_TYPE = {
    getattr(torch.ops.aten, name)
    for name in (
        "mm", "bmm", "addmm", "addbmm", "baddbmm", "dot", "mv", "addmv", "convolution", "convolution_backward",
        "grid_sampler_2d", "index_put", "index_put_", "_index_put_impl_", "_cdist_forward", "_thnn_fused_gru_cell",
        "_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention",
    )
}  # fmt: skip
"""Kernels that refuse operands of different types, which torch's fake tensors do not check."""


def _gru_cell(gates: Tensor, _: Tensor, state: Tensor, *biases: Any) -> tuple[Tensor, Tensor]:
    return torch.empty_like(state), gates.new_empty(len(state), 5 * state.shape[1])


def _gru_cell_backward(slope: Tensor, saved: Tensor, has_bias: bool) -> tuple[Tensor, ...]:
    gates = slope.new_empty(len(slope), 3 * slope.shape[1])
    biases = (gates[0].clone(), gates[0].clone()) if has_bias else ()
    return gates, gates.clone(), torch.empty_like(slope), *biases


_UNKNOWN: dict[Any, Any] = {
    torch.ops.aten._thnn_fused_gru_cell.default: _gru_cell,
    torch.ops.aten._thnn_fused_gru_cell_backward.default: _gru_cell_backward,
}
"""Kernels whose shapes torch's fake tensors do not know."""


def _ones(one: Any) -> Any:
    return torch.ones(one.shape, dtype=one.dtype) if isinstance(one, FakeTensor) else one


def _moved(net: nn.Module, change: Any, recurse: bool = True) -> nn.Module:
    """`nn.Module._apply`, which cannot exchange what fake parameters hold."""
    for child in net.children():
        _moved(child, change)
    with torch.no_grad():
        for name, own in net._parameters.items():
            if own is not None:
                net._parameters[name] = nn.Parameter(change(own), own.requires_grad)
        for name, buffer in net._buffers.items():
            if buffer is not None:
                net._buffers[name] = change(buffer)
    return net


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, _plain: Any = F.scaled_dot_product_attention, **_: Any,
) -> Tensor:  # fmt: skip
    """Without a driver torch takes attention that keeps every weight; a GPU takes the kernels that keep none."""
    if query.device.type != "cuda":
        return _plain(query, key, value, attn_mask, dropout_p, is_causal, scale=scale)  # type: ignore[no-any-return]
    if torch.is_autocast_enabled("cuda"):
        query, key, value = (one.to(torch.get_autocast_dtype("cuda")) for one in (query, key, value))
    if attn_mask is None and query.dtype != torch.float32:
        flash = torch.ops.aten._scaled_dot_product_flash_attention
        return flash(query, key, value, dropout_p, is_causal, scale=scale)[0]  # type: ignore[no-any-return]
    efficient = torch.ops.aten._scaled_dot_product_efficient_attention
    return efficient(query, key, value, attn_mask, True, dropout_p, is_causal, scale=scale)[0]  # type: ignore[no-any-return]


def _made(data: Any, device: Any = None, _tensor: Any = torch.tensor, **kwargs: Any) -> Tensor:
    """`torch.tensor`, which writes onto a device without asking the mode."""
    if not isinstance(data, Tensor):
        data = tree_map(lambda one: one.item() if isinstance(one, Tensor) else one, data)
    made: Tensor = _tensor(data, **kwargs)
    return made if device is None else made.to(device)


class _Graph:
    """Reverse differentiation over torch's own nodes, one after the other, and what they saved.

    A node's formula, called as a function, is the one the engine would call. What a node saved is let go once it was
    used, as the engine does.
    """

    def __init__(self) -> None:
        self.used: list[list[Tensor]] = []

    def kept(self, tensor: Tensor) -> list[Tensor]:
        return [tensor]

    def taken(self, box: list[Tensor]) -> Tensor:
        self.used.append(box)
        return box[0]

    def backward(self, tensors: Sequence[Tensor], gradients: Sequence[Tensor | None] | None = None, **_: Any) -> None:
        self._walk(tensors, gradients or [None] * len(tensors), None, keep=False)

    def grad(self, outputs: Any, inputs: Any, retain_graph: bool = False, **_: Any) -> tuple[Tensor | None, ...]:
        outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        found = self._walk(outputs, [None] * len(outputs), inputs, keep=retain_graph)
        return tuple(found.get(_edge(one)) for one in inputs)

    def _walk(
        self, tensors: Sequence[Tensor], gradients: Sequence[Tensor | None], wanted: Sequence[Tensor] | None, keep: bool
    ) -> dict[Any, Tensor]:
        roots = [_edge(one) for one in tensors]
        waiting: dict[Any, dict[int, Tensor]] = {}
        for (node, number), tensor, gradient in zip(roots, tensors, gradients, strict=True):
            _add(waiting, node, number, torch.ones_like(tensor) if gradient is None else gradient)
        ends = {_edge(one) for one in wanted or ()}
        found: dict[Any, Tensor] = {}
        with torch.no_grad():
            for node in _in_order([node for node, _ in roots]):
                given = waiting.pop(node, {})
                found.update({(node, number): one for number, one in given.items() if (node, number) in ends})
                if not given:
                    continue
                if hasattr(node, "variable"):
                    if wanted is None:
                        _accumulate(node.variable, given[0])
                    continue
                self._apply(node, given, waiting, keep)
        return found

    def _apply(self, node: Any, given: dict[int, Tensor], waiting: dict[Any, dict[int, Tensor]], keep: bool) -> None:
        count = len(node._input_metadata)
        arguments = [given.get(number) for number in range(count)]
        given.clear()
        out = node.apply(*arguments) if hasattr(node, "apply") else node(*arguments)
        del arguments
        if not keep:
            for box in self.used:
                box.clear()
        self.used.clear()
        outs = out if isinstance(out, tuple) else (out,)
        for (following, number), gradient in zip(node.next_functions, outs, strict=False):
            if following is not None and gradient is not None:
                _add(waiting, following, number, gradient)


def _edge(tensor: Tensor) -> tuple[Any, int]:
    node = tensor.grad_fn
    if node is None:
        return torch.autograd.graph.get_gradient_edge(tensor).node, 0
    return node, tensor.output_nr


def _add(waiting: dict[Any, dict[int, Tensor]], node: Any, number: int, gradient: Tensor) -> None:
    """Put a gradient where `node` takes it, in the shape and type of what it is the gradient of, as the engine does."""
    if hasattr(node, "variable"):
        like = node.variable.shape, node.variable.dtype, node.variable.device
    else:
        meta = node._input_metadata[number]
        like = meta.shape, meta.dtype, meta.device
    assert gradient.device == like[2], f"{node}: a gradient on {gradient.device} of a tensor on {like[2]}"
    gradient = gradient.sum_to_size(like[0]).to(like[1])
    slots = waiting.setdefault(node, {})
    slots[number] = slots[number] + gradient if number in slots else gradient


def _accumulate(leaf: Tensor, gradient: Tensor) -> None:
    leaf.grad = gradient if leaf.grad is None else leaf.grad + gradient
    for hook in (leaf._post_accumulate_grad_hooks or {}).values():
        hook(leaf)


def _in_order(roots: Sequence[Any]) -> Iterator[Any]:
    """Nodes, each after all that lead to it; of those that could be next the one that was made last, as the engine."""
    left: dict[Any, int] = {}
    todo = list(dict.fromkeys(roots))
    seen = set(todo)
    while todo:
        for following, _ in todo.pop().next_functions:
            if following is not None:
                left[following] = left.get(following, 0) + 1
                if following not in seen:
                    seen.add(following)
                    todo.append(following)
    ready = [
        (-node._sequence_nr(), number, node) for number, node in enumerate(dict.fromkeys(roots)) if node not in left
    ]
    heapify(ready)
    number = len(ready)
    while ready:
        _, _, node = heappop(ready)
        yield node
        for following, _ in node.next_functions:
            if following is not None:
                left[following] -= 1
                if not left[following]:
                    number += 1
                    heappush(ready, (-following._sequence_nr(), number, following))


class Memory(TorchDispatchMode):
    """Adds up what lies on the fake GPU: `now` and `peak`, in bytes, in blocks of 512 as torch's allocator has them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for one in tree_leaves(out):
            if isinstance(one, Tensor) and one.device.type == "cuda":
                self._see(one.untyped_storage())
        return out

    def _see(self, storage: Any) -> None:
        key, size = storage._cdata, -(-storage.nbytes() // 512) * 512
        if key in self.known:
            return
        self.known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


__all__ = ["CUDA", "Memory", "fake_cuda"]
