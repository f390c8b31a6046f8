"""Stage `gap`: the gap between the modalities after every training of Table 2, and what the claims take of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2v.data.reader import read_waves
from s2v.data.window import Window
from s2v.errors import UserError
from s2v.evaluate.crossed import crossed, crossed_statistic
from s2v.evaluate.gap import Geometry, centre_beside, nearest, orthogonality, random_directions, unit_geometry
from s2v.evaluate.interval import LEAST_RANKED, Interval, spearman
from s2v.evaluate.quantities import Missing, Quantity, write_quantities
from s2v.files import read_parquet
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.models.hearing import load_hearing
from s2v.report.rows import statistic_resamples
from s2v.report.tabular import Column, write_csv
from s2v.runtime import Runtime
from s2v.tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig

BATCH = 32


@dataclass(frozen=True)
class RunFiles:
    """One training: a row of Table 2 and the number of its seed, what it made, and how its pictures were judged."""

    row: str
    training: int
    align_dir: Path
    window: Window
    """What of a test sound it hears."""
    ranks: Path
    """Parquet of stage evaluate."""


@dataclass(frozen=True)
class Measured:
    """A training, its features of the test clips at unit norm, and their gap."""

    run: RunFiles
    z_v: Tensor
    z_a: Tensor
    geometry: Geometry
    r1: float | None
    labels: list[str | None] | None = None
    """Classes of the clips."""
    nearest: tuple[float, float] | None = None
    """Mean cosine of z^V, and of z^A, to the nearest feature of a training frame: how far off what the generator, and
    retrieval, know a feature lies."""


def run(
    *,
    runs: list[RunFiles],
    packs: list[Path],
    features: Path,
    train_features: Path,
    shown: dict[str, str],
    bootstrap: int,
    output: Path,
    tensors: Path,
    quantities: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Write a row for each training (`columns`), the features that figures show, and what the claims take.

    Column `shown` holds the loss that a training stands for in the figures, and is empty for the others.

    Args:
        runs: the trainings.
        packs: shards of the test split.
        features: f_V's features of its chosen frames (stage embed), with the clips' names beside it as Parquet.
        train_features: those of the train split.
        shown: {"nce": row, "total": row} of the two losses that are compared; one that is not run is left out.
        bootstrap: resamples.
        output: CSV.
        tensors: safetensors, `{loss}.z_v` and `{loss}.z_a` [N, D] at unit norm, of the first training of its row.
        quantities: JSON of `s2v.evaluate.quantities`.
        runtime: device.
        threads: of torch on the CPU.

    Raises:
        UserError: sounds, features and ranks are not of the same clips, or a feature is no finite number.
    """
    place = Runtime.from_config(runtime, threads)
    heard = {one.window: read_waves(packs, SAMPLE_RATE_HZ, one.window.of) for one in runs}
    _, keys, labels = next(iter(heard.values()))
    z_v, known = _matched(features, keys), load_tensors(train_features, need=["features"])["features"]
    own = [_measured(one, heard[one.window][0], keys, z_v, place) for one in runs]
    measured = [replace(one, labels=labels, nearest=_nearest(one, known)) for one in own]
    groups = {loss: [one for one in measured if one.run.row == row] for loss, row in shown.items()}
    first = {loss: own[0] for loss, own in groups.items() if own}
    write_csv(output, columns({one.run: loss for loss, one in first.items()}), measured)
    save_tensors(
        tensors,
        {f"{loss}.{name}": getattr(one, name) for loss, one in first.items() for name in ("z_v", "z_a")}
        or {"none": torch.empty(0)},
    )
    write_quantities(quantities, to_quantities(groups, measured, bootstrap))


def _matched(features: Path, keys: list[str]) -> Tensor:
    """f_V's features [N, D] in the order of `keys`."""
    names = [row["key"] for row in read_parquet(features.with_suffix(".parquet"), ["key"])]
    place = {name: i for i, name in enumerate(names)}
    lost = [key for key in keys if key not in place]
    if lost or not keys:
        raise UserError(f"{features}: lacks {len(lost)} of {len(keys)} clips with sound; run stage embed again")
    return load_tensors(features, need=["features"])["features"][[place[key] for key in keys]].float()


def _nearest(one: Measured, known: Tensor) -> tuple[float, float]:
    image, sound = (float(nearest(z, known).mean()) for z in (one.z_v, one.z_a))
    return image, sound


