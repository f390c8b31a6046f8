"""Stage `fig05`: what of the sound the pictures come from (paper 4.2, Fig. 5), and how much of it is the source's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from s2v.data.reader import read_waves
from s2v.errors import UserError
from s2v.evaluate.attention import column_times_s, grad_cam, share, sounding
from s2v.evaluate.crossed import crossed
from s2v.evaluate.quantities import Missing, Quantity, write_quantities
from s2v.files import read_parquet
from s2v.media.picture import from_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods.base import clip_seed, noise
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.biggan import Generator
from s2v.models.image_encoder import unit
from s2v.models.store import load
from s2v.report.canvas import bare, cells, save, wrapped
from s2v.report.panels import enlarge, plan, show_picture
from s2v.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig
    from s2v.model import Model

BATCH = 16
ACROSS = 6
MAX_SHOWN = 12
HEAT = "RdYlBu_r"
"""From blue to red as in the paper; of ColorBrewer's that the colour-blind tell apart."""

ALL_THE_TIME = 0.98
"""A clip that sounds for more than this share of the window says nothing: chance is all of it."""


@dataclass(frozen=True)
class Seen:
    """A sound, what of it was attended to, the picture, and when its source truly sounds (None where unknown)."""

    clip: str
    spectrogram: NDArray[np.float32]
    heat: NDArray[np.float32]
    picture: Tensor
    truth: NDArray[np.bool_] | None


