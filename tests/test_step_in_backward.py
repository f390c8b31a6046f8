"""Steps within the backward pass: the same numbers, checkpoints included, and no gradients left."""

from __future__ import annotations

import copy

import torch
from torch import nn

from s2v.train.step_in_backward import step_in_backward


def _train(net: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        optimizer.param_groups[0]["lr"] = 1e-2 / (1 + step)
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad(set_to_none=True)
        net(x).square().mean().backward()
        optimizer.step()


def _pair() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    return net, torch.optim.AdamW(net.parameters(), 1e-2, weight_decay=0.1)


def test_weights_and_state_are_those_of_usual_steps_bit_by_bit() -> None:
    net, optimizer = _pair()
    other, hooked = copy.deepcopy(net), None
    hooked = torch.optim.AdamW(other.parameters(), 1e-2, weight_decay=0.1)
    step_in_backward(hooked)
    _train(net, optimizer, range(5))
    _train(other, hooked, range(5))
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))
    usual, ours = (made.state_dict()["state"] for made in (optimizer, hooked))
    assert usual.keys() == ours.keys()
    for number, values in usual.items():
        assert all(torch.equal(torch.as_tensor(values[key]), torch.as_tensor(ours[number][key])) for key in values)
    assert all(parameter.grad is None for parameter in other.parameters())


def test_it_goes_on_from_a_checkpoint() -> None:
    net, optimizer = _pair()
    step_in_backward(optimizer)
    _train(net, optimizer, range(3))
    saved = copy.deepcopy((net.state_dict(), optimizer.state_dict()))
    _train(net, optimizer, range(3, 6))
    again, fresh = _pair()
    step_in_backward(fresh)
    again.load_state_dict(saved[0])
    fresh.load_state_dict(saved[1])
    _train(again, fresh, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