def _measured(run: RunFiles, waves: list[NDArray[np.int16]], keys: list[str], z_v: Tensor, place: Runtime) -> Measured:
    f_a = load_hearing(run.align_dir, place.device)
    n = round(run.window.seconds * SAMPLE_RATE_HZ)
    parts = []
    for i in range(0, len(waves), BATCH):
        batch = torch.stack([fit_window(torch.from_numpy(wave), n) for wave in waves[i : i + BATCH]])
        parts.append(f_a.encode(batch, run.window.seconds))
    z_a = torch.cat(parts)
    if z_a.shape != z_v.shape:
        raise UserError(f"{run.align_dir}: features of {z_a.shape[1]} numbers, f_V's have {z_v.shape[1]}")
    if not (z_a.isfinite().all() and z_v.isfinite().all()):
        raise UserError(f"{run.align_dir}: a feature of the test clips is not a finite number; its training went wrong")
    judged = read_parquet(run.ranks)
    if {row["clip_id"] for row in judged} != set(keys):
        raise UserError(f"{run.ranks}: these ranks are not of the clips of the packs; run stage evaluate again")
    ranks = [[row["rank"], *row["further"]] for row in judged if row["rank"] is not None]  # of all evaluators
    r1 = float(np.mean(np.array(ranks) <= 1)) if ranks else None
    normal = torch.nn.functional.normalize
    return Measured(run, normal(z_v), normal(z_a), unit_geometry(z_v, z_a), r1)


def columns(shown: dict[RunFiles, str]) -> list[Column[Measured]]:
    """Of gap.csv: means over test clips, or over dimensions for the centre. `shown`: training -> loss."""
    numbers: dict[str, Callable[[Geometry], Tensor | float]] = {
        "magnitude": lambda g: g.magnitude.mean(),
        "magnitude sd": lambda g: g.magnitude.std(correction=0),
        "mean gap norm": lambda g: g.mean_gap_norm,
        "distribution gap": lambda g: g.distribution_gap,
        "coefficient of variation": lambda g: g.variation,
        "cosine to mean gap": lambda g: g.to_mean.mean(),
        "orthogonality image": lambda g: g.orthogonality_image.mean(),
        "orthogonality sound": lambda g: g.orthogonality_sound.mean(),
        "centre image": lambda g: g.centre_image.mean(),
        "centre sound": lambda g: g.centre_sound.mean(),
        "centre image rms": lambda g: g.centre_image.square().mean().sqrt(),
        "centre sound rms": lambda g: g.centre_sound.square().mean().sqrt(),
        "alignment": lambda g: g.alignment,
    }

    def column(name: str, of: Callable[[Geometry], Tensor | float]) -> Column[Measured]:
        return Column(name, lambda one: float(of(one.geometry)), digits=6)

    return [
        Column("row", lambda one: one.run.row),
        Column("training", lambda one: one.run.training),
        Column("shown", lambda one: shown.get(one.run, "")),
        Column("clips", lambda one: len(one.z_v)),
        Column("R@1", lambda one: one.r1, digits=6),
        *(column(name, of) for name, of in numbers.items()),
        Column("nearest image", lambda one: one.nearest and one.nearest[0], digits=6),
        Column("nearest sound", lambda one: one.nearest and one.nearest[1], digits=6),
    ]


def to_quantities(
    groups: dict[str, list[Measured]], measured: list[Measured], bootstrap: int
) -> dict[str, Quantity | Missing]:
    """What the claims take: differences between the losses, and how near to 0 each one's geometry is.

    Of orthogonality it is the mean absolute cosine: features are centred, so their mean cosine is near 0 anyway. It and
    the centre are held against random directions: what is "near 0" depends on how many dimensions features fill.
    """
    found: dict[str, Quantity | Missing] = {}
    nce = {one.run.training: one for one in groups.get("nce", [])}
    total = [one for one in groups.get("total", []) if one.run.training in nce]
    for name, of in (("magnitude", _magnitude), ("alignment", _cosine)):
        found[f"{name}_total_minus_nce"] = Missing("no row of Table 2 differs from another in L_nce or L_total alone")
        if total:
            values = np.stack([of(one) - of(nce[one.run.training]) for one in total])
            found[f"{name}_total_minus_nce"] = _over_clips(values, total)
    for loss in ("nce", "total"):
        own = groups.get(loss, [])
        if not own:
            absent = Missing(f"no row of Table 2 is aligned with L_{loss} and nothing else changed")
            names = ("orthogonality_image", "orthogonality_sound", "centre", "cv")
            found |= dict.fromkeys((f"{name}_{loss}" for name in names), absent)
            continue
        for side in ("image", "sound"):
            found[f"orthogonality_{side}_{loss}"] = _orthogonality(own, side)
        found[f"centre_{loss}"] = _statistic(own, _centre, bootstrap)
        found[f"cv_{loss}"] = _statistic(own, lambda v, a: unit_geometry(v, a).variation, bootstrap)
    parts: dict[str, Callable[[Geometry], float]] = {
        "gap": lambda g: float(g.magnitude.mean()),
        "centroid": lambda g: g.mean_gap_norm,
        "distribution": lambda g: g.distribution_gap,
    }
    return found | {f"spearman_{name}_r1": rank_correlation(measured, of) for name, of in parts.items()}


