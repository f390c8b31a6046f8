"""What one step of each training costs on this machine, at the sizes of a configuration, on random data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch

from s2v.errors import UserError
from s2v.models.image_encoder import ImageEncoder, shape
from s2v.train.batches import steps_per_epoch
from s2v.train.step import train_step

if TYPE_CHECKING:
    from s2v.config import Config, EncoderConfig
    from s2v.runtime import Runtime
    from s2v.train.task import Task

_STEPS = 3
CLIP_DIM = 1024
"""Of a feature of Stable unCLIP's image encoder, ViT-H/14."""

Target = Literal["all", "table3"]


@dataclass(frozen=True)
class Training:
    """A training, in phases (name, first step, number of steps) whose steps cost different times."""

    name: str
    batch: int
    phases: list[tuple[str, int, int]]
    build: Callable[[int, Runtime], Task]
    """(batch, device) -> the training's task, on random data."""
    target: Target = "all"
    """What needs it: the workflow's default target, or table3.csv alone."""


@dataclass(frozen=True)
class StepCost:
    """Seconds of a step at the batch that was asked for. `measured` is a smaller batch where memory ended."""

    seconds: float
    measured: int


def trainings(config: Config, n_train: int, classes: list[str]) -> Iterator[Training]:
    """The trainings that a configuration runs, each with a way to build it on random data.

    Args:
        config: the configuration.
        n_train: pairs of the train split.
        classes: class names, for the judge.
    """

    def training(name: str, target: Target = "all", phases: list[tuple[str, int, int]] | None = None) -> Training:
        part = getattr(config, name)
        if name.startswith("align"):
            most = max(part.epochs * steps_per_epoch(n_train, part.batch_size), part.min_steps)
            phases = [(" at most", 0, most)]
        phases = phases or [("", 0, part.steps)]
        return Training(name, part.batch_size, phases, partial(_task, config, name, classes), target)

    if config.select.mode != "published":
        yield training("localise")
    if not config.encoder.weights:
        yield training("encoder")
    generator = config.generator
    if not generator.weights:
        warmup = [(" warm-up", 0, generator.warmup_steps)] if generator.warmup_steps else []
        yield training("generator", phases=[*warmup, ("", generator.warmup_steps, generator.steps)])
    if not config.align.weights:
        yield training("align")
    if config.evaluate.evaluator == "judge":
        yield training("judge")
    shown, table3 = set(config.generate.methods), config.generate.table3
    latent = {"ldm": ("encoder_vit", "vae", "diffusion", "align_ldm"), "unclip": ("align_unclip",)}
    for kind, names in latent.items():
        drawn = {kind, f"sound2vision_{kind}"}
        for name in names if drawn & {*shown, table3.A, table3.B} else ():
            if not getattr(getattr(config, name), "weights", None):
                yield training(name, "all" if drawn & shown else "table3")


def step_cost(training: Training, first: int, batch: int, runtime: Runtime) -> StepCost:
    """Time a few steps of `batch` samples from step `first` on; smaller ones where that does not fit into memory.

    Raises:
        UserError: not even one sample fits.
    """
    tried = batch
    while tried:
        try:
            torch.manual_seed(0)
            task = training.build(tried, runtime)
            for step in range(2):
                train_step(task, first + step)
            started = time.perf_counter()
            for step in range(_STEPS):
                train_step(task, first + 2 + step)
            return StepCost((time.perf_counter() - started) / _STEPS * batch / tried, tried)
        except torch.OutOfMemoryError:
            tried //= 2
        task = None  # type: ignore[assignment]
        torch.cuda.empty_cache()
    raise UserError(f"plan: {training.name} does not fit into this device's memory")


def _task(config: Config, name: str, classes: list[str], batch: int, runtime: Runtime) -> Task:
    """The task of a training, with a batch of its own and just enough random data for it."""
    part = getattr(config, name).model_copy(update={"batch_size": batch})
    match name:
        case "localise":
            from s2v.models.localiser import Ear
            from s2v.train.localise import Clips, LocaliseTask

            heard, n = config.align.audio, part.frames_per_clip
            ear = Ear(heard.n_fft, heard.hop, heard.log_floor, config.extract.sample_rate_hz, part.window_s)
            images = _images(batch * n, part.image_px).unflatten(0, (batch, n))
            return LocaliseTask(part, ear, Clips(images, torch.randn(batch, n, *ear.shape).half()), runtime)
        case "encoder" | "encoder_vit":
            from s2v.train.encoder import SwavTask

            return SwavTask(part, _images(batch, max(part.image_px, part.crops[0][1])), runtime)
        case "generator":
            from s2v.train.generator import IcGanTask

            encoder, n = _frozen(config.encoder, runtime), max(batch, 64)
            features = torch.randn(2, n, encoder.dim)
            return IcGanTask(part, _images(n, part.resolution), features[0], features[1], encoder, runtime)
        case "vae":
            from s2v.train.vae import VaeTask

            return VaeTask(part, _images(batch, part.resolution), _frozen(config.encoder, runtime), runtime)
        case "diffusion":
            from s2v.train.diffusion import DiffusionTask

            vae = config.vae
            px = vae.resolution // 2 ** (len(vae.channels) - 1)
            features = torch.randn(2, batch, ImageEncoder(**shape(config.encoder_vit)).dim)
            shows: Any = None  # the autoencoder, which a step does not see
            return DiffusionTask(part, torch.randn(2, batch, vae.latent_channels, px, px), features, shows, runtime)
        case "align" | "align_ldm" | "align_unclip":
            from s2v.media.spectrogram import SAMPLE_RATE_HZ
            from s2v.models.audio_encoder import AudioEncoder
            from s2v.models.frozen_audio_encoder import FrozenAudioEncoder
            from s2v.train.align import AlignTask

            dim = CLIP_DIM
            if name != "align_unclip":
                dim = ImageEncoder(**shape(config.encoder if name == "align" else config.encoder_vit)).dim
            audio = {**part.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
            if part.backbone is not None:
                frozen = FrozenAudioEncoder(dim, part.backbone, audio, head=part.head)
                known = (torch.randn(batch, len(frozen.mean)), torch.randn(batch, dim))
                return AlignTask(part, frozen.head, known, known, runtime)
            model = AudioEncoder(dim, part.width, part.final_relu, audio, part.head)
            spectrogram = model.spectrogram(torch.randn(1, SAMPLE_RATE_HZ)).half()
            pairs = (spectrogram.repeat(batch, 1, 1), torch.randn(batch, dim))
            return AlignTask(part, model, pairs, pairs, runtime)
        case _:
            from s2v.train.judge import JudgeTask

            images, labels = _images(batch, 2 * part.image_px), torch.arange(batch) % len(classes)
            return JudgeTask(part, classes, (images, labels), (images[:0], labels[:0]), runtime)


def _images(n: int, px: int) -> torch.Tensor:
    return torch.randint(256, (n, 3, px, px), dtype=torch.uint8)


def _frozen(part: EncoderConfig, runtime: Runtime) -> ImageEncoder:
    return ImageEncoder(**shape(part)).to(runtime.device).eval().requires_grad_(False)


__all__ = ["StepCost", "Training", "step_cost", "trainings"]
