"""What a job asks a cluster for: memory and time of each stage, from the sizes of a configuration.

Every stage has an amount that suffices at the default's sizes, several times what was measured there; where what a
stage holds or computes grows with the configuration, what that comes to is asked for if it is more. Neither covers
everything: a job that overran its memory is tried again with twice as much.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from s2v import sizes
from s2v.sizes import Size
from s2v.stages import MEMORY_MB, MINUTES

if TYPE_CHECKING:
    from s2v.config import AlignConfig, Config, EncoderConfig

LONGEST_MINUTES = 7 * 24 * 60
"""Common limit of partitions. A training goes on where it was stopped."""

ROOM_MB = 800
"""Of the least amount, what is left for data and weights: at the default's sizes they are less."""

PROCESS_MB = 3200
"""Of each further process of a training. Measured: torch 510, with diffusers 820. Assumed: a CUDA context and its
libraries the rest."""

TRAINED_BYTES = 30
"""Of each parameter in training. Measured on a CPU with a U-Net of 84 million parameters: weight, gradient, Adam's two
moments and an average, 4 bytes each, and what AdamW and a checkpoint take for a moment. With a GPU the host holds
less: the net at the start, and what a checkpoint copies (16)."""

LOADED_BYTES = 8
"""Of each parameter at the start: a net is built, and its file read beside it."""

GPU_RATE, CPU_RATE = 50e12, 30e9
"""Operations a second (a multiply-add is two). GPU, assumed: a sixth of an A100's peak in bf16, 312e12. CPU, of one
thread, measured in the default's trainings: 32e9 to 77e9."""

MARGIN = 2
"""Time asked for, over time computed."""

EXTRACT_RATE = 0.083
"""CPU seconds of extraction for a second of 720p video; measured, docs/benchmarks.md."""


def memory_mb(config: Config, stage: str) -> int:
    """Memory of the host that a job of `stage` (a key of `MEMORY_MB`, or a variant of one) asks for, in MB."""
    stage = _known(stage)
    least = MEMORY_MB[stage]
    needed = least - ROOM_MB + _bytes(config, stage) / 1e6
    return least if needed <= least else math.ceil(needed / 1000) * 1000


def minutes(config: Config, stage: str) -> int:
    """Time that a job of `stage` (a key of `MINUTES`, or a variant of one) asks for, in minutes."""
    stage = _known(stage)
    hours = math.ceil(MARGIN * _seconds(config, stage) / 3600)
    return max(MINUTES[stage], min(LONGEST_MINUTES, hours * 60))


def _known(stage: str) -> str:
    """A variant whose sizes are not named here (align_x) asks for what its stage does."""
    return stage if stage in MEMORY_MB else stage.partition("_")[0]