def run(
    *,
    packs: list[Path],
    align_dir: Path,
    generator_dir: Path,
    window_s: float,
    seed: int,
    truth: Path | None,
    score: str,
    output: Path,
    quantities: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Draw fig05.png, one sound of each class (which one follows from the clips' ids), and measure all test clips.

    Quantities, over clips that do not sound all the time: `share` of the map's sum that lies where the source sounds,
    `chance` (that share of time), `share_minus_chance`, and the same of loudness alone (`loudness_minus_chance`: the
    spectrogram's mean over frequency above its quietest moment), which is what a map would give that follows level and
    nothing else.

    Args:
        packs: shards of the test split.
        align_dir: of f_A.
        generator_dir: of G.
        window_s: of a sound that is heard.
        seed: of generation.
        truth: the world's; without it nothing is measured.
        score: a name of `s2v.evaluate.attention.SCORES`.
        output: PNG.
        quantities: JSON of `s2v.evaluate.quantities`.
        runtime: device.
        threads: of torch on the CPU.

    Raises:
        UserError: the split has no sound.
    """
    place = Runtime.from_config(runtime, threads)
    waves, keys, labels = read_waves(packs, SAMPLE_RATE_HZ)
    if not keys:
        raise UserError("fig05: the test split has no sound; see coverage.csv")
    facts = {row["clip_id"]: row for row in read_parquet(truth)} if truth else {}
    strips = plan(dict(zip(keys, labels, strict=True)), 1, 1)[:MAX_SHOWN]
    wanted = {strip.sound: strip.name for strip in strips}
    seen: dict[str, Seen] = {}
    measured: list[tuple[float, float, float]] = []
    classes: list[str | None] = []
    label_of = dict(zip(keys, labels, strict=True))
    f_a, g = load(AudioEncoder, align_dir, place.device), load(Generator, generator_dir, place.device)
    model = _Model(f_a, g, window_s, seed, score, place.device, waves)
    for one in model.all(keys, facts):
        if one.truth is not None and one.truth.mean() < ALL_THE_TIME:
            measured.append(_shares(one))
            classes.append(label_of[one.clip])
        if one.clip in wanted:
            seen[one.clip] = one
    write_quantities(quantities, to_quantities(measured, classes, len(keys), score))
    shown = [(name, seen[clip]) for clip, name in wanted.items()]
    save(draw(shown, window_s), output)


def explain(model: Model, wave: Tensor, seed: int = 0) -> Seen:
    """What of one sound [N] its picture comes from.

    The score is `energy`: of a single sound there is no mean to change from.

    Args:
        model: of the GAN.
        wave: at 16 kHz.
        seed: of the picture.

    Raises:
        UserError: the model has no GAN.
    """
    g = model.method.renderer.gan()
    device = next(g.parameters()).device
    seeing = _Model(model.f_a, g, model.window_s, seed, "energy", device, [wave.numpy()])
    (one,) = seeing.all(["0"], {})
    return one


class _Model:
    """f_A and G of a run, and the sounds of a split."""

    def __init__(
        self,
        f_a: AudioEncoder,
        g: Generator,
        window_s: float,
        seed: int,
        score: str,
        device: torch.device,
        waves: Sequence[NDArray[Any]],
    ) -> None:
        self.f_a, self.g = f_a, g
        self.window_s, self.seed, self.score, self.device, self.waves = window_s, seed, score, device, waves

    def _spectrograms(self, start: int) -> Tensor:
        n = round(self.window_s * SAMPLE_RATE_HZ)
        some = self.waves[start : start + BATCH]
        wave = torch.stack([fit_window(torch.from_numpy(wave), n) for wave in some])
        return self.f_a.spectrogram(wave.to(self.device), self.window_s)

    @torch.no_grad()
    def _mean_feature(self) -> Tensor:
        """Of the split's sounds, at unit norm."""
        z = torch.cat([unit(self.f_a(self._spectrograms(i))) for i in range(0, len(self.waves), BATCH)])
        return unit(z.mean(0, keepdim=True))

    def all(self, keys: list[str], facts: dict[str, dict[str, Any]]) -> Any:
        """Every sound, in order."""
        middle, audio = self._mean_feature(), self.f_a.audio
        for i in range(0, len(keys), BATCH):
            spectrogram, some = self._spectrograms(i), keys[i : i + BATCH]
            eps = noise([clip_seed(self.seed, key) for key in some], self.g.dim_z).to(self.device)

            def decode(z: Tensor, eps: Tensor = eps) -> Tensor:
                picture: Tensor = self.g(eps, z)
                return picture

            with torch.no_grad():
                reference = decode(middle.expand(len(some), -1))
                pictures = from_unit(decode(unit(self.f_a(spectrogram))).clamp(-1, 1).cpu())
            heat = grad_cam(self.f_a, decode, spectrogram, reference, self.score).cpu()
            times = column_times_s(spectrogram.shape[-1], audio["n_fft"], audio["hop"], audio["sample_rate_hz"])
            for j, key in enumerate(some):
                fact = facts.get(key)
                where = sounding(times, fact["intervals"], fact["duration_s"]) if fact else None
                yield Seen(key, spectrogram[j].cpu().numpy(), heat[j].numpy(), pictures[j], where)


def _shares(one: Seen) -> tuple[float, float, float]:
    """(share of attention, of loudness, of time) at which the source sounds."""
    assert one.truth is not None
    level = one.spectrogram.mean(0).astype(np.float64)
    attention = one.heat.sum(0).astype(np.float64)
    return share(attention, one.truth), share(level - level.min(), one.truth), float(one.truth.mean())


def to_quantities(
    measured: list[tuple[float, float, float]], classes: list[str | None], clips: int, score: str
) -> dict[str, Quantity | Missing]:
    """Means over clips with intervals; without the world's truth there is nothing to attend to."""
    names = ("share", "chance", "share_minus_chance", "loudness_minus_chance", "share_minus_loudness")
    if not measured:
        return dict.fromkeys(names, Missing("nobody knows when the source of a clip sounds, or all sound all the time"))
    attention, loudness, chance = np.array(measured).T
    about = (
        f"{len(measured)} of {clips} test clips, those that do not sound all the time; score {score}; "
        f"attention {100 * attention.mean():.1f} %, loudness alone {100 * loudness.mean():.1f} %, chance "
        f"{100 * chance.mean():.1f} %"
    )
    values = (attention, chance, attention - chance, loudness - chance, attention - loudness)
    return {
        name: Quantity.of(crossed(value, classes), len(measured), about=about)
        for name, value in zip(names, values, strict=True)
    }


def draw(shown: list[tuple[str, Seen]], window_s: float) -> Figure:
    """Columns of sounds in blocks of `ACROSS`: name, spectrogram with attention, truth, picture."""
    across = min(ACROSS, len(shown))
    blocks = -(-len(shown) // across)
    heights = [0.3, 1.0, 0.09, 0.3, 1.0] * blocks
    width = max(2.2, 0.47 + 0.61 + 1.02 * across)
    figure = Figure(figsize=(width, 1.12 * sum(heights)))
    edges = (0.47 / width, 0.012, 1 - 0.61 / width, 0.995)
    grid = cells(figure, heights, [1] * across, edges, (0.08, 0.06))
    for i, (name, one) in enumerate(shown):
        block, column = divmod(i, across)
        top = block * 5
        head = figure.add_subplot(grid[top, column])
        head.axis("off")
        title = wrapped(name, 17, 2)
        head.text(0.5, 0.05, title, ha="center", va="bottom", fontsize=7, linespacing=0.95)
        axes = figure.add_subplot(grid[top + 1, column])
        _heat(axes, one, window_s, labelled=column == 0)
        _truth(figure.add_subplot(grid[top + 2, column]), one, window_s, labelled=column == 0)
        show_picture(figure.add_subplot(grid[top + 4, column]), enlarge(one.picture))
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), HEAT),
        alpha=0.75,
        cax=figure.add_axes((1 - 0.5 / width, 0.35, 0.085 / width, 0.3)),
    )
    bar.set_label("attention (relative)", fontsize=7)
    bar.ax.tick_params(labelsize=6)
    return figure


def heat_figure(one: Seen, window_s: float) -> Figure:
    """One sound alone: its spectrogram with what was attended to."""
    figure = Figure(figsize=(5.2, 2.3), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    _heat(axes, one, window_s, labelled=True)
    axes.set_xticks([0, window_s / 2, window_s])
    axes.set_xlabel("time (s)", fontsize=7, labelpad=1)
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), HEAT), ax=axes, alpha=0.75, pad=0.02)
    bar.set_label("attention (relative)", fontsize=7)
    bar.ax.tick_params(labelsize=6)
    return figure


