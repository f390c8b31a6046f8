"""An optimiser that steps each parameter as soon as its gradient is there, so that no two gradients lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor


def step_in_backward(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Make `loss.backward()` also take the step of `optimizer`, parameter by parameter, and drop the gradients.

    The numbers are the same for optimisers that treat each parameter on its own (Adam, AdamW, SGD); its state and its
    learning rates stay where they are, so that it is saved and scheduled as before. `optimizer.step()` then finds
    nothing to do. Not where gradients are summed over processes or pieces of a batch first, nor for clipping by a
    common norm.

    Returns:
        A list to which the norm of each gradient is added before it is dropped; who reads it empties it.
    """
    norms: list[Tensor] = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            _attach(optimizer, parameter, norms)
    return norms


def _attach(optimizer: torch.optim.Optimizer, parameter: Tensor, norms: list[Tensor]) -> None:
    one = type(optimizer)([parameter])  # type: ignore[call-arg]

    def step(_: Tensor) -> None:
        # Found anew each time: loading a checkpoint replaces the optimiser's state and its groups' values.
        one.state = optimizer.state
        live = next(own for own in optimizer.param_groups if any(p is parameter for p in own["params"]))
        one.param_groups[0].update({name: value for name, value in live.items() if name != "params"})
        if parameter.grad is not None:
            norms.append(parameter.grad.norm())
        one.step()
        parameter.grad = None

    parameter.register_post_accumulate_grad_hook(step)


__all__ = ["step_in_backward"]
