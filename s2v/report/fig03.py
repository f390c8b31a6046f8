"""Stage `fig03`: the selected moment beside the middle frame (paper 3.3, Fig. 3), and how often each is right."""

from __future__ import annotations

import hashlib
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from s2v.data.reader import Only, clip_record, decode_wave, decoded, label_of, samples
from s2v.errors import UserError
from s2v.evaluate.crossed import crossed
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Missing, Quantity, write_quantities
from s2v.evaluate.selection import Judged, judged, loudest_frame
from s2v.files import read_parquet
from s2v.media.picture import decode_image
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.report.canvas import cells, open_frame, save
from s2v.report.panels import show_picture
from s2v.report.tabular import Column, write_csv

EXAMPLES = 6
NAMES = {"top1": "top-1", "top3": "top-3", "mid": "middle", "loudest": "loudest", "random": "random"}
COLOURS = {"top1": "#0072B2", "top3": "#56B4E9", "mid": "#D55E00", "loudest": "#E69F00", "random": "0.6"}
"""Of Okabe and Ito, which the colour-blind tell apart."""


@dataclass(frozen=True)
class Example:
    """A clip: its two frames, the score over time, and whether each frame is right (None where unknown)."""

    label: str
    frames: dict[str, NDArray[np.uint8]]
    scores: list[float]
    moments: dict[str, int]
    fps: float
    right: list[bool] | None


def run(
    *,
    selection: list[Path],
    packs: list[Path],
    split: str,
    truth: Path | None,
    output: Path,
    table: Path,
    quantities: Path,
) -> None:
    """Draw fig03.png, and write the precision of moments by class and over all clips of a split.

    A moment is right where the source is seen and heard. Clips without a right moment are left out. Without truth only
    the examples are drawn.

    Args:
        selection: shards of stage select.
        packs: packed shards of the split.
        split: its name.
        truth: the world's.
        output: PNG.
        table: CSV.
        quantities: JSON of `s2v.evaluate.quantities`.

    Raises:
        UserError: the split has no clip with sound.
    """
    rows = [row for path in selection for row in read_parquet(path) if row["split"] == split and row["scores"]]
    facts = {row["clip_id"]: row for row in read_parquet(truth)} if truth else {}
    clips = judged(rows, facts, _loudest(rows, packs)) if facts else []
    measured = _by_class(clips)
    write_csv(table, columns(split), sorted(measured.items(), key=lambda item: (item[0] != "all", item[0])))
    write_quantities(quantities, to_quantities(clips, split))
    examples = list(_examples(rows, packs, {clip.clip_id: clip for clip in clips}))
    if not examples:
        raise UserError(f"fig03: the split `{split}` has no clip with sound; see coverage.csv")
    save(draw(examples, measured["all"][1] if measured else {}), output)


