"""Stage `control_figure`: sheets of pictures that sounds steer (paper, Fig. 8 to 11, 13, 18 and 19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure
from torch import Tensor

from s2v.control import latent, waveform
from s2v.errors import UserError
from s2v.media.picture import from_unit
from s2v.methods.base import clip_seed
from s2v.model import Model
from s2v.report.canvas import cells, save, wrapped
from s2v.report.clips import TestSet
from s2v.report.panels import enlarge, show_picture

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig, SamplerConfig

ROWS = 6
VOLUMES_DB = (-30.0, -24.0, -18.0, -12.0, -6.0, 0.0)
RATIOS_DB = (24.0, 12.0, 6.0, 0.0, -6.0, -12.0, -24.0)
EDITS = (-1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
STRENGTHS = (0.4, 0.6, 0.8)
BETWEEN = (0.6, 0.4)
WEIGHTS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)


@dataclass(frozen=True)
class Sheet:
    """Rows of pictures: (name, pictures uint8 [K, 3, H, W]), and what the columns are."""

    rows: list[tuple[str, list[Tensor]]]
    columns: list[str]
    axis: str


def run(
    *,
    figure: str,
    run_dir: Path,
    method: str,
    packs: list[Path],
    window_s: float,
    seed: int,
    sampler: SamplerConfig,
    output: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Draw one of `FIGURES`. Which sounds are shown follows from the SHA-1 of the clips' names; none is picked by eye.

    Args:
        figure: its name.
        run_dir: output folder of the run.
        method: that makes the pictures.
        packs: shards of the test split.
        window_s: of a sound that is heard.
        seed: of generation; the noise is the same along a row.
        sampler: how the latent diffusion model draws.
        output: PNG.
        runtime: device.
        threads: of torch on the CPU.

    Raises:
        UserError: there is no such figure, or too few classes.
    """
    from s2v.runtime import Runtime

    if figure not in FIGURES:
        raise UserError(f"control: {figure!r} is not one of {', '.join(FIGURES)}")
    place = Runtime.from_config(runtime, threads)
    model = Model(run_dir, method, window_s=window_s, sampler=sampler, device=place.device)
    clips = TestSet.read(packs, max(128, model.method.image_px))
    save(draw(FIGURES[figure](model, clips, seed)), output)


def _shown(clips: TestSet) -> list[int]:
    """The first clip of each class in the clips' order, up to `ROWS`."""
    first: dict[str, int] = {}
    for i, label in enumerate(clips.labels):
        first.setdefault(label, i)
    return list(first.values())[:ROWS]


def _paint(model: Model, z: Tensor, key: str, seed: int) -> list[Tensor]:
    return list(from_unit(model.method.decode(z, [clip_seed(seed, key)] * len(z))))


def volumes(model: Model, clips: TestSet, seed: int) -> Sheet:
    """One sound at growing volume (Fig. 8, 18)."""
    rows = []
    for i in _shown(clips):
        z = model.encode_audio([waveform.gain(clips.waves[i], db) for db in VOLUMES_DB])
        rows.append((clips.labels[i], _paint(model, z, clips.keys[i], seed)))
    return Sheet(rows, [f"{db:+g}" if db else "0" for db in VOLUMES_DB], "volume of the sound (dB)")


def mixes(model: Model, clips: TestSet, seed: int) -> Sheet:
    """Two sounds, alone and mixed (Fig. 9)."""
    rows = []
    for i in _shown(clips):
        j = clips.partner(i)
        a, b = clips.waves[i], clips.waves[j]
        z = model.encode_audio([a, waveform.mix([a, b]), b])
        rows.append((f"{clips.labels[i]} + {clips.labels[j]}", _paint(model, z, clips.keys[i], seed)))
    return Sheet(rows, ["first", "both", "second"], "sound")


def ratios(model: Model, clips: TestSet, seed: int) -> Sheet:
    """Two sounds whose volumes change against each other (Fig. 10)."""
    rows = []
    for i in _shown(clips):
        j = clips.partner(i)
        a, b = clips.waves[i], clips.waves[j]
        z = model.encode_audio([waveform.mix([a, b], [min(0.0, db), min(0.0, -db)]) for db in RATIOS_DB])
        rows.append((f"{clips.labels[i]} to {clips.labels[j]}", _paint(model, z, clips.keys[i], seed)))
    return Sheet(rows, [f"{db:+g}" if db else "0" for db in RATIOS_DB], "first sound over second (dB)")


