"""How far sounds steer the pictures of a method (paper 5 and 6.1), a number a clip, as the evaluator sees them.

Of each clip: the same noise in the whole sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from s2v.control import latent, waveform
from s2v.evaluate import staged
from s2v.evaluate.background import background, distance
from s2v.evaluate.evaluators import Evaluator
from s2v.evaluate.gap import random_directions
from s2v.evaluate.size import SizeEstimator
from s2v.media.picture import from_unit, resize
from s2v.methods.base import clip_seed
from s2v.model import Model
from s2v.report.clips import LOUD_DB, SOFT_DB, TestSet

if TYPE_CHECKING:
    from s2v.config import WorldConfig

GAINS_DB = (-30.0, -24.0, -18.0, -12.0, -6.0, 0.0)
RATIOS_DB = (-18.0, -12.0, -6.0, 0.0, 6.0, 12.0, 18.0)
WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
STEPS = (0.0, 0.5, 1.0, 1.5, 2.0)
BLENDED = 2
"""Place in `WEIGHTS` of the lambda at which the background is compared: most of the feature is the sound's."""
LEAST_NAMED = 3
"""Pictures of a sweep that a rank correlation takes at least."""

Numbers = dict[str, NDArray[np.float64]]
"""Quantity -> a number for each clip; not a number where the clip gives none."""


@dataclass(frozen=True)
class Steered:
    """A model, the clips that steer it, and who looks at the pictures."""

    model: Model
    clips: TestSet
    evaluator: Evaluator
    seed: int

    @property
    def names(self) -> list[str]:
        """The classes of the clips."""
        return sorted(set(self.clips.labels))

    def paint(self, z: Tensor, i: int) -> Tensor:
        """Pictures uint8 [K, 3, R, R] of features [K, D] under the noise of clip i."""
        key = self.clips.keys[i]
        return from_unit(self.model.method.decode(z, [clip_seed(self.seed, key)] * len(z)))

    def scores(self, pictures: list[Tensor]) -> Tensor:
        """The evaluator's scores of as many pictures of each clip, [N, K, classes]."""
        return self.evaluator.rank(torch.cat(pictures), self.names).unflatten(0, (len(pictures), -1))

    def places(self, i: int) -> tuple[int, int]:
        """Places among the classes of a clip's, and of its partner's."""
        labels = self.clips.labels
        return self.names.index(labels[i]), self.names.index(labels[self.clips.partner(i)])

    def balance(self, pictures: list[Tensor]) -> list[NDArray[np.float64]]:
        """Scores of each clip's class minus those of its partner's, along as many pictures of each."""
        scores = self.scores(pictures)
        apart = [
            scores[i][:, own] - scores[i][:, other]
            for i, (own, other) in enumerate(map(self.places, range(len(scores))))
        ]
        return [one.double().numpy() for one in apart]

    def named(self, pictures: Tensor, label: str) -> NDArray[np.bool_]:
        """Which pictures [K] the evaluator takes for a class."""
        found: NDArray[np.bool_] = (
            self.evaluator.rank(pictures, self.names).argmax(1) == self.names.index(label)
        ).numpy()
        return found


def rho(steps: Sequence[float], values: NDArray[np.float64]) -> float:
    """Spearman's rank correlation; 0 where the values do not change."""
    return float(spearmanr(steps, values).statistic) if len(set(values.tolist())) > 1 else 0.0


def _rho_named(steps: Sequence[float], values: NDArray[np.float64], named: NDArray[np.bool_]) -> float:
    """The same of the pictures that still show the class, where they are enough."""
    return rho(np.array(steps)[named].tolist(), values[named]) if named.sum() >= LEAST_NAMED else float("nan")


