"""Stage `generate`: pictures of the test clips by one method, for each generation seed.

The noise of a clip follows from the seed and the clip's id, so neither the order nor the number of clips
changes a picture. Rows C and D draw no noise: they are the same for every seed, and their records say so
(`seeded`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from s2v.config.foreign import find
from s2v.data.reader import read_images, read_labels, read_waves
from s2v.data.subset import indices, read_classes
from s2v.data.window import Window
from s2v.errors import UserError
from s2v.evaluate.pictures import write_pictures
from s2v.media.picture import Policy, from_unit, to_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods import Method, Sources, ToldMethod, clip_seed, load_method
from s2v.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import EmbedUnclipConfig, GenerateConfig, RuntimeConfig

BATCH = 64


def shuffled(z: Tensor, seed: int) -> Tensor:
    """Rows of z [N, D] in a random order: the same set of conditions, each at a random clip."""
    return z[torch.randperm(len(z), generator=torch.Generator().manual_seed(clip_seed(seed, "shuffled")))]


def scrambled(z: Tensor, seed: int) -> Tensor:
    """Each column of z [N, D] in a random order of its own, rows brought back to unit norm: the marginal of
    every dimension stays (up to that norm), their joint structure is gone."""
    g = torch.Generator().manual_seed(clip_seed(seed, "scrambled"))
    order = torch.rand(z.shape, generator=g).argsort(0)
    return torch.nn.functional.normalize(z.gather(0, order), dim=1)


CONTROLS = {"shuffled": shuffled, "scrambled": scrambled}


def run(
    *,
    config: GenerateConfig,
    method: str,
    seeds: Sequence[int],
    training: int = 0,
    frame: str | None = None,
    packs: list[Path],
    train_packs: list[Path],
    parts: Mapping[str, Path],
    settings: Mapping[str, Any] | None = None,
    classes: Path | None = None,
    window_at: str = "start",
    embed_unclip: EmbedUnclipConfig | None = None,
    outputs: Sequence[Path],
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Make one picture per test clip and seed, and write those of a seed as a tar of `{clip_id}.png` and
    `{clip_id}.json`.

    Args:
        config: its slice.
        method: a name of `s2v.config.methods.METHODS`, or package.module:Class of somebody else's.
        seeds: of generation.
        training: which of the trainings with other seeds the models are of; it is noted.
        frame: that a method which sees is given; `all` is each that there is. None: what the configuration says.
        packs: shards of the test split.
        train_packs: shards of the train split, for methods that search it.
        parts: folders of the trained things that the method's entry names, {part: folder}.
        settings: `generate.settings` of the method, where it is somebody else's.
        classes: of stage `classes`, those whose clips are taken; None is all.
        window_at: the part of a sound that is heard, see `s2v.data.window`.
        embed_unclip: how Stable unCLIP's image encoder sees, where that is the generator.
        outputs: a tar for each seed.
        runtime: device and precision.
        threads: of torch on the CPU.

    Raises:
        UserError: no such method, the split has nothing that it can start from, or what it makes are no pictures.
    """
    place, entry = Runtime.from_config(runtime, threads), find(method)
    sources = Sources(
        config=config,
        parts=parts,
        packs=packs,
        train_packs=train_packs,
        device=place.device,
        settings={**entry.defaults, **(settings or {})},
        embed_unclip=embed_unclip,
    )
    maker = load_method(method, sources)
    frame = frame or str(getattr(config, entry.frame, entry.frame))
    z, keys, labels = conditions(maker, packs, config, frame, read_classes(classes), window_at)
    row: dict[str, Any] = {
        "method": entry.name,
        "training": training,
        "letter": entry.letter,
        "title": entry.title,
        "encoder": entry.encoder,
        "generator": entry.renders.column,
        "seeded": entry.seeded,
        "note": entry.note,
        "main": entry.main,
        "input": f"{frame} frame" if entry.takes == "frame" else entry.takes,
        "uses_text": entry.uses_text,
        "database": getattr(maker, "database", None),
    }
    images: Tensor | None = None
    for seed, output in zip(seeds, outputs, strict=True):
        noise_seeds = [clip_seed(seed, key) for key in keys]
        if images is None or entry.seeded:
            given = CONTROLS[entry.control](z, seed) if entry.control else z
            starts = range(0, len(keys), BATCH)
            images = torch.cat([_decoded(maker, given[i : i + BATCH], noise_seeds[i : i + BATCH]) for i in starts])
        records = [
            {**row, "seed": seed, "clip_id": key, "label": label, "noise_seed": noise_seed}
            for key, label, noise_seed in zip(keys, labels, noise_seeds, strict=True)
        ]
        write_pictures(output, images, records)


def _decoded(method: Method, z: Tensor, seeds: list[int]) -> Tensor:
    """uint8 [B, 3, R, R]. What comes is looked at: the method may be somebody else's."""
    made, side = method.decode(z, seeds), method.resolution
    if made.shape != (len(seeds), 3, side, side) or not made.is_floating_point() or not torch.isfinite(made).all():
        found = f"{made.dtype} {list(made.shape)}"
        raise UserError(
            f"{method.entry.name}: decode gave {found}; give finite floats [{len(seeds)}, 3, {side}, {side}]"
        )
    return from_unit(made)


def conditions(
    method: Method,
    packs: list[Path],
    config: GenerateConfig,
    frame: str,
    classes: frozenset[str] | None = None,
    window_at: str = "start",
) -> tuple[Tensor, list[str], list[str | None]]:
    """What `method` starts from for every clip of `packs` (of some classes): z [N, D], clip ids, labels."""
    parts: list[Tensor] = []
    if method.entry.told:
        keys, labels = read_labels(packs)
        kept = indices(labels, classes)
        parts = [cast("ToldMethod", method).encode_names(_named(labels, keys, kept))] if kept else []
    elif method.entry.takes == "sound":
        window = Window(window_at, config.window_s, SAMPLE_RATE_HZ)
        waves, keys, labels = read_waves(packs, SAMPLE_RATE_HZ, window.of)
        kept = indices(labels, classes)
        waves = [waves[i] for i in kept]
        n = round(config.window_s * SAMPLE_RATE_HZ)
        for i in range(0, len(waves), BATCH):
            batch = torch.stack([fit_window(torch.from_numpy(wave), n) for wave in waves[i : i + BATCH]])
            parts.append(method.encode_audio(batch))
    else:
        policy: Policy = getattr(method, "image_policy", "squash")
        images, keys, labels = read_images(
            packs, method.image_px, column=f"{frame}.jpg".removeprefix("all."), policy=policy
        )
        kept = indices(labels, classes)
        images = images[kept]
        parts = [method.encode_image(to_unit(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
    if not parts:
        raise UserError(f"generate: the split `{config.split}` has no clip to make a picture of; see coverage.csv")
    return torch.cat(parts), [keys[i] for i in kept], [labels[i] for i in kept]


def _named(labels: list[str | None], keys: list[str], kept: list[int]) -> list[str]:
    for i in kept:
        if labels[i] is None:
            raise UserError(f"generate: clip {keys[i]} has no class, and the method is told it; leave that out")
    return [str(labels[i]) for i in kept]


__all__ = ["CONTROLS", "conditions", "run", "scrambled", "shuffled"]
