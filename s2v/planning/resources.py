"""What a job asks a cluster for: memory and time of each stage, from the networks and the samples of a configuration.

Every stage has an amount that suffices at the default's sizes, several times what was measured there; where what a
stage holds or computes grows with the configuration, what that comes to is asked for if it is more. Neither covers
everything: a job that overran its memory is tried again with twice as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from s2v.config.repeats import ablation_runs, drawn_again
from s2v.config.table3 import table3_methods
from s2v.planning import samples
from s2v.planning.nets import Net, nets
from s2v.stages import MEMORY_MB, MINUTES

if TYPE_CHECKING:
    from s2v.config import Config

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

EVALUATORS = 151e6 + 27e6
"""Parameters of CLIP ViT-B/32 (Radford et al. 2021) and Inception-V3 (Szegedy et al. 2016), which are files."""

ROW_BYTES = 1150
"""Of a row of the manifest. Measured: 131 MB for 1,000 rows, 340 for 200,000, 1,250 for a million."""

SCORED, MAPS = 256, 3
"""Frames that stage `select` scores at once, and maps of a net's first layer that are there together. Measured at full
size (64 channels, 224 px) on a CPU: 2,770 to 3,230 MB, of which 550 are torch."""

GPU_RATE, CPU_RATE = 50e12, 30e9
"""Operations a second (a multiply-add is two). GPU, assumed: a sixth of an A100's peak in bf16, 312e12. CPU, of one
thread, measured in the default's trainings: 32e9 to 77e9."""

MARGIN = 2
"""Time asked for, over time computed."""

EXTRACT_RATE = 0.083
"""CPU seconds of extraction for a second of 720p video; measured, docs/benchmarks.md."""

DECODED = 150
"""Samples that one thread decodes in a second; measured, docs/benchmarks.md."""

FIDS, FID_S = 21, 0.5
"""FIDs of a set of images (its own and those of 20 resamples, `s2v.report.rows`), and seconds of one of Inception's
2048 features on one thread, of 2,500 images: measured 0.40 on an idle core, after 0.6 for what all of a set share. The
judge's take milliseconds."""

TABLES = ("table1", "table2", "table3", "table_vegas5", "fig16")
"""What compares sets of images."""

COMPARED = ("s2i_autoencoder", "s2i_generator", "pedersoli_vqvae", "pedersoli_audio", "joint")
"""Trainings of the systems of Figures 12 and 15."""


def memory_mb(config: Config, stage: str) -> int:
    """Memory of the host that a job of `stage` (a key of `s2v.stages.MEMORY_MB`) asks for, in MB.

    Raises:
        UserError: the networks of the configuration cannot be built.
    """
    least = MEMORY_MB[stage]
    needed = least - ROOM_MB + _work(config, stage).held / 1e6
    return least if needed <= least else math.ceil(needed / 1000) * 1000


def minutes(config: Config, stage: str) -> int:
    """Time that a job of `stage` (likewise) asks for, in minutes.

    Raises:
        UserError: as `memory_mb`.
    """
    work = _work(config, stage)
    seconds = work.seconds + 2 * work.operations / (CPU_RATE if config.runtime.device == "cpu" else GPU_RATE)
    if work.operations:  # samples are decoded first
        seconds += samples.images(config, *samples.clips(config)) / DECODED
    return max(MINUTES[stage], min(LONGEST_MINUTES, math.ceil(MARGIN * seconds / 3600) * 60))


def step_minutes(config: Config, stage: str, steps: int) -> float:
    """Minutes of one thread that a step of a training takes, of as many in all; estimated."""
    heard = "align" if stage == "align_unclip" else stage
    return 2 * _work(config, heard).operations * config.runtime.processes / CPU_RATE / steps / 60


class Work(NamedTuple):
    """What a job holds and computes beyond what every job does; 0 where that hardly grows with the configuration."""

    held: float = 0.0
    """Bytes of data and weights at once."""
    operations: float = 0.0
    """Multiply-adds. A backward pass costs two forward passes."""
    seconds: float = 0.0
    """What else takes time."""


def _work(config: Config, stage: str) -> Work:
    if stage in ("manifest", "extract", *TABLES):
        return _counting(config, stage)
    return (_compared if stage in COMPARED else _computing)(config, stage)


def _counting(config: Config, stage: str) -> Work:
    """Stages without a network."""
    clips = samples.clips(config)
    if stage == "manifest":
        return Work(samples.rows(config) * ROW_BYTES)
    if stage == "extract":
        length = min(samples.CLIP_S, config.extract.max_duration_s)
        return Work(seconds=EXTRACT_RATE * length * sum(clips.values()) / config.data.shards)
    seeds, real = len(config.generate.seeds), samples.images(config, config.evaluate.reference_split)
    # Features of 2048 and 1000 classes (Inception-V3), of all seeds of a row, twice as they are resampled.
    drawn = clips.get(config.generate.split, 0)
    held = (drawn + real) * (2048 + 1000) * 4 * seeds * 2
    # Of one seed at a time, what its resampled FIDs share: numbers of 8 bytes, and where images are few, of pairs too.
    held += drawn * (2 * 2048 + min(drawn, 2 * 2048)) * 8
    if config.evaluate.evaluator != "clip_inception":
        return Work(held)
    both = [config.generate.table3.A, config.generate.table3.B]
    rows = table3_methods(config).values()
    compared = {
        "table1": seeds * len(drawn_again(config, config.generate.methods, config.seeds.table1)),
        "table2": len(ablation_runs(config)),
        "table3": seeds * len(drawn_again(config, rows, config.seeds.table3)),
        # Its four rows, and the baselines' controls.
        "table_vegas5": 6 * seeds * len(config.seeds.fig15),
        "fig16": seeds * len(config.scaling.sizes) * (1 + len(drawn_again(config, both, config.seeds.scaling))),
    }
    return Work(held, seconds=compared[stage] * FIDS * FID_S)


