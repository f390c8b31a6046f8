"""On a GPU: the same results as on the CPU, up to rounding. Without one nothing here runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from train_in_processes import die_at, fit_resumed
from training_tasks import TASKS, small, trained

import s2v
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.step import train_step

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
DRAWN_THERE = {
    "encoder", "encoder_vit", "generator, warm-up", "generator, adversarial", "vae", "joint, pictures",
    "joint, sounds", "judge", "judge, none of these", "generator, codes",
}  # fmt: skip
"""Their noise, crops and masks are drawn on the device, and each device has random numbers of its own."""
SAME = [name for name in TASKS if name not in DRAWN_THERE]
REPEATED = [name for name in TASKS if name != "vae"]
"""Upsampling in the autoencoder's perceptual loss adds up its gradient on a GPU in no fixed order."""


@pytest.fixture(autouse=True)
def exact() -> None:
    """No TF32, whose rounding is that of ten bits."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


@pytest.mark.parametrize("name", SAME)
def test_a_training_ends_with_the_weights_of_the_cpu(name: str) -> None:
    expected = trained(name, Runtime(CPU, bf16=False))
    found = trained(name, Runtime(CUDA, bf16=False))
    assert found.keys() == expected.keys()
    for key, tensor in expected.items():
        far, scale = float((found[key].cpu() - tensor).abs().max()), float(tensor.abs().max())
        assert far <= 2e-3 * scale + 1e-4, (key, far, scale)


@pytest.mark.parametrize("name", SAME)
def test_bf16_loses_what_eight_bits_lose(name: str) -> None:
    def losses(runtime: Runtime) -> list[float]:
        task, found = small(name, runtime), []
        for step in range(5):
            torch.manual_seed(step)
            found += train_step(task, step).values()
        return found

    expected, found = losses(Runtime(CPU, bf16=False)), losses(Runtime(CUDA, bf16=True))
    np.testing.assert_allclose(found, expected, rtol=0.1, atol=0.05)


@pytest.mark.parametrize("name", REPEATED)
def test_a_training_can_be_repeated(name: str) -> None:
    one, two = (trained(name, Runtime(CUDA, bf16=True)) for _ in range(2))
    different = [key for key in one if not torch.equal(one[key], two[key])]
    assert not different


def test_a_killed_training_goes_on(tmp_path: Path) -> None:
    runtime = Runtime(CUDA, bf16=False)
    with pytest.raises(KeyboardInterrupt):
        fit_resumed(runtime, tmp_path / "killed", die_at(4))
    fit_resumed(runtime, tmp_path / "killed")
    fit_resumed(runtime, tmp_path / "whole")
    killed, whole = (load_tensors(next((tmp_path / name).rglob("*.safetensors"))) for name in ("killed", "whole"))
    for key in whole:
        torch.testing.assert_close(killed[key], whole[key], rtol=1e-5, atol=1e-6)


def test_the_shipped_model_draws_the_pictures_of_the_cpu() -> None:
    wave = torch.from_numpy(0.1 * np.sin(np.arange(16000) / 9)).float()
    pictures = []
    for device in ("cpu", "cuda"):
        model = s2v.load(device=device)
        z = model.encode_audio([wave, 0.3 * wave])
        (first, *_) = drawn = model.generate(z)
        edited = model.edit(first, wave, [0.0, 1.0])
        pictures.append(torch.cat([drawn, edited]).int())
    far = (pictures[0] - pictures[1]).abs().float().mean((1, 2, 3))
    assert far[:2].max() < 1, "of 255"
    assert far[2:].max() < 12, "150 steps of Adam add up what each rounds"
