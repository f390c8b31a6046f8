"""The loop: resume is exact, early stopping keeps the best, several processes train as one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.batches import batch_indices, steps_per_epoch
from s2v.train.loop import TaskDefaults, finish, fit

CPU = Runtime(torch.device("cpu"), bf16=False)


class Line(TaskDefaults):
    """Noisy regression with Adam and batch norm: state in weights, buffers and optimiser."""

    def __init__(self, steps: int = 30, die_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
        self.x = torch.randn(64, 4)
        self.steps, self.die_at = steps, die_at
        self.modules: dict[str, nn.Module] = {"net": self.net}
        self.optimizers: dict[str, torch.optim.Optimizer] = {"adam": torch.optim.Adam(self.net.parameters(), 0.05)}

    def step(self, step: int) -> dict[str, float]:
        if step == self.die_at:
            raise KeyboardInterrupt
        x = self.x[batch_indices(64, 16, 0, step)]
        loss = (self.net(x + 0.1 * torch.randn_like(x)) - x.sum(1, keepdim=True)).pow(2).mean()
        self.optimizers["adam"].zero_grad()
        loss.backward()
        self.optimizers["adam"].step()
        return {"loss": loss.item()}


def train(task: TaskDefaults, folder: Path, fingerprint: str = "a") -> dict[str, Tensor]:
    fit(task, name="line", output_dir=folder, seed=1, fingerprint={"f": fingerprint}, checkpoint_every=7, runtime=CPU)
    finish(folder, modules={"model.safetensors": task.net}, config={}, card="# card", runtime=CPU)
    return load_tensors(folder / "model.safetensors")


def test_a_killed_run_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    whole = train(Line(), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(Line(die_at=17), tmp_path / "cut")
    assert (tmp_path / "cut" / "checkpoints" / "00000014.safetensors").exists()
    seen: list[int] = []
    resumed = Line()
    step = resumed.step
    resumed.step = lambda s: (seen.append(s), step(s))[1]  # type: ignore[method-assign]
    cut = train(resumed, tmp_path / "cut")
    assert seen[0] == 14
    assert all(torch.equal(whole[k], cut[k]) for k in whole)
    assert not (tmp_path / "cut" / "checkpoints").exists()
    # 14 lies between two lines of the log: their means are of all of their steps, whenever the run was stopped.
    lines = [(tmp_path / run / "train.jsonl").read_bytes() for run in ("whole", "cut")]
    assert lines[0] == lines[1] and lines[0].count(b"\n") == 2


def test_a_checkpoint_of_other_settings_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Line(die_at=17), tmp_path, "a")
    fresh = Line()
    seen: list[int] = []
    step = fresh.step
    fresh.step = lambda s: (seen.append(s), step(s))[1]  # type: ignore[method-assign]
    train(fresh, tmp_path, "b")
    assert seen[0] == 0


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


def test_every_sample_once_an_epoch_over_ranks() -> None:
    seen = [batch_indices(96, 8, 3, s, rank, 2) for s in range(steps_per_epoch(96, 8, 2)) for rank in (0, 1)]
    assert sorted(torch.cat(seen).tolist()) == list(range(96))
    assert not torch.equal(batch_indices(96, 8, 3, 0), batch_indices(96, 8, 3, 12))


WORKER = """
import json, sys
from pathlib import Path
import torch
from s2v.config import RuntimeConfig
from s2v.runtime import Runtime, unwrap
place = Runtime.from_config(RuntimeConfig(device="cpu"), 1)
torch.manual_seed(0)
net = place.wrap(torch.nn.Linear(3, 1))
x = torch.arange(12.0).view(4, 3)[place.rank::2]
net(x).pow(2).mean().backward()
found = [place.world_size, unwrap(net).weight.grad.tolist(), place.mean(float(place.rank))]
Path(sys.argv[1], f"{place.rank}.json").write_text(json.dumps(found))
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_average_their_gradients(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    root = str(Path(__file__).parent.parent)
    environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=180, env=environment)
    assert done.returncode == 0, done.stderr
    torch.manual_seed(0)
    net = nn.Linear(3, 1)
    net(torch.arange(12.0).view(4, 3)).pow(2).mean().backward()
    for rank in (0, 1):
        world_size, gradient, mean = json.loads((tmp_path / f"{rank}.json").read_text())
        assert world_size == 2 and mean == 0.5
        torch.testing.assert_close(torch.tensor(gradient), net.weight.grad)
