"""Every full-size training and sampler on a GPU: samples a second, memory, and how much of the time the GPU computes.

    python benchmarks/gpu.py [--config config.yaml configs/vggsound50.yaml] [--only diffusion ...] [--steps 10]
                             [--batch 4] [--device-batch 64] [--json out]

Each training (`s2v.planning.step_cost.trainings`) runs in a program of its own, at the batch of its configuration, on
random data that lie in memory: reading is not measured. A step is the workflow's own: the draw of its random numbers,
forward, backward, optimisers, averaged weights, and the norms that are looked at. The first steps are not counted.

- "busy": share of the time in which kernels run, by torch's profiler over two steps; the rest is Python and waiting.
- "memory": the most that torch held at once, of the card's.
- "sampling": pictures of random features: one pass of the generator; `generate.ldm`'s solver without the autoencoder.
- "diffusion, usual loop": the same U-Net with what diffusers' training script does: autocast, backward over the whole
  net, clipping, one AdamW over all parameters, `EMAModel`.

Without CUDA it runs on the CPU, where `--batch 2 --steps 1` is what one can wait for; "busy" is empty there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

USUAL = "diffusion, usual loop"
DRAWN = ("generator, sampling", "diffusion, sampling")
DRAWN_AT_ONCE = 64


def child(files: list[str], name: str, batch: int | None, device_batch: int | None, steps: int) -> dict[str, Any]:
    """One training's row."""
    import torch

    from s2v.config import RuntimeConfig
    from s2v.configfile import load
    from s2v.planning.step_cost import trainings
    from s2v.runtime import Runtime
    from s2v.train.step import train_step

    config = load(files)
    place = Runtime.from_config(RuntimeConfig(device_batch=device_batch), torch.get_num_threads())
    training = next(one for one in trainings(config, 10_000, ["a", "b"]) if one.name == name.split(",")[0])
    size = batch or (DRAWN_AT_ONCE if name in DRAWN else training.batch)
    torch.manual_seed(0)
    task: Any = training.build(size, place)
    phase, first, _ = training.phases[-1]
    if name == USUAL:
        step = usual_loop(task, place)
    elif name in DRAWN:
        step, phase = sampling(task, config.generate.ldm), ""
    else:

        def step(number: int) -> Any:
            return train_step(task, first + number)

    cuda = place.device.type == "cuda"
    for number in range(3):
        losses = step(number)
    wait = torch.cuda.synchronize if cuda else lambda: None
    wait()
    started = time.perf_counter()
    for number in range(steps):
        losses = step(3 + number)
    wait()
    seconds = (time.perf_counter() - started) / steps
    memory = torch.cuda.max_memory_allocated() if cuda else None
    return {
        "training": name + phase,
        "batch": size,
        "precision": "bf16" if place.bf16 else "fp32",
        "step, s": seconds,
        "samples/s": size / seconds,
        "memory, GB": memory and memory / 1e9,
        "busy": busy(lambda: step(3 + steps), wait) if cuda else None,
        "loss": losses,
        "card": torch.cuda.get_device_name() if cuda else "CPU",
    }


def busy(step: Callable[[], Any], wait: Callable[[], None]) -> float:
    """Share of a step's time in which kernels run; two steps without the profiler say how long one takes."""
    from torch.profiler import ProfilerActivity, profile

    wait()
    started = time.perf_counter()
    step()
    step()
    wait()
    seconds = time.perf_counter() - started
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        step()
        step()
        wait()
    kernels = sum(event.self_device_time_total for event in seen.key_averages())
    return float(kernels / 1e6 / seconds)


def usual_loop(task: Any, place: Any) -> Callable[[int], dict[str, float]]:
    """Steps of a denoiser as diffusers' `train_text_to_image.py` takes them, with its defaults."""
    import torch
    from diffusers.training_utils import EMAModel

    model, config = task.model, task.config
    for parameter in model.parameters():  # without what makes the optimiser step within the backward pass
        parameter._post_accumulate_grad_hooks = None
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate)
    average = EMAModel(model.parameters())
    scheduler = model.scheduler("ddim")
    latents, z = task.latents[0].to(place.device), task.features[0].to(place.device)
    keep = torch.ones(len(latents), dtype=torch.bool, device=place.device)

    def step(number: int) -> dict[str, float]:
        noise = torch.randn_like(latents, dtype=torch.float32)
        timestep = torch.randint(0, 1000, (len(latents),), device=place.device)
        with place.autocast():
            noisy = scheduler.add_noise(latents.float(), noise, timestep)
            predicted = model(noisy, timestep, z, keep)
        loss = (predicted.float() - noise).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.step(model.parameters())
        return {"loss": loss.item()}

    return step


def sampling(task: Any, ldm: Any) -> Callable[[int], dict[str, float]]:
    """Draws as many pictures as a batch of the training has, as methods do."""
    import torch

    from s2v.models.diffusion_sampler import Sampler

    if hasattr(task, "generator"):
        net, z = task.ema.net.eval(), task.features[0, : task.batch_size]
        device = next(net.parameters()).device

        @torch.inference_mode()
        def draw(_: int) -> dict[str, float]:
            return {"mean": float(net(torch.randn(len(z), net.dim_z, device=device), z.to(device)).mean())}

        return draw
    z, noise = task.features[0, : task.batch_size], torch.randn(task.batch_size, *task.latents.shape[2:])
    draws = Sampler(task.ema.net, ldm.scheduler, ldm.steps, ldm.guidance, ldm.compile)
    return lambda _: {"mean": float(draws(z, noise).mean())}


COLUMNS = ("training", "batch", "precision", "step, s", "samples/s", "memory, GB", "busy")
FORM = {"step, s": "{:.3f}", "samples/s": "{:,.0f}", "memory, GB": "{:.1f}", "busy": "{:.0%}"}


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---|---:|---" + "|---:" * (len(COLUMNS) - 3) + "|"]
    for row in rows:
        cells = ["-" if row[name] is None else FORM.get(name, "{}").format(row[name]) for name in COLUMNS]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure each in a child, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", nargs="+", default=["config.yaml", "configs/vggsound50.yaml"])
    names = ["localise", "encoder", "encoder_vit", "generator", "vae", "diffusion", USUAL, "align", "align_ldm", *DRAWN]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--batch", type=int, help="instead of the configuration's")
    parser.add_argument("--device-batch", type=int, help="runtime.device_batch")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(given.config, given.child, given.batch, given.device_batch, given.steps)))
        return
    rows: list[dict[str, Any]] = []
    failed = []
    for name in given.only:
        command = [sys.executable, __file__, "--child", name, "--config", *given.config, "--steps", str(given.steps)]
        for option in ("batch", "device_batch"):
            if getattr(given, option):
                command += [f"--{option.replace('_', '-')}", str(getattr(given, option))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            failed.append(name)
            print(f"{name}: ended with {done.returncode}: {done.stderr[-1500:]}", flush=True)
            continue
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(markdown(rows[-1:]).splitlines()[-1], rows[-1]["loss"], flush=True)
    if rows:
        print(f"\n{rows[0]['card']}\n\n{markdown(rows)}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
