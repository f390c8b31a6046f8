"""The only training loop: steps, validation with early stopping, sample grids, checkpoints, exact resume."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from s2v.files import digest
from s2v.identity import code_digest
from s2v.media.picture import encode_png, grid
from s2v.progress import bar
from s2v.runtime import Runtime
from s2v.train import checkpoint

log = logging.getLogger(__name__)


class Task(Protocol):
    """A thing that is trained. Optional hooks are looked up by name: see `TaskDefaults`."""

    modules: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    steps: int
    validate_every: int
    sample_every: int
    monitor: str | None
    patience: int

    def step(self, step: int) -> dict[str, float]:
        """One optimisation step. torch's global RNG was just seeded from (seed, step, rank)."""
        ...

    def validate(self, step: int) -> dict[str, float]:
        """Numbers on held-out data."""
        ...

    def sample(self, step: int) -> Tensor:
        """Pictures to look at, uint8 [N, 3, H, W]."""
        ...


class TaskDefaults:
    """What a task need not say: no validation, no samples, no early stopping."""

    validate_every: int = 0
    sample_every: int = 0
    monitor: str | None = None
    patience: int = 0

    def validate(self, step: int) -> dict[str, float]:
        """No held-out data."""
        return {}

    def sample(self, step: int) -> Tensor:
        """No pictures."""
        return torch.empty(0, 3, 1, 1, dtype=torch.uint8)


def fit(
    task: Task,
    *,
    name: str,
    output_dir: Path,
    seed: int,
    fingerprint: dict[str, Any],
    checkpoint_every: int,
    runtime: Runtime,
    log_every: int = 20,
) -> dict[str, float]:
    """Train `task` to its end, going on from the checkpoint that a killed run of the same fingerprint left.

    All randomness of a step is seeded from (seed, step, rank) and the batches of a step are a function of the
    step, so a resumed run continues as the undisturbed one would. With `task.monitor`, the modules end with the
    weights of the best validation, and training stops after `task.patience` validations without a better one.

    Returns:
        The last numbers logged.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    # A checkpoint of other code must not be gone on with any more than one of other data.
    module = type(task).__module__
    key = digest([fingerprint, code_digest(module) if module.startswith("s2v.") else module])
    state = checkpoint.load(output_dir, key, task.modules, task.optimizers, runtime)
    if state.step:
        log.info("%s: goes on at step %d of %d", name, state.step, task.steps)
    curves = _Curves(output_dir, runtime.is_main)
    started, timed = time.monotonic(), 0
    step = state.step
    with bar(name, total=task.steps, done=step, shown=runtime.is_main) as advance:
        while step < task.steps:
            torch.manual_seed((seed * 1_000_003 + step * 997 + runtime.rank) % 2**63)
            for metric, value in task.step(step).items():
                state.sums[metric] = state.sums.get(metric, 0.0) + value
            state.counted += 1
            timed += 1
            step += 1
            advance(1)
            last = step == task.steps
            if step % log_every == 0 or last:
                state.records.append({"step": step, **{k: v / state.counted for k, v in state.sums.items()}})
                # Time is for the screen and the curves: train.jsonl is the same however often a run was stopped.
                shown = state.records[-1] | {"seconds_per_step": (time.monotonic() - started) / timed}
                curves.add(shown)
                log.info("%s: %s", name, _line(shown))
                state.sums, state.counted = {}, 0
                started, timed = time.monotonic(), 0
            if task.sample_every and (step % task.sample_every == 0 or last) and runtime.is_main:
                _save_grid(output_dir / "samples" / f"{step:06d}.png", task.sample(step))
            stop = False
            if task.validate_every and (step % task.validate_every == 0 or last):
                numbers = {k: runtime.mean(v) for k, v in task.validate(step).items()}
                state.records.append({"step": step, **numbers})
                curves.add(state.records[-1])
                log.info("%s: validation %s", name, _line(state.records[-1]))
                if task.monitor is not None:
                    if state.best is None or numbers[task.monitor] < state.best:
                        state.best, state.bad = numbers[task.monitor], 0
                        checkpoint.save_best(output_dir, task.modules, runtime.is_main)
                    else:
                        state.bad += 1
                        stop = state.bad >= task.patience
                started, timed = time.monotonic(), 0
            if (step % checkpoint_every == 0 or last or stop) and runtime.is_main:
                state.step = task.steps if stop else step
                checkpoint.save(output_dir, key, task.modules, task.optimizers, state)
            if stop:
                log.info("%s: stops early at step %d", name, step)
                break
    runtime.barrier()
    if task.monitor is not None:
        checkpoint.load_best(output_dir, task.modules)
    final: dict[str, float] = {}
    for record in state.records:
        final.update(record)
    return final


def finish(
    output_dir: Path, *, modules: dict[str, nn.Module], config: dict[str, Any], card: str, runtime: Runtime
) -> None:
    """Publish a trained thing: weights as safetensors, config.json, README.md (model card), train.jsonl; then the
    checkpoints go. Only the main process writes."""
    if runtime.is_main:
        checkpoint.publish(output_dir, modules, config, card)
    runtime.barrier()


def _line(record: dict[str, Any]) -> str:
    return "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in record.items())


def _save_grid(path: Path, images: Tensor) -> None:
    from s2v.files import write_bytes

    if len(images):
        write_bytes(path, encode_png(grid(images)))


class _Curves:
    """TensorBoard curves beside the JSON lines; only the main process writes them."""

    def __init__(self, output_dir: Path, active: bool) -> None:
        self._writer = None
        if active:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(output_dir / "tensorboard"), flush_secs=30)

    def add(self, record: dict[str, Any]) -> None:
        if self._writer is not None:
            for metric, value in record.items():
                if metric != "step" and isinstance(value, float):
                    self._writer.add_scalar(metric, value, record["step"])


__all__ = ["Task", "TaskDefaults", "finish", "fit"]