def _heat(axes: Any, one: Seen, window_s: float, labelled: bool) -> None:
    extent = (0.0, window_s, 0.0, SAMPLE_RATE_HZ / 2000)
    low, high = np.quantile(one.spectrogram, [0.05, 0.999])
    axes.imshow(
        one.spectrogram, origin="lower", aspect="auto", cmap="gray", vmin=low, vmax=max(high, low + 1e-3), extent=extent
    )
    axes.imshow(one.heat, origin="lower", aspect="auto", cmap=HEAT, vmin=0, vmax=1, alpha=0.5, extent=extent)
    axes.set_xticks([])
    axes.set_yticks([0, 4, 8] if labelled else [])
    axes.tick_params(labelsize=6, length=2, pad=1.5)
    if labelled:
        axes.set_ylabel("frequency (kHz)", fontsize=6.5, labelpad=1)


def _truth(axes: Any, one: Seen, window_s: float, labelled: bool) -> None:
    bare(axes)
    axes.set_xlim(0, window_s)
    axes.set_xticks([0, window_s / 2, window_s])
    axes.set_xticklabels([f"{t:g}" for t in (0, window_s / 2, window_s)])
    axes.tick_params(labelsize=6, length=2, pad=1.5)
    if labelled:
        axes.set_xlabel("time (s)", fontsize=6.5, labelpad=0.5)
    if one.truth is not None:
        axes.imshow(
            one.truth[None],
            aspect="auto",
            cmap="Greys",
            vmin=0,
            vmax=1.25,
            extent=(0.0, window_s, 0.0, 1.0),
            interpolation="nearest",
        )
        if labelled:
            axes.set_ylabel("source", fontsize=6, rotation=0, ha="right", va="center", labelpad=2)


__all__ = ["Seen", "draw", "explain", "heat_figure", "run", "to_quantities"]
