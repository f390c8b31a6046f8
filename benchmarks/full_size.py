"""One training step and one sample of every full-size module on this CPU: parameters, peak memory, seconds.

    python benchmarks/full_size.py [--config config.yaml configs/vggsound50.yaml] [--only diffusion ...] [--json out]

Each runs in a program of its own, whose peak resident memory is read from the system at its end; importing torch and
diffusers takes about 0.7 GB of it. Batches are as small as a step allows; nothing is scaled up from there. A step is
one of the workflow's training (`s2v.planning.step_cost.trainings`), optimiser and averaged weights included; a sample
is what the trained net is for: a feature, a picture, a reconstruction, or one step of the denoiser.

"published": parameters as the module's authors give them, or as their published code has them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH = {"encoder": 2, "encoder_vit": 2, "generator": 2, "align": 2, "vae": 1, "diffusion": 1}
PUBLISHED = {
    "encoder": "23,508,032 (ResNet-50 without its classifier)",
    "encoder_vit": "85,798,656 (ViT-B/16 without its classifier)",
    "align": "11,170,240 (ResNet-18 on one channel, without its classifier)",
    "generator": "as IC-GAN's code builds it, see tests/test_published_nets.py",
    "vae": "83,653,863 (Stable Diffusion's)",
    "diffusion": "859,520,964 (Stable Diffusion's U-Net)",
}


def child(files: list[str], name: str) -> dict[str, Any]:
    """Build, step, sample; figures."""
    import torch

    from s2v.config import RuntimeConfig
    from s2v.configfile import load
    from s2v.planning.step_cost import trainings
    from s2v.runtime import Runtime
    from s2v.train.step import train_step

    config = load(files)
    place = Runtime.from_config(RuntimeConfig(device="cpu"), os.cpu_count() or 1)
    training = next(one for one in trainings(config, 1000, ["a", "b"]) if one.name == name)
    task: Any = training.build(BATCH[name], place)
    parameters = {part: sum(p.numel() for p in net.parameters()) for part, net in modules(name, task).items()}
    started = time.perf_counter()
    losses = train_step(task, training.phases[-1][1])
    step_s = time.perf_counter() - started
    started = time.perf_counter()
    with torch.inference_mode():
        shape = sample(name, task)()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "module": name,
        "parameters": parameters,
        "batch": BATCH[name],
        "step s": step_s,
        "loss": losses,
        "sample s": time.perf_counter() - started,
        "sample": list(shape),
        "peak GB": peak / 1e9,
    }


def modules(name: str, task: Any) -> dict[str, Any]:
    """The nets whose parameters are counted."""
    found = {
        "encoder": lambda: {"f_V": task.encoder},
        "encoder_vit": lambda: {"f_V": task.encoder},
        "align": lambda: {"f_A": task.model, "f_A without its last layer": task.model.backbone},
        "generator": lambda: {"G": task.generator, "D": task.discriminator},
        "vae": lambda: {"autoencoder": task.vae},
        "diffusion": lambda: {"U-Net": task.model.unet, "with projection to tokens": task.model},
    }
    return found[name]()


def sample(name: str, task: Any) -> Callable[[], Any]:
    """What the trained net is for, once; returns its shape."""
    import torch

    def feature() -> Any:
        return task.encoder.eval()(torch.randn(1, 3, task.config.image_px, task.config.image_px)).shape

    def heard() -> Any:
        return task.model.eval().encode(torch.randn(1, 16000)).shape

    def picture() -> Any:
        return task.ema.net.eval()(torch.randn(1, task.ema.net.dim_z), task.features[0, :1]).shape

    def reconstruction() -> Any:
        from s2v.models.autoencoder import decode, encode

        return decode(task.vae.eval(), encode(task.vae, task.images[:1])).shape

    def denoised() -> Any:
        keep = torch.ones(1, dtype=torch.bool)
        noisy = task.latents[0, :1]
        return task.ema.net.eval()(noisy, torch.tensor([500]), task.features[0, :1], keep).shape

    found = {
        "encoder": feature,
        "encoder_vit": feature,
        "align": heard,
        "generator": picture,
        "vae": reconstruction,
        "diffusion": denoised,
    }
    return found[name]


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table."""
    lines = [
        "| module | parameters | published | batch | step, s | sample, s | peak memory, GB |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        counted = "; ".join(f"{part} {n:,}" for part, n in row["parameters"].items())
        lines.append(
            f"| {row['module']} | {counted} | {PUBLISHED[row['module']]} | {row['batch']} | {row['step s']:.1f} | "
            f"{row['sample s']:.2f} | {row['peak GB']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure each in a child, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", nargs="+", default=["config.yaml", "configs/vggsound50.yaml"])
    parser.add_argument("--only", nargs="+", choices=list(BATCH), default=list(BATCH))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(given.config, given.child)))
        return
    rows = []
    for name in given.only:
        command = [sys.executable, __file__, "--child", name, "--config", *given.config]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name}: ended with {done.returncode} (-9: this machine has not enough memory)")
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(markdown(rows[-1:]).splitlines()[-1], flush=True)
    print(f"\n{markdown(rows)}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
