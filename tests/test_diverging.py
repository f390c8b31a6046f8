"""A training that diverges stops at that step in a line; no number that is not finite is written, read or measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from test_train import CPU, Line, train
from torch import Tensor, nn
from training_tasks import TASKS

from s2v.errors import UserError
from s2v.evaluate.fidelity import frechet_distance, inception_score, kernel_distance
from s2v.evaluate.result import Result, read_result, write_result
from s2v.models.image_encoder import ImageEncoder
from s2v.models.store import load, save
from s2v.tensors import NotFinite, load_tensors, save_tensors
from s2v.train import checkpoint
from s2v.train.checkpoint import State
from s2v.train.loop import fit
from s2v.train.step import train_step
from s2v.train.task import Loss, Update


def poisoned(task: Any, at: int, value: float) -> Any:
    """A task one of whose weights, of each optimizer, becomes `value` before step `at`."""
    updates = task.updates

    def with_poison(step: int) -> Iterator[Update]:
        if step == at:
            with torch.no_grad():
                for optimizer in task.optimizers.values():
                    weight = optimizer.param_groups[0]["params"][0]
                    weight[(0,) * weight.ndim] = value
        return updates(step)  # type: ignore[no-any-return]

    task.updates = with_poison
    return task


def stopped(task: Any, folder: Path) -> str:
    with pytest.raises(UserError) as error:
        fit(task, name="stage", output_dir=folder, fingerprint={}, checkpoint_every=2)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("name", TASKS)
def test_every_training_stops_at_the_step_and_keeps_the_last_good_checkpoint(
    name: str, value: float, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    message = stopped(poisoned(TASKS[name](CPU), 4, value), tmp_path)
    assert message.startswith("stage: diverged at step 5: the ") and "learning rate" in message
    assert "the checkpoint of step 4 is kept" in message
    assert [path.stem for path in sorted((tmp_path / "checkpoints").glob("0*.json"))] == ["00000002", "00000004"]
    task = TASKS[name](CPU)
    key = json.loads((tmp_path / "checkpoints/00000004.json").read_text())["key"]
    assert checkpoint.load(tmp_path, key, task.modules, task.optimizers, CPU).step == 4


class Odd(Line):
    """A line whose loss has a term more, from the sum of its weights."""

    def __init__(self, term: Callable[[Tensor], Tensor], **values: Any) -> None:
        super().__init__(**values)
        self.term = term

    def loss(self, *outputs: Tensor) -> Loss:
        loss, numbers = super().loss(*outputs)
        extra = self.term(self.net[0].weight.sum())
        return loss + (extra if extra.isfinite() else 0 * extra.detach().nan_to_num()), {**numbers, "extra": extra}


def at_infinite_slope(x: Tensor) -> Tensor:
    """Its value is 0 and its slope is not finite."""
    return (0 * x).sqrt()


@pytest.mark.parametrize(
    ("term", "said"),
    [
        (lambda x: x / 0, "the loss `extra` is "),
        (at_infinite_slope, "the gradient of net.0.weight is not finite"),
        (lambda x: 1e30 * (x - x.detach()), "the norm of the gradients is beyond single precision"),
    ],
)
def test_what_is_not_finite_is_named(term: Callable[[Tensor], Tensor], said: str, tmp_path: Path) -> None:
    message = stopped(Odd(term), tmp_path)
    assert f"stage: diverged at step 1: {said}" in message and message.endswith("there is no checkpoint yet")


def test_a_weight_that_overflows_is_named(tmp_path: Path) -> None:
    task = Odd(lambda x: 1e5 * (x - x.detach()))
    task.optimizers = {"sgd": torch.optim.SGD(task.net.parameters())}
    task.rate = lambda step: 1e-9 if step < 3 else 1e35
    assert "step 4: the weight net.0.weight is not finite" in stopped(task, tmp_path)
    task.rate = lambda step: 1e39
    assert "step 3: the learning rate 1e+39 is beyond single precision" in stopped(task, tmp_path)


def test_a_huge_learning_rate_publishes_nothing(tmp_path: Path) -> None:
    task = Line()
    task.rate = lambda step: 1e30
    with pytest.raises(UserError, match="line: diverged at step 1: "):
        train(task, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"checkpoints", "tensorboard"}


class Blind(Line):
    """Its validation is not a number from some step on."""

    validate_every, monitor, patience = 2, "val_loss", 2

    def __init__(self, blind_from: int) -> None:
        super().__init__(steps=10)
        self.blind_from = blind_from

    def validate(self, step: int) -> dict[str, float]:
        return {"val_loss": math.nan if step >= self.blind_from else 1.0 / step}


@pytest.mark.parametrize(("blind_from", "best"), [(1, None), (5, 4)])
def test_a_validation_that_is_not_a_number_is_never_the_best(blind_from: int, best: int | None, tmp_path: Path) -> None:
    message = stopped(Blind(blind_from), tmp_path)
    assert f"step {(best or 0) + 2}: the validation `val_loss` is nan" in message
    assert (tmp_path / "checkpoints/best.safetensors").exists() == (best is not None)


def test_a_buffer_that_is_not_finite_never_reaches_a_checkpoint(tmp_path: Path) -> None:
    """In training batch norm does not look at its running statistics: neither loss nor weights tell of them."""
    task = Line()
    inner = task.updates

    def updates(step: int) -> Iterator[Update]:
        if step == 3:
            task.net[1].running_var[0] = math.inf  # type: ignore[index, union-attr]
        return inner(step)

    task.updates = updates  # type: ignore[method-assign]
    message = stopped(task, tmp_path)
    assert "step 4: " in message and "module/net/1.running_var holds NaN or infinity" in message
    assert "the checkpoint of step 2 is kept" in message


def test_gradients_that_are_dropped_within_the_backward_pass_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2v.train.denoising.SMALL", 0)
    torch.manual_seed(0)
    task = TASKS["diffusion"](CPU)
    assert task.gradient_norms == []
    train_step(task, 0)
    assert task.gradient_norms == []
    hook = task.model.null.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(ArithmeticError, match="model"):
        train_step(task, 1)
    hook.remove()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_files_of_tensors_hold_no_such_number(value: float, kind: torch.dtype, tmp_path: Path) -> None:
    path, good = tmp_path / "features.safetensors", torch.zeros(2, 3, dtype=kind)
    bad = good.clone()
    bad[1, 2] = value
    with pytest.raises(NotFinite, match=r"features\.safetensors: not written, since features holds NaN or infinity"):
        save_tensors(path, {"keys": torch.arange(3), "features": bad})
    assert not list(tmp_path.iterdir())
    save_file({"keys": torch.arange(3), "features": bad}, path)
    with pytest.raises(UserError, match=r"features\.safetensors: features holds NaN or infinity; .*run its stage"):
        load_tensors(path)
    save_tensors(path, {"features": good, "none": torch.empty(0)})
    assert torch.equal(load_tensors(path)["features"], good)


def test_a_checkpoint_that_is_not_finite_falls_back_to_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = nn.Linear(2, 1)
    for step in (1, 2):
        checkpoint.save(tmp_path, "a-b-c", {"net": net}, {}, State(step))
    newest = tmp_path / "checkpoints/00000002.safetensors"
    save_file({**load_tensors(newest), "module/net/bias": torch.tensor([math.nan])}, newest)
    assert checkpoint.load(tmp_path, "a-b-c", {"net": net}, {}, CPU).step == 1
    assert "module/net/bias holds NaN" in caplog.text


def test_a_model_that_is_not_finite_is_not_loaded(tmp_path: Path) -> None:
    shape = {"depth": 10, "width": 4, "image_px": 24}
    weights = ImageEncoder(**shape).state_dict()  # type: ignore[arg-type]
    save(tmp_path, weights, shape)
    weights["backbone.net.bn1.running_var"][0] = math.inf
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"model\.safetensors: backbone\.net\.bn1\.running_var holds NaN or infinity"):
        load(ImageEncoder, tmp_path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_metric_is_made_of_features_that_are_not_finite(value: float) -> None:
    good = torch.rand(6, 4)
    bad = good.clone()
    bad[2, 1] = value
    for measure in (
        lambda: frechet_distance(bad, good),
        lambda: frechet_distance(good, bad),
        lambda: kernel_distance(bad, good),
        lambda: kernel_distance(good, bad),
        lambda: inception_score(bad, 2),
    ):
        with pytest.raises(UserError, match="not finite") as error:
            measure()
        assert "\n" not in str(error.value)


def test_no_metric_that_is_not_finite_is_written_or_read(tmp_path: Path) -> None:
    path, result = tmp_path / "0.json", Result(method="sound2vision", seed=0, n=3, fid=math.nan)
    with pytest.raises(UserError, match=r"0\.json: .*not finite"):
        write_result(path, result)
    assert not path.exists()
    path.write_text('{"method": "sound2vision", "seed": 0, "n": 3, "FID": NaN}')
    with pytest.raises(UserError, match=r"0\.json: .*fid: Input should be a finite number"):
        read_result(path)
