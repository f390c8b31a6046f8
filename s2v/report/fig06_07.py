"""Stage `fig06`: the gap between the modalities as pictures (paper, Fig. 6 and 7), and its relation to R@1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.stats import spearmanr
from sklearn.manifold import TSNE
from torch import Tensor

from s2v.evaluate.gap import Geometry, geometry
from s2v.files import read_csv
from s2v.report.canvas import open_frame, save
from s2v.tensors import load_tensors

NAMES = {"nce": r"$L_{nce}$", "total": r"$L_{total}$"}
IMAGE, SOUND = "#0072B2", "#D55E00"
"""Of Okabe and Ito, which the colour-blind tell apart."""

ROW_COLOURS = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#999999"]
ROW_MARKS = ["o", "s", "^", "v", "D", "P", "X"]
"""One fewer than colours, so that the two together tell 56 rows apart."""

BINS = 40


def _pairs(tensors: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """(z_v, z_a) of each loss that stage `gap` kept, in the order of the paper."""
    found = load_tensors(tensors)
    return {loss: (found[f"{loss}.z_v"], found[f"{loss}.z_a"]) for loss in NAMES if f"{loss}.z_v" in found}


def run(*, tensors: Path, runs_table: Path, gap: Path, geometry_figure: Path, tsne_figure: Path) -> None:
    """Draw all three: fig06.png, fig07.png and gap.png."""
    fig06(tensors=tensors, output=geometry_figure)
    fig07(tensors=tensors, runs_table=runs_table, output=tsne_figure)
    fig_gap(runs_table=runs_table, output=gap)


def fig06(*, tensors: Path, output: Path) -> None:
    """Draw distributions of magnitude, orthogonality and centre, a row for each loss."""
    measured = {loss: geometry(*pair) for loss, pair in _pairs(tensors).items()}
    figure = Figure(figsize=(7.2, 1.75 * max(1, len(measured)) + 0.3), layout="constrained")
    if not measured:
        save(_nothing(figure), output)
        return
    grid = figure.subplots(len(measured), 3, squeeze=False, sharex="col")
    for row, (loss, found) in enumerate(measured.items()):
        panels: list[tuple[str, list[tuple[str, Tensor]]]] = [
            ("magnitude $\\|z^V - z^A\\|$", [("pairs", found.magnitude)]),
            ("orthogonality (cosine)", [("images", found.orthogonality_image), ("sounds", found.orthogonality_sound)]),
            # That of images and of sounds is the same vector (s2v.evaluate.gap).
            ("centre (per dimension)", [("both", found.centre_image)]),
        ]
        for column, (name, series) in enumerate(panels):
            axes = grid[row, column]
            _distribution(axes, series, _edges(list(measured.values()), column))
            also = (f", CV {found.variation:.2f}", "", f", length {float(found.centre_image.norm()):.2f}")
            axes.set_title(_spread(series) + also[column], fontsize=7, pad=3)
            if column:
                axes.axvline(0, color="0.2", lw=0.7, ls=":")
            if row == len(measured) - 1:
                axes.set_xlabel(name, fontsize=8)
            if column == 0:
                axes.set_ylabel(f"({'ab'[row]}) {NAMES[loss]}\ndensity", fontsize=8)
    grid[0, 1].legend(fontsize=7, frameon=False)
    save(figure, output)


def _edges(measured: list[Geometry], column: int) -> Any:
    values = [
        value
        for found in measured
        for value in (
            [found.magnitude], [found.orthogonality_image, found.orthogonality_sound], [found.centre_image],
        )[column]
    ]  # fmt: skip
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    if column == 0:
        low = 0.0
    elif column == 1:
        low, high = min(low, -0.1), max(high, 0.1)
    return np.linspace(low, high if high > low else low + 1e-6, BINS + 1)


def _spread(series: list[tuple[str, Tensor]]) -> str:
    """Mean and standard deviation of each."""
    told = []
    for name, values in series:
        mean, spread = float(values.mean()), float(values.std(correction=0))
        # Adding 0 turns a rounded -0 into 0.
        number = f"{round(mean, 3) + 0.0:.3f} $\\pm$ {spread:.3f}"
        told.append(f"{name} {number}" if len(series) > 1 else f"mean {number}")
    return ", ".join(told)


def _distribution(axes: Any, series: list[tuple[str, Tensor]], edges: Any) -> None:
    for (name, values), colour in zip(series, ("0.35",) if len(series) == 1 else (IMAGE, SOUND), strict=True):
        axes.hist(values.numpy(), edges, density=True, color=colour, alpha=0.55, label=name, histtype="stepfilled")
        axes.hist(values.numpy(), edges, density=True, color=colour, histtype="step", lw=1)
    axes.tick_params(labelsize=7)
    open_frame(axes)


def fig07(*, tensors: Path, runs_table: Path, output: Path, seed: int = 0) -> None:
    """Draw t-SNE of image and audio features together, a panel for each loss."""
    pairs = _pairs(tensors)
    figure = Figure(figsize=(7.2, 3.5), layout="constrained")
    if not pairs:
        save(_nothing(figure), output)
        return
    r1_of = {row["shown"]: row["R@1"] for row in read_csv(runs_table, ("shown", "R@1"), ("R@1",))}
    for i, (loss, (z_v, z_a)) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, len(pairs), i + 1)
        both = torch.cat([z_v, z_a]).double().numpy()
        perplexity = min(30.0, (len(both) - 1) / 3)
        # At unit norm the squared distance is twice one minus the cosine, so the plain metric is that of the losses.
        placed = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(both)
        halves = ((placed[: len(z_v)], IMAGE, "o", "images $z^V$"), (placed[len(z_v) :], SOUND, "^", "sounds $z^A$"))
        for half, colour, mark, name in halves:
            axes.scatter(half[:, 0], half[:, 1], s=10, c=colour, marker=mark, lw=0, alpha=0.7, label=name)
        found = geometry(z_v, z_a)
        magnitude = float(found.magnitude.mean())
        r1 = r1_of.get(loss)
        judged = f", R@1 {100 * float(r1):.1f} %" if r1 else ""
        axes.set_title(
            f"({'ab'[i]}) {NAMES[loss]}: magnitude {magnitude:.2f}, alignment {found.alignment:.2f}{judged}", fontsize=8
        )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("t-SNE 1", fontsize=7)
        axes.set_ylabel("t-SNE 2", fontsize=7)
        if i == 0:
            axes.legend(fontsize=7, frameon=True, framealpha=0.8, markerscale=1.6)
    save(figure, output)


def fig_gap(*, runs_table: Path, output: Path) -> None:
    """Draw R@1 against the magnitude of the gap, a mark for each training, one kind for each row of Table 2."""
    numbers = ("magnitude", "R@1")
    rows = [row for row in read_csv(runs_table, ("row", *numbers), numbers) if row["R@1"]]
    figure = Figure(figsize=(3.5, 2.9), layout="constrained")
    if not rows:
        save(_nothing(figure), output)
        return
    axes = figure.add_subplot()
    names = list(dict.fromkeys(row["row"] for row in rows))
    for i, name in enumerate(names):
        own = [row for row in rows if row["row"] == name]
        axes.scatter(
            [float(row["magnitude"]) for row in own], [100 * float(row["R@1"]) for row in own], s=26,
            c=ROW_COLOURS[i % len(ROW_COLOURS)], marker=ROW_MARKS[i % len(ROW_MARKS)], lw=0,
            label=f" {name}",  # a legend leaves out names that begin with an underscore
        )  # fmt: skip
    points = np.array([[float(row["magnitude"]), float(row["R@1"])] for row in rows])
    if len(points) > 2 and not (points == points[0]).all(0).any():
        rho = float(spearmanr(points[:, 0], points[:, 1]).statistic)
        axes.set_title(f"Spearman's $\\rho$ = {rho:.2f}, {len(points)} trainings", fontsize=8)
    axes.set_xlabel("magnitude of the gap", fontsize=8)
    axes.set_ylabel("R@1 of the pictures (%)", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=7, frameon=False, title="row", title_fontsize=7, handletextpad=0.2)
    open_frame(axes)
    save(figure, output)


def _nothing(figure: Figure) -> Figure:
    figure.text(0.5, 0.5, "no row of Table 2 to show", ha="center", va="center", fontsize=8)
    return figure


__all__ = ["fig06", "fig07", "fig_gap", "run"]
