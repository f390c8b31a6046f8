"""Checkpoints: none is lost unsaid, a damaged one costs little, and one of other code is nobody's."""

from __future__ import annotations

import errno
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from s2v.errors import UserError
from s2v.runtime import Runtime
from s2v.tensors import save_tensors
from s2v.train import checkpoint
from s2v.train.checkpoint import State, key_of

CPU = Runtime(torch.device("cpu"), bf16=False)
ANY = Runtime(torch.device("cpu"), bf16=False, resume_any=True)


ONE, OTHER = key_of({"steps": 9}, ["sum"], "code"), key_of({"steps": 9}, ["sum"], "other code")


class Net:
    """A net and its optimiser after some steps."""

    def __init__(self, width: int = 3, device: str = "cpu") -> None:
        self.module = nn.Linear(width, 1, device=device)
        self.adam = torch.optim.Adam(self.module.parameters())
        self.parts = {"net": self.module}, {"adam": self.adam}

    def step(self) -> None:
        self.module(torch.ones(1, self.module.in_features)).sum().backward()
        self.adam.step()

    def save(self, folder: Path, step: int, key: str = ONE) -> None:
        """Take a step, then write a checkpoint."""
        self.step()
        checkpoint.save(folder, key, *self.parts, State(step, records=[{"step": step}]))

    def load(self, folder: Path, key: str = ONE, runtime: Runtime = CPU) -> State:
        """Go on from the newest checkpoint."""
        return checkpoint.load(folder, key, *self.parts, runtime)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    net = Net()
    for step in (1, 2, 3):
        net.save(tmp_path, step)
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert names == {f"0000000{step}.{kind}" for step in (2, 3) for kind in ("json", "safetensors")}


def test_one_that_is_written_beside_the_training_is_of_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*arguments: Any, **more: Any) -> None:
        begun.set()
        assert go_on.wait(30)
        save_tensors(*arguments, **more)

    monkeypatch.setattr(checkpoint, "save_tensors", slow)
    net = Net()
    with checkpoint.Saver(tmp_path, ONE, beside=True) as saver:
        saver.save(*net.parts, State(1))
        assert begun.wait(30) and checkpoint.last_step(tmp_path) is None
        weight = net.module.weight.detach().clone()
        net.step()
        go_on.set()
    fresh = Net()
    assert fresh.load(tmp_path).step == 1 and torch.equal(fresh.module.weight, weight)
    assert not torch.equal(net.module.weight, weight)


def test_a_disk_that_is_full_is_said_though_the_write_runs_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_tensors", full)
    net, seen = Net(), []
    with pytest.raises(OSError, match="No space"), checkpoint.Saver(tmp_path, ONE, beside=True) as saver:
        for step in (1, 2, 3):
            saver.save(*net.parts, State(step))
            seen.append(step)
    assert seen == [1], "the next one says it"
    with pytest.raises(OSError, match="No space"), checkpoint.Saver(tmp_path, ONE, beside=True) as saver:
        saver.save(*net.parts, State(1))


def test_a_truncated_one_falls_back_to_the_one_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    net = Net()
    net.save(tmp_path, 1)
    weight = net.module.weight.detach().clone()
    net.save(tmp_path, 2)
    newest = tmp_path / "checkpoints/00000002.safetensors"
    newest.write_bytes(newest.read_bytes()[:-10])
    fresh = Net()
    assert fresh.load(tmp_path).step == 1 and torch.equal(fresh.module.weight, weight)
    assert "00000002.json: damaged" in caplog.text
    # The training goes on and writes the damaged one anew.
    fresh.save(tmp_path, 2)
    assert Net().load(tmp_path).step == 2


def test_where_none_is_whole_the_training_starts_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    net = Net()
    for step in (1, 2):
        net.save(tmp_path, step)
        (tmp_path / f"checkpoints/0000000{step}.json").write_text("{")
    assert Net().load(tmp_path) == State()
    assert "no checkpoint is whole" in caplog.text and (tmp_path / "checkpoints.damaged/00000002.json").exists()


def test_damaged_best_weights_are_no_dead_end(tmp_path: Path) -> None:
    net = Net()
    checkpoint.save_best(tmp_path, net.parts[0], active=True)
    checkpoint.save(tmp_path, ONE, *net.parts, State(4, best=0.5))
    assert Net().load(tmp_path).step == 4
    (tmp_path / "checkpoints/best.safetensors").write_bytes(b"1234")
    assert Net().load(tmp_path) == State()


def test_one_of_another_key_is_set_aside_and_taken_up_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = Net()
    old.save(tmp_path, 15, key=ONE)
    with caplog.at_level(logging.WARNING):
        assert Net().load(tmp_path, key=OTHER) == State()
    assert (
        len(caplog.records) == 1 and "step 15 is of other code;" in caplog.text and f"checkpoints.{ONE}" in caplog.text
    )
    assert (tmp_path / f"checkpoints.{ONE}/00000015.safetensors").exists()
    Net().save(tmp_path, 3, key=OTHER)
    # Back to the first code: its checkpoint is found again, and the other one is set aside in its turn.
    again = Net()
    assert again.load(tmp_path, key=ONE).step == 15 and torch.equal(again.module.weight, old.module.weight)
    assert (tmp_path / f"checkpoints.{OTHER}/00000003.safetensors").exists()


def test_publishing_leaves_what_was_set_aside(tmp_path: Path) -> None:
    Net().save(tmp_path, 15, key=ONE)
    net = Net()
    net.load(tmp_path, key=OTHER)
    net.save(tmp_path, 4, key=OTHER)
    checkpoint.publish(tmp_path, {"model.safetensors": net.module}, {}, "# card")
    assert (tmp_path / "train.jsonl").read_text() == '{"step": 4}\n'
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {f"checkpoints.{ONE}"}


def test_another_one_is_taken_where_it_is_asked_for_and_fits(tmp_path: Path) -> None:
    old = Net()
    old.save(tmp_path, 15, key=ONE)
    fresh = Net()
    state = fresh.load(tmp_path, key=OTHER, runtime=ANY)
    assert state.step == 15 and torch.equal(fresh.module.weight, old.module.weight)
    assert state.records[-1] == {"step": 15, "resumed_from_other_key": ONE}
    with pytest.raises(UserError, match=r"00000015\.json: does not fit this training .*size mismatch[^\n]*matching$"):
        Net(width=4).load(tmp_path, key=OTHER, runtime=ANY)


def test_adams_step_counter_stays_on_the_cpu(tmp_path: Path) -> None:
    """On the device, each parameter would be waited for at every step. The `meta` device stands for any other."""
    Net().save(tmp_path, 1)
    other = Net(device="meta")
    other.load(tmp_path)
    for slots in other.adam.state.values():
        assert slots["step"].device.type == "cpu" and slots["exp_avg"].device.type == "meta"


def test_the_warning_names_what_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Net().save(tmp_path, 15, key=ONE)
    Net().load(tmp_path, key=key_of({"steps": 10}, ["another sum"], "code"))
    assert "of other settings and data;" in caplog.text