def _orthogonality(own: list[Measured], side: str) -> Quantity:
    """Of the features of one modality to the mean gap, minus that to a random direction in the features' own span."""
    gap = np.stack([getattr(one.geometry, f"orthogonality_{side}").abs().numpy() for one in own])
    z = [one.z_v if side == "image" else one.z_a for one in own]
    directions = [random_directions(one.z_v, one.z_a) for one in own]
    null = np.stack([orthogonality(*both).numpy() for both in zip(z, directions, strict=True)])
    found = _over_clips(gap - null, own)
    return replace(found, about=f"{found.about}; {gap.mean():.3f} of the gap, {null.mean():.3f} of a random direction")


def _centre(z_v: Tensor, z_a: Tensor) -> float:
    """Length of the mean feature beside the gap, minus that beside a random direction in the features' own span. The
    means of images and of sounds differ along the gap alone, so it is one number.

    Not its mean over dimensions: of D numbers of a vector of length 1 the root mean square is 1 / sqrt(D) (0.02 at the
    paper's 2048), which is near zero whatever the centre is.
    """
    return float(unit_geometry(z_v, z_a).centre_image.norm()) - centre_beside(z_v, random_directions(z_v, z_a))


def _magnitude(one: Measured) -> NDArray[np.float64]:
    return one.geometry.magnitude.numpy()


def _cosine(one: Measured) -> NDArray[np.float64]:
    return (one.z_v.double() * one.z_a.double()).sum(1).numpy()


def _over_clips(values: NDArray[np.float64], own: list[Measured]) -> Quantity:
    """Of numbers of trainings and clips [S, N]."""
    return _quantity(crossed(values, own[0].labels), [float(value) for value in values.mean(1)], own)


def _statistic(own: list[Measured], of: Callable[[Tensor, Tensor], float], bootstrap: int) -> Quantity:
    """Of a number of whole sets of clips, of z^V and z^A at unit norm."""

    def over(trainings: NDArray[np.int64], clips: NDArray[np.int64]) -> float:
        index = torch.from_numpy(clips)
        return float(np.mean([of(own[n].z_v[index], own[n].z_a[index]) for n in trainings]))

    interval = crossed_statistic(over, len(own[0].z_v), len(own), statistic_resamples(bootstrap))
    return _quantity(interval, [of(one.z_v, one.z_a) for one in own], own)


def _quantity(interval: Interval, alone: list[float], own: list[Measured]) -> Quantity:
    trainings = [one.run.training for one in own]
    about = f"test clips at unit norm; trainings {', '.join(map(str, trainings))}"
    return Quantity.of(interval, len(own[0].z_v), alone, trainings, about)


def rank_correlation(measured: list[Measured], of: Callable[[Geometry], float]) -> Quantity | Missing:
    """Spearman's rho of a measure of the gap and R@1 over rows of Table 2, each the mean of its trainings.

    Trainings of a row are alike, so the interval is of as many numbers as there are rows (`spearman`). Missing where
    there are too few, no labels, or no differences.
    """
    rows: dict[str, list[tuple[float, float]]] = {}
    for one in measured:
        if one.r1 is not None:
            rows.setdefault(one.run.row, []).append((of(one.geometry), one.r1))
    if not rows:
        return Missing("the clips have no labels, or no evaluator ranked their pictures")
    if len(rows) < LEAST_RANKED:
        return Missing(f"it takes {LEAST_RANKED} rows of Table 2")
    points = np.array([np.mean(own, axis=0) for own in rows.values()])
    if (points == points[0]).all(0).any():
        return Missing("all rows have the same gap or the same R@1")
    found = spearman(points[:, 0], points[:, 1])
    trainings = sorted({one.run.training for one in measured})
    about = f"rows {', '.join(rows)}, each the mean of its trainings {', '.join(map(str, trainings))}"
    return Quantity.of(found, len(measured[0].z_v), trainings=trainings, about=about)


__all__ = ["Measured", "RunFiles", "columns", "rank_correlation", "run", "to_quantities"]
