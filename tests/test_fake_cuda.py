"""Every training and every way of drawing on a GPU that is not there (benchmarks/fake_cuda.py).

What would mix devices or types on a GPU does so here. Numbers are not looked at; tests/test_cuda.py does, on a GPU.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_cuda import CUDA, Memory, fake_cuda
from tiny_run import models
from torch import Tensor, nn
from training_tasks import TASKS

from s2v.config import SamplerConfig
from s2v.methods.renderers.steered import SteeredRenderer
from s2v.model import Model
from s2v.runtime import Runtime
from s2v.train.step import train_step

THERE = ["encoder", "generator, adversarial", "vae", "diffusion", "align", "localise"]
"""Whose data lie on a GPU that has room for them."""


def state(task: Any) -> dict[str, Tensor]:
    """Weights, buffers and averages of a training."""
    return {f"{part}.{key}": one for part, net in task.modules.items() for key, one in net.state_dict().items()}


@pytest.mark.parametrize(("name", "card_bytes"), [*product(TASKS, [24e9]), *product(THERE, [0])])
def test_two_steps_of_each_training(name: str, card_bytes: float) -> None:
    with fake_cuda(card_bytes):
        task = TASKS[name](Runtime(CUDA, bf16=True))
        kinds = {key: one.dtype for key, one in state(task).items()}
        for step in range(2):
            train_step(task, step)
        after = state(task)
        assert {key: one.dtype for key, one in after.items()} == kinds
        assert {one.device for one in after.values()} == {CUDA}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of a GAN and one of a latent diffusion model."""
    root = tmp_path_factory.mktemp("run")
    models(root)
    (root / "encoder_vit").symlink_to("encoder")
    (root / "align_ldm").symlink_to("align")
    return root


@pytest.mark.parametrize("method", ["sound2vision", "sound2vision_ldm"])
def test_what_a_model_can_do(run: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SteeredRenderer, "steps", 3)
    sound = 0.1 * torch.sin(torch.arange(16000) / 9)
    with fake_cuda():
        model = Model(run, method, device=CUDA, sampler=SamplerConfig(steps=2))
        pictures = model.generate(model.encode_audio([sound, 0.3 * sound]))
        picture = torch.zeros(3, 40, 30, dtype=torch.uint8).numpy().transpose(1, 2, 0)
        model.encode_image([picture])
        edited = model.edit(model.invert(picture, steps=3), sound, [0.0, 1.0])
        assert pictures.shape == edited.shape == (2, 3, model.resolution, model.resolution)
        assert model.mix([sound, sound], [0.0, 3.0]).shape == sound.shape
        if method == "sound2vision_ldm":
            assert len(model.compose(picture, sound, [0.0, 0.5])) == len(model.renoise(picture, sound, [0.2, 0.5])) == 2


def test_a_tensor_that_was_left_on_the_cpu_is_found() -> None:
    with fake_cuda(), pytest.raises(RuntimeError, match="same device"):
        nn.Linear(3, 3).to(CUDA)(torch.randn(2, 3))


def test_a_type_that_does_not_fit_is_found() -> None:
    with fake_cuda(), pytest.raises(RuntimeError, match="one type"):
        nn.Linear(3, 3).to(CUDA)(torch.randn(2, 3, device=CUDA, dtype=torch.bfloat16))


@pytest.mark.parametrize("bf16", [False, True])
def test_gradients_have_the_shapes_of_those_on_the_cpu(bf16: bool) -> None:
    def gradients(device: torch.device) -> list[tuple[torch.Size, torch.dtype]]:
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)).to(
            device
        )
        with Runtime(device, bf16=bf16).autocast():
            out = net(torch.randn(2, 3, 8, 8, device=device))
        (out.float() * torch.ones(1, 2, device=device)).square().mean().backward()
        return [(p.grad.shape, p.grad.dtype) for p in net.parameters() if p.grad is not None]

    expected = gradients(torch.device("cpu"))
    with fake_cuda():
        assert gradients(CUDA) == expected


def test_memory_is_what_lies_there_at_once() -> None:
    with fake_cuda(), Memory() as memory:
        kept = torch.empty(1000, 1000, device=CUDA)
        assert memory.now == memory.peak == 4_000_256
        gone = kept + kept
        assert memory.now == 2 * 4_000_256
        del gone
        kept.relu_()
        assert (memory.now, memory.peak) == (4_000_256, 2 * 4_000_256)
        weight = nn.Parameter(kept)
        weight.square().sum().backward()  # a square, its gradient, and what the square keeps is the weight
        assert weight.grad is not None and memory.now <= 2 * 4_000_256 + 1024
