"""Pictures a second of the GAN and of the latent diffusion model, beside diffusers' plain pipeline loop, in one run.

    python benchmarks/generate.py [--config config.yaml] [--threads 2] [--batches 1 8 64] [--steps 15 30] [--json out]

All nets have the sizes of the configuration and random weights, on which speed does not depend. The diffusion model
draws with the same weights, noise, conditions, steps and guidance in each way:

- plain: what a user of diffusers writes (its pipelines' loop): U-Net as it is built, conditions side by side where
  there is guidance, scheduler, autoencoder;
- s2v: the sampler of `s2v.models.diffusion_sampler` and `s2v.models.autoencoder.decode`;
- s2v, compiled: on CUDA, the same with `generate.ldm.compile`. "first" has the seconds of the first call, preparation
  included.

Ways take turns, and the median of the rounds counts. "difference" is the largest of any pixel to plain, of values in
[-1, 1]; the run stops where it is above 0.001. On CUDA all run under bf16 autocast, and the bound is 0.1.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from s2v.config import Config
from s2v.configfile import load
from s2v.files import write_json
from s2v.models.autoencoder import autoencoder, decode
from s2v.models.autoencoder import shape as autoencoder_shape
from s2v.models.biggan import Generator
from s2v.models.diffusion_sampler import Sampler
from s2v.models.image_encoder import ImageEncoder
from s2v.models.image_encoder import shape as encoder_shape
from s2v.models.latent_diffusion import LatentDiffusion, shape

BOUND = {"cpu": 1e-3, "cuda": 0.1}


def denoiser(config: Config, device: torch.device) -> LatentDiffusion:
    """The denoiser of a configuration; the same random weights at every call."""
    torch.manual_seed(0)
    side = config.vae.resolution // 2 ** (len(config.vae.channels) - 1)
    dim = ImageEncoder(**encoder_shape(config.encoder_vit)).dim
    model = LatentDiffusion(**shape(config.diffusion, dim, config.vae.latent_channels, side))
    return model.to(device).eval().requires_grad_(False)


def plain(model: LatentDiffusion, autoencoder: Any, sampler: Any, z: Tensor, noise: Tensor) -> Tensor:
    """The loop of diffusers' pipelines."""
    device = model.null.device
    scheduler = model.scheduler(sampler.scheduler)
    scheduler.set_timesteps(sampler.steps, device=device)
    tokens, double = model.condition(z.to(device)), sampler.guidance != 1
    if double:
        tokens = torch.cat([model.null.expand(len(z), -1, -1), tokens])
    latents = noise.to(device) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        seen = scheduler.scale_model_input(torch.cat([latents] * 2) if double else latents, t)
        predicted = model.unet(seen, t, encoder_hidden_states=tokens).sample
        if double:
            without, conditional = predicted.chunk(2)
            predicted = without + sampler.guidance * (conditional - without)
        latents = scheduler.step(predicted, t, latents).prev_sample
    picture: Tensor = autoencoder.decode(model.denormalise(latents)).sample.float().clamp(-1, 1).cpu()
    return picture


def seconds(ways: dict[str, Callable[[], Tensor]], rounds: int, cuda: bool) -> dict[str, float]:
    """Median seconds of each way, which take turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            if cuda:
                torch.cuda.synchronize()
            started = time.perf_counter()
            way()
            if cuda:
                torch.cuda.synchronize()
            found[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in found.items()}


def measure(config: Config, batches: list[int], steps: list[int], guidance: list[float], rounds: int) -> list[Any]:
    """A row for each batch, number of steps and guidance."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cuda = device.type == "cuda"
    torch.manual_seed(0)
    untouched = (
        autoencoder(**autoencoder_shape(config.vae))
        .to(device, memory_format=torch.contiguous_format)
        .eval()
        .requires_grad_(False)
    )
    torch.manual_seed(0)
    own = autoencoder(**autoencoder_shape(config.vae)).to(device).eval()
    own.requires_grad_(False)
    model = denoiser(config, device)
    sizes, dim = config.generator, ImageEncoder(**encoder_shape(config.encoder)).dim
    gan = Generator(
        sizes.resolution,
        sizes.channels,
        sizes.dim_z,
        dim,
        sizes.shared_dim,
        sizes.convs_per_block,
        sizes.attention,
        sizes.feature_input,
        sizes.feature_standardise,
    )
    gan.to(device).eval().requires_grad_(False)
    rows = []
    autocast = torch.autocast("cuda", torch.bfloat16) if cuda else contextlib.nullcontext()
    with torch.no_grad(), autocast:
        for batch in batches:
            z = torch.randn(batch, model.dim)
            noise = torch.randn(batch, model.latent_channels, model.latent_px, model.latent_px)
            eps, feature = (torch.randn(batch, size).to(device) for size in (gan.dim_z, dim))
            gan(eps, feature)
            taken = seconds({"GAN": lambda e=eps, f=feature: gan(e, f).cpu()}, rounds, cuda)["GAN"]
            rows.append({"way": "GAN", "batch": batch, "pictures/s": batch / taken})
            for count in steps:
                for weight in guidance:
                    sampler = config.generate.ldm.model_copy(update={"steps": count, "guidance": weight})
                    ways: dict[str, Callable[[], Tensor]] = {
                        "plain": lambda s=sampler, a=z, b=noise: plain(model, untouched, s, a, b)
                    }
                    prepared = {}
                    for name, compiled in (("s2v", False), ("s2v, compiled", True))[: 1 + cuda]:
                        drawer = Sampler(denoiser(config, device), sampler.scheduler, count, weight, compiled)
                        ways[name] = lambda d=drawer, a=z, b=noise: decode(own, d(a, b))
                    expected = ways["plain"]()
                    differences = {}
                    for name, way in ways.items():
                        started = time.perf_counter()
                        differences[name] = (way() - expected).abs().max().item()
                        prepared[name] = time.perf_counter() - started
                        if differences[name] > BOUND[device.type]:
                            sys.exit(f"{name}: pictures differ from the plain loop's by {differences[name]:.2g}")
                    taken_by = seconds(ways, rounds, cuda)
                    for name, value in taken_by.items():
                        rows.append(
                            {
                                "way": name,
                                "batch": batch,
                                "steps": count,
                                "guidance": weight,
                                "pictures/s": batch / value,
                                "of plain": taken_by["plain"] / value,
                                "difference": differences[name],
                                "first, s": prepared[name],
                            }
                        )
                        print(markdown(rows[-1:]).splitlines()[-1], flush=True)
    return rows


COLUMNS = ("way", "batch", "steps", "guidance", "pictures/s", "of plain", "difference", "first, s")


def markdown(rows: list[Any]) -> str:
    """The table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" + "|---:" * (len(COLUMNS) - 1) + "|"]
    form = {"pictures/s": "{:.1f}", "of plain": "{:.2f}", "difference": "{:.1e}", "first, s": "{:.2f}"}
    for row in rows:
        cells = [form.get(name, "{}").format(row[name]) if row.get(name) is not None else "-" for name in COLUMNS]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", nargs="+", default=["config.yaml"], help="files, later ones over earlier ones")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--steps", type=int, nargs="+", default=[15])
    parser.add_argument("--guidance", type=float, nargs="+", default=[1.0, 2.0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    rows = measure(load(given.config), given.batches, given.steps, given.guidance, given.rounds)
    print(f"\n{given.threads} thread(s)\n\n{markdown(rows)}")
    if given.json:
        write_json(given.json, rows)


if __name__ == "__main__":
    main()
