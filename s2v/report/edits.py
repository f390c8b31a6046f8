"""Pictures edited by the sound of another class, by Lee et al. and by ours (paper 5.2, Fig. 12), and what is measured
of them. All begin at the same inverted picture, where the paper's own mix has f_V's feature of it, and each goes a
whole way: none of its weights is chosen. Lee et al. with a generator of their own begin at its own inversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.control import latent, waveform
from s2v.control.lee import Lee
from s2v.control.lee_parts import Parts
from s2v.evaluate.background import background, distance
from s2v.evaluate.evaluators import Evaluator
from s2v.evaluate.tradeoff import Curve, Floats
from s2v.media.picture import from_unit, resize
from s2v.methods.renderers import Inversion
from s2v.model import Model
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.progress import track
from s2v.report.clips import LOUD_DB, SOFT_DB, TestSet

if TYPE_CHECKING:
    from s2v.config import LeeConfig, WorldConfig


@dataclass(frozen=True)
class Pair:
    """A picture and the sound of another class.

    Attributes:
        picture: place of its clip.
        sound: place of the other.
        mask: bool [R, R], the picture's background.
    """

    picture: int
    sound: int
    mask: Tensor


@dataclass(frozen=True)
class Edits:
    """Pictures of one method.

    Attributes:
        name: of the method.
        uses_text: whether it learned from language.
        weight: what its weights are called.
        weights: L of them, from the picture to the sound.
        pictures: uint8 [L, N, 3, R, R], of N pairs.
    """

    name: str
    uses_text: bool
    weight: str
    weights: list[float]
    pictures: Tensor


def pairs(clips: TestSet, world: WorldConfig | None, split: str, px: int, most: int, seed: int) -> list[Pair]:
    """Pictures whose background is known, each with a sound of another class, drawn by `seed`.

    Pictures come in the order of the SHA-1 of their names, classes in turn. Without the world's recipe all of a
    picture is its background.
    """
    rng = np.random.default_rng(seed)
    by_class: dict[str, list[int]] = {}
    for i, label in enumerate(clips.labels):
        by_class.setdefault(label, []).append(i)
    turns = [(turn, label) for label in sorted(by_class) for turn in range(len(by_class[label]))]
    found: list[Pair] = []
    for turn, label in sorted(turns):
        if len(found) == most:
            break
        place = by_class[label][turn]
        mask: Tensor | None = torch.ones(px, px, dtype=torch.bool)
        if world is not None:
            mask = background(clips.keys[place], label, world, split, px)
        if mask is not None:
            other = str(rng.choice([name for name in sorted(by_class) if name != label]))
            found.append(Pair(place, int(rng.choice(by_class[other])), mask))
    return found


def edit(
    model: Model, parts: Parts, clips: TestSet, chosen: Sequence[Pair], config: LeeConfig
) -> tuple[list[Edits], Tensor, tuple[Floats, Floats]]:
    """The pictures of all methods: ours from picture to sound, ours along the sound's volume, and Lee et al.

    Returns:
        Them; the pictures of the sounds alone, uint8 [N, 3, R, R], under the noise that was found; and how far
        `SOFT_DB` in place of `LOUD_DB` moves a sound's feature, 1 - cosine [N], in the joint space and in ours.
    """
    found = invert(model, clips, chosen, config)
    waves = [[waveform.gain(clips.waves[pair.sound], db) for pair in chosen] for db in (SOFT_DB, LOUD_DB)]
    soft, loud = (model.encode_audio(own) for own in waves)
    muffled, heard = (torch.cat([parts.hear(wave[None]) for wave in own]) for own in waves)
    redraw = model.method.renderer.redraw
    between, moved = [], []
    for one, own, less in zip(found, loud, soft, strict=True):
        between.append(redraw(one, latent.interpolate(one.z, own, [1 - share for share in config.ours_weights])))
        moved.append(redraw(one, latent.move(one.z, less, own, config.moved_weights)))
    theirs = [float("inf"), *sorted(config.similarity_weights, reverse=True)]
    frames = clips.frames[[pair.picture for pair in chosen]]
    by_lee = torch.stack(_by_lee(model, parts, frames, found, heard, config, theirs))
    alone = torch.cat([redraw(one, own[None]) for one, own in zip(found, loud, strict=True)])
    edits = [
        Edits("Ours", False, "share of the sound", config.ours_weights, torch.stack(between, 1)),
        Edits("Ours, along volume", False, "lambda", config.moved_weights, torch.stack(moved, 1)),
        Edits("Lee et al.", True, "lambda_sim", theirs, by_lee),
    ]
    return edits, alone, (_shift(muffled, heard), _shift(soft, loud))


def _shift(soft: Tensor, loud: Tensor) -> Floats:
    # Rounding may bring a cosine above 1.
    shift: Floats = (1 - F.cosine_similarity(soft, loud)).clamp_min(0).cpu().double().numpy()
    return shift


def invert(model: Model, clips: TestSet, chosen: Sequence[Pair], config: LeeConfig) -> list[Inversion]:
    """The inversion of each pair's picture."""
    renderer, frames = model.method.renderer, clips.frames[[pair.picture for pair in chosen]]
    parts = frames.split(config.batch_size)
    done = (renderer.invert_all(model.method.f_v, part, config.inversion_steps) for part in parts)
    return [one for part in track(done, total=len(parts), description="invert") for one in part]


