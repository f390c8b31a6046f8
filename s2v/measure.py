"""What one clip and one training step cost on this machine, at the sizes of a configuration, in seconds of trying."""

from __future__ import annotations

import copy
import resource
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import AlignConfig, Config, EncoderConfig
    from s2v.models.image_encoder import ImageEncoder
    from s2v.runtime import Runtime
    from s2v.train.task import Task

_STEPS = 3
_FPS = 30
_BITS = 0.13
"""Bits a pixel of the generated video, which at 640x360 and 30 frames a second are 0.9 Mbit/s."""


@dataclass(frozen=True)
class ClipCost:
    """Costs of one clip. Bytes are of files, CPU is user and system time with that of ffmpeg."""

    what: str
    seconds: float
    render_cpu_s: float
    extract_cpu_s: float
    video_bytes: int
    extract_bytes: int
    pair_bytes: int
    frames_bytes: int


def clip_cost(config: Config, ffmpeg: str, seconds: float, row: dict[str, Any] | None = None) -> ClipCost:
    """Generate one clip, a moving and noisy picture with a tone, and take it through stage `extract`.

    Args:
        config: the configuration.
        ffmpeg: the executable.
        seconds: length of the clip.
        row: of the world's manifest; its clip is rendered instead.

    Raises:
        UserError: this machine cannot do it, or the configuration leaves such a clip out.
    """
    from s2v.data.extract import extract_clip

    with tempfile.TemporaryDirectory(prefix="s2v-plan.") as folder:
        video, part = Path(folder, "clip.mp4"), Path(folder, "clip.tar")
        started = _cpu_s()
        if row is not None and config.data.world is not None:
            what = f"a clip of the world of {config.data.world.size_px} px"
            from s2v import world

            world.render(row, video, config=config.data.world, ffmpeg=ffmpeg)
        else:
            width, height = _frame_size(config)
            what = f"a generated clip of {width}x{height} px and {seconds:.3g} s"
            _generate(video, width, height, seconds, ffmpeg)
        render_cpu_s = _cpu_s() - started
        clip = {"clip_id": "clip", "split": "train", "path": str(video), "start_s": None, "end_s": None}
        settings = config.extract.model_dump(mode="json")
        # The second time: the first also imports the decoder.
        for _ in range(2):
            started = _cpu_s()
            status = extract_clip(clip=clip, settings=settings, ffmpeg=ffmpeg, part=str(part))
        extract_cpu_s = _cpu_s() - started
        if status["status"] != "ok":
            raise UserError(f"plan: stage extract leaves {what} out ({status['reason']}: {status['detail']})")
        with tarfile.open(part) as tar:
            sizes = {member.name: member.size for member in tar}
        frames = [size for name, size in sizes.items() if name.endswith(".jpg")]
        sound = sum(size for name, size in sizes.items() if name.endswith(".flac"))
        return ClipCost(
            what=what, seconds=len(frames) / config.extract.fps, render_cpu_s=render_cpu_s,
            extract_cpu_s=extract_cpu_s, video_bytes=video.stat().st_size, extract_bytes=part.stat().st_size,
            pair_bytes=sound + sum(frames) // len(frames), frames_bytes=sum(frames),
        )  # fmt: skip


def _frame_size(config: Config) -> tuple[int, int]:
    height = config.data.videos.height // 2 * 2
    return round(height * 16 / 9 / 2) * 2, height


