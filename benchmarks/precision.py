"""Steps of each training in fp32 and in bf16 autocast on this CPU: which `runtime.precision: auto` should take.

    python benchmarks/precision.py [--config config.yaml ...] [--only generator ...] [--rounds 5] [--steps 3]
                                   [--threads 1] [--json out]

Each training (`s2v.planning.step_cost.trainings`) is built twice from the same seed, on random data in memory, at the
batch of its configuration. Both ways take turns; a round is some steps of each. "gain" is the median over rounds of
fp32's seconds over bf16's of the same round; "losses apart" the largest difference of a logged number, of its size.
A training for which bf16 gains (`Task.faster_in_bf16`) takes it where the CPU computes with it.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from s2v.configfile import load
from s2v.planning.step_cost import Training, trainings
from s2v.runtime import Runtime, cpu_computes_bf16, keep_freed_memory
from s2v.train.step import train_step
from s2v.train.task import Task

CPU = torch.device("cpu")
WARM_UP = 2


def compare(training: Training, phase: str, first: int, rounds: int, steps: int) -> dict[str, Any]:
    """The row of one phase of a training."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    losses: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    tasks: dict[bool, Task] = {}
    for bf16 in seconds:
        torch.manual_seed(0)
        tasks[bf16] = training.build(training.batch, Runtime(CPU, bf16=bf16))
    for number in range(-1, rounds):
        for bf16, task in tasks.items():
            started = time.perf_counter()
            for step in range(WARM_UP if number < 0 else steps):
                at = first + (step if number < 0 else WARM_UP + number * steps + step)
                torch.manual_seed(at)
                losses[bf16].append(train_step(task, at))
            if number >= 0:
                seconds[bf16].append((time.perf_counter() - started) / steps)
    apart = [
        abs(one[name] - other[name]) / max(abs(one[name]), 1e-6)
        for one, other in zip(losses[False], losses[True], strict=True)
        for name in one
    ]
    return {
        "training": training.name + phase,
        "chosen": "bf16" if tasks[True].faster_in_bf16 else "fp32",
        "batch": training.batch,
        "fp32, s": median(seconds[False]),
        "bf16, s": median(seconds[True]),
        "gain": median(a / b for a, b in zip(seconds[False], seconds[True], strict=True)),
        "losses apart": max(apart),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", nargs="+", default=["config.yaml"], help="files, later ones over earlier ones")
    parser.add_argument("--only", nargs="+", help="names of trainings")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="of each way in a round")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the numbers")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_freed_memory()
    config = load(given.config)
    print(
        f"{platform.processor() or platform.machine()}, computes bf16: {cpu_computes_bf16()}, {given.threads} thread(s)"
    )
    print("| training | chosen | fp32, s a step | bf16 | gain | apart |\n|---|---|---:|---:|---:|---:|", flush=True)
    rows = []
    for training in trainings(config, 800, config.data.world.classes if config.data.source == "world" else ["a", "b"]):
        if given.only and training.name not in given.only:
            continue
        for phase, first, _ in training.phases:
            row = compare(training, phase if len(training.phases) > 1 else "", first, given.rounds, given.steps)
            rows.append(row)
            print(
                f"| {row['training']} | {row['chosen']} | {row['fp32, s']:.3f} | {row['bf16, s']:.3f} "
                f"| {row['gain']:.2f} | {row['losses apart']:.1%} |",
                flush=True,
            )
    if given.json:
        given.json.write_text(json.dumps({"threads": given.threads, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
