"""Stage `fig16`: how the GAN and the latent diffusion model bear more classes (paper 6.1, Fig. 16)."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from s2v.errors import UserError
from s2v.evaluate.crossed import crossed
from s2v.evaluate.quantities import Missing, Quantity, write_quantities
from s2v.files import write_text
from s2v.report.canvas import cells, open_frame, save, wrapped
from s2v.report.findings import what_was_found
from s2v.report.measures import metric_of
from s2v.report.panels import enlarge, pictures_by_seed, plan, show_picture
from s2v.report.rows import Row, load_rows
from s2v.report.tables import metric_columns
from s2v.report.tabular import Column, bullets, page, to_markdown, write_csv

COLOURS = {"GAN": "#D55E00", "LDM": "#0072B2"}
"""Of Okabe and Ito, which the colour-blind tell apart; lines differ in their marks too."""

MARKS = {"GAN": "s", "LDM": "o"}
EXAMPLES, ACROSS = 8, 4
FAMILIES = ("animals", "people")


@dataclass(frozen=True)
class Point:
    """One generator at one number of classes."""

    size: int
    generator: str
    row: Row


def run(
    *,
    results: dict[int, dict[str, list[Path]]],
    ceiling: dict[int, list[Path]],
    pictures: dict[str, list[Path]],
    families: dict[str, list[str]],
    bootstrap: int,
    output: Path,
    table: Path,
    markdown: Path,
    quantities: Path,
) -> None:
    """Draw fig16.png and write its numbers, and what was found of the claims.

    (a) R@5 of the pictures of each generator against the number of classes, with that of the real frames; (b) pictures
    of both from the same sounds, at the largest number, with the R@5 of their class. The sounds follow from the clips'
    ids.

    Args:
        results: number of classes -> generator -> JSON files of stage evaluate, one per seed.
        ceiling: number of classes -> those of the real frames.
        pictures: generator -> tars of stage generate at the largest number, one per seed.
        families: patterns of the names of classes that are compared apart at the largest number.
        bootstrap: resamples of the intervals.
        output: PNG.
        table: CSV.
        markdown: its twin.
        quantities: JSON of `s2v.evaluate.quantities`, for the claims.

    Raises:
        UserError: results are missing, have no labels, or do not belong together.
    """
    points = [
        _point(size, name, paths, bootstrap) for size, named in sorted(results.items()) for name, paths in named.items()
    ]
    real = [_point(size, "real frames", paths, bootstrap) for size, paths in sorted(ceiling.items())]
    write_csv(table, COLUMNS, [*points, *real])
    of_families = by_family(points, families, bootstrap)
    measured = of_fig16(points, bootstrap) | of_families
    write_quantities(quantities, measured)
    row = points[-1].row
    said = [
        f"Evaluator: {row.result.evaluator}.",
        f"Seeds of generation {row.drawn}; [95 % interval over trainings and classes].",
        "Alignment learns from, and is measured on, the clips of the set; image encoders, generators and the evaluator "
        "saw all classes. R@k ranks the names of the set, so it gets harder with its size for real frames too.",
        "Paper (Fig. 16 a): VGGSound, 50 to 200 classes, read as curves; it gives no numbers.",
    ]
    text = page(
        "# Figure 16: more classes",
        bullets(said),
        to_markdown(COLUMNS, [*points, *real]),
        _families(of_families),
        what_was_found("fig16", measured),
    )
    write_text(markdown, text)
    save(draw(points, real, _examples(points, pictures)), output)


def _point(size: int, name: str, paths: list[Path], bootstrap: int) -> Point:
    (row,) = load_rows(paths, bootstrap).values()
    if row.r5 is None:
        raise UserError(f"fig16: no R@5 at {size} classes ({'; '.join(row.result.missing.values()) or 'no labels'})")
    if row.result.classes != size:
        raise UserError(f"fig16: {row.result.classes} of {size} classes have a clip for test; see coverage.csv")
    return Point(size, name, row)


COLUMNS: list[Column[Point]] = [
    Column("classes", lambda point: point.size),
    Column("generator", lambda point: point.generator),
    *metric_columns(lambda point: point.row, ("R@1", "R@5", "FID")),
    Column("chance at R@5", lambda point: min(100.0, 500 / point.size), digits=1, only="markdown"),
    Column("clips", lambda point: len(point.row.clips), only="csv"),
    Column("seeds", lambda point: point.row.drawn.replace(",", ""), only="csv"),
    Column("evaluator", lambda point: point.row.result.evaluator, only="csv"),
]
"""Of fig16.csv and fig16.md: a row for each generator and number of classes."""


def of_fig16(points: list[Point], bootstrap: int) -> dict[str, Quantity | Missing]:
    """What the claims take: the fall of R@5 of the GAN minus that of the LDM on the clips of the smallest set when
    alignment learns from the largest one, and LDM minus GAN with the most classes.

    The same clips are asked both times, so the fall is paired. Other names are then among the candidates too.
    """
    drops, last = {}, {}
    for name in ("GAN", "LDM"):
        few, *_, many = (point.row for point in points if point.generator == name)
        place = {clip: i for i, clip in enumerate(many.clips)}
        kept = [place[clip] for clip in few.clips]
        drops[name] = few.by_training(few.hits5) - many.by_training(many.hits5)[..., kept]
        last[name] = many
    fall = drops["GAN"] - drops["LDM"]
    classes = few.classes_of(fall)
    gain, alone = metric_of("R@5").difference(last["LDM"], last["GAN"], bootstrap)
    trainings = list(dict.fromkeys(last["GAN"].trainings))
    about = f"{points[0].size} to {points[-1].size} classes; trainings {', '.join(map(str, trainings))}"
    falls = [float(value) for value in fall.mean((0, 2))]
    return {
        "fall_gan_minus_ldm": Quantity.of(crossed(fall, classes), fall.shape[-1], falls, trainings, about),
        "r5_ldm_minus_gan": Quantity.of(gain, len(last["GAN"].clips), alone, trainings, about),
    }


def by_family(points: list[Point], families: dict[str, list[str]], bootstrap: int) -> dict[str, Quantity | Missing]:
    """LDM minus GAN in R@5 at the largest number, over the clips of each family alone."""
    last = {point.generator: point.row for point in points if point.size == points[-1].size}
    found: dict[str, Quantity | Missing] = {}
    for name in FAMILIES:
        patterns = families.get(name, [])
        labels = zip(last["GAN"].clips, last["GAN"].labels, strict=True)
        own = frozenset(clip for clip, label in labels if any(fnmatch(label or "", each) for each in patterns))
        rows = {generator: row.only(own) for generator, row in last.items()}
        ldm, gan = rows["LDM"], rows["GAN"]
        if ldm is None or gan is None:
            found[f"r5_ldm_minus_gan_{name}"] = Missing(f"scaling.families names no class as one of {name}")
            continue
        gain, alone = metric_of("R@5").difference(ldm, gan, bootstrap)
        trainings = list(dict.fromkeys(gan.trainings))
        about = f"{len(set(gan.labels))} classes of {points[-1].size}: {', '.join(sorted(set(map(str, gan.labels))))}"
        found[f"r5_ldm_minus_gan_{name}"] = Quantity.of(gain, len(own), alone, trainings, about)
    return found


def _families(found: dict[str, Quantity | Missing]) -> str:
    """A section of the twin; empty where no family is named."""
    lines = [
        f"{name.rpartition('_')[2].capitalize()}: {100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}] "
        f"points; {one.about}."
        for name, one in found.items()
        if isinstance(one, Quantity)
    ]
    return page("## Families\n\nLDM minus GAN in R@5 with the most classes.", bullets(lines)).rstrip() if lines else ""


@dataclass(frozen=True)
class _Example:
    label: str
    pictures: dict[str, NDArray[np.uint8]]
    r5: dict[str, float]


def _examples(points: list[Point], pictures: dict[str, list[Path]]) -> list[_Example]:
    """Classes spread evenly over those of the largest set in their order, a sound of each."""
    last = {point.generator: point for point in points if point.size == points[-1].size}
    made = {name: pictures_by_seed(tars) for name, tars in pictures.items()}
    labels = next(iter(made.values()))[1]
    strips = plan(labels, 1, 1)
    chosen = [strips[round(i)] for i in np.linspace(0, len(strips) - 1, min(EXAMPLES, len(strips)))]
    found = []
    for strip in chosen:
        r5 = {}
        for name, point in last.items():
            own = [i for i, clip in enumerate(point.row.clips) if labels[clip] == strip.name]
            r5[name] = float(point.row.hits5[..., own].mean())
        at = list(labels).index(strip.sound)
        found.append(_Example(strip.name, {name: enlarge(images[0][at]) for name, (images, _) in made.items()}, r5))
    return found


def draw(points: list[Point], real: list[Point], examples: list[_Example]) -> Figure:
    """(a) left, (b) right."""
    figure = Figure(figsize=(7.2, 2.9))
    _curves(figure.add_axes((0.075, 0.145, 0.4, 0.79)), points, real)
    names = list(examples[0].pictures)
    blocks = -(-len(examples) // ACROSS)
    heights = [0.42, *[1.0] * len(names)] * blocks
    grid = cells(figure, heights, [1] * ACROSS, (0.535, 0.01, 0.995, 0.985), (0.03, 0.04))
    for i, example in enumerate(examples):
        block, column = divmod(i, ACROSS)
        top = block * (1 + len(names))
        head = figure.add_subplot(grid[top, column])
        head.axis("off")
        title = wrapped(example.label, 16, 2)
        head.text(0.5, 0.05, title, ha="center", va="bottom", fontsize=6, linespacing=0.95)
        for row, name in enumerate(names):
            cell = figure.add_subplot(grid[top + 1 + row, column])
            show_picture(cell, example.pictures[name])
            share = cell.text(
                0.04, 0.05, f"{100 * example.r5[name]:.0f} %", transform=cell.transAxes, fontsize=6, color="white"
            )
            share.set_path_effects([withStroke(linewidth=1.4, foreground="black")])
            if column == 0:
                cell.set_ylabel(name, fontsize=8, labelpad=2)
    figure.text(0.505, 0.94, "(b)", fontsize=8)
    return figure


def _curves(axes: Any, points: list[Point], real: list[Point]) -> None:
    _curve(axes, real, "real frames", "0.35", "^", "--")
    for name in dict.fromkeys(point.generator for point in points):
        own = [point for point in points if point.generator == name]
        _curve(axes, own, name, COLOURS.get(name, "k"), MARKS.get(name, "D"), "-")
    sizes = sorted({point.size for point in points})
    axes.plot(sizes, [min(100.0, 500 / size) for size in sizes], color="0.6", lw=0.8, ls=":", label="chance")
    axes.set_xticks(sizes)
    axes.set_ylim(0, 103)
    axes.set_xlabel("number of sound classes", fontsize=8)
    axes.set_ylabel("R@5 (%)", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.set_title("(a)", fontsize=8, loc="left", pad=3)
    axes.legend(fontsize=7, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 0.42))
    open_frame(axes)


def _curve(axes: Any, points: list[Point], name: str, colour: str, mark: str, line: str) -> None:
    intervals = [point.row.r5 for point in points if point.row.r5]
    value = np.array([100 * interval.value for interval in intervals])
    error = [[100 * (i.value - i.low) for i in intervals], [100 * (i.high - i.value) for i in intervals]]
    axes.errorbar(
        [point.size for point in points],
        value,
        error,
        color=colour,
        marker=mark,
        ms=4,
        lw=1.3,
        ls=line,
        capsize=2.5,
        label=name,
    )


__all__ = ["Point", "by_family", "draw", "of_fig16", "run"]
