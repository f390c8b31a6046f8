"""One training step and one picture of the systems that the paper compares with, at their published sizes, on this CPU.

    python benchmarks/published_systems.py [--only audiotoken lee imagebind s2i pedersoli] [--steps 2] [--json out]

Weights are random: what is measured is parameters, peak memory and seconds. Each runs in a program of its own, whose
peak resident memory is read from the system after the step and at its end.

audiotoken  BEATs on 5 s, the embedder, Stable Diffusion 1.4 on 512 x 320 px, batch 1, AdamW: a training step; then a
            picture of 512 px of 10 s in `--steps` steps with guidance (published: 50; only seconds grow with it).
lee         StyleGAN2 at 256 px, CLIP ViT-B/32 and the audio encoder: a step of an edit, Adam on 14 x 512 styles.
imagebind   its audio encoder: an embedding of 10 s. Pictures are Stable unCLIP's, see docs/weights.md.
s2i         as configs/vegas5.yaml has it: a step of the autoencoder and one of the GAN, batch 64, 96 px; a picture.
pedersoli   likewise: a step of the VQ-VAE and one of the audio net, batch 64, 256 px; then a picture.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

UNET: dict[str, Any] = {
    "sample_size": 64, "in_channels": 4, "out_channels": 4, "layers_per_block": 2, "cross_attention_dim": 768,
    "block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
}  # fmt: skip
VAE: dict[str, Any] = {
    "sample_size": 512, "latent_channels": 4, "layers_per_block": 2, "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
}  # fmt: skip
TEXT: dict[str, Any] = {
    "vocab_size": 49408, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
    "num_attention_heads": 12, "max_position_embeddings": 77, "projection_dim": 768,
}  # fmt: skip
"""The config files of Stable Diffusion 1.4, as far as they decide sizes."""
PLACE = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1,
}  # fmt: skip


def tokenizer() -> Any:
    """One of letters: which words there are decides no size."""
    from transformers import CLIPTokenizer

    letters = [chr(c) for c in range(33, 127)]
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
        Path(folder, "merges.txt").write_text("#version: 0.2\n")
        Path(folder, "tokenizer_config.json").write_text('{"model_max_length": 77, "pad_token": "<|endoftext|>"}')
        return CLIPTokenizer.from_pretrained(folder)


def count(net: Any) -> int:
    """Parameters."""
    return sum(p.numel() for p in net.parameters())


def peak_gb() -> float:
    """Largest resident memory of this program so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def audiotoken(steps: int) -> tuple[dict[str, int], Callable[[], Any], Callable[[], Any]]:
    """Its nets, its training step, its picture."""
    import torch
    from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    from s2v.models.audiotoken import PROMPT, TRAIN_PROMPT, TokenEmbedder
    from s2v.models.beats import Beats
    from s2v.models.stable_diffusion import StableDiffusion

    text = CLIPTextModel(CLIPTextConfig(**TEXT))
    nets: Any = text, UNet2DConditionModel(**UNET), AutoencoderKL(**VAE)
    diffusion = StableDiffusion(
        tokenizer(), *(net.eval().requires_grad_(False) for net in nets), PNDMScheduler(**PLACE)
    )
    hears, embedder = Beats().eval().requires_grad_(False), TokenEmbedder()
    optimiser = torch.optim.AdamW(embedder.parameters(), lr=1.6e-4, weight_decay=1e-2)

    def step() -> Any:
        token = embedder(hears.encode(torch.randn(1, 5 * 16000) * 0.1, 5.0).clone())
        latents = diffusion.latents(torch.rand(1, 3, 320, 512) * 2 - 1, torch.randn(1, 4, 40, 64))
        at = torch.randint(diffusion.timesteps, (1,))
        noisy, target = diffusion.noised(latents, torch.randn_like(latents), at)
        states = diffusion.condition([TRAIN_PROMPT], token)
        loss = (diffusion.predict(noisy, at, states) - target).square().mean() + 0.01 * token.abs().mean()
        loss.backward()
        optimiser.step()
        return loss.item()

    def picture() -> Any:
        with torch.no_grad():
            token = embedder(hears.encode(torch.randn(1, 10 * 16000) * 0.1).clone())
        return tuple(diffusion.draw(token, torch.randn(1, *diffusion.latent_shape), PROMPT, steps).shape)

    names = ("text", "U-Net", "autoencoder", "BEATs", "embedder")
    return dict(zip(names, map(count, (*nets, hears, embedder)), strict=True)), step, picture


def lee(_: int) -> tuple[dict[str, int], Callable[[], Any], Callable[[], Any]]:
    """Its nets, a step of an edit, a picture."""
    import open_clip
    import torch
    import torch.nn.functional as F

    from s2v.models.lee_audio import LeeAudio, shown_to_clip
    from s2v.models.stylegan2 import StyleGan2

    nets = (StyleGan2(), open_clip.create_model("ViT-B-32", pretrained=None, force_quick_gelu=True), LeeAudio())
    g, clip, hears = (net.eval().requires_grad_(False) for net in nets)
    begun = g.style(torch.randn(1, 512))[:, None].expand(-1, g.styles, -1)
    w = begun.clone().requires_grad_()
    optimiser = torch.optim.Adam([w], lr=0.1)
    heard = F.normalize(hears.encode(torch.randn(1, 10 * 16000) * 0.1).clone())

    def step() -> Any:
        seen = F.normalize(clip.encode_image(shown_to_clip(g(w))))
        loss = (1 - 1.0725 * (seen * heard).sum(1)).mean() + 0.002 * (w - begun).square().sum()
        loss.backward()
        optimiser.step()
        return loss.item()

    def picture() -> Any:
        with torch.inference_mode():
            return tuple(g(w).shape)

    return {"G": count(g), "CLIP": count(clip), "f_A": count(hears)}, step, picture