def interpolations(model: Model, clips: TestSet, seed: int) -> Sheet:
    """From a picture to a sound of another class (Fig. 11)."""
    rows = []
    for i in _shown(clips):
        j = clips.partner(i)
        z_v, z_a = model.encode_image(clips.frames[i])[0], model.encode_audio(clips.waves[j])[0]
        made = _paint(model, latent.interpolate(z_v, z_a, WEIGHTS), clips.keys[i], seed)
        rows.append((f"{clips.labels[i]} to {clips.labels[j]}", [clips.frames[i], *made]))
    return Sheet(rows, ["picture", *(f"{weight:g}" for weight in WEIGHTS)], "weight of the picture, lambda")


def edits(model: Model, clips: TestSet, seed: int) -> Sheet:
    """A picture, its inversion, and it moved along the volume of its sound (Fig. 13). No noise is drawn."""
    rows = []
    for i in _shown(clips):
        found = model.invert(clips.frames[i])
        made = model.edit(found, clips.waves[i], EDITS)
        rows.append((f"{clips.labels[i]}\n(error {found.error:.3f})", [clips.frames[i], *made]))
    return Sheet(rows, ["picture", *(f"{weight:+g}" if weight else "inverted, 0" for weight in EDITS)], "lambda")


def two_conditions(model: Model, clips: TestSet, seed: int) -> Sheet:
    """A picture with the sound of another class, in the three ways that the paper and its code tell of (Fig. 19)."""
    rows = []
    for i in _shown(clips):
        j = clips.partner(i)
        frame, wave = clips.frames[i], clips.waves[j]
        between = _paint(model, model.interpolate(frame, wave, [*BETWEEN, 0.0]), clips.keys[i], seed)
        composed = model.compose(frame, wave, BETWEEN, seed)
        renoised = model.renoise(frame, wave, STRENGTHS, seed)
        made = [*between[:-1], *composed, *renoised, between[-1]]
        rows.append((f"{clips.labels[i]}, sound of {clips.labels[j]}", [frame, *made]))
    names = [f"{way}\n{number:g}" for way, numbers in (
        ("interpolated", BETWEEN), ("composed", BETWEEN), ("noised", STRENGTHS)
    ) for number in numbers]  # fmt: skip
    told = "weight of the picture, or how much of it is noised and drawn anew"
    return Sheet(rows, ["picture", *names, "sound"], told)


FIGURES: dict[str, Callable[[Model, TestSet, int], Sheet]] = {
    "fig08": volumes, "fig09": mixes, "fig10": ratios, "fig11": interpolations, "fig13": edits,
    "fig18": volumes, "fig19": two_conditions,
}  # fmt: skip


def draw(sheet: Sheet) -> Figure:
    """The sheet."""
    across, name_in, side = len(sheet.columns), 1.0, 0.86
    width = name_in + across * side
    head = 0.4 + 0.13 * max(title.count("\n") for title in sheet.columns)
    height = len(sheet.rows) * side + head + 0.02
    figure = Figure(figsize=(width, height))
    edges = (name_in / width, 0.02 / height, 0.995, 1 - head / height)
    grid = cells(figure, [1] * len(sheet.rows), [1] * across, edges, (0.04, 0.04))
    for row, (name, pictures) in enumerate(sheet.rows):
        for column, picture in enumerate(pictures):
            axes = figure.add_subplot(grid[row, column])
            show_picture(axes, enlarge(picture.to(torch.uint8)))
            if row == 0:
                axes.set_title(sheet.columns[column], fontsize=7.5, pad=2.5)
            if column == 0:
                text = wrapped(name, 17, 4)
                axes.set_ylabel(text, fontsize=7, rotation=0, ha="right", va="center", labelpad=4)
    figure.text(
        name_in / width + 0.5 * (1 - name_in / width), 1 - 0.03 / height, sheet.axis, fontsize=8, ha="center", va="top"
    )
    return figure


__all__ = ["FIGURES", "Sheet", "draw", "run"]
