"""Memory that each full-size training would take of a GPU, counted with fake tensors: no GPU is needed.

    python benchmarks/gpu_memory.py [--config config.yaml configs/vggsound50.yaml] [--only diffusion ...]
                                    [--device-batch encoder=128 ...] [--card-gb 24]

Two steps of each training (`s2v.planning.step_cost.trainings`) run in bf16 on tensors that have shape, type and device
and no values (`fake_cuda.py`), and the most that lies there at once is added up: weights, averaged weights, gradients,
optimiser, activations, and the table of samples, of which there are few here. Not counted are the driver, workspaces of
cuDNN, and what an allocator loses between pieces: docs/benchmarks.md has it beside an H100's own numbers.
"""

from __future__ import annotations

import argparse
from typing import Any


def counted(files: list[str], name: str, device_batch: int | None, card_bytes: float) -> dict[str, Any]:
    """One training's row; `device_batch` None computes the batch in one piece."""
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
    """Count each, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", nargs="+", default=["config.yaml", "configs/vggsound50.yaml"])
    names = ["localise", "encoder", "encoder_vit", "generator", "vae", "diffusion", "align", "align_ldm"]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--device-batch", nargs="+", default=[], metavar="NAME=N", help="runtime.device_batch")
    parser.add_argument("--card-gb", type=float, default=24)
    given = parser.parse_args()
    pieces = {name: int(n) for name, _, n in (one.partition("=") for one in given.device_batch)}
    print("| training | batch | at once | memory, GB |\n|---|---:|---:|---:|")
    for name in given.only:
        row = counted(given.config, name, pieces.get(name), given.card_gb * 1e9)
        print(f"| {row['training']} | {row['batch']} | {row['at once']} | {row['GB']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
