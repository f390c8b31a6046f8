"""A batch is one, however many processes share it and in however many pieces they compute it: for every training."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from train_in_processes import RESUMED, die_at, fit_resumed
from training_tasks import STEPS, TASKS, small, trained

from s2v.errors import UserError
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.loop import fit
from s2v.train.norms import one_of_several, shared_norms
from s2v.train.step import train_step

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
ONE, PIECES = Runtime(CPU, bf16=False), Runtime(CPU, bf16=False, device_batch=2)
RELATIVE, ABSOLUTE = 1e-4, 2e-6
"""Of the largest number of a tensor; what is below the second is rounding of a gradient that is 0."""


@functools.cache
def alone(name: str, normed: bool = True) -> dict[str, Tensor]:
    """What one process trains with the whole batch at once."""
    return trained(name, ONE, normed)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes leave: see train_in_processes.py."""
    folder = tmp_path_factory.mktemp("together")
    with pytest.raises(KeyboardInterrupt):
        fit_resumed(ONE, folder / "from one to two", die_at(4))
    script = Path(__file__).with_name("train_in_processes.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = os.environ | {"PYTHONPATH": str(script.parent.parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=400, env=environment)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        far, scale = float((found[name] - tensor).abs().max()), float(tensor.abs().max())
        assert far <= RELATIVE * scale + ABSOLUTE, (name, far, scale)


@pytest.mark.parametrize(
    "name", ["generator, warm-up", "generator, adversarial", "vae", "s2i_generator", "pedersoli_vqvae"]
)
def test_samples_change_nothing_of_a_training(name: str, tmp_path: Path) -> None:
    found = []
    for every in (0, 2):
        task = small(name, ONE)
        task.steps, task.sample_every = STEPS, every
        fit(task, name=name, output_dir=tmp_path / str(every), fingerprint={}, checkpoint_every=STEPS)
        found.append({f"{part}/{k}": v for part, net in task.modules.items() for k, v in net.state_dict().items()})
    assert list((tmp_path / "2/samples").iterdir()) and all(torch.equal(v, found[1][k]) for k, v in found[0].items())


@pytest.mark.parametrize("name", TASKS)
def test_two_processes_train_what_one_does(name: str, together: Path) -> None:
    first, second = (load_tensors(together / f"whole, {name}, {rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[k], second[k]) for k in first), "the processes' weights are not the same"
    assert_equal(first, alone(name))


@pytest.mark.parametrize("name", TASKS)
def test_pieces_train_what_the_whole_does(name: str, together: Path) -> None:
    """In one process and in two. Batch norm takes its running statistics here: those of a batch are of a piece."""
    whole = alone(name, normed=False)
    assert_equal(trained(name, PIECES, normed=False), whole)
    first, second = (load_tensors(together / f"pieces, {name}, {rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[k], second[k]) for k in first), "the processes' weights are not the same"
    assert_equal(first, whole)


@pytest.mark.parametrize("name", TASKS)
def test_five_steps_move_what_is_trained(name: str) -> None:
    """Otherwise the tests above would compare first weights."""
    before, after = trained(name, ONE, steps=0), alone(name)
    moved = max(float((after[k] - v).norm() / v.norm()) for k, v in before.items() if v.norm() > 1)
    assert moved > 20 * RELATIVE


@pytest.mark.parametrize("name", TASKS)
def test_numbers_in_the_log_are_those_of_the_whole_batch(name: str) -> None:
    logged = []
    for runtime in (ONE, PIECES):
        task = small(name, runtime, normed=False)
        torch.manual_seed(0)
        logged.append(train_step(task, 0))
    assert logged[0] == pytest.approx(logged[1], rel=1e-5)


def test_a_killed_run_goes_on_with_another_number_of_processes(tmp_path: Path, together: Path) -> None:
    undisturbed = fit_resumed(ONE, tmp_path)
    assert (together / "from one to two" / "step").read_text() == "3"
    assert_equal(load_tensors(together / "from one to two" / "0.safetensors"), undisturbed)
    assert sorted(p.stem for p in (together / "from two to one/checkpoints").glob("0*.json")) == ["00000003"]
    seen: list[int] = []
    assert_equal(fit_resumed(ONE, together / "from two to one", seen.append), undisturbed)
    assert seen == list(range(3, RESUMED))


@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
@pytest.mark.parametrize("device_batch", [None, 1, 2, 5, 100])
@pytest.mark.parametrize("n", [8, 9, 17, 64])
def test_processes_share_a_batch_in_equally_many_pieces(n: int, device_batch: int | None, world_size: int) -> None:
    ranks = [Runtime(CPU, False, rank, world_size, device_batch=device_batch).pieces(n) for rank in range(world_size)]
    taken = [i for pieces in ranks for piece in pieces for i in range(piece.start, piece.stop)]
    assert taken == list(range(n))
    assert len({len(pieces) for pieces in ranks}) == 1
    sizes = [piece.stop - piece.start for pieces in ranks for piece in pieces]
    # One sample at a time in uneven shares would leave a process without a piece.
    assert min(sizes) >= 1 and max(sizes) <= max(device_batch or n, 2 if n % world_size else 1)


def test_a_batch_smaller_than_the_number_of_processes_is_one_line() -> None:
    with pytest.raises(UserError, match=r"3 sample\(s\) cannot be shared by 4 processes") as error:
        Runtime(CPU, False, 0, 4).pieces(3)
    assert "\n" not in str(error.value)


def test_running_statistics_move_once_towards_the_mean_over_pieces() -> None:
    torch.manual_seed(0)
    norm, x = nn.BatchNorm1d(3, momentum=0.3), torch.randn(12, 3) + 2
    pieces = x.split(4)
    for repeated in (False, True):
        for number, piece in enumerate(pieces):
            with one_of_several([norm], number, 3, repeated):
                norm(piece)
    mean = torch.stack([piece.mean(0) for piece in pieces]).mean(0)
    variance = torch.stack([piece.var(0) for piece in pieces]).mean(0)
    assert norm.running_mean is not None and norm.running_var is not None
    torch.testing.assert_close(norm.running_mean, 0.3 * mean)
    torch.testing.assert_close(norm.running_var, 0.7 + 0.3 * variance)
    assert norm.momentum == 0.3 and norm.track_running_stats and norm.training


@pytest.mark.parametrize("name", ["encoder", "encoder_vit", "generator, adversarial"])
def test_batch_norm_for_several_gpus_keeps_weights_names_and_activations(name: str) -> None:
    """As far as that can be seen without GPUs: in evaluation."""
    task = small(name, ONE)
    drawn = next(iter(task.updates(0))).drawn
    batch = {**drawn, **task.batches.get(0)}
    forward = task._judged if "generator" in name else task.forward
    seen = []
    for convert in (False, True):
        for part in ("encoder", "head") if "encoder" in name else ("generator",):
            net = getattr(task, part)
            before = dict(net.named_parameters()), list(net.state_dict())
            if convert:
                net = shared_norms(net, True, Runtime(torch.device("cuda"), False, 0, 2))
                assert any(isinstance(module, nn.SyncBatchNorm) for module in net.modules())
                setattr(task, part, net)
            assert all(parameter is before[0][k] for k, parameter in net.named_parameters())
            assert list(net.state_dict()) == before[1]
            net.eval()
        if "generator" in name:
            task.discriminator.eval()
        with torch.no_grad():
            seen.append(forward(batch))
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


def test_spectral_norm_steps_once_for_all_pieces() -> None:
    torch.manual_seed(0)
    layers = [spectral_norm(nn.Linear(6, 4)) for _ in range(2)]
    layers[1].load_state_dict(layers[0].state_dict())
    layers[0](torch.ones(1, 6))
    for repeated in (False, True):
        for number in range(3):
            with one_of_several(layers[1:], number, 3, repeated):
                layers[1](torch.ones(1, 6))
    once, pieces = (layer.state_dict() for layer in layers)
    assert all(torch.equal(once[name], pieces[name]) for name in once)
