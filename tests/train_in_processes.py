"""Started by torchrun for test_one_batch.py: trains each task in these processes, and writes each one's weights."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from training_tasks import TASKS, small, trained

from s2v.config import RuntimeConfig
from s2v.runtime import Runtime
from s2v.tensors import save_tensors
from s2v.train.loop import fit

RESUMED = 7
"""Steps of the training that is stopped and gone on with."""


def die_at(last: int) -> Callable[[int], None]:
    """A kill in a step."""

    def die(step: int) -> None:
        if step == last:
            raise KeyboardInterrupt

    return die


def fit_resumed(runtime: Runtime, folder: Path, before: Callable[[int], Any] = lambda step: None) -> dict[str, Tensor]:
    """Weights of a training with a checkpoint every three steps; `before` is called with each step."""
    task = small("localise", runtime)
    task.steps, updates = RESUMED, task.updates

    def called(step: int) -> Iterator[Any]:
        before(step)
        return updates(step)

    task.updates = called
    fit(task, name="localise", output_dir=folder, fingerprint={}, checkpoint_every=3)
    return {k: v for k, v in task.model.state_dict().items() if v.is_floating_point()}


def main(folder: Path) -> None:
    """Whole shares, and shares in pieces of two samples; then a training that one process began, and one for it."""
    for kind, device_batch in (("whole", None), ("pieces", 2)):
        runtime = Runtime.from_config(RuntimeConfig(device="cpu", precision="fp32", device_batch=device_batch), 1)
        for name in TASKS:
            weights = trained(name, runtime, normed=kind == "whole")
            save_tensors(folder / f"{kind}, {name}, {runtime.rank}.safetensors", weights)
    runtime = Runtime.from_config(RuntimeConfig(device="cpu", precision="fp32"), 1)
    seen: list[int] = []
    weights = fit_resumed(runtime, folder / "from one to two", seen.append)
    save_tensors(folder / "from one to two" / f"{runtime.rank}.safetensors", weights)
    if runtime.is_main:
        (folder / "from one to two" / "step").write_text(str(seen[0]))
    try:
        fit_resumed(runtime, folder / "from two to one", die_at(5))
    except KeyboardInterrupt:
        runtime.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