def _by_class(clips: list[Judged]) -> dict[str, tuple[int, dict[str, Interval]]]:
    """{class or `all`: (clips, measures)}."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for clip in clips:
        groups["all"].append(clip)
        groups[clip.label].append(clip)
    return {name: (len(own), _means(own)) for name, own in groups.items()}


def _loudest(rows: list[dict[str, Any]], packs: list[Path]) -> dict[str, int]:
    """The frame in the loudest second of each clip, as far as sounds are packed."""
    frames, found = {row["clip_id"]: row["n_frames"] for row in rows}, {}
    for pack in packs:
        for sample in samples(pack, Only("flac", "json")):
            key = sample["__key__"]
            if key in frames and "flac" in sample:
                wave = decoded(pack, sample, "flac", partial(decode_wave, sample_rate_hz=SAMPLE_RATE_HZ))
                found[key] = loudest_frame(wave, SAMPLE_RATE_HZ, float(clip_record(pack, sample)["fps"]), frames[key])
    return found


def _means(clips: list[Judged]) -> dict[str, Interval]:
    return {name: found for name in (*NAMES, "order") if (found := _mean(clips, _values(clips, name))) is not None}


def _mean(clips: list[Judged], values: NDArray[np.float64]) -> Interval | None:
    known = np.flatnonzero(~np.isnan(values))
    return crossed(values[known], [clips[i].label for i in known]) if len(known) else None


def _values(clips: list[Judged], name: str) -> NDArray[np.float64]:
    return np.array([clip.measures[name] for clip in clips])


ByClass = tuple[str, tuple[int, dict[str, Interval]]]


def columns(split: str) -> list[Column[ByClass]]:
    """Of fig03.csv: shares with their 95 % intervals, of each class and of all."""
    return [
        Column("class", lambda own: own[0]),
        Column("split", lambda own: split),
        Column("clips", lambda own: own[1][0]),
        *(_measure(name) for name in (*NAMES, "order")),
    ]


def _measure(name: str) -> Column[ByClass]:
    return Column(name, lambda own: own[1][1].get(name), digits=4, interval=True)


def to_quantities(clips: list[Judged], split: str) -> dict[str, Quantity | Missing]:
    """What the claims take; without the world's truth nothing can be right or wrong."""
    if not clips:
        names = ("top1", "top1_minus_mid", "top3_minus_mid", "top1_minus_random", "top1_minus_loudest")
        return dict.fromkeys(names, Missing("nobody knows when the source of a clip is seen and heard"))
    about = f"clips of the split `{split}` in which the source is seen and heard at some moment"
    top1, mid = _values(clips, "top1"), _values(clips, "mid")
    found = {
        "top1": top1,
        "top1_minus_mid": top1 - mid,
        "top3_minus_mid": _values(clips, "top3") - mid,
        "top1_minus_random": top1 - _values(clips, "random"),
        "top1_minus_loudest": top1 - _values(clips, "loudest"),
    }
    silent = Missing("the clips' sounds are not packed")
    means = {name: _mean(clips, values) for name, values in found.items()}
    return {name: Quantity.of(one, len(clips), about=about) if one else silent for name, one in means.items()}


def _examples(rows: list[dict[str, Any]], packs: list[Path], known: dict[str, Judged]) -> Iterator[Example]:
    """Clips of different classes as far as there are, in the order of the SHA-1 of their ids: none is picked by eye."""
    order = sorted(rows, key=lambda row: hashlib.sha1(row["clip_id"].encode()).hexdigest())
    wanted = {row["clip_id"]: row for row in order if not known or row["clip_id"] in known}
    labels: dict[str, str | None] = {}
    for pack in packs:
        for sample in samples(pack, Only("json")):
            labels[sample["__key__"]] = label_of(pack, sample)
    classes: list[str | None] = []
    chosen: list[str] = []
    for distinct in (True, False):
        for clip in wanted:
            if len(chosen) < EXAMPLES and clip in labels and clip not in chosen:
                if distinct and (labels[clip] is None or labels[clip] in classes):
                    continue
                chosen.append(clip)
                classes.append(labels[clip])
    shown: dict[str, Example] = {}
    for pack in packs:
        for sample in samples(pack, lambda key, suffixes: suffixes if key in chosen else None):
            key = sample["__key__"]
            row = wanted[key]
            frames = {name: decoded(pack, sample, f"{name}.jpg", decode_image) for name in ("top1", "mid")}
            shown[key] = Example(
                labels[key] or key, frames, row["scores"], {"top1": row["top"][0], "mid": row["mid"]},
                float(clip_record(pack, sample)["fps"]), known[key].right if key in known else None,
            )  # fmt: skip
    yield from (shown[clip] for clip in chosen if clip in shown)