def _generate(video: Path, width: int, height: int, seconds: float, ffmpeg: str) -> None:
    """Encode with H.264, about as strongly as videos of that size on the web are."""
    picture = f"mandelbrot=size={width}x{height}:rate={_FPS},noise=alls=8:allf=t+u"
    inputs = ["-f", "lavfi", "-t", f"{seconds:.3f}", "-i", picture]
    inputs += ["-f", "lavfi", "-t", f"{seconds:.3f}", "-i", "sine=frequency=440:sample_rate=44100,tremolo"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", str(round(width * height * _FPS * _BITS))]
    coding += ["-pix_fmt", "yuv420p", "-c:a", "aac", "-threads", "1", f"file:{video}"]
    try:
        command = [ffmpeg, "-v", "error", "-nostdin", "-y", *inputs, *coding]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join((getattr(error, "stderr", None) or str(error)).split())
        raise UserError(f"runtime.ffmpeg: could not make a clip to measure with ({said[:200]})") from error


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@dataclass(frozen=True)
class Training:
    """A training, in phases (name, first step, number of steps) whose steps cost different times."""

    name: str
    batch: int
    phases: list[tuple[str, int, int]]
    build: Callable[[int, Runtime], Task]
    target: Literal["all", "table3"] = "all"
    """What needs it: the workflow's default target, or table3.csv alone."""


@dataclass(frozen=True)
class StepCost:
    """Seconds of a step at the configured batch, by one process. `measured` is a smaller batch where memory ended."""

    seconds: float
    measured: int


def trainings(config: Config, n_train: int, classes: list[str]) -> Iterator[Training]:
    """The trainings that a configuration runs, each with a way to build it on random data.

    Args:
        config: the configuration.
        n_train: pairs of the train split.
        classes: class names, for the judge.
    """
    from s2v.train.batches import steps_per_epoch

    if config.select.mode != "published":
        yield Training("localise", config.localise.batch_size, [("", 0, config.localise.steps)], _localise(config))
    if not config.encoder.weights:
        yield Training("encoder", config.encoder.batch_size, [("", 0, config.encoder.steps)], _encoder(config.encoder))
    generator = config.generator
    phases = [("", generator.warmup_steps, generator.steps)]
    if generator.warmup_steps:
        phases.insert(0, (" warm-up", 0, generator.warmup_steps))
    if not generator.weights:
        yield Training("generator", generator.batch_size, phases, _generator(config))
    steps = config.align.epochs * steps_per_epoch(n_train, config.align.batch_size)
    if not config.align.weights:
        yield Training("align", config.align.batch_size, [(" at most", 0, steps)], _align(config.align, config.encoder))
    if config.evaluate.evaluator == "judge":
        yield Training("judge", config.judge.batch_size, [("", 0, config.judge.steps)], _judge(config, classes))
    yield from _latent_diffusion(config, n_train)


def _latent_diffusion(config: Config, n_train: int) -> Iterator[Training]:
    from s2v.train.batches import steps_per_epoch

    target: Literal["all", "table3"] = "table3"
    if {"ldm", "sound2vision_ldm"} & set(config.generate.methods):
        target = "all"
    seen, heard, vae, diffusion = config.encoder_vit, config.align_ldm, config.vae, config.diffusion
    epochs = heard.epochs * steps_per_epoch(n_train, heard.batch_size)
    yield Training("encoder_vit", seen.batch_size, [("", 0, seen.steps)], _encoder(seen), target)
    yield Training("vae", vae.batch_size, [("", 0, vae.steps)], _vae(config), target)
    yield Training("diffusion", diffusion.batch_size, [("", 0, diffusion.steps)], _diffusion(config), target)
    yield Training("align_ldm", heard.batch_size, [(" at most", 0, epochs)], _align(heard, seen), target)


def step_cost(training: Training, first: int, runtime: Runtime) -> StepCost:
    """Time a few steps from step `first` on, with smaller batches where the configured one does not fit into memory.

    Raises:
        UserError: not even one picture fits.
    """
    import torch

    from s2v.train.step import train_step

    batch = training.batch
    while batch:
        try:
            torch.manual_seed(0)
            task = training.build(batch, runtime)
            for step in range(2):
                train_step(task, first + step)
            started = time.perf_counter()
            for step in range(_STEPS):
                train_step(task, first + 2 + step)
            return StepCost((time.perf_counter() - started) / _STEPS * training.batch / batch, batch)
        except torch.OutOfMemoryError:
            batch //= 2
        task = None  # type: ignore[assignment]
        torch.cuda.empty_cache()
    raise UserError(f"plan: {training.name} does not fit into this device's memory")


def _pictures(n: int, px: int) -> Any:
    import torch

    return torch.randint(256, (n, 3, px, px), dtype=torch.uint8)


def _localise(config: Config) -> Callable[[int, Runtime], Task]:
    def build(batch: int, runtime: Runtime) -> Task:
        import torch

        from s2v.models.localiser import Ear
        from s2v.train.localise import Clips, LocaliseTask

        part = config.localise
        audio = config.align.audio
        ear = Ear(audio.n_fft, audio.hop, audio.log_floor, config.extract.sample_rate_hz, part.window_s)
        images = _pictures(batch * part.frames_per_clip, part.image_px).unflatten(0, (batch, part.frames_per_clip))
        windows = torch.randn(batch, part.frames_per_clip, *ear.shape).half()
        return LocaliseTask(part.model_copy(update={"batch_size": batch}), ear, Clips(images, windows), runtime)

    return build


def _encoder(part: EncoderConfig) -> Callable[[int, Runtime], Task]:
    def build(batch: int, runtime: Runtime) -> Task:
        from s2v.train.encoder import SwavTask

        px = max(part.image_px, part.crops[0][1])
        return SwavTask(part.model_copy(update={"batch_size": batch}), _pictures(batch, px), runtime)

    return build


def _generator(config: Config) -> Callable[[int, Runtime], Task]:
    def build(batch: int, runtime: Runtime) -> Task:
        import torch

        from s2v.train.generator import IcGanTask

        part, encoder = config.generator, _frozen(config.encoder, runtime)
        n = max(batch, 64)
        features = torch.randn(n, encoder.dim)
        settings = part.model_copy(update={"batch_size": batch})
        return IcGanTask(settings, _pictures(n, part.resolution), features, features.clone(), encoder, runtime)

    return build


def _align(part: AlignConfig, seen: EncoderConfig) -> Callable[[int, Runtime], Task]:
    def build(batch: int, runtime: Runtime) -> Task:
        import torch

        from s2v.media.spectrogram import SAMPLE_RATE_HZ
        from s2v.models.audio_encoder import AudioEncoder
        from s2v.models.image_encoder import ImageEncoder, shape
        from s2v.train.align import AlignTask

        dim = ImageEncoder(**shape(seen)).dim
        audio = {**part.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
        model = AudioEncoder(dim, part.width, part.final_relu, audio)
        spectrogram = model.spectrogram(torch.randn(1, SAMPLE_RATE_HZ)).half()
        pairs = (spectrogram.repeat(batch, 1, 1), torch.randn(batch, dim))
        return AlignTask(part.model_copy(update={"batch_size": batch}), model, pairs, copy.copy(pairs), runtime)

    return build


def _frozen(part: EncoderConfig, runtime: Runtime) -> ImageEncoder:
    from s2v.models.image_encoder import ImageEncoder, shape

    return ImageEncoder(**shape(part)).to(runtime.device).eval().requires_grad_(False)


def _vae(config: Config) -> Callable[[int, Runtime], Task]:
    def build(batch: int, runtime: Runtime) -> Task:
        from s2v.train.vae import VaeTask

        settings = config.vae.model_copy(update={"batch_size": batch})
        return VaeTask(settings, _pictures(batch, config.vae.resolution), _frozen(config.encoder, runtime), runtime)

    return build


def _diffusion(config: Config) -> Callable[[int, Runtime], Task]:
    def build(batch: int, runtime: Runtime) -> Task:
        import torch

        from s2v.models.image_encoder import ImageEncoder, shape
        from s2v.train.diffusion import DiffusionTask

        vae = config.vae
        px = vae.resolution // 2 ** (len(vae.channels) - 1)
        features = torch.randn(2, batch, ImageEncoder(**shape(config.encoder_vit)).dim)
        latents = torch.randn(2, batch, vae.latent_channels, px, px)
        settings = config.diffusion.model_copy(update={"batch_size": batch})
        shows: Any = None  # the autoencoder, which a step does not see
        return DiffusionTask(settings, latents, features, shows, runtime)

    return build


def _judge(config: Config, classes: list[str]) -> Callable[[int, Runtime], Task]:
    def build(batch: int, runtime: Runtime) -> Task:
        import torch

        from s2v.train.judge import JudgeTask

        part = config.judge
        images, labels = _pictures(batch, 2 * part.image_px), torch.arange(batch) % len(classes)
        settings = part.model_copy(update={"batch_size": batch})
        return JudgeTask(settings, classes, (images, labels), (images[:0], labels[:0]), runtime)

    return build


__all__ = ["ClipCost", "StepCost", "Training", "clip_cost", "step_cost", "trainings"]
