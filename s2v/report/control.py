"""How far sounds steer pictures (paper 5), measured on the test clips with the judge and the world's truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from s2v.control import latent, waveform
from s2v.evaluate.background import background, distance
from s2v.evaluate.crossed import crossed
from s2v.evaluate.evaluators import Evaluator, load_evaluator
from s2v.evaluate.gap import random_directions
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Missing, Quantity, write_quantities
from s2v.evaluate.size import SizeEstimator, learn
from s2v.media.picture import from_unit, resize
from s2v.methods.base import clip_seed
from s2v.model import Model
from s2v.report.clips import LOUD_DB, SOFT_DB, TestSet
from s2v.report.tabular import Column, write_csv

if TYPE_CHECKING:
    from s2v.config import WorldConfig

GAINS_DB = (-30.0, -24.0, -18.0, -12.0, -6.0, 0.0)
RATIOS_DB = (-18.0, -12.0, -6.0, 0.0, 6.0, 12.0, 18.0)
WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
STEPS = (0.0, 0.5, 1.0, 1.5, 2.0)
BLENDED = 2
"""Place in `WEIGHTS` of the lambda at which the background is compared: most of the feature is the sound's."""
OF_THE_RECIPE = ("size_volume", "size_volume_named", "edit_size", "edit_identity", "interpolation_background")
"""Quantities that take what the world's recipe says of a clip."""

RANDOM_STEP = "the same of a step as long in a random direction of the test sounds"
LEAST_NAMED = 3
"""Pictures of a sweep that a rank correlation takes at least."""


def rho(steps: Sequence[float], values: NDArray[np.float64]) -> float:
    """Spearman's rank correlation; 0 where the values do not change."""
    return float(spearmanr(steps, values).statistic) if len(set(values.tolist())) > 1 else 0.0


def run(
    *,
    run_dir: Path,
    packs: list[Path],
    judge_packs: list[Path],
    judge_dir: Path,
    world: WorldConfig | None,
    split: str,
    judge_split: str,
    window_s: float,
    seed: int,
    output: Path,
    quantities: Path,
) -> None:
    """Measure the five claims about control, over test clips; write them by class as CSV and over all as quantities.

    Of each clip: the same noise in the whole sweep. Without the world's recipe there is no size estimator, and what
    takes it or the recipe (`OF_THE_RECIPE`) is missing.

    Args:
        run_dir: output folder of the run.
        packs: shards of the test split.
        judge_packs: shards of the judge split.
        judge_dir: of the judge.
        world: the world's configuration, where that is the data.
        split: name of the test split.
        judge_split: that of the judge's.
        window_s: of a sound that is heard.
        seed: of generation.
        output: CSV.
        quantities: JSON of `s2v.evaluate.quantities`.
    """
    model = Model(run_dir, window_s=window_s)
    evaluator = load_evaluator("judge", folder=judge_dir)
    assert evaluator is not None
    clips = TestSet.read(packs, model.method.image_px)
    found, between = _sweeps(model, clips, evaluator, seed)
    about: dict[str, str] = {}
    if world is not None:
        found["interpolation_background"], said = _backgrounds(clips, between, evaluator, world, split)
        size = learn(evaluator, judge_packs, world, judge_split, model.resolution)
        sizes, named = _sizes(model, clips, evaluator, size, seed)
        found |= sizes
        worst = min(size.agreement, key=lambda name: size.agreement[name])
        told = (
            f"size: ridge regression on the judge's features, learned from the split `{judge_split}`; on reels that a "
            f"fold had not seen rho is {np.mean(list(size.agreement.values())):.2f} in the mean and "
            f"{size.agreement[worst]:.2f} at least ({worst})"
        )
        shares = ", ".join(f"{100 * share:.0f} % at {db:g} dB" for db, share in zip(GAINS_DB, named, strict=True))
        about = {
            "size_volume": f"{told}; of the pictures the judge takes for the class {shares}",
            "size_volume_named": f"of those pictures alone; clips with fewer than {LEAST_NAMED} of them are left out",
            "edit_size": f"f_V's feature, not inverted, and the noise is drawn; minus {RANDOM_STEP}",
            "edit_identity": f"of the judge's features, at the last step; minus {RANDOM_STEP}",
            "interpolation_background": said,
        }
    write_csv(output, columns(), by_class(found, clips.labels))
    measured = {
        name: _quantity(values, clips.labels, about.get(name, "the judge's scores")) for name, values in found.items()
    }
    unknown = Missing("only the embedded world's recipe says how large a source is and what lies behind it")
    write_quantities(quantities, dict.fromkeys(OF_THE_RECIPE, unknown) | measured)


