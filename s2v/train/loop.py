"""The only training loop: steps, validation with early stopping, sample grids, checkpoints, exact resume."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.files import write_bytes
from s2v.identity import code_digest
from s2v.media.picture import encode_png, grid
from s2v.progress import bar
from s2v.tensors import NotFinite
from s2v.train import checkpoint
from s2v.train.checkpoint import State
from s2v.train.step import Diverged, train_step
from s2v.train.task import Task

if TYPE_CHECKING:
    from s2v.config import TrainingConfig

log = logging.getLogger(__name__)

LOG_EVERY = 20
"""Steps between two lines of train.jsonl."""


def train_stage(
    task: Task,
    *,
    name: str,
    config: TrainingConfig,
    data: list[str],
    output_dir: Path,
    weights: dict[str, nn.Module],
    shape: dict[str, Any] | Callable[[dict[str, float]], dict[str, Any]],
    card: Callable[[dict[str, float]], str],
    also: dict[str, Any] | None = None,
) -> None:
    """Train `task` and publish it: weights as safetensors, config.json, README.md (model card), train.jsonl.

    Args:
        task: what is trained.
        name: of the stage, for logs.
        config: its settings.
        data: checksums of what it learns from.
        output_dir: folder to write; checkpoints lie in it until the training is done.
        weights: nets to publish, by file name.
        shape: for config.json: what the net is built of. A function takes the last numbers logged.
        card: the model card, from the last numbers logged.
        also: what else a checkpoint belongs to, beside settings, data and code.
    """
    last = fit(
        task,
        name=name,
        output_dir=output_dir,
        fingerprint={"config": config.model_dump(mode="json"), "data": data, **(also or {})},
        checkpoint_every=config.checkpoint_every,
    )
    if task.runtime.is_main:
        checkpoint.publish(output_dir, weights, shape(last) if callable(shape) else shape, card(last) + _computed(task))
    task.runtime.barrier()


def fit(
    task: Task, *, name: str, output_dir: Path, fingerprint: dict[str, Any], checkpoint_every: int
) -> dict[str, float]:
    """Train `task` to its end, going on from the checkpoint that a killed run of the same fingerprint left.

    All randomness of a step is seeded from (seed, step) and the batches of a step are a function of the step, so a
    resumed run continues as the undisturbed one would, in however many processes. With `task.monitor`, the modules end
    with the weights of the best validation, and training stops after `task.patience` validations without a better one.

    Returns:
        The last numbers logged.

    Raises:
        UserError: a loss, gradient, weight or validation is not finite. It stops at that step, and the checkpoints
            before it stay.
    """
    runtime = task.runtime
    output_dir.mkdir(parents=True, exist_ok=True)
    # A checkpoint of other code must not be gone on with any more than one of other data.
    module = type(task).__module__
    settings = {name: value for name, value in fingerprint.items() if name != "data"}
    code = code_digest(module) if module.startswith("s2v.") else module
    key = checkpoint.key_of(settings, fingerprint.get("data"), code)
    state = checkpoint.load(output_dir, key, task.modules, task.optimizers, runtime)
    runtime.broadcast(task.modules.values())
    if state.step:
        log.info("%s: goes on at step %d of %d", name, state.step, task.steps)
    diary = _Diary(name, output_dir, state, runtime.is_main)
    _train_mode(task)
    stop = state.step >= task.steps
    shown = bar(name, total=task.steps, done=state.step, shown=runtime.is_main)
    saver = checkpoint.Saver(output_dir, key, beside=runtime.device.type == "cuda")
    with _diverging(name, output_dir, state), saver, shown as advance:
        while not stop:
            torch.manual_seed((task.seed * 1_000_003 + state.step * 997) % 2**63)
            state.step += 1
            numbers = train_step(task, state.step - 1)
            advance(1)
            last = stop = state.step == task.steps
            diary.add(numbers, write=state.step % LOG_EVERY == 0 or last)
            if _due(task.sample_every, state.step, last) and runtime.is_main:
                _save_grid(output_dir / "samples" / f"{state.step:06d}.png", task.sample(state.step))
                _train_mode(task)
            if _due(task.validate_every, state.step, last):
                held_out = {k: runtime.mean(v) for k, v in task.validate(state.step).items()}
                _train_mode(task)
                for metric, value in held_out.items():
                    if not math.isfinite(value):
                        raise Diverged(f"the validation `{metric}` is {value}")
                diary.validation(held_out)
                stop = _worse(task, state, held_out, output_dir) or last
            if _due(checkpoint_every, state.step, stop):
                if stop and not last:
                    log.info("%s: stops early at step %d", name, state.step)
                    state.step = task.steps
                if runtime.is_main:
                    saver.save(task.modules, task.optimizers, state)
    runtime.barrier()
    if task.monitor is not None:
        checkpoint.load_best(output_dir, task.modules)
    final: dict[str, float] = {}
    for record in state.records:
        final.update(record)
    return final


def _computed(task: Task) -> str:
    """How, for the card; what was resumed may have begun otherwise."""
    where = "a GPU" if task.runtime.device.type == "cuda" else "a CPU"
    return f"\nIts last steps were computed on {where} in {task.precision}.\n"


@contextmanager
def _diverging(name: str, output_dir: Path, state: State) -> Iterator[None]:
    """What is not finite ends the training in a line."""
    try:
        yield
    except (Diverged, NotFinite) as error:
        last = checkpoint.last_step(output_dir)
        kept = f"the checkpoint of step {last} is kept, from which runtime.resume: any goes on"
        if last is None:
            kept = "there is no checkpoint yet"
        raise UserError(
            f"{name}: diverged at step {state.step}: {error}; lower its learning rate, or look at its data; {kept}"
        ) from error


def _train_mode(task: Task) -> None:
    for module in task.modules.values():
        module.train()


def _due(every: int, step: int, last: bool) -> bool:
    return every > 0 and (step % every == 0 or last)


def _worse(task: Task, state: State, numbers: dict[str, float], output_dir: Path) -> bool:
    """Keep the best weights; whether there were no better ones for too long."""
    if task.monitor is None:
        return False
    if state.best is None or numbers[task.monitor] < state.best:
        state.best, state.bad = numbers[task.monitor], 0
        checkpoint.save_best(output_dir, task.modules, task.runtime.is_main)
        return False
    state.bad += 1
    return state.bad >= task.patience and state.step >= task.min_steps


class _Diary:
    """Numbers over steps: as records of the state (train.jsonl), in the log, as TensorBoard's curves."""

    def __init__(self, name: str, output_dir: Path, state: State, active: bool) -> None:
        self.name, self.state = name, state
        self.started, self.timed = time.monotonic(), 0
        self.writer = None
        if active:
            from tensorboard.summary.writer import event_file_writer
            from torch.utils.tensorboard import SummaryWriter

            # The curves' file would be named after this machine, and results are given away.
            event_file_writer.socket = SimpleNamespace(gethostname=lambda: "s2v")
            self.writer = SummaryWriter(str(output_dir / "tensorboard"), flush_secs=30)

    def add(self, numbers: dict[str, float], write: bool) -> None:
        """Take in a step's numbers; where asked, write the means since the last line."""
        state = self.state
        for metric, value in numbers.items():
            state.sums[metric] = state.sums.get(metric, 0.0) + value
        state.counted += 1
        self.timed += 1
        if write:
            state.records.append({"step": state.step, **{k: v / state.counted for k, v in state.sums.items()}})
            state.sums, state.counted = {}, 0
            # Time is for the screen and the curves: train.jsonl is the same however often a run was stopped.
            self._show("", state.records[-1] | {"seconds_per_step": (time.monotonic() - self.started) / self.timed})

    def validation(self, numbers: dict[str, float]) -> None:
        """Write numbers on held-out data."""
        self.state.records.append({"step": self.state.step, **numbers})
        self._show("validation ", self.state.records[-1])

    def _show(self, what: str, record: dict[str, Any]) -> None:
        line = "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in record.items())
        log.info("%s: %s%s", self.name, what, line)
        if self.writer is not None:
            for metric, value in record.items():
                if metric != "step" and isinstance(value, float):
                    self.writer.add_scalar(metric, value, record["step"])
        self.started, self.timed = time.monotonic(), 0


def _save_grid(path: Path, images: Tensor) -> None:
    if len(images):
        write_bytes(path, encode_png(grid(images)))


__all__ = ["fit", "train_stage"]