def _by_lee(
    model: Model,
    parts: Parts,
    frames: Tensor,
    found: list[Inversion],
    heard: Tensor,
    config: LeeConfig,
    weights: list[float],
) -> list[Tensor]:
    """uint8 [N, 3, R, R] of each weight."""
    f_v, px = model.method.f_v, model.resolution

    def recognise(pictures: Tensor) -> Tensor:
        assert isinstance(f_v, ImageEncoder)
        size = (f_v.image_px, f_v.image_px)
        return unit(f_v(F.interpolate(pictures, size, mode="bilinear", antialias=True)))

    lee = Lee(parts.paint, parts.see, config, recognise)
    made: list[list[Tensor]] = [[] for _ in weights]
    batches = torch.arange(len(found)).split(min(config.batch_size, parts.most))
    for batch in track(batches, total=len(batches), description="edit as Lee et al."):
        start = parts.start(frames[batch], [found[i] for i in batch])
        # What the encoder gives are inference tensors, which no gradient may see.
        wanted = heard[batch].clone().to(start[0].device)
        for pictures, weight in zip(made, weights, strict=True):
            moved = lee.edit(start, wanted, weight)
            with torch.no_grad():
                pictures.append(resize(from_unit(parts.paint(moved).cpu()), px))
    return [torch.cat(pictures) for pictures in made]


def measure(edits: Edits, clips: TestSet, chosen: Sequence[Pair], evaluator: Evaluator) -> Curve:
    """Of each weight and pair: whether the evaluator names the sound's class, and how far the background has moved.

    The control is all sounds of the pairs but those of the picture's own class, which it could not have been given:
    every shuffle at once, so that no seed decides.
    """
    names = sorted(set(clips.labels))
    shown, heard = (
        torch.tensor([names.index(clips.labels[place]) for place in places])
        for places in ([pair.picture for pair in chosen], [pair.sound for pair in chosen])
    )
    best = torch.stack([evaluator.rank(row, names).argmax(1) for row in edits.pictures])
    might = (heard != shown[:, None]).double()
    mixed = ((best[..., None] == heard) * might).sum(2) / might.sum(1)
    moved = np.array([apart(row, clips, chosen) for row in edits.pictures])
    return Curve((best == heard).double().numpy(), mixed.numpy(), moved)


def apart(pictures: Tensor, clips: TestSet, chosen: Sequence[Pair]) -> Floats:
    """Colour difference [N] of pictures uint8 [N, 3, R, R] to those that were given, outside the source."""
    px = pictures.shape[-1]
    given = [resize(clips.frames[pair.picture][None], px)[0] for pair in chosen]
    of = zip(pictures, given, chosen, strict=True)
    return np.array([float(distance(made[None], frame, pair.mask)) for made, frame, pair in of])


__all__ = ["Edits", "Pair", "apart", "edit", "invert", "measure", "pairs"]