def imagebind(_: int) -> tuple[dict[str, int], Callable[[], Any], Callable[[], Any]]:
    """Its net; nothing is trained."""
    import torch

    from s2v.models.imagebind import ImageBindAudio

    net = ImageBindAudio().eval()
    return {"f_A": count(net)}, lambda: None, lambda: tuple(net.encode(torch.randn(1, 160000) * 0.1, 10.0).shape)


def vegas5() -> Any:
    """The configuration with the published sizes of the systems of Figure 15."""
    from s2v.configfile import load

    root = Path(__file__).parent.parent
    return load([root / "config.yaml", root / "configs/vegas5.yaml"])


def trained(tasks: list[Any]) -> Callable[[], Any]:
    """A step of each, which gives their losses."""
    from s2v.train.step import train_step

    return lambda: [{name: float(value) for name, value in train_step(task, 0).items()} for task in tasks]


def s2i(_: int) -> tuple[dict[str, int], Callable[[], Any], Callable[[], Any]]:
    """Its nets, a step of both trainings, its picture."""
    import torch

    from s2v.media.mel import mel_picture
    from s2v.models.s2i import SpectrogramAutoencoder
    from s2v.runtime import Runtime
    from s2v.train.s2i_autoencoder import S2iAutoencoderTask
    from s2v.train.s2i_generator import S2iGeneratorTask

    config, cpu = vegas5(), Runtime(torch.device("cpu"), bf16=False)
    first, second = config.s2i_autoencoder, config.s2i_generator
    net = SpectrogramAutoencoder(first.dim, first.width, first.audio.model_dump())
    hears = S2iAutoencoderTask(first, net, torch.rand(first.batch_size, 128, 100).half() * 2 - 1, cpu)
    n, px = second.batch_size, second.resolution
    images, heard = torch.randint(256, (n, 3, px, px), dtype=torch.uint8), torch.randn(n, first.dim).tanh()
    paints = S2iGeneratorTask(second, images, heard, cpu)

    def picture() -> Any:
        net.eval()
        with torch.no_grad():
            z = net.embed(mel_picture(torch.randn(1, 160000) * 0.1, **net.mel))
            g = paints.generator.eval()
            return tuple(g(z, g.dropouts.draw(1)).shape)

    counts = {"autoencoder": count(net), "G": count(paints.generator), "D": count(paints.discriminator)}
    return counts, trained([hears, paints]), picture


def pedersoli(_: int) -> tuple[dict[str, int], Callable[[], Any], Callable[[], Any]]:
    """Its nets, a step of both trainings, its picture."""
    import torch

    from s2v.media.mel import mel_picture
    from s2v.runtime import Runtime
    from s2v.train.pedersoli_audio import PedersoliAudioTask
    from s2v.train.pedersoli_vqvae import PedersoliVqvaeTask

    config, cpu = vegas5(), Runtime(torch.device("cpu"), bf16=False)
    first, second = config.pedersoli_vqvae, config.pedersoli_audio
    n, px = first.batch_size, first.resolution
    paints = PedersoliVqvaeTask(first, torch.randint(256, (n, 3, px, px), dtype=torch.uint8), cpu)
    mels = torch.rand(second.batch_size, second.audio.bands, second.audio.columns).half() * 2 - 1
    latents = torch.randn(second.batch_size, first.code_dim, first.code_px, first.code_px)
    hears = PedersoliAudioTask(second, mels, latents, cpu)

    def picture() -> Any:
        paints.model.eval()
        hears.model.eval()
        with torch.no_grad():
            z = hears.model.predict(mel_picture(torch.randn(1, 160000) * 0.1, **hears.model.mel))
            return tuple(paints.model.decode(z).shape)

    return {"VQ-VAE": count(paints.model), "audio": count(hears.model)}, trained([paints, hears]), picture


SYSTEMS = {"audiotoken": audiotoken, "lee": lee, "imagebind": imagebind, "s2i": s2i, "pedersoli": pedersoli}


def child(name: str, steps: int) -> dict[str, Any]:
    """Build, step, draw; figures."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    counts, step, picture = SYSTEMS[name](steps)
    figures: dict[str, Any] = {"system": name, "parameters": counts, "built GB": peak_gb(), "steps of a picture": steps}
    for what, work in (("step", step), ("picture", picture)):
        started = time.perf_counter()
        figures[what] = work()
        figures |= {f"{what} s": time.perf_counter() - started, f"peak GB after {what}": peak_gb()}
    return figures


def main() -> None:
    """Measure each in a child, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(given.child, given.steps)))
        return
    rows = []
    for name in given.only:
        command = [sys.executable, __file__, "--child", name, "--steps", str(given.steps)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name}: ended with {done.returncode} (-9: this machine has not enough memory)")
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(rows[-1], indent=2), flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