def mixes(steered: Steered, size: SizeEstimator | None, world: WorldConfig | None, split: str) -> tuple[Numbers, str]:
    """Two sounds at once, and at growing ratio.

    `mix_both`: both classes are the evaluator's two best, minus the better of the sounds alone. `mix_balance`: rank
    correlation of ratio and scores, of the clip's class minus its partner's. `mix_size`, where there is an estimator:
    rank correlation of the ratio and the clip's source, of pictures that are taken for its class. `mix_duet`, where
    there is a recipe: how much nearer the mix's picture is to a real one of both sources than the nearer one of those
    of the sounds alone, 1 - d(mix) / d(alone) by the evaluator's features: 0 is no nearer, 1 the same picture.

    Returns:
        The numbers, and of how many real pictures of both the two best are both, in words.
    """
    clips, both, ratios = steered.clips, [], []
    for i in range(len(clips.keys)):
        a, b = clips.waves[i], clips.waves[clips.partner(i)]
        sounds = [a, b, waveform.mix([a, b])]
        sounds += [waveform.mix([a, b], [ratio / 2, -ratio / 2]) for ratio in RATIOS_DB]
        made = steered.paint(steered.model.encode_audio(list(sounds)), i)
        both.append(made[:3])
        ratios.append(made[3:])
    found: dict[str, list[float]] = {"mix_both": [], "mix_balance": []}
    for i, scores in enumerate(steered.scores(both)):
        named = [float(set(row.tolist()) == set(steered.places(i))) for row in scores.topk(2, dim=1).indices]
        found["mix_both"].append(named[2] - max(named[:2]))
    found["mix_balance"] = [rho(RATIOS_DB, values) for values in steered.balance(ratios)]
    if size is not None:
        found["mix_size"] = [
            _rho_named(RATIOS_DB, size(pictures, label), steered.named(pictures, label))
            for pictures, label in zip(ratios, clips.labels, strict=True)
        ]
    told = ""
    if world is not None:
        real = _duets(steered, world, split)
        apart = _distances(steered.evaluator, both, real)
        found["mix_duet"] = [1 - float(d[2] / d[:2].min().clamp(min=1e-12)) for d in apart]
        scores = steered.evaluator.rank(real, steered.names).topk(2, dim=1).indices.tolist()
        named = [set(row) == set(steered.places(i)) for i, row in enumerate(scores)]
        told = f"of the world's own pictures of both {100 * np.mean(named):.0f} %"
    return {name: np.array(values) for name, values in found.items()}, told


def _duets(steered: Steered, world: WorldConfig, split: str) -> Tensor:
    """A real picture of each clip's source beside its partner's, uint8 [N, 3, R, R]."""
    stories = [
        staged.told(key, label, world, split)
        for key, label in zip(steered.clips.keys, steered.clips.labels, strict=True)
    ]
    px = steered.model.resolution
    return torch.stack(
        [staged.duet(one, stories[steered.clips.partner(i)], world, px) for i, one in enumerate(stories)]
    )


def _distances(evaluator: Evaluator, made: list[Tensor], real: Tensor) -> Tensor:
    """Distances of the features of K pictures of each clip to that of a real one, [N, K]."""
    features = evaluator.features(torch.cat(made)).unflatten(0, (len(made), -1)).double()
    return (features - evaluator.features(real).double()[:, None]).norm(dim=-1)


def sweeps(steered: Steered, size: SizeEstimator, world: WorldConfig, split: str) -> tuple[Numbers, str]:
    """A clip's source from far to near, as its place would have recorded it.

    `size_distance`: rank correlation of nearness and size, of pictures that are taken for the class.

    Returns:
        The numbers, and the same of the world's own pictures of these, in words.
    """
    found, real, steps = [], [], range(len(staged.DISTANCES))
    for i, (key, label) in enumerate(zip(steered.clips.keys, steered.clips.labels, strict=True)):
        told = staged.told(key, label, world, split)
        pictures, sounds = staged.sweep(told, world, steered.model.resolution)
        made = steered.paint(steered.model.encode_audio(list(sounds)), i)
        found.append(_rho_named(steps, size(made, label), steered.named(made, label)))
        real.append(rho(steps, size(pictures, label)))
    return {"size_distance": np.array(found)}, f"of the world's own pictures of the same {np.mean(real):.2f}"


def interpolations(steered: Steered, world: WorldConfig | None, split: str) -> tuple[Numbers, str]:
    """Between a given picture and the sound of another class, beside a plain blend of the pixels of that picture and of
    the sound's: it, too, lies between both.

    `interpolation`: rank correlation of lambda and scores, of the picture's class minus the sound's; minus the blend's.
    `interpolation_background`, where the world says what lies behind a source: how much of the given picture's
    background is kept at lambda of 0.4, minus what the blend keeps. Kept is 1 - d(picture) / d(sound's picture), where
    d is the colour difference to the given one outside its source: 0 is none of it, 1 all of it. Not a number where
    the source fills the picture.

    Returns:
        The numbers, and what of both is taken for the sound's class, in words.
    """
    clips, between, blends = steered.clips, [], []
    for i in range(len(clips.keys)):
        z_a = steered.model.encode_audio([clips.waves[clips.partner(i)]])[0]
        z_v = steered.model.encode_image(clips.frames[i])[0]
        made = steered.paint(latent.interpolate(z_v, z_a, WEIGHTS), i)
        between.append(made)
        blends.append(_blend(clips.frames[i], made[0]))
    pairs = zip(steered.balance(between), steered.balance(blends), strict=True)
    found = {"interpolation": np.array([rho(WEIGHTS, own) - rho(WEIGHTS, blend) for own, blend in pairs])}
    if world is None:
        return found, ""
    kept = []
    for i, (own, blend) in enumerate(zip(between, blends, strict=True)):
        mask = background(clips.keys[i], clips.labels[i], world, split, own.shape[-1])
        if mask is None:
            kept.append(np.nan)
            continue
        frame = resize(clips.frames[i][None], own.shape[-1])[0]
        alone, here, there = distance(torch.stack([own[0], own[BLENDED], blend[BLENDED]]), frame, mask).tolist()
        kept.append((there - here) / max(alone, 1e-6))
    found["interpolation_background"] = np.array(kept)
    shares = [
        np.mean([scores[BLENDED].argmax() == steered.places(i)[1] for i, scores in enumerate(steered.scores(pictures))])
        for pictures in (between, blends)
    ]
    return found, (
        f"at lambda {WEIGHTS[BLENDED]:g}; the judge takes {100 * shares[0]:.0f} % of them for the sound's class, and "
        f"{100 * shares[1]:.0f} % of the blends"
    )


