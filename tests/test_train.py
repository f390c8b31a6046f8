"""The loop: resume is exact, early stopping keeps the best; batches, learning rates and averages over steps."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from s2v.config import TrainingConfig
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.batches import batch_indices, steps_per_epoch
from s2v.train.ema import Ema
from s2v.train.loop import train_stage
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task, Update

CPU = Runtime(torch.device("cpu"), bf16=False)


class Line(Task):
    """Noisy regression with Adam and batch norm: state in weights, buffers and optimiser."""

    def __init__(self, steps: int = 30, die_at: int | None = None) -> None:
        super().__init__(TrainingConfig(batch_size=16), CPU, 64, steps)
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
        self.x = torch.randn(64, 4)
        self.die_at, self.seen = die_at, list[int]()
        self.modules = {"net": self.net}
        self.optimizers = {"adam": torch.optim.Adam(self.net.parameters())}
        self.rate = Schedule(0.05)

    def updates(self, step: int) -> Iterator[Update]:
        if step == self.die_at:
            raise KeyboardInterrupt
        self.seen.append(step)
        return super().updates(step)

    def read(self, index: Tensor) -> Batch:
        return {"x": self.x[index]}

    def draw(self, n: int) -> Batch:
        return {"noise": 0.1 * torch.randn(n, 4)}

    def forward(self, batch: Batch) -> Outputs:
        return self.net(batch["x"] + batch["noise"]), batch["x"].sum(1, keepdim=True)

    def loss(self, *outputs: Tensor) -> Loss:
        loss = nn.functional.mse_loss(*outputs)
        return loss, {"loss": loss}


def train(task: Line, folder: Path, fingerprint: str = "a") -> dict[str, Tensor]:
    train_stage(
        task,
        name="line",
        config=TrainingConfig(batch_size=16, checkpoint_every=7),
        data=[fingerprint],
        output_dir=folder,
        weights={"model.safetensors": task.net},
        shape={},
        card=lambda last: f"# card {last['loss']:.3f}",
    )
    return load_tensors(folder / "model.safetensors")


def test_a_killed_run_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    whole = train(Line(), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(Line(die_at=17), tmp_path / "cut")
    assert (tmp_path / "cut" / "checkpoints" / "00000014.safetensors").exists()
    resumed = Line()
    cut = train(resumed, tmp_path / "cut")
    assert resumed.seen[0] == 14
    assert all(torch.equal(whole[k], cut[k]) for k in whole)
    assert not (tmp_path / "cut" / "checkpoints").exists()
    # 14 lies between two lines of the log: their means are of all of their steps, whenever the run was stopped.
    lines = [(tmp_path / run / "train.jsonl").read_bytes() for run in ("whole", "cut")]
    assert lines[0] == lines[1] and lines[0].count(b"\n") == 2


def test_a_checkpoint_of_other_settings_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Line(die_at=17), tmp_path, "a")
    fresh = Line()
    train(fresh, tmp_path, "b")
    assert fresh.seen[0] == 0


class Worsening(Line):
    """Its validation is best after step 20."""

    validate_every, monitor, patience = 10, "val_loss", 2

    def validate(self, step: int) -> dict[str, float]:
        self.at = {**getattr(self, "at", {}), step: self.net[0].weight.detach().clone()}
        return {"val_loss": abs(step - 20.0)}


def test_early_stopping_ends_with_the_best_weights(tmp_path: Path) -> None:
    task = Worsening(steps=500)
    weights = train(task, tmp_path)
    assert max(task.at) == 40
    assert torch.equal(weights["0.weight"], task.at[20])


def test_nothing_stops_before_the_least_number_of_steps(tmp_path: Path) -> None:
    task = Worsening(steps=500)
    task.min_steps = 70
    weights = train(task, tmp_path)
    assert max(task.at) == 70
    assert torch.equal(weights["0.weight"], task.at[20])


def test_every_sample_once_an_epoch() -> None:
    seen = [batch_indices(96, 8, 3, step) for step in range(steps_per_epoch(96, 8))]
    assert sorted(torch.cat(seen).tolist()) == list(range(96))
    assert not torch.equal(batch_indices(96, 8, 3, 0), batch_indices(96, 8, 3, 12))


def cosine(step: int, steps: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * step / steps))


@pytest.mark.parametrize("step", [0, 1, 9, 10, 150, 199])
def test_learning_rates_are_the_formulas_of_the_trainings(step: int) -> None:
    warm = min(1.0, (step + 1) / 10)
    rates = {
        "swav, vae": (Schedule(0.3, 10, "cosine", 200, 1e-2), 0.3 * warm * max(cosine(step, 200), 1e-2)),
        "diffusion": (Schedule(0.3, 10), 0.3 * warm),
        "judge": (Schedule(0.3, 20, "cosine", 200, 1e-3), 0.3 * min(1, (step + 1) / 20) * max(cosine(step, 200), 1e-3)),
        "generator's warm-up": (Schedule(0.3, 0, "linear", 200, 0.1), 0.3 * max(1 - step / 200, 0.1)),
        "align": (Schedule(0.3), 0.3),
    }
    for name, (schedule, expected) in rates.items():
        assert schedule(step) == pytest.approx(expected, rel=1e-12), name


def test_an_average_forgets_by_its_decay_and_keeps_the_vectors_of_spectral_norm() -> None:
    torch.manual_seed(0)
    net = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
    ema = Ema(net, 0.9, start=1)
    first = net.bias.detach().clone()
    for step in range(2):
        with torch.no_grad():
            net.bias.add_(1)
        net(torch.ones(1, 3))
        ema.update(step)
    torch.testing.assert_close(ema.net.bias.detach(), 0.9 * (first + 1) + 0.1 * (first + 2))
    u = "parametrizations.weight.0._u"
    assert torch.equal(ema.net.state_dict()[u], net.state_dict()[u])
    ramp = Ema(net, 0.9999, ramp=True)
    before = ramp.net.bias.detach().clone()
    with torch.no_grad():
        net.bias.add_(1)
    ramp.update(0)
    torch.testing.assert_close(ramp.net.bias.detach(), before + 0.9)
