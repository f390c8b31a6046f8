"""Stage `fig21`: speech together with another sound in one picture (paper 6.2, Fig. 21), of the embedded speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from s2v.control.latent import interpolate
from s2v.data.reader import read_waves
from s2v.errors import UserError
from s2v.evaluate.both_named import Pairs, Told, both_named, measure
from s2v.evaluate.quantities import Measured, Quantity, write_quantities
from s2v.files import read_parquet, write_text
from s2v.media.picture import from_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods import Sources, clip_seed, load_method
from s2v.models.face_reader import FaceReader
from s2v.models.store import load
from s2v.report.canvas import bare, cells, save
from s2v.report.faces import METHOD, WARNING
from s2v.report.findings import what_was_found
from s2v.report.tabular import Column, bullets, page, to_markdown, write_csv
from s2v.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import GenerateConfig, RuntimeConfig
    from s2v.methods import Method

WEIGHTS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0)
"""lambda of the environment's sound, from speech alone to it alone."""
ROWS = 5
AT_ONCE = 64


def run(
    *,
    speech: Mapping[str, list[Path]],
    scenes: Mapping[str, list[Path]],
    truth: Path,
    parts: Mapping[str, Path],
    scenes_align: Path,
    reader_dir: Path,
    generate: GenerateConfig,
    bootstrap: int,
    csv: Path,
    markdown: Path,
    quantities: Path,
    figure: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Mix, look, and draw. The weight is chosen on `val` as the one at which both are named most often.

    Args:
        speech: packed clips of people, `val` and `test`.
        scenes: packed clips of scenes, `val` and `test`. Both may be the same shards.
        truth: of the embedded speakers.
        parts: the trained things of `METHOD`, which hears speech.
        scenes_align: f_A that hears scenes.
        reader_dir: the evaluator.
        generate: how pictures are drawn; of its seeds the first.
        bootstrap: resamples.
        csv: a row a weight.
        markdown: the same for people, with what was found of the claims.
        quantities: those that claims take.
        figure: Figure 21.
        runtime: device.
        threads: of torch on the CPU.

    Raises:
        UserError: there is no clip of a person or of a scene.
    """
    place = Runtime.from_config(runtime, threads)
    reader = load(FaceReader, reader_dir, place.device)
    known = {row["clip_id"]: row for row in read_parquet(truth)}
    n = round(generate.window_s * SAMPLE_RATE_HZ)
    packs = [path for paths in speech.values() for path in paths]
    voice, scene = (
        load_method(METHOD, Sources(generate, own, packs, device=place.device))
        for own in (parts, {**parts, "align": scenes_align})
    )
    seed = generate.seeds[0]
    mixed = {
        split: _Mixed.of(_clips(speech[split], known, people=True), _clips(scenes[split], known, people=False), seed)
        for split in ("val", "test")
    }
    for one in mixed.values():
        one.hear(voice, scene, n)
    weight = max(
        WEIGHTS[1:-1], key=lambda w: both_named(reader.look(mixed["val"].draw(voice, w)), mixed["val"].pairs).mean()
    )
    test = mixed["test"]
    images = {w: test.draw(voice, w) for w in WEIGHTS}
    told = [measure(reader.look(images[w]), test.pairs, w, bootstrap, seed) for w in WEIGHTS]
    measured = quantities_of(told, weight, str(reader.about["label"]))
    write_csv(csv, COLUMNS, told)
    write_text(markdown, described(told, measured, weight, len(set(test.pairs.people)), str(reader.about["label"])))
    write_quantities(quantities, measured)
    save(draw(images, test, weight), figure)


@dataclass
class _Clip:
    key: str
    wave: Tensor
    row: dict[str, object]


def _clips(packs: list[Path], known: Mapping[str, dict[str, object]], people: bool) -> list[_Clip]:
    """Those of people whose sound is new, or those of scenes, by name."""
    waves, keys, _ = read_waves(packs, SAMPLE_RATE_HZ)
    found = [_Clip(key, torch.from_numpy(wave), known[key]) for key, wave in zip(keys, waves, strict=True)]
    wanted = [one for one in found if (one.row["person"] is not None) == people and not one.row["vintage"]]
    if not wanted:
        raise UserError(
            f"fig21: no clip of {'a person' if people else 'a scene'} in {packs[0].parent}; give more of them in "
            f"data.speakers.{'people' if people else 'scene_clips'}"
        )
    return sorted(wanted, key=lambda one: one.key)


@dataclass
class _Mixed:
    """Each clip of speech with one of a scene, all scenes alike often."""

    speech: list[_Clip]
    scenes: list[_Clip]
    pairs: Pairs
    seed: int
    z_speech: Tensor | None = None
    z_scene: Tensor | None = None

    @classmethod
    def of(cls, speech: list[_Clip], scenes: list[_Clip], seed: int) -> _Mixed:
        rng = np.random.default_rng([seed, 21])
        names = sorted({str(one.row["scene"]) for one in scenes})
        wanted = rng.permutation(np.resize(np.array(names), len(speech))).tolist()
        chosen = [rng.choice([i for i, one in enumerate(scenes) if one.row["scene"] == name]) for name in wanted]
        women = np.array([one.row["sex"] == "woman" for one in speech])
        pairs = Pairs([str(one.row["person"]) for one in speech], women, wanted)
        return cls(speech, [scenes[i] for i in chosen], pairs, seed)

    def hear(self, voice: Method, scene: Method, n: int) -> None:
        """z^A of both, each of its own audio encoder."""
        self.z_speech, self.z_scene = (
            torch.cat([
                method.encode_audio(torch.stack([fit_window(one.wave, n) for one in clips[a : a + AT_ONCE]]))
                for a in range(0, len(clips), AT_ONCE)
            ])
            for method, clips in ((voice, self.speech), (scene, self.scenes))
        )  # fmt: skip

    def draw(self, method: Method, weight: float) -> Tensor:
        """Pictures uint8 [N, 3, R, R] of z^new = lambda z_E + (1 - lambda) z_S; a pair's noise is always the same."""
        assert self.z_speech is not None and self.z_scene is not None
        z = torch.cat([
            interpolate(scene, speech, [weight]) for scene, speech in zip(self.z_scene, self.z_speech, strict=True)
        ])  # fmt: skip
        seeds = [clip_seed(self.seed, one.key) for one in self.speech]
        parts = [method.decode(z[a : a + AT_ONCE], seeds[a : a + AT_ONCE]) for a in range(0, len(z), AT_ONCE)]
        return from_unit(torch.cat(parts))


COLUMNS: list[Column[Told]] = [
    Column("lambda", lambda one: one.weight, 1),
    Column("face", lambda one: one.face, 3, interval=True),
    Column("sex", lambda one: one.sex, 3, interval=True),
    Column("scene", lambda one: one.scene, 3, interval=True),
    Column("both", lambda one: one.both, 3, interval=True),
    Column("shuffled", lambda one: one.shuffled, 3, "of other pairs", interval=True),
    Column("difference", lambda one: one.difference, 3, interval=True),
    Column("pairs", lambda one: one.pairs, 0),
]


def quantities_of(told: Sequence[Told], weight: float, reader: str) -> dict[str, Quantity]:
    """How often both are named at the chosen weight, less how often those of other pairs are."""
    (one,) = [one for one in told if one.weight == weight]
    return {"both": Quantity.of(one.difference, one.pairs, about=f"lambda {weight:g}; evaluator {reader}")}


def described(told: Sequence[Told], measured: Measured, weight: float, people: int, reader: str) -> str:
    """fig21.md."""
    facts = [
        f"Data set: embedded speakers and scenes (docs/faces.md); {told[0].pairs} pairs of a test clip of one of "
        f"{people} people, none of old film, and one of a scene.",
        "z^new = lambda z_E + (1 - lambda) z_S of the environment's sound and of speech, each of an audio encoder of "
        f"its own (paper 6.2). lambda {weight:g} was chosen on `val`; the paper's differs from example to example.",
        f"Evaluator: {reader}.",
        "Shares of the pairs [95 % bootstrap interval over people]: a face is seen; it has the speaker's sex; the "
        "scene is the sound's; both of these. Of other pairs: the same pictures and the words of other pairs.",
        "The paper shows examples and has no numbers.",
        WARNING,
    ]
    return page("# Figure 21: speech and environment in one picture", bullets(facts), to_markdown(COLUMNS, told),
                what_was_found("fig21", measured))  # fmt: skip


def draw(images: Mapping[float, Tensor], mixed: _Mixed, weight: float) -> Figure:
    """A row a pair, the first of each scene: the environment alone, both at several weights, speech alone."""
    shown: list[int] = []
    for name in sorted(set(mixed.pairs.scenes)):
        groups = [mixed.speech[i].row["class"] for i in shown]
        own = [i for i, scene in enumerate(mixed.pairs.scenes) if scene == name]
        shown.append(next((i for i in own if mixed.speech[i].row["class"] not in groups), own[0]))
    shown = shown[:ROWS]
    near = sorted(sorted(WEIGHTS[1:-1], key=lambda w: abs(w - weight))[:3], reverse=True)
    weights, side, label = [1.0, *near, 0.0], 1.05, 1.0
    widths, heights = [label, *[side] * len(weights), label], [0.22, *[side] * len(shown)]
    figure = Figure(figsize=(sum(widths) * 1.03, sum(heights) * 1.03))
    grid = cells(figure, heights, widths, (0.002, 0.004, 0.998, 0.998), (0.04, 0.04))

    def text(row: int, column: int, words: str, side: str) -> None:
        axes = figure.add_subplot(grid[row, column])
        axes.axis("off")
        x = {"right": 0.95, "left": 0.05, "center": 0.5}[side]
        axes.text(x, 0.5, words, ha=side, va="center", fontsize=8)

    for column, one in enumerate(weights, 1):
        title = {1.0: "environment", 0.0: "speech"}.get(one, rf"$\lambda$ = {one:g}")
        text(0, column, title, "center")
    for row, i in enumerate(shown, 1):
        text(row, 0, mixed.pairs.scenes[i].replace(" ", "\n"), "right")
        text(row, len(weights) + 1, str(mixed.speech[i].row["class"]).replace(" in ", "\nin "), "left")
        for column, one in enumerate(weights, 1):
            axes = figure.add_subplot(grid[row, column])
            axes.imshow(images[one][i].permute(1, 2, 0).numpy(), interpolation="lanczos")
            bare(axes)
    return figure


__all__ = ["COLUMNS", "described", "draw", "quantities_of", "run"]
