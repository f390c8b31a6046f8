"""Memory that each full-size training would take of a GPU, counted with fake tensors: no GPU is needed.

    python benchmarks/gpu_memory.py [--config config.yaml configs/vggsound50.yaml] [--only diffusion ...]
                                    [--device-batch encoder=128 ...]

A step of each training (`s2v.planning.step_cost.trainings`) runs on tensors that have shape, type and device and no
values (torch's FakeTensorMode), and torch's `MemTracker` adds up those that are alive: weights, averaged weights,
gradients, optimiser, activations in bf16. Not counted are the driver, cuDNN's workspace and what an allocator loses
between pieces: beside the H100's own numbers (docs/benchmarks.md) that is what is missing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from functools import partial
from typing import Any


def child(files: list[str], name: str, device_batch: int | None, card_bytes: float) -> dict[str, Any]:
    """One training's row."""
    from fake_cuda import CUDA, Memory, fake_cuda

    from s2v.configfile import load
    from s2v.planning.step_cost import trainings
    from s2v.runtime import Runtime
    from s2v.train.step import train_step

    config = load(files)
    training = next(one for one in trainings(config, 10_000, ["a", "b"]) if one.name == name)
    place = Runtime(CUDA, bf16=True, device_batch=device_batch)
    _, first, _ = training.phases[-1]
    with fake_cuda(card_bytes, real_cpu=False), Memory() as memory:
        made: Any = training.build(training.batch, place)
        for number in range(2):
            train_step(made, first + number)
    return {
        "training": name, "batch": training.batch, "at once": device_batch or training.batch, "GB": memory.peak / 1e9
    }  # fmt: skip


def main() -> None:
    """Count each in a child, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", nargs="+", default=["config.yaml", "configs/vggsound50.yaml"])
    names = ["localise", "encoder", "encoder_vit", "generator", "vae", "diffusion", "align", "align_ldm"]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--device-batch", nargs="+", default=[], metavar="NAME=N", help="runtime.device_batch")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    pieces = {name: int(n) for name, _, n in (one.partition("=") for one in given.device_batch)}
    if given.child:
        print(json.dumps(child(given.config, given.child, pieces.get(given.child))))
        return
    print("| training | batch | at once | memory, GB |\n|---|---:|---:|---:|")
    for name in given.only:
        command = [sys.executable, __file__, "--child", name, "--config", *given.config]
        if name in pieces:
            command += ["--device-batch", f"{name}={pieces[name]}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name}: ended with {done.returncode}: {done.stderr[-1500:]}")
        row = json.loads(done.stdout.splitlines()[-1])
        print(f"| {row['training']} | {row['batch']} | {row['at once']} | {row['GB']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