def _blend(frame: Tensor, sound: Tensor) -> Tensor:
    """A plain blend of pixels at each of `WEIGHTS`, uint8 [K, 3, R, R]."""
    given = resize(frame[None], sound.shape[-1])[0].float()
    return torch.stack([(w * given + (1 - w) * sound.float()).round() for w in WEIGHTS]).to(torch.uint8)


def volumes(steered: Steered, size: SizeEstimator) -> tuple[Numbers, NDArray[np.float64]]:
    """One sound at growing volume.

    Softened far enough, a sound no longer makes a picture of its class, which looks like a small source to the
    estimator. So beside `size_volume`, the rank correlation of volume and size, `size_volume_named` takes pictures
    alone that the evaluator takes for the class; it is not a number where these are fewer than `LEAST_NAMED`.

    Returns:
        The numbers, and the share of pictures so taken at each of `GAINS_DB`.
    """
    found: dict[str, list[float]] = {"size_volume": [], "size_volume_named": []}
    shares = []
    for i, label in enumerate(steered.clips.labels):
        z = steered.model.encode_audio([waveform.gain(steered.clips.waves[i], db) for db in GAINS_DB])
        pictures = steered.paint(z, i)
        sizes, named = size(pictures, label), steered.named(pictures, label)
        shares.append(named)
        found["size_volume"].append(rho(GAINS_DB, sizes))
        found["size_volume_named"].append(_rho_named(GAINS_DB, sizes, named))
    return {name: np.array(values) for name, values in found.items()}, np.mean(shares, 0)


def edits(steered: Steered, size: SizeEstimator) -> Numbers:
    """A picture moved along the volume of its sound; all minus the same along a step as long in a random direction of
    the split's sounds, since any step changes a picture.

    `edit_size`: rank correlation of step and size. `edit_identity`: how much of the picture stays (`identity`).
    """
    clips, found = steered.clips, []
    ends: list[list[Tensor]] = [[], []]
    heard = torch.cat([steered.model.encode_audio([wave]) for wave in clips.waves])
    directions = random_directions(heard, heard, len(clips.keys), steered.seed).float()
    for i, label in enumerate(clips.labels):
        soft, loud = steered.model.encode_audio([waveform.gain(clips.waves[i], db) for db in (SOFT_DB, LOUD_DB)])
        given, step = steered.model.encode_image(clips.frames[i])[0], directions[i] * (loud - soft).norm()
        along = latent.move(given, soft, loud, STEPS)
        elsewhere = latent.move(given, torch.zeros_like(step), step, STEPS)
        made = [steered.paint(z, i) for z in (along, elsewhere)]
        found.append(rho(STEPS, size(made[0], label)) - rho(STEPS, size(made[1], label)))
        for end, pictures in zip(ends, made, strict=True):
            end.append(steered.evaluator.features(pictures[[0, -1]]))
    kept = [identity(torch.stack(some).double(), clips.labels) for some in ends]
    return {"edit_size": np.array(found), "edit_identity": kept[0] - kept[1]}


def identity(ends: Tensor, labels: Sequence[str]) -> NDArray[np.float64]:
    """How much of a picture an edit keeps, [N]: 1 - d(itself) / d(others).

    d is the distance of the edited picture's feature to that of the unedited one, and in the mean to those of the other
    clips of its class: 0 is a picture as good as any of the class, 1 the same picture. Not a number for a class of one.

    Args:
        ends: features of the unedited and the edited picture of each clip, [N, 2, F].
        labels: class of each clip.
    """
    before, after = ends.unbind(1)
    apart = torch.cdist(after, before)
    kept = []
    for i, label in enumerate(labels):
        others = [j for j, other in enumerate(labels) if other == label and j != i]
        mean = float(apart[i, others].mean()) if others else float("nan")
        kept.append(1 - float(apart[i, i]) / max(mean, 1e-12))
    return np.array(kept)


__all__ = [
    "GAINS_DB",
    "LEAST_NAMED",
    "Numbers",
    "Steered",
    "edits",
    "identity",
    "interpolations",
    "mixes",
    "rho",
    "sweeps",
    "volumes",
]
