"""Stage `fig12`: a picture and the sound of another class, by Lee et al. and by ours (paper, Fig. 12), measured: how
often the sound is seen, against how much of the picture is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from s2v.control.lee_parts import of_publication, of_run
from s2v.errors import UserError
from s2v.evaluate.evaluators import load_evaluator
from s2v.evaluate.quantities import write_quantities
from s2v.files import write_text
from s2v.media.picture import resize
from s2v.model import Model
from s2v.report.canvas import cells, open_frame, save, wrapped
from s2v.report.clips import TestSet
from s2v.report.edits import Edits, Pair, apart, edit, measure, pairs
from s2v.report.fig12_table import Point, Setting, columns, points_of, quantities_of, twin, volume_of
from s2v.report.panels import enlarge, show_picture
from s2v.report.tabular import write_csv

if TYPE_CHECKING:
    from s2v.config import LeeConfig, RuntimeConfig, WorldConfig

EXAMPLES = 5
COLOURS = {"Ours": "C0", "Ours, along volume": "C2", "Lee et al.": "C3"}
MARKERS = {"Ours": "o", "Ours, along volume": "^", "Lee et al.": "s"}


def run(
    *,
    config: LeeConfig,
    run_dir: Path,
    joint_dir: Path | None,
    packs: list[Path],
    evaluator: str,
    judge_dir: Path | None,
    prompt: str,
    world: WorldConfig | None,
    split: str,
    window_s: float,
    bootstrap: int,
    dataset: str,
    deviations: list[str],
    output: Path,
    csv: Path,
    markdown: Path,
    quantities: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Edit test pictures by sounds of other classes, measure it, and draw fig12.png.

    Args:
        config: how Lee et al. edit, the weights of all methods, and how many pairs there are.
        run_dir: output folder of the run.
        joint_dir: of the joint space; None takes what Lee et al. published.
        packs: shards of the test split.
        evaluator: that names what is seen.
        judge_dir: where that is the judge.
        prompt: around a class name.
        world: the world's configuration, whose recipe says what is background; None takes the whole picture.
        split: name of the test split.
        window_s: of a sound that is heard, by ours.
        bootstrap: resamples of the pairs.
        dataset: what the clips are, in words.
        deviations: from what was published, in words.
        output: PNG.
        csv: a row for each method and weight.
        markdown: its twin, with what was found of the claims.
        quantities: JSON of `s2v.evaluate.quantities`.
        runtime: device.
        threads: of torch on the CPU.

    Raises:
        UserError: there is no evaluator, or no pair.
    """
    from s2v.runtime import Runtime

    place = Runtime.from_config(runtime, threads)
    judged = load_evaluator(evaluator, folder=judge_dir, prompt=prompt, device=place.device)
    if judged is None:
        raise UserError("fig12: needs an evaluator, and evaluate.evaluator is none")
    model = Model(run_dir, window_s=window_s, device=place.device)
    parts = (
        of_run(model.method.renderer.gan(), joint_dir, place.device)
        if joint_dir is not None
        else of_publication(config, place.device)
    )
    clips = TestSet.read(packs, max(128, model.method.image_px))
    chosen = pairs(clips, world, split, model.resolution, config.pairs, config.seed)
    if not chosen:
        raise UserError(f"fig12: no clip of the split `{split}` shows enough background; give it more clips")
    setting = Setting(dataset, judged.label, parts.name, "background" if world else "whole picture")
    made, sounds, shift = edit(model, parts, clips, chosen, config)
    alone = apart(sounds, clips, chosen)
    curves = [measure(one, clips, chosen, judged) for one in made]
    points = points_of(made, curves, alone, bootstrap)
    heard = [clips.labels[pair.sound] for pair in chosen]
    measured = quantities_of(made, curves, alone, len(set(clips.labels)), bootstrap, setting, heard)
    measured["volume_lee"] = volume_of(shift)
    write_csv(csv, columns(setting), points)
    write_quantities(quantities, measured)
    write_text(markdown, twin(points, measured, setting, deviations))
    save(draw(examples(clips, chosen, made, joint_dir is None), points, setting.kept), output)


@dataclass(frozen=True)
class Example:
    """A row of pictures.

    Attributes:
        picture: class of what is given.
        sound: class of what is heard.
        given: uint8 [3, H, W].
        starts: (name, inverted picture): one, or that of each where generators differ; edits begin there.
        lee: (weight, picture) of some weights.
        ours: the same.
    """

    picture: str
    sound: str
    given: Tensor
    starts: list[tuple[str, Tensor]]
    lee: list[tuple[float, Tensor]]
    ours: list[tuple[float, Tensor]]


