"""One step of a training: the same numbers in one process or several, with the batch in one piece or several.

A loss that compares samples with each other (contrast, Sinkhorn's codes) sees the outputs of the whole batch: they are
gathered over processes, and each process takes the gradient of its own rows. Where its share is in several pieces, the
outputs come from a first pass without a graph, and each piece is computed again to take its gradient further
(GradCache, Gao et al. 2021). Gradients are summed over pieces and processes.

A step whose loss, gradient or weight is not finite is the last one. No such step is part of the plan: bf16 reaches as
far as fp32, so there is no gradient scaler, which would skip steps whose gradient is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from s2v.train.norms import one_of_several
from s2v.train.task import Batch, Outputs, Task, Update

LARGEST_RATE = 1e35


class Diverged(ArithmeticError):
    """A number of a step is not finite; the message says which."""


def train_step(task: Task, step: int) -> dict[str, float]:
    """Update the nets of `task`; returns what is logged. torch's random numbers were seeded from (seed, step).

    Raises:
        Diverged: a loss, a gradient or a weight is not finite.
    """
    runtime = task.runtime
    numbers: dict[str, float] = {}
    for update in task.updates(step):
        optimizer = task.optimizers[update.optimizer]
        if update.learning_rate > LARGEST_RATE:
            raise Diverged(f"the learning rate {update.learning_rate:g} is beyond single precision")
        for group in optimizer.param_groups:
            group["lr"] = update.learning_rate
        logged = _backward(task, update)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        runtime.sum(p.grad for p in parameters if p.grad is not None)
        optimizer.step()
        numbers |= _looked_at(task, logged, parameters)
        optimizer.zero_grad(set_to_none=True)
    if task.ema is not None:
        task.ema.update(step)
    return numbers


def _looked_at(task: Task, logged: dict[str, Tensor], parameters: Sequence[Tensor]) -> dict[str, float]:
    """What is logged, as numbers: with the norms of gradients and weights, so that the device is waited for once."""
    gradients = task.gradient_norms
    if gradients is None:
        gradients = [p.grad for p in parameters if p.grad is not None]
    norms = [get_total_norm(gradients), get_total_norm(parameters)]
    *values, gradient, weight = torch.stack([*logged.values(), *(n.to(parameters[0].device) for n in norms)]).tolist()
    if task.gradient_norms is not None:
        task.gradient_norms.clear()
    numbers = dict(zip(logged, values, strict=True))
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise Diverged(f"the loss `{name}` is {value}")
    if not math.isfinite(gradient + weight):
        norm = "gradients" if not math.isfinite(gradient) else "weights"
        raise Diverged(_culprit(task, parameters) or f"the norm of the {norm} is beyond single precision")
    return numbers


def _culprit(task: Task, parameters: Sequence[Tensor]) -> str | None:
    own = {id(p) for p in parameters}
    named = [
        (f"{part}.{k}", p) for part, net in task.modules.items() for k, p in net.named_parameters() if id(p) in own
    ]
    for name, p in named:
        if p.grad is not None and not p.grad.isfinite().all():
            return f"the gradient of {name} is not finite"
    for name, p in named:
        if not p.isfinite().all():
            return f"the weight {name} is not finite"
    return None


def _backward(task: Task, update: Update) -> dict[str, Tensor]:
    """Forward, loss and backward over this process's share of the batch; gradients are added up."""
    runtime = task.runtime
    n = len(update.drawn["index"])
    pieces = runtime.pieces(n)

    def forward(number: int, repeated: bool = False) -> Outputs:
        batch = _rows(update, pieces[number], pieces[0].start)
        with one_of_several(task.modules.values(), number, len(pieces), repeated), task.autocast():
            outputs = update.forward(batch)
        return tuple(one.float() if one.is_floating_point() else one for one in outputs)

    if update.separable or (len(pieces) == 1 and runtime.world_size == 1):
        logged: dict[str, Tensor] = {}
        for number, piece in enumerate(pieces):
            loss, parts = update.loss(*forward(number))
            share = (piece.stop - piece.start) / n
            (loss * share).backward()
            for name, value in parts.items():
                logged[name] = logged.get(name, 0.0) + value.detach() * share
        runtime.sum(logged.values())
        return logged

    with torch.set_grad_enabled(len(pieces) == 1):
        found = [forward(number) for number in range(len(pieces))]
    whole = [runtime.gather(torch.cat(column).detach(), n) for column in zip(*found, strict=True)]
    compared = [one.requires_grad_() if one.is_floating_point() else one for one in whole]
    loss, logged = update.loss(*compared)
    wanted = [one for one in compared if one.requires_grad]
    slopes = iter(torch.autograd.grad(loss, wanted, allow_unused=True))
    gradients = [next(slopes) if one.requires_grad else None for one in compared]
    for number, piece in enumerate(pieces):
        outputs = found[0] if len(pieces) == 1 else forward(number, repeated=True)
        pairs = zip(outputs, gradients, strict=True)
        known = [(own, g[piece]) for own, g in pairs if g is not None and own.requires_grad]
        torch.autograd.backward([own for own, _ in known], [g for _, g in known])
    return {name: value.detach() for name, value in logged.items()}


def _rows(update: Update, piece: slice, start: int) -> Batch:
    """The samples of a piece: rows of what was drawn for the whole batch, and of what this process read."""
    own = slice(piece.start - start, piece.stop - start)
    return {k: v[piece] for k, v in update.drawn.items()} | {k: v[own] for k, v in update.read.items()}


__all__ = ["Diverged", "train_step"]
