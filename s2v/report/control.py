"""Stages `control` and `control_ldm`: how far sounds steer pictures (paper 5 and 6.1), measured on the test clips with
the judge and the world's truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from s2v.evaluate.crossed import crossed
from s2v.evaluate.evaluators import load_evaluator
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Missing, Quantity, write_quantities
from s2v.evaluate.size import SizeEstimator, learn
from s2v.model import Model
from s2v.report.clips import TestSet
from s2v.report.steered import GAINS_DB, LEAST_NAMED, Numbers, Steered, edits, interpolations, mixes, sweeps, volumes
from s2v.report.tabular import Column, write_csv

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig, SamplerConfig, WorldConfig

DIFFUSION = "sound2vision_ldm"
CLIPS_OF_A_CLASS = 4
"""That a latent diffusion model is asked for, which takes a second a picture."""
OF_THE_RECIPE = ("size_volume", "size_volume_named", "interpolation_background")
"""Quantities that take what the world's recipe says of a clip."""
OF_THE_GAN = ("mix_size", "mix_duet", "size_distance", "edit_size", "edit_identity")
"""The same, of figures that the paper makes with the GAN alone."""
RANDOM_STEP = "the same of a step as long in a random direction of the test sounds"
BLEND = "minus that of a plain blend of the pixels of the given picture and the sound's"


def run(
    *,
    run_dir: Path,
    method: str,
    packs: list[Path],
    judge_packs: list[Path],
    judge_dir: Path,
    world: WorldConfig | None,
    split: str,
    judge_split: str,
    window_s: float,
    seed: int,
    sampler: SamplerConfig,
    output: Path,
    quantities: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Measure the claims about control, over test clips; write them by class as CSV and over all as quantities.

    Without the world's recipe there is no size estimator, and what takes it or the recipe (`OF_THE_RECIPE`,
    `OF_THE_GAN`) is missing. Of a latent diffusion model: what the paper's Figures 18 and 19 show, volume and
    interpolation.

    Args:
        run_dir: output folder of the run.
        method: that makes the pictures.
        packs: shards of the test split.
        judge_packs: shards of the judge split.
        judge_dir: of the judge.
        world: the world's configuration, where that is the data.
        split: name of the test split.
        judge_split: that of the judge's.
        window_s: of a sound that is heard.
        seed: of generation.
        sampler: how a latent diffusion model draws.
        output: CSV.
        quantities: JSON of `s2v.evaluate.quantities`.
        runtime: device.
        threads: of torch on the CPU.
    """
    from s2v.runtime import Runtime

    place = Runtime.from_config(runtime, threads)
    model = Model(run_dir, method, window_s=window_s, sampler=sampler, device=place.device)
    evaluator = load_evaluator("judge", folder=judge_dir, device=place.device)
    assert evaluator is not None
    clips = TestSet.read(packs, model.method.image_px)
    diffusion = method == DIFFUSION
    if diffusion:
        clips = clips.first_of_each(CLIPS_OF_A_CLASS)
    size = learn(evaluator, judge_packs, world, judge_split, model.resolution) if world is not None else None
    steered = Steered(model, clips, evaluator, seed)
    found, said = interpolations(steered, world, split)
    about = {"interpolation": f"the judge's scores, {BLEND}", "interpolation_background": f"{said}; {BLEND}"}
    if size is not None:
        sizes, named = volumes(steered, size)
        found |= sizes
        about |= _of_sizes(size, named)
    if not diffusion:
        mixed, both = mixes(steered, size, world, split)
        found |= mixed
        if size is not None and world is not None:
            near, sizes_seen = sweeps(steered, size, world, split)
            found |= near | edits(steered, size)
            about["size_distance"] = f"{about['mix_size']}; {sizes_seen}"
            about["mix_both"] = f"the judge's scores; {both}"
    write_csv(output, columns(), by_class(found, clips.labels))
    measured = {
        name: _quantity(values, clips.labels, about.get(name, "the judge's scores")) for name, values in found.items()
    }
    unknown = Missing("only the embedded world's recipe says how large a source is and what lies behind it")
    taken = OF_THE_RECIPE if diffusion else (*OF_THE_RECIPE, *OF_THE_GAN)
    write_quantities(quantities, dict.fromkeys(taken, unknown) | measured)


def _of_sizes(size: SizeEstimator, named: NDArray[np.float64]) -> dict[str, str]:
    """What is said of quantities that the estimator measures; `named` are the pictures of the class at each volume."""
    worst = min(size.agreement, key=lambda name: size.agreement[name])
    told = (
        f"size: ridge regression on the judge's features, of its own split; on reels that a fold had not seen rho is "
        f"{np.mean(list(size.agreement.values())):.2f} in the mean and {size.agreement[worst]:.2f} at least "
        f"({worst})"
    )
    shares = ", ".join(f"{100 * share:.0f} % at {db:g} dB" for db, share in zip(GAINS_DB, named, strict=True))
    alone = f"clips with fewer than {LEAST_NAMED} of them are left out"
    return {
        "size_volume": f"{told}; of the pictures the judge takes for the class {shares}",
        "size_volume_named": f"of those pictures alone; {alone}",
        "mix_size": f"of pictures that the judge takes for the class; {alone}",
        "mix_duet": "of the judge's features, to the two sources side by side in the place of the first",
        "edit_size": f"f_V's feature, not inverted, and the noise is drawn; minus {RANDOM_STEP}",
        "edit_identity": f"of the judge's features, at the last step; minus {RANDOM_STEP}",
    }


def _quantity(values: NDArray[np.float64], labels: list[str], about: str) -> Quantity | Missing:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return Missing(f"no test clip gives a number ({about})")
    return Quantity.of(crossed(values[known], [labels[i] for i in known]), len(known), about=about)


@dataclass(frozen=True)
class Mean:
    """A quantity's mean over the clips of a class, or over `all`."""

    quantity: str
    label: str
    clips: int
    mean: Interval


def by_class(found: Numbers, labels: list[str]) -> list[Mean]:
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


__all__ = ["by_class", "columns", "run"]
