"""What the values of a configuration have to do with each other, which a schema cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from s2v.config import Config
from s2v.config.methods import METHODS
from s2v.config.repeats import made_anew
from s2v.config.runtime import TrainingName
from s2v.config.table3 import untaught
from s2v.extras import absent

_PUBLISHED = {
    "align": "sound2scene-audio", "align_ldm": None, "align_unclip": "sound2vision-audio", "encoder_vit": None,
}  # fmt: skip
"""Published weights of sections that are of the same kind as another, which has some of its own."""


def split_names(config: Config) -> list[str]:
    """Names of the splits that the data of a configuration have."""
    section = config.data.section()
    return section.split_names() if section else []


def cross_checks(config: Config) -> Iterator[tuple[str, str]]:
    """(key, what is wrong with it) for what a schema cannot say."""
    data = config.data
    if re.search(r"[{}<>*?\n\0]", config.output) or config.output.strip("./ ") == "":
        yield "output", f"{config.output!r} is no name for a folder of its own; allowed: a path such as results/mine"
    if data.section() is None:
        yield f"data.{data.source}", f"missing; data.source is {data.source}, so its section must be there"
        return
    if config.extract.crop == "face" and config.data.source != "celebvhq":
        yield "extract.crop", f"data.source {config.data.source} names no boxes of faces; leave it null"
    if config.extract.crop and config.extract.reader == "decord":
        yield "extract.crop", "extract.reader decord cuts nothing out; take ffmpeg"
    if config.extract.reader == "decord" and (what := absent("decord")):
        yield "extract.reader", what
    known = split_names(config)
    for name in known:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            yield f"data.{data.source}", f"the split {name!r} has an odd name; allowed: letters, digits and _"
    needed = {
        "encoder.splits": config.encoder.splits,
        "generator.splits": config.generator.splits,
        "encoder_vit.splits": config.encoder_vit.splits,
        "vae.splits": config.vae.splits,
        "diffusion.splits": config.diffusion.splits,
        "pedersoli_vqvae.splits": config.pedersoli_vqvae.splits,
        "generate.split": [config.generate.split],
        "evaluate.reference_split": [config.evaluate.reference_split],
    }
    if config.evaluate.own_inception and not config.inception.weights:
        needed["inception.split"] = [config.inception.split]
    elif config.evaluate.inception == "own" and not config.evaluate.own_inception:
        yield "evaluate.inception", f"own is of clip_inception, and evaluate.evaluator is {config.evaluate.evaluator}"
    if config.evaluate.evaluator == "judge":
        for key, judge in (("judge", config.judge), *((f"judges.{name}", own) for name, own in config.judges.items())):
            needed[f"{key}.split"] = [judge.split]
            if judge.others is not None:
                needed[f"{key}.others"] = [judge.others]
                if not judge.broken:
                    yield f"{key}.others", "its answer is none of these, which it learns where broken is above 0"
            for method, training in judge.painted.items():
                yield from _painted(config, f"{key}.painted", method, training)
    for key, names in needed.items():
        if not names or len(set(names)) < len(names):
            yield key, "name at least one split, and each only once"
        for name in names:
            if name not in known:
                yield key, f"{name!r} is no split of the data; allowed: {', '.join(known)}"
    if config.encoder.weights != "swav-resnet50":
        for key, weights in (("generator", config.generator.weights), ("align", config.align.weights)):
            if weights:
                needs = "knows SwAV's features only; add encoder.weights: swav-resnet50"
                yield f"{key}.weights", f"{weights} {needs}"
    if config.generator.reconstruction_maps == "all":
        seen = config.encoder
        if seen.architecture != "resnet" or seen.weights == "efficientnet-lite0":
            yield "generator.reconstruction_maps", "all is of the stages of a ResNet, which this image encoder is not"
    for key, published in _PUBLISHED.items():
        named = getattr(config, key).weights
        if named not in (None, published):
            allowed = f"allowed: {published}" if published else "leave it null"
            yield f"{key}.weights", f"{named} is of another generator; {allowed}"
    for key in ("align", "align_ldm", "align_unclip"):
        section = getattr(config, key)
        if section.backbone and section.weights:
            yield f"{key}.backbone", f"{key}.weights is of another kind of audio encoder; leave one of them null"
        if section.backbone == "tagger" and "tagger" in config.seeds.of:
            yield "seeds.of", f"tagger is heard with by {key}, which is not made anew with it; leave it out"
        if section.backbone and section.final_relu:
            yield f"{key}.final_relu", f"no ReLU follows the head of {key}.backbone; leave it false"
        if section.backbone == "tagger" and config.tagger.split not in known:
            yield f"{key}.backbone", f"the tagger learns from tagger.split: {config.tagger.split}, no split of the data"
    for key in get_args(TrainingName):
        processes, batch_size = config.runtime.processes, getattr(config, key).batch_size
        if batch_size < processes:
            yield "runtime.processes", f"{processes} cannot share {key}.batch_size, which is {batch_size}"
    for method, why in untaught(config, config.generate.methods).items():
        yield "generate.methods", f"{method} cannot be run: {why}"
    table3 = config.generate.table3
    if table3.A == table3.B:
        yield "generate.table3", "rows A and B are the same method"
    rows = [table3.A, table3.B, *filter(None, [table3.C]), *table3.further, *table3.controls]
    for method in rows:
        if rows.count(method) > 1:
            yield "generate.table3", f"{method} is named twice"
    for name in ("train", "val"):
        if name not in known:
            yield f"data.{data.source}", f"the split {name!r} is missing; alignment learns from train and stops by val"
    if data.source == "folder" and data.folder is not None:
        if data.folder.labels == "none" and config.evaluate.evaluator == "judge":
            allowed = "clip_inception, none"
            yield "evaluate.evaluator", f"judge needs labels, and data.folder.labels is none; allowed: {allowed}"
        if data.folder.labels == "csv" and not data.folder.csv:
            yield "data.folder.csv", "missing; data.folder.labels is csv"
        if sum(data.folder.splits.values()) > 1 + 1e-6:
            yield "data.folder.splits", "the shares add up to more than 1"
    if data.source == "speakers":
        yield from _faces(config, known)
    made = data.rendered()
    if made is not None and made.duration_s[0] > made.duration_s[1]:
        yield f"data.{data.source}.duration_s", "the shortest clip is longer than the longest"
    if data.source == "world" and data.world is not None:
        if len(set(data.world.classes)) < len(data.world.classes):
            yield "data.world.classes", "a class is named twice"
        from s2v.world import class_names

        for key, names in (("classes", data.world.classes), ("others", data.world.others)):
            for name in sorted(set(names) - set(class_names())):
                yield f"data.world.{key}", f"{name!r} is no class of the world; allowed: {', '.join(class_names())}"
        for name in sorted(set(data.world.classes) & set(data.world.others)):
            yield "data.world.others", f"{name!r} is one of data.world.classes"
    if config.select.mode == "published" and not config.select.moments:
        yield "select.moments", "missing; select.mode is published, so the file of moments must be named"
    for name, section in (("encoder", config.encoder), ("encoder_vit", config.encoder_vit)):
        if len(section.crops) != len(section.crop_scales):
            yield f"{name}.crop_scales", f"give one range for each of the {len(section.crops)} {name}.crops"
    yield from _latent_diffusion(config)
    yield from _fig15(config)
    yield from _taught(config)
    sizes, own = config.scaling.sizes, config.data.world.classes if config.data.world else []
    if sorted(set(sizes)) != sizes or len(sizes) == 1:
        yield "scaling.sizes", "give growing numbers, two or more, or none"
    if data.source == "world" and config.scaling.world is not None and not Path(config.scaling.world).is_file():
        yield "scaling.world", f"{config.scaling.world} is not there"
    if data.source == "world" and config.scaling.world is None and max(sizes, default=0) > len(own):
        yield "scaling.sizes", f"{sizes[-1]}, and data.world.classes has {len(own)}; name fewer, or a scaling.world"
    for key, numbers in (("ours", config.lee.ours_weights), ("moved", config.lee.moved_weights)):
        if numbers[0] or sorted(set(numbers)) != numbers:
            yield f"lee.{key}_weights", "allowed: numbers that grow, from 0 on, which is the picture itself"
    for key, listed in (("generate.methods", config.generate.methods), ("generate.seeds", config.generate.seeds)):
        if not listed or len(set(listed)) < len(listed):
            yield key, "give at least one, and each only once"


def _painted(config: Config, key: str, method: str, training: int) -> Iterator[tuple[str, str]]:
    """A generator that an evaluator learns from, and that no table judges."""
    entry = METHODS.get(method)
    if entry is None or entry.takes != "frame" or not entry.renders.seeded:
        yield key, f"{method!r} paints no picture that it sees; allowed: icgan, ldm"
    elif not any(made_anew(config, part) for part in entry.parts.values()):
        yield key, f"{method} has one generator, which the tables judge; name its training in seeds.of"
    elif training in (0, *config.seeds.table1, *config.seeds.table2, *config.seeds.table3):
        yield key, f"the tables judge training {training}; give a number that is not theirs, such as 90"


def _faces(config: Config, known: list[str]) -> Iterator[tuple[str, str]]:
    """The evaluator of faces, and what it learns from."""
    split, speakers = config.face_reader.split, config.data.speakers
    if split not in known:
        yield "face_reader.split", f"{split!r} is no split of the data; allowed: {', '.join(known)}"
    others = {"train", "val", config.generate.split, *config.encoder.splits, *config.generator.splits}
    if split in others:
        yield "face_reader.split", f"{split!r} is learned from, or tested; the evaluator of faces takes another"
    if speakers is not None and speakers.fps != config.extract.fps:
        yield "data.speakers.fps", f"{speakers.fps}, and extract.fps is {config.extract.fps}: each frame is a portrait"


def _fig15(config: Config) -> Iterator[tuple[str, str]]:
    """The systems of Figure 15, and its clips."""
    vqvae, split = config.pedersoli_vqvae, config.generate.split
    halvings = vqvae.resolution // vqvae.code_px
    if vqvae.code_px & (vqvae.code_px - 1) or halvings < 4 or vqvae.code_px * halvings != vqvae.resolution:
        yield "pedersoli_vqvae.code_px", "allowed: a power of two, a quarter of pedersoli_vqvae.resolution or less"
    elif halvings & (halvings - 1):
        yield "pedersoli_vqvae.resolution", "allowed: a power of two times pedersoli_vqvae.code_px"
    if config.s2i_generator.weights and not config.s2i_autoencoder.weights:
        yield "s2i_generator.weights", "takes embeddings of s2i_autoencoder.weights: s2i-autoencoder; add it"
    if config.s2i_autoencoder.dim % 4:
        yield "s2i_autoencoder.dim", "allowed: a multiple of 4, which the discriminator's 2 x 2 map takes"
    audio = config.s2i_autoencoder.audio
    if (audio.bands, audio.columns) != (128, 100):
        yield "s2i_autoencoder.audio", "bands and columns are 128 and 100, which its layers take"
    if split in vqvae.splits:
        yield "pedersoli_vqvae.splits", f"{split!r} is tested (generate.split); stage 1 learns from no such clip"
    for key in ("s2i_autoencoder", "pedersoli_audio"):
        batch, runtime = getattr(config, key).batch_size, config.runtime.of(key)
        share, at_once = batch // runtime.processes, runtime.device_batch
        pieces = -(-share // at_once) if isinstance(at_once, int) else 1
        if share // pieces < 2:
            yield (
                f"{key}.batch_size",
                "its batch norm needs two samples in each process and piece (runtime.device_batch)",
            )
    classes, world = config.fig15.classes, config.data.world if config.data.source == "world" else None
    if classes and (len(classes) < 2 or len(set(classes)) < len(classes)):
        yield "fig15.classes", "name two or more, each once; null is all, [] leaves table_vegas5 and fig15 out"
    for name in sorted(set(classes or ()) - set(world.classes if world else classes or ())):
        yield "fig15.classes", f"{name!r} is not in data.world.classes"


def _taught(config: Config) -> Iterator[tuple[str, str]]:
    """What text and names teach: nothing that is tested, and nothing of the evaluators."""
    closed = {
        "generate.split": config.generate.split,
        "judge.split": config.judge.split,
        "av_judge.split": config.av_judge.split,
    }
    learned = {
        "text_diffusion.split": config.text_diffusion.split,
        "tagger.split": config.tagger.split,
        "joint.captioned": config.joint.captioned,
        "joint.tagged": config.joint.tagged,
    }
    for key, split in learned.items():
        for whose in (name for name, other in closed.items() if other == split):
            yield key, f"{split!r} is {whose}; nothing else may learn from it"
    if not all("{}" in template for template in config.text_diffusion.templates):
        yield "text_diffusion.templates", "each has {} where the sentence stands"


def _latent_diffusion(config: Config) -> Iterator[tuple[str, str]]:
    """What the sizes of the latent diffusion model have to do with each other."""
    encoder, vae, diffusion = config.encoder_vit, config.vae, config.diffusion
    for name, section in (("encoder", config.encoder), ("encoder_vit", encoder)):
        if section.architecture == "vit":
            if section.vit.width % section.vit.heads:
                yield f"{name}.vit.width", f"allowed: a multiple of {name}.vit.heads, {section.vit.heads}"
            for px in [section.image_px, *(px for _, px in section.crops)]:
                if px % section.vit.patch_px:
                    yield f"{name}.vit.patch_px", f"sides of pictures and crops are multiples of it; {px} is not"
    for key, net in (("vae", vae), ("diffusion", diffusion)):
        if any(channel % net.groups for channel in net.channels):
            yield f"{key}.channels", f"allowed: multiples of {key}.groups, {net.groups}"
    factor = 2 ** (len(vae.channels) - 1)
    if vae.resolution % factor:
        yield "vae.resolution", f"allowed: a multiple of {factor}, since there are {len(vae.channels)} vae.channels"
    latent_px = vae.resolution // factor
    if latent_px % 2 ** (len(diffusion.channels) - 1):
        yield "diffusion.channels", f"too many levels: latents of {latent_px} px are halved at each but one"
    if len(diffusion.attention) != len(diffusion.channels):
        yield "diffusion.attention", f"say true or false for each of the {len(diffusion.channels)} diffusion.channels"
    if any(channel % diffusion.heads for channel in diffusion.channels):
        yield "diffusion.channels", f"allowed: multiples of diffusion.heads, {diffusion.heads}"


__all__ = ["cross_checks", "split_names"]