def examples(clips: TestSet, chosen: Sequence[Pair], made: list[Edits], two_starts: bool) -> list[Example]:
    """The first pairs that show other classes, and hear others, than those before; none is picked by eye.

    `two_starts` where Lee et al. have a generator of their own.
    """
    ours, lee = made[0], made[-1]
    rows: list[Example] = []
    for n, pair in enumerate(chosen):
        picture, sound = clips.labels[pair.picture], clips.labels[pair.sound]
        if len(rows) == EXAMPLES or any(picture == row.picture or sound == row.sound for row in rows):
            continue
        given = resize(clips.frames[pair.picture][None], ours.pictures.shape[-1])[0]
        shown = ([(one.weights[i], one.pictures[i, n]) for i in _spread(len(one.weights))] for one in (lee, ours))
        starts = [("inverted", lee.pictures[0, n])]
        if two_starts:
            starts = [("inverted, Lee", lee.pictures[0, n]), ("inverted, ours", ours.pictures[0, n])]
        rows.append(Example(picture, sound, given, starts, *shown))
    return rows


def _spread(count: int) -> list[int]:
    """Three places of weights: neither the first, which is the picture for all, nor more than there are."""
    return sorted({max(1, round(share * (count - 1))) for share in (0.4, 0.7, 1.0)})


def draw(rows: list[Example], points: list[Point], kept: str) -> Figure:
    """Examples to the left, curves to the right."""
    side, gap, name_in, plot_in, head = 0.74, 0.1, 1.0, 3.1, 0.42
    own, lee, ours = 1 + len(rows[0].starts), len(rows[0].lee), len(rows[0].ours)
    widths = [*[side] * own, gap, *[side] * lee, gap, *[side] * ours]
    pictures_in = sum(widths) + 0.03 * len(widths)
    height = max(3.2, head + len(rows) * (side + 0.03) + 0.05)
    width = name_in + pictures_in + 0.85 + plot_in + 0.1
    figure = Figure(figsize=(width, height))
    edges = (name_in / width, 0.04 / height, (name_in + pictures_in) / width, 1 - head / height)
    grid = cells(figure, [1] * len(rows), widths, edges, (0.04, 0.04))
    groups = [
        ("picture", range(own)),
        (r"Lee et al., $\lambda_{sim}$", range(own + 1, own + 1 + lee)),
        ("ours, share of the sound", range(own + 2 + lee, own + 2 + lee + ours)),
    ]
    for r, row in enumerate(rows):
        tiles = [
            ("given", row.given),
            *row.starts,
            *((f"{w:g}", p) for w, p in row.lee),
            *((f"{w:g}", p) for w, p in row.ours),
        ]
        places = [column for _, group in groups for column in group]
        for column, (title, picture) in zip(places, tiles, strict=True):
            axes = figure.add_subplot(grid[r, column])
            show_picture(axes, enlarge(picture))
            if r == 0:
                axes.set_title(title, fontsize=7, pad=2.5)
            if column == 0:
                text = f"{wrapped(row.picture, 16, 2)}\n+ sound of\n{wrapped(row.sound, 16, 2)}"
                axes.set_ylabel(text, fontsize=7, rotation=0, ha="right", va="center", labelpad=4, linespacing=1.1)
    for name, group in groups:
        boxes = [grid[0, column].get_position(figure) for column in group]
        middle = (boxes[0].x0 + boxes[-1].x1) / 2
        figure.text(middle, 1 - 0.08 / height, name, fontsize=8, ha="center", va="top")
    left = name_in + pictures_in + 0.62
    axes = figure.add_axes((left / width, 0.46 / height, plot_in / width, (height - 0.46 - 0.15) / height))
    _curves(axes, points, kept)
    return figure


def _curves(axes: Any, points: list[Point], kept: str) -> None:
    for name in dict.fromkeys(point.edits.name for point in points):
        own = [point for point in points if point.edits.name == name]
        own.sort(key=lambda point: point.kept.value)
        x, y = ([100 * getattr(point, of).value for point in own] for of in ("kept", "insertion"))
        colour = COLOURS[name]
        label = f"{name} (uses text)" if own[0].edits.uses_text else name
        bars = {
            f"{axis}err": np.array([
                [100 * (getattr(p, of).value - getattr(p, of).low), 100 * (getattr(p, of).high - getattr(p, of).value)]
                for p in own
            ]).T.clip(0)
            for axis, of in (("x", "kept"), ("y", "insertion"))
        }  # fmt: skip
        axes.errorbar(x, y, **bars, color=colour, marker=MARKERS[name], ms=4, lw=1.4, elinewidth=0.6, label=label)
    axes.set_xlabel(f"{kept} kept (%)", fontsize=8)
    axes.set_ylabel("sound's class is named (%)", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(lw=0.3, color="0.85")
    told = f"bars: 95 % intervals over {points[0].pairs} pairs"
    axes.legend(fontsize=7, frameon=False, title=told, title_fontsize=6.5, alignment="left")
    open_frame(axes)


__all__ = ["Example", "draw", "examples", "run"]