def _quantity(values: NDArray[np.float64], labels: list[str], about: str) -> Quantity | Missing:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return Missing(f"no test clip gives a number ({about})")
    return Quantity.of(crossed(values[known], [labels[i] for i in known]), len(known), about=about)


def _paint(model: Model, z: Tensor, key: str, seed: int) -> Tensor:
    """Pictures of features [K, D] under the noise of a clip."""
    return from_unit(model.method.decode(z, [clip_seed(seed, key)] * len(z)))


def _sweeps(
    model: Model, clips: TestSet, evaluator: Evaluator, seed: int
) -> tuple[dict[str, NDArray[np.float64]], list[Tensor]]:
    """What the judge's scores say of mixes and of interpolation, a number a clip; and the pictures of the latter."""
    names = sorted(set(clips.labels))
    pictures: dict[str, list[Tensor]] = {"mix": [], "ratio": [], "between": []}
    for i, key in enumerate(clips.keys):
        j = clips.partner(i)
        a, b = clips.waves[i], clips.waves[j]
        sounds = [a, b, waveform.mix([a, b])]
        sounds += [waveform.mix([a, b], [ratio / 2, -ratio / 2]) for ratio in RATIOS_DB]
        z = model.encode_audio(list(sounds))
        z_v = model.encode_image(clips.frames[i])[0]
        between = latent.interpolate(z_v, z[1], WEIGHTS)
        made = _paint(model, torch.cat([z, between]), key, seed)
        for name, part in zip(pictures, made.split([3, len(RATIOS_DB), len(WEIGHTS)]), strict=True):
            pictures[name].append(part)
    found: dict[str, list[float]] = {"mix_both": [], "mix_balance": [], "interpolation": []}
    scores = {
        name: evaluator.rank(torch.cat(parts), names).unflatten(0, (len(clips.keys), -1))
        for name, parts in pictures.items()
    }
    for i in range(len(clips.keys)):
        own, other = names.index(clips.labels[i]), names.index(clips.labels[clips.partner(i)])
        first_two = scores["mix"][i].topk(2, dim=1).indices
        both = [set(row.tolist()) == {own, other} for row in first_two]
        found["mix_both"].append(float(both[2]) - float(max(both[0], both[1])))
        for name, kind, steps in (("mix_balance", "ratio", RATIOS_DB), ("interpolation", "between", WEIGHTS)):
            difference = scores[kind][i][:, own] - scores[kind][i][:, other]
            found[name].append(rho(steps, difference.double().numpy()))
    return {name: np.array(values) for name, values in found.items()}, pictures["between"]


def _backgrounds(
    clips: TestSet, between: list[Tensor], evaluator: Evaluator, world: WorldConfig, split: str
) -> tuple[NDArray[np.float64], str]:
    """How much of the given picture's background a blend keeps, a number a clip, and what of the blend is the sound's.

    1 - d(blend) / d(sound), where d is the colour difference to the given picture outside its source, and `sound` the
    picture of the sound alone under the same noise: 0 is none of it, 1 all of it. Not a number where the source fills
    the picture.
    """
    kept = []
    for i, pictures in enumerate(between):
        px = pictures.shape[-1]
        mask = background(clips.keys[i], clips.labels[i], world, split, px)
        if mask is None:
            kept.append(np.nan)
            continue
        frame = resize(clips.frames[i][None], px)[0]
        alone, blend = distance(pictures[[0, BLENDED]], frame, mask).tolist()
        kept.append(1 - blend / max(alone, 1e-6))
    names = sorted(set(clips.labels))
    best = evaluator.rank(torch.stack([pictures[BLENDED] for pictures in between]), names).argmax(1).tolist()
    sounds = [names.index(clips.labels[clips.partner(i)]) for i in range(len(clips.keys))]
    share = np.mean([b == s for b, s in zip(best, sounds, strict=True)])
    told = f"at lambda {WEIGHTS[BLENDED]:g}; the judge takes {100 * share:.0f} % of them for the sound's class"
    return np.array(kept), told