def _bytes(config: Config, stage: str) -> float:
    """Data and weights that a stage holds at once; 0 where they hardly grow with the configuration."""
    processes, shards = config.runtime.processes, config.data.shards
    clips = sizes.clips(config)
    table = config.runtime.memory_gb * 2**30
    vision = config.encoder_vit if stage in ("encoder_vit", "embed_vit") else config.encoder
    match stage:
        case "localise":
            local, audio = config.localise, config.align.audio
            window = (audio.n_fft // 2 + 1) * local.window_s * config.extract.sample_rate_hz / audio.hop
            moments = min(clips.get("train", 0), local.max_clips) * local.frames_per_clip
            net = sizes.localiser(local.width, local.dim, local.image_px**2)
            return _training(processes, net, moments * (3 * local.image_px**2 + 2 * window))
        case "encoder" | "encoder_vit":
            pictures = sizes.pictures(config, *vision.splits) * 3 * max(vision.image_px, vision.crops[0][1]) ** 2
            net = sizes.image_encoder(vision, vision.image_px) + sizes.swav_head(vision)
            return _training(processes, net, min(table, pictures))
        case "embed" | "embed_vit":
            n = max((sizes.pictures(config, split) for split in clips), default=0)
            # Of pictures and of mirrored ones, as they are made and put together; a shard's pictures likewise.
            features = n * 2 * 2 * 4 * sizes.dim(vision)
            return features + n / shards * 3 * 3 * vision.image_px**2 + _loaded(sizes.image_encoder(vision, 0))
        case "generator":
            n, generator = sizes.pictures(config, *config.generator.splits), config.generator
            # As read, put together, at unit norm, and both stacked; indices of neighbours.
            features = n * (4 * 2 * 4 * sizes.dim(config.encoder) + 8 * generator.neighbours)
            net = sum(sizes.biggan(generator), sizes.image_encoder(config.encoder, 0))
            return _training(processes, net, features + min(table, n * 3 * generator.resolution**2))
        case "vae":
            pictures = sizes.pictures(config, *config.vae.splits) * 3 * config.vae.resolution**2
            return _training(processes, sum(sizes.autoencoder(config.vae), Size(0, 0)), min(table, pictures))
        case "latents":
            n = max((sizes.pictures(config, split) for split in config.diffusion.splits), default=0)
            shown = n / shards * 3 * 3 * config.vae.resolution**2
            return 2 * 2 * n * _latent_bytes(config) + shown + _loaded(*sizes.autoencoder(config.vae))
        case "diffusion":
            n, feature = sizes.pictures(config, *config.diffusion.splits), sizes.dim(config.encoder_vit)
            # Of pictures and of mirrored ones: as read, stacked, and normalised.
            cached = 3 * 2 * n * (_latent_bytes(config) + 4 * feature)
            net = sizes.denoiser(config.diffusion, config.vae, feature)
            return _training(processes, net, cached) + _loaded(*sizes.autoencoder(config.vae))
        case "align" | "align_ldm":
            part, seen = _heard(config, stage)
            heard = [clips.get(split, 0) * 2 * sizes.spectrogram(part) for split in ("train", "val")]
            features = (clips.get("train", 0) + clips.get("val", 0)) * 2 * 4 * sizes.dim(seen)
            net = sizes.audio_encoder(part, sizes.dim(seen))
            return _training(processes, net, features + sum(min(table, n) for n in heard))
        case "judge":
            # As read, put together, and chosen from.
            return 3 * sizes.pictures(config, config.judge.split) * 3 * (2 * config.judge.image_px) ** 2
        case "generate" | "generate_ldm":
            n, px = clips.get(config.generate.split, 0), _drawn_px(config, stage)
            seconds = min(config.extract.max_duration_s, max(10.0, config.generate.window_s))
            searched = config.generate.retrieval.database == "train" and stage == "generate"
            database = 2 * sizes.pictures(config, "train") * 3 * px**2 if searched else 0
            return n * (2 * 16000 * seconds + 2 * 3 * px**2) + database + _loaded(*_drawing(config, stage))
        case "evaluate" | "evaluate_ldm":
            own, real = clips.get(config.generate.split, 0), sizes.pictures(config, config.evaluate.reference_split)
            nets = _loaded(sizes.EVALUATORS) if config.evaluate.evaluator == "clip_inception" else 0
            # All as bytes; those that are looked at as numbers of 4 bytes beside them.
            return 3 * _drawn_px(config, stage) ** 2 * (own + real + 4 * max(own, real)) + nets
        case "table":
            n = clips.get(config.generate.split, 0) + sizes.pictures(config, config.evaluate.reference_split)
            # Features of 2048 and 1000 classes (Inception-V3), of all seeds of a row, twice as they are resampled.
            return n * (2048 + 1000) * 4 * len(config.generate.seeds) * 2
    return 0


def _training(processes: int, net: Size, held: float) -> float:
    """Each process holds the data and builds the net; one writes checkpoints."""
    others = (processes - 1) * (PROCESS_MB * 1e6 + LOADED_BYTES * net.parameters)
    return TRAINED_BYTES * net.parameters + others + processes * held


def _loaded(*nets: Size) -> float:
    return sum(LOADED_BYTES * net.parameters for net in nets)


def _latent_bytes(config: Config) -> int:
    return 4 * config.vae.latent_channels * sizes.latent_px(config.vae) ** 2


def _heard(config: Config, stage: str) -> tuple[AlignConfig, EncoderConfig]:
    if stage == "align_ldm":
        return config.align_ldm, config.encoder_vit
    return config.align, config.encoder


def _drawn_px(config: Config, stage: str) -> int:
    return config.vae.resolution if stage.endswith("_ldm") else config.generator.resolution


def _drawing(config: Config, stage: str) -> list[Size]:
    """Nets that make pictures of sounds."""
    part, seen = _heard(config, "align_ldm" if stage == "generate_ldm" else "align")
    nets = [sizes.image_encoder(seen, seen.image_px), sizes.audio_encoder(part, sizes.dim(seen))]
    if stage == "generate_ldm":
        unet = sizes.denoiser(config.diffusion, config.vae, sizes.dim(seen))
        return [*nets, *sizes.autoencoder(config.vae), unet]
    return [*nets, sizes.biggan(config.generator)[0]]


def _seconds(config: Config, stage: str) -> float:
    """What a stage computes, and decodes before; 0 where that is little."""
    rate = CPU_RATE if config.runtime.device == "cpu" else GPU_RATE
    clips = sizes.clips(config)
    if stage == "extract":
        length = min(10.0, config.extract.max_duration_s)
        return EXTRACT_RATE * length * sum(clips.values()) / config.data.shards
    operations = _operations(config, stage)
    # Samples are decoded first, on one thread about 150 a second; measured, docs/benchmarks.md.
    return operations * 2 / rate + (sizes.pictures(config, *clips) / 150 if operations else 0)


def _operations(config: Config, stage: str) -> float:
    """Multiply-adds of a stage. A backward pass costs two forward passes."""
    clips = sizes.clips(config)
    vision = config.encoder_vit if stage in ("encoder_vit", "embed_vit") else config.encoder
    match stage:
        case "localise":
            local = config.localise
            net = sizes.localiser(local.width, local.dim, local.image_px**2)
            return 3 * local.steps * local.batch_size * local.frames_per_step * net.operations
        case "encoder" | "encoder_vit":
            crops = sum(n * sizes.image_encoder(vision, px).operations for n, px in vision.crops)
            return 3 * vision.steps * vision.batch_size * crops
        case "embed" | "embed_vit":
            n = max((sizes.pictures(config, split) for split in clips), default=0)
            return 2 * n * sizes.image_encoder(vision, vision.image_px).operations
        case "generator":
            g, d = sizes.biggan(config.generator)
            # D's steps: G once, D on a made and a real picture; G's step: both, back through both.
            step = config.generator.d_steps * (g.operations + 6 * d.operations) + 3 * (g.operations + d.operations)
            steps = config.generator.steps + config.generator.warmup_steps
            return steps * config.generator.batch_size * step
        case "vae":
            net = sum(sizes.autoencoder(config.vae), Size(0, 0))
            seen = sizes.image_encoder(config.encoder, config.vae.resolution)
            return 3 * config.vae.steps * config.vae.batch_size * (net.operations + seen.operations)
        case "latents":
            n = max((sizes.pictures(config, split) for split in config.diffusion.splits), default=0)
            return 2 * n * sizes.autoencoder(config.vae)[0].operations
        case "diffusion":
            net = sizes.denoiser(config.diffusion, config.vae, sizes.dim(config.encoder_vit))
            return 3 * config.diffusion.steps * config.diffusion.batch_size * net.operations
        case "align" | "align_ldm":
            heard, seen_by = _heard(config, stage)
            return 3 * heard.epochs * clips.get("train", 0) * sizes.audio_encoder(heard, sizes.dim(seen_by)).operations
        case "generate_ldm":
            *_, decoder, unet = _drawing(config, stage)
            # With and without the condition.
            drawing = config.generate.ldm.steps * 2 * unet.operations + decoder.operations
            return clips.get(config.generate.split, 0) * drawing
    return 0


__all__ = ["MEMORY_MB", "MINUTES", "memory_mb", "minutes"]
