"""What stage `fig12` measures: the rows of its table, the readable twin, and what the claims take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2v.evaluate.crossed import crossed
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Measured, Missing, Quantity
from s2v.evaluate.tradeoff import Curve, Floats, advantage_interval, leads, point_intervals, shared_range
from s2v.report.clips import LOUD_DB, SOFT_DB
from s2v.report.edits import Edits
from s2v.report.findings import what_was_found
from s2v.report.tabular import Column, bullets, page, to_markdown

KEYS = ("ours", "moved", "lee")
"""Names of the methods in quantities, in the order of `s2v.report.edits.edit`."""
OURS = "our generator, without a joint space"
MIXED = ", where the paper mixes f_V's own feature of it"


@dataclass(frozen=True)
class Setting:
    """What the numbers rest on, in words.

    Attributes:
        dataset: what the clips are.
        evaluator: who names what is seen.
        space: what Lee et al. edit with.
        kept: of what it is measured how much is kept.
    """

    dataset: str
    evaluator: str
    space: str
    kept: str

    @property
    def about(self) -> str:
        """Of a quantity."""
        return f"evaluator {self.evaluator}; Lee et al. edit with {self.space}"


@dataclass(frozen=True)
class Point:
    """A row of fig12.csv: a method at one of its weights."""

    edits: Edits
    weight: float
    insertion: Interval
    kept: Interval
    lead: Interval | None
    pairs: int


def points_of(made: list[Edits], curves: list[Curve], alone: Floats, bootstrap: int) -> list[Point]:
    """The rows, method by method; `alone` [N] is d of the sounds' own pictures."""
    found = []
    for one, curve in zip(made, curves, strict=True):
        led = leads(curves[0], curve, alone, bootstrap) if curve is not curves[0] else [None] * len(one.weights)
        intervals = point_intervals(curve, alone, bootstrap)
        for weight, (insertion, kept), lead in zip(one.weights, intervals, led, strict=True):
            found.append(Point(one, weight, insertion, kept, lead, len(alone)))
    return found


def columns(setting: Setting) -> list[Column[Point]]:
    """Of fig12.csv and its twin."""
    kept = setting.kept
    return [
        Column("method", lambda one: one.edits.name),
        Column("uses text", lambda one: "yes" if one.edits.uses_text else "no"),
        Column("weight", lambda one: one.edits.weight),
        Column("value", lambda one: f"{one.weight:g}", number=True),
        Column("insertion", lambda one: one.insertion, digits=4, shown=3, interval=True),
        Column(f"{kept} kept", lambda one: one.kept, digits=4, shown=3, interval=True),
        Column(f"ours minus it at equal {kept}", lambda one: one.lead, digits=4, shown=3, interval=True),
        Column("pairs", lambda one: one.pairs, only="csv"),
        Column("evaluator", lambda one: setting.evaluator, only="csv"),
        Column("edited with", lambda one: setting.space if one.edits.uses_text else OURS, only="csv"),
        Column("data set", lambda one: setting.dataset, only="csv"),
    ]


def twin(points: list[Point], measured: Measured, setting: Setting, deviations: Sequence[str]) -> str:
    """The same in Markdown, with how it was measured, what was found, and what it is not."""
    where = "outside its source" if setting.kept == "background" else "over the whole of it: nobody knows its source"
    return page(
        "# Figure 12: pictures edited by the sound of another class",
        bullets([
            f"Data set: {setting.dataset}; {points[0].pairs} pairs of a test picture and a sound of another class.",
            f"Evaluator: {setting.evaluator}.",
            f"Lee et al. edit with {setting.space}, ours with {OURS}.",
            "Insertion: how often the evaluator names the sound's class.",
            f"{setting.kept.capitalize()} kept: 1 - d(edit) / d(sound's own picture), where d is the mean colour "
            f"difference to the given picture {where}.",
            "The paper shows pictures and has no numbers.",
        ]),
        to_markdown(columns(setting), points),
        what_was_found("fig12", measured),
        "## What this is and is not",
        bullets(deviations),
    )  # fmt: skip


def quantities_of(
    made: list[Edits],
    curves: list[Curve],
    alone: Floats,
    classes: int,
    bootstrap: int,
    setting: Setting,
    heard: Sequence[str] | None = None,
) -> dict[str, Quantity | Missing]:
    """Insertion: of each method minus its own control, and of ours minus that of Lee et al.; `heard` are the classes of
    the pairs' sounds."""
    found: dict[str, Quantity | Missing] = {}
    for key, one, curve in zip(KEYS, made, curves, strict=True):
        found[f"insertion_{key}_minus_shuffled"] = (
            _above_shuffled(one, curve, setting, heard)
            if classes > 2
            else Missing("with two classes no sound that a picture might be given is of another class than its own")
        )
    for key, one, curve in zip(KEYS[:-1], made, curves, strict=False):
        interval = advantage_interval(curve, curves[-1], alone, bootstrap)
        least, most = shared_range(curve, curves[-1], alone, np.arange(len(alone)))
        found[f"insertion_{key}_minus_lee"] = (
            Missing(f"no {setting.kept} kept is reached by both curves in every resample of the pairs")
            if interval is None
            else Quantity.of(
                interval, len(alone),
                about=f"mean over {setting.kept} kept from {100 * least:.0f} to {100 * most:.0f} %, which both curves "
                f"reach, by straight lines between {len(one.weights)} weights of ours and {len(made[-1].weights)} of "
                f"theirs; all begin at the inverted picture{MIXED if key == 'ours' else ''}; pairs are resampled, in "
                f"both alike; Lee et al. use text, ours does not; {setting.about}",
            )
        )  # fmt: skip
    return found


def _above_shuffled(one: Edits, curve: Curve, setting: Setting, heard: Sequence[str] | None) -> Quantity:
    named, mixed = curve.named[-1], curve.mixed[-1]
    return Quantity.of(
        crossed(named - mixed, heard), len(named),
        about=f"{one.name}, {one.weight} {one.weights[-1]:g}: {100 * named.mean():.1f} % less {100 * mixed.mean():.1f} "
        "%, the mean over all sounds of the pairs that are not of the picture's own class: every shuffle at once; "
        f"{setting.about}",
    )  # fmt: skip


def volume_of(shift: tuple[Floats, Floats]) -> Quantity:
    """How far a sound's volume moves its feature, [N] each in the joint space and in ours."""
    joint, own = shift
    return Quantity.of(
        crossed(joint), len(joint),
        about=f"1 - cosine of a sound's features at {SOFT_DB:g} and {LOUD_DB:g} dB in the joint space; of ours it is "
        f"{own.mean():.3f}",
    )  # fmt: skip


__all__ = ["Point", "Setting", "columns", "points_of", "quantities_of", "twin", "volume_of"]
