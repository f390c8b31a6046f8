"""Stage `generate`: pictures of the test clips, one method and one seed at a time.

The noise of a clip follows from the seed and the clip's id, so neither the order nor the number of clips
changes a picture. Rows C and D draw no noise: they are the same for every seed, and their records say so
(`seeded`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from s2v.data.reader import read_images, read_waves
from s2v.data.subset import indices, read_classes
from s2v.errors import UserError
from s2v.evaluate.pictures import write_pictures
from s2v.media.picture import Policy, from_unit, to_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods import METHODS, Method, Sources, clip_seed, load_method
from s2v.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import EmbedUnclipConfig, GenerateConfig, RuntimeConfig

BATCH = 64


@dataclass(frozen=True)
class Variant:
    """A method seen differently: another frame, or its conditions destroyed on purpose."""

    method: str
    note: str
    frame: Literal["top1", "mid"] | None = None
    control: Literal["shuffled", "scrambled"] | None = None


VARIANTS: dict[str, Variant] = {
    "icgan_top1": Variant("icgan", "sees the selected moment of the test clip", frame="top1"),
    "icgan_mid": Variant("icgan", "sees the middle frame of the test clip", frame="mid"),
    "upper_bound_top1": Variant("upper_bound", "shows the selected moment of the test clip", frame="top1"),
    "upper_bound_mid": Variant("upper_bound", "shows the middle frame of the test clip", frame="mid"),
    "sound2vision_shuffled": Variant(
        "sound2vision",
        "whole audio features are permuted between clips: R@1 falls to chance, while FID and IS stay by "
        "construction (up to the draw of noise), since the set of conditions is the same",
        control="shuffled",
    ),
    "sound2vision_scrambled": Variant(
        "sound2vision",
        "each dimension of the audio features is permuted between clips on its own and the rows are brought "
        "back to unit norm: every dimension keeps its values but they no longer belong together, so FID "
        "rises too where the pictures depend on the feature as a whole",
        control="scrambled",
    ),
}
"""Lines of table1.md beside the paper's rows."""


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


def known_methods() -> list[str]:
    """What `method` may be: the methods and their variants."""
    return [*METHODS, *VARIANTS]


def run(
    *,
    config: GenerateConfig,
    method: str,
    seed: int,
    training: int = 0,
    packs: list[Path],
    train_packs: list[Path],
    encoder_dir: Path,
    generator_dir: Path,
    align_dir: Path,
    vae_dir: Path | None = None,
    classes: Path | None = None,
    embed_unclip: EmbedUnclipConfig | None = None,
    output: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Make one picture per test clip and write them as a tar of `{clip_id}.png` and `{clip_id}.json`.

    Args:
        config: its slice.
        method: a name of `known_methods()`.
        seed: generation seed.
        training: which of the trainings with other seeds the models are of; it is noted.
        packs: shards of the test split.
        train_packs: shards of the train split; only retrieval reads them.
        encoder_dir: of f_V.
        generator_dir: of G, or of the denoiser.
        align_dir: of f_A.
        vae_dir: of the autoencoder, where the generator is a latent diffusion model.
        classes: of stage `classes`, those whose clips are taken; None is all.
        embed_unclip: how Stable unCLIP's image encoder sees, where that is the generator; the folders of other
            generators are then empty paths.
        output: the tar.
        runtime: device and precision.
        threads: of torch on the CPU.

    Raises:
        UserError: no such method, or the split has nothing that it can start from.
    """
    place = Runtime.from_config(runtime, threads)
    variant = VARIANTS.get(method) or Variant(method, "")
    if variant.method not in METHODS:
        raise UserError(f"method {method!r} is not one of {', '.join(known_methods())}")
    sources = Sources(
        encoder_dir,
        generator_dir,
        align_dir,
        train_packs,
        config.window_s,
        config.truncation,
        config.retrieval.database,
        place.device,
        vae_dir,
        config.ldm,
        config.unclip,
        embed_unclip,
    )
    maker = load_method(variant.method, sources)
    frame = variant.frame or (config.upper_bound_frame if variant.method == "upper_bound" else config.icgan_frame)
    z, keys, labels = conditions(maker, packs, config.window_s, frame, config.split, read_classes(classes))
    if variant.control:
        z = CONTROLS[variant.control](z, seed)
    seeds = [clip_seed(seed, key) for key in keys]
    images = [from_unit(maker.decode(z[i : i + BATCH], seeds[i : i + BATCH])) for i in range(0, len(keys), BATCH)]
    row: dict[str, Any] = {
        "method": method,
        "seed": seed,
        "training": training,
        "letter": maker.letter,
        "title": maker.title,
        "encoder": maker.encoder,
        "generator": maker.generator,
        "seeded": maker.seeded or variant.control is not None,
        "note": variant.note,
        "main": method in METHODS and maker.letter != "",
        "input": "sound" if maker.takes == "sound" else f"{frame} frame",
        "database": getattr(maker, "size", None),
    }
    records = [
        {**row, "clip_id": key, "label": label, "noise_seed": clip_seed(seed, key)}
        for key, label in zip(keys, labels, strict=True)
    ]
    write_pictures(output, torch.cat(images), records)


def conditions(
    method: Method, packs: list[Path], window_s: float, frame: str, split: str, classes: frozenset[str] | None = None
) -> tuple[Tensor, list[str], list[str | None]]:
    """What `method` starts from for every clip of `packs` (of some classes): z [N, D], clip ids, labels."""
    parts: list[Tensor] = []
    if method.takes == "sound":
        waves, keys, labels = read_waves(packs, SAMPLE_RATE_HZ)
        kept = indices(labels, classes)
        waves = [waves[i] for i in kept]
        n = round(window_s * SAMPLE_RATE_HZ)
        for i in range(0, len(waves), BATCH):
            batch = torch.stack([fit_window(torch.from_numpy(wave), n) for wave in waves[i : i + BATCH]])
            parts.append(method.encode_audio(batch))
    else:
        policy: Policy = getattr(method, "image_policy", "squash")
        images, keys, labels = read_images(packs, method.image_px, column=f"{frame}.jpg", policy=policy)
        kept = indices(labels, classes)
        images = images[kept]
        parts = [method.encode_image(to_unit(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
    if not parts:
        raise UserError(f"generate: the split `{split}` has no clip to make a picture of; see coverage.csv")
    return torch.cat(parts), [keys[i] for i in kept], [labels[i] for i in kept]


__all__ = ["CONTROLS", "VARIANTS", "Variant", "conditions", "known_methods", "run", "scrambled", "shuffled"]