def _computing(config: Config, stage: str) -> Work:
    """Stages that train or run networks."""
    net, clips, table = nets(config), samples.clips(config), config.runtime.memory_gb * 2**30
    images, most = partial(samples.images, config), max((samples.images(config, split) for split in clips), default=0)
    drawn, real = clips.get(config.generate.split, 0), images(config.evaluate.reference_split)
    vit, ldm = stage.endswith("_vit"), stage.endswith("_ldm")
    vision, seen = (config.encoder_vit, net["encoder_vit"]) if vit or ldm else (config.encoder, net["encoder"])
    vae, halves = config.vae, (net["vae_encoder"], net["vae_decoder"])
    pixels = 3 * (vae.resolution if ldm else config.generator.resolution) ** 2
    match stage:
        case "localise":
            part, one, frame = config.localise, net["localise"], 3 * config.localise.image_px**2
            moments = min(clips.get("train", 0), part.max_clips) * part.frames_per_clip
            operations = part.steps * part.batch_size * part.frames_per_step * one.operations
            return _trained(config, [one], moments * (frame + 2 * (one.inputs - frame)), operations)
        case "select":
            px, loaded = config.localise.image_px, _loaded(net["localise"])
            # Frames are bytes, then numbers; the first layer's maps are the largest.
            return Work(SCORED * ((2 + 4) * 3 * px**2 + MAPS * 4 * config.localise.width * (px / 2) ** 2) + loaded)
        case "encoder" if vision.weights:
            return Work(2 * _loaded(seen))  # as published, and renamed
        case "encoder" | "encoder_vit":
            swav, px = net[f"{stage}_swav"], max(vision.image_px, vision.crops[0][1])
            held = min(table, images(*vision.splits) * 3 * px**2)
            return _trained(config, [swav], held, vision.steps * vision.batch_size * swav.operations)
        case "embed" | "embed_vit":
            # Of images and of mirrored ones, as they are made and put together; a shard's images likewise.
            held = most * (2 * 2 * 4 * seen.outputs + 3 * seen.inputs / config.data.shards)
            return Work(held + _loaded(seen), 2 * most * seen.operations)
        case "generator":
            gan, g, d = config.generator, net["generator"], net["discriminator"]
            n = images(*gan.splits)
            # As read, put together, at unit norm, and both stacked; indices of neighbours.
            held = n * (4 * 2 * 4 * seen.outputs + 8 * gan.neighbours) + min(table, n * pixels)
            # D's steps: G forward, D on a made and a real image; G's step: both, back through both.
            step = gan.d_steps * (g.operations / 3 + 2 * d.operations) + g.operations + d.operations
            return _trained(config, [g, d, seen], held, (gan.steps + gan.warmup_steps) * gan.batch_size * step)
        case "vae":
            held = min(table, images(*vae.splits) * 3 * vae.resolution**2)
            # f_V sees two images, and the way back leads through one of them alone.
            sample = halves[0].operations + halves[1].operations + net["perceptual"].operations / 2
            return _trained(config, halves, held, vae.steps * vae.batch_size * sample)
        case "latents":
            n = max(map(images, config.diffusion.splits), default=0)
            held = n * (2 * 2 * 4 * halves[0].outputs + 3 * 3 * vae.resolution**2 / config.data.shards)
            return Work(held + _loaded(*halves), 2 * n * halves[0].operations)
        case "diffusion":
            diffusion, unet = config.diffusion, net["diffusion"]
            # Of images and of mirrored ones: as read, stacked, and normalised. The autoencoder shows samples.
            held = images(*diffusion.splits) * 2 * 3 * 4 * (halves[0].outputs + net["encoder_vit"].outputs)
            operations = diffusion.steps * diffusion.batch_size * unet.operations
            return _trained(config, [unet], held, operations, _loaded(*halves))
        case "align" | "align_ldm":
            heard, one = config.align_ldm if ldm else config.align, net[stage]
            pairs = [clips.get(split, 0) for split in ("train", "val")]
            held = sum(n * 2 * 4 * one.outputs + min(table, n * 2 * one.inputs) for n in pairs)
            heard_pairs = max(heard.epochs * pairs[0], heard.min_steps * heard.batch_size)
            return _trained(config, [one], held, heard_pairs * one.operations)
        case "text_diffusion":
            text, n = config.text_diffusion, images(config.text_diffusion.split)
            # As read, and their latents: as made, put together, stacked, and normalised.
            held = n * (3 * 3 * vae.resolution**2 + 2 * 4 * 4 * halves[0].outputs)
            operations = text.steps * text.batch_size * net["text_diffusion"].operations
            return _trained(config, [net["text_diffusion"]], held, operations, _loaded(*halves))
        case "tagger":
            tagger, one = config.tagger, net["tagger"]
            held = 2 * min(table, clips.get(tagger.split, 0) * 2 * one.inputs)
            return _trained(config, [one], held, tagger.steps * tagger.batch_size * one.operations)
        case "audiotoken":
            token, unet, frozen = (
                config.audiotoken,
                net["text_diffusion"],
                (*halves, net["text_diffusion"], net["tagger"]),
            )
            n = sum(clips.get(split, 0) for split in ("train", "val"))
            held = n * (2 * 16000 * samples.CLIP_S + 3 * 3 * vae.resolution**2 + 2 * 4 * 3 * halves[0].outputs)
            # Back through the U-Net, whose weights are not trained.
            return Work(held + _loaded(*frozen), 3 * token.steps * token.batch_size * unet.operations)
        case "judge":
            judge = config.judge
            # As read, put together, and chosen from.
            pictures = images(judge.split) * (1 + len(judge.painted)) + (images(judge.others) if judge.others else 0)
            held = 3 * pictures * 3 * (2 * judge.image_px) ** 2
            return _trained(config, [net["judge"]], held, judge.steps * judge.batch_size * net["judge"].operations)
        case "generate" | "generate_ldm":
            seconds = min(config.extract.max_duration_s, max(samples.CLIP_S, config.generate.window_s))
            held = drawn * (2 * 16000 * seconds + 2 * pixels)
            if ldm:  # each step with and without the condition
                operations = config.generate.ldm.steps * 2 * net["diffusion"].operations + halves[1].operations
                return Work(held + _loaded(seen, net["align_ldm"], *halves, net["diffusion"]), drawn * operations)
            database = images("train") if config.generate.retrieval.database == "train" else 0
            return Work(held + 2 * database * pixels + _loaded(seen, net["align"], net["generator"]))
        case "evaluate" | "evaluate_ldm":
            evaluators = LOADED_BYTES * EVALUATORS if config.evaluate.evaluator == "clip_inception" else 0
            # All as bytes; those that are looked at as numbers of 4 bytes beside them.
            return Work(pixels * (drawn + real + 4 * max(drawn, real)) + evaluators)
    return Work()