def _sizes(
    model: Model, clips: TestSet, evaluator: Evaluator, size: SizeEstimator, seed: int
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """What the size estimator says of volume, and of moving along its direction, a number a clip.

    Softened far enough, a sound no longer makes a picture of its class, which looks like a small source to the
    estimator. So `size_volume_named` takes those pictures alone that the judge takes for the class; it is not a number
    where these are fewer than `LEAST_NAMED`. Both numbers of edits are those along the volume minus those of a step as
    long in a random direction of the split's sounds: any step changes a picture.

    Returns:
        The numbers, and the share of pictures so taken at each of `GAINS_DB`.
    """
    found: dict[str, list[float]] = {"size_volume": [], "size_volume_named": [], "edit_size": []}
    names, shares, ends, random_ends = sorted(set(clips.labels)), [], [], []
    heard = torch.cat([model.encode_audio([wave]) for wave in clips.waves])
    directions = random_directions(heard, heard, len(clips.keys), seed).float()
    for i, key in enumerate(clips.keys):
        wave, label = clips.waves[i], clips.labels[i]
        gains = [*GAINS_DB, SOFT_DB, LOUD_DB]
        z = model.encode_audio([waveform.gain(wave, db) for db in gains])
        given, step = model.encode_image(clips.frames[i])[0], directions[i] * (z[-1] - z[-2]).norm()
        edited = latent.move(given, z[-2], z[-1], STEPS)
        elsewhere = latent.move(given, torch.zeros_like(step), step, STEPS)
        pictures = _paint(model, torch.cat([z[: len(GAINS_DB)], edited, elsewhere]), key, seed)
        louder, edits, others = np.split(size(pictures, label), [len(GAINS_DB), len(GAINS_DB) + len(STEPS)])
        best = evaluator.rank(pictures[: len(GAINS_DB)], names).argmax(1)
        named = (best == names.index(label)).numpy()
        shares.append(named)
        found["size_volume"].append(rho(GAINS_DB, louder))
        enough = named.sum() >= LEAST_NAMED
        found["size_volume_named"].append(rho(np.array(GAINS_DB)[named].tolist(), louder[named]) if enough else np.nan)
        found["edit_size"].append(rho(STEPS, edits) - rho(STEPS, others))
        first = len(GAINS_DB)
        ends.append(evaluator.features(pictures[[first, first + len(STEPS) - 1]]))
        random_ends.append(evaluator.features(pictures[[first + len(STEPS), -1]]))
    numbers = {name: np.array(values) for name, values in found.items()}
    kept = [identity(torch.stack(some).double(), clips.labels) for some in (ends, random_ends)]
    numbers["edit_identity"] = kept[0] - kept[1]
    return numbers, np.mean(shares, 0)


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


@dataclass(frozen=True)
class Mean:
    """A quantity's mean over the clips of a class, or over `all`."""

    quantity: str
    label: str
    clips: int
    mean: Interval


def by_class(found: dict[str, NDArray[np.float64]], labels: list[str]) -> list[Mean]:
    """The means of each quantity and class, and of all classes; one of no clip is left out."""
    means = []
    for name, values in found.items():
        for group in ("all", *sorted(set(labels))):
            own = [i for i, label in enumerate(labels) if group in ("all", label) and not np.isnan(values[i])]
            if own:
                means.append(Mean(name, group, len(own), crossed(values[own], [labels[i] for i in own])))
    return means


def columns() -> list[Column[Mean]]:
    """Of control.csv."""
    return [
        Column("quantity", lambda one: one.quantity),
        Column("class", lambda one: one.label),
        Column("clips", lambda one: one.clips),
        Column("mean", lambda one: one.mean, digits=4, interval=True),
    ]


__all__ = ["identity", "by_class", "columns", "rho", "run"]