def draw(examples: list[Example], precision: dict[str, Interval]) -> Figure:
    """Examples in three columns, each with both frames above the score over time; precisions below."""
    across = 3
    blocks = -(-len(examples) // across)
    bars = 1.25 if precision else 0.0
    heights = [0.36, 1.05, 0.62, 0.3] * blocks
    figure = Figure(figsize=(7.2, sum(heights) + bars))
    top = 1 - 0.02 / figure.get_figheight()
    bottom = (bars + 0.05) / figure.get_figheight()
    grid = cells(figure, heights, [1] * 2 * across, (0.055, bottom, 0.995, top), (0.06, 0.06))
    for i, example in enumerate(examples):
        block, column = divmod(i, across)
        row = 4 * block
        head = figure.add_subplot(grid[row, 2 * column : 2 * column + 2])
        head.axis("off")
        title = textwrap.shorten(example.label.replace("$", r"\$"), 34)
        head.text(0.5, 0.62, title, ha="center", va="bottom", fontsize=7.5)
        for j, name in enumerate(("top1", "mid")):
            _frame(figure.add_subplot(grid[row + 1, 2 * column + j]), example, name)
        _scores(figure.add_subplot(grid[row + 2, 2 * column : 2 * column + 2]), example, labelled=column == 0)
    if precision:
        height = figure.get_figheight()
        axes = figure.add_axes((0.1, 0.34 / height, 0.86, (bars - 0.44) / height))
        _bars(axes, precision)
    return figure


def _frame(axes: Any, example: Example, name: str) -> None:
    show_picture(axes, example.frames[name])
    for spine in axes.spines.values():
        spine.set_color(COLOURS[name])
        spine.set_linewidth(1.6)
    verdict = ""
    if example.right is not None:
        # A mark and a word, so that it needs no colour.
        verdict = ": \N{CHECK MARK} sounds" if example.right[example.moments[name]] else ": \N{MULTIPLICATION X} silent"
    axes.set_title(f"{NAMES[name]}{verdict}", fontsize=6.5, pad=2, color=COLOURS[name])


def _scores(axes: Any, example: Example, labelled: bool) -> None:
    times = (np.arange(len(example.scores)) + 0.5) / example.fps
    if example.right is not None:
        edges = np.flatnonzero(np.diff([0, *map(int, example.right), 0]))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            axes.axvspan(start / example.fps, end / example.fps, color="0.85", lw=0)
        if labelled:
            start, end = max(zip(edges[::2], edges[1::2], strict=True), key=lambda span: span[1] - span[0])
            axes.text(
                (start + end) / 2 / example.fps,
                0.07,
                "sounds",
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="bottom",
                fontsize=6,
                color="0.35",
            )
    axes.plot(times, example.scores, color="0.15", lw=0.9)
    for name, mark in (("top1", "o"), ("mid", "s")):
        at = example.moments[name]
        axes.plot(times[at], example.scores[at], mark, color=COLOURS[name], ms=4, mec="white", mew=0.6)
    axes.set_xlim(0, len(example.scores) / example.fps)
    axes.margins(y=0.12)  # or the best moment's mark is cut in half
    axes.set_yticks([])
    axes.tick_params(labelsize=6, length=2, pad=1.5)
    axes.set_xlabel("time (s)", fontsize=6.5, labelpad=0.5)
    if labelled:
        axes.set_ylabel("score", fontsize=7, labelpad=3)
    open_frame(axes)


def _bars(axes: Any, precision: dict[str, Interval]) -> None:
    names = [name for name in NAMES if name in precision]
    values = [100 * precision[name].value for name in names]
    error = [
        [100 * (precision[name].value - precision[name].low) for name in names],
        [100 * (precision[name].high - precision[name].value) for name in names],
    ]
    axes.barh(
        range(len(names)),
        values,
        xerr=error,
        color=[COLOURS[name] for name in names],
        height=0.66,
        error_kw={"lw": 0.9, "capsize": 2.5},
    )
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        ink = "white" if name == "top1" else "black"  # the other bars are too light for white
        axes.text(1.5, i, f"{value:.1f}", va="center", ha="left", fontsize=7, color=ink, fontweight="bold")
    axes.set_yticks(range(len(names)), [NAMES[name] for name in names], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.tick_params(labelsize=7)
    axes.set_xlabel("moments at which the source is seen and heard (%)", fontsize=7)
    open_frame(axes)


__all__ = ["columns", "draw", "run", "to_quantities"]