def _compared(config: Config, stage: str) -> Work:
    """Trainings of the systems of Figures 12 and 15."""
    net, clips, table = nets(config), samples.clips(config), config.runtime.memory_gb * 2**30
    one, pairs = net[stage], clips.get("train", 0)
    match stage:
        case "s2i_autoencoder":
            grey = config.s2i_autoencoder
            operations = grey.steps * grey.batch_size * one.operations
            return _trained(config, [one], min(table, pairs * 2 * one.inputs), operations)
        case "s2i_generator":
            gan, d, embeds = config.s2i_generator, net["s2i_discriminator"], net["s2i_autoencoder"]
            held = min(table, pairs * 3 * gan.resolution**2) + min(table, pairs * 2 * embeds.inputs)
            # As for `generator`.
            step = one.operations / 3 + 2 * d.operations + one.operations + d.operations
            return _trained(config, [one, d, embeds], held, gan.steps * gan.batch_size * step)
        case "pedersoli_vqvae":
            codes = config.pedersoli_vqvae
            held = min(table, samples.images(config, *codes.splits) * one.inputs)
            return _trained(config, [one], held, codes.steps * codes.batch_size * one.operations)
        case "pedersoli_audio":
            heard = config.pedersoli_audio
            # Latents of numbers, as they are made and put together.
            held = min(table, pairs * 2 * one.inputs) + min(table, pairs * net["pedersoli_vqvae"].inputs)
            operations = heard.steps * heard.batch_size * one.operations
            return _trained(config, [one], held + pairs * 2 * 4 * one.outputs, operations)
    space = config.joint
    held = samples.images(config, space.captioned) * 3 * space.image_px**2 + clips.get(space.tagged, 0) * 2 * one.inputs
    steps = space.picture_steps + space.sound_steps
    return _trained(config, [one], held, steps * space.batch_size * one.operations)


def _trained(config: Config, trained: Sequence[Net], held: float, operations: float, loaded: float = 0.0) -> Work:
    """A training: each process holds the data and builds the networks, one writes checkpoints; they share a batch."""
    processes, parameters = config.runtime.processes, sum(net.parameters for net in trained)
    others = (processes - 1) * (PROCESS_MB * 1e6 + LOADED_BYTES * parameters)
    return Work(TRAINED_BYTES * parameters + loaded + others + processes * held, 3 * operations / processes)


def _loaded(*loaded: Net) -> float:
    return sum(LOADED_BYTES * net.parameters for net in loaded)


__all__ = ["memory_mb", "minutes", "step_minutes"]
