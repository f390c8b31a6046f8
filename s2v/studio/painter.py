"""What the page does, without the page: a request of somebody's files and sliders, checked, becomes pictures."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from s2v.control.heard import heard
from s2v.control.limits import GAINS_DB
from s2v.control.sheets import write, write_recipe
from s2v.control.training_frames import Frames
from s2v.errors import UserError
from s2v.files import sha256
from s2v.media.diagnosis import one_line
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.model import Model
from s2v.model_source import ModelSource
from s2v.report.canvas import save
from s2v.report.fig05 import explain, heat_figure
from s2v.world import class_names

SOUNDS = 4
NEAREST = 4
PX = 192
HEARD_DPI = 120
SWEEP_EVERY_S, KEPT_S = 60, 540
"""What is older than the latter is removed at each sweep, so nothing is there for more than ten minutes."""


@dataclass(frozen=True)
class Limits:
    """What the page takes.

    Attributes:
        upload_mb: largest file, in MiB.
        total_mb: of all that was uploaded or made and is still there.
        sound_s: longest sound.
        pictures: most pictures at once.
    """

    upload_mb: int = 50
    total_mb: int = 500
    sound_s: float = 600.0
    pictures: int = 16


@dataclass(frozen=True)
class Request:
    """What somebody asks for.

    Attributes:
        sounds: up to `SOUNDS` files.
        gains_db: of each.
        picture: to blend in.
        weight: of that picture; 1 is the picture alone.
        generator: one of the model's.
        seed: of the noise.
        n: how many pictures.
    """

    sounds: Sequence[Path]
    gains_db: Sequence[float]
    picture: Path | None = None
    weight: float = 0.5
    generator: str = "gan"
    seed: int = 0
    n: int = 4

    def command(self, names: Sequence[str], picture: str | None, px: int, model: str | None, output: str) -> list[str]:
        """The command line that does the same, with files of these names, of a published model where one is named."""
        if len(names) == 1:
            words = ["s2v", "generate", names[0], "--gain", f"{self.gains_db[0]:g}"]
        else:
            words = ["s2v", "mix", *names]
            for db in self.gains_db:
                words += ["--gain", f"{db:g}"]
        if picture is not None:
            words += ["--picture", picture, "--lambda", f"{self.weight:g}"]
        words += ["--n", str(self.n), "--seed", str(self.seed), "--generator", self.generator, "--px", str(px)]
        words += [] if model is None else ["--model", model]
        return [*words, "-o", output]


@dataclass(frozen=True)
class Painted:
    """What comes of it, as files: pictures, the spectrogram with what the GAN attended to (None where there is no GAN),
    the nearest training frames, what can be saved; and a line for people."""

    pictures: list[Path]
    heard: Path | None
    nearest: list[Path]
    sheet: Path
    recipe: Path
    words: str


class Painter:
    """The models of a run, and what is asked of them.

    Args:
        run: as of `s2v.model.Model`.
        limits: what is taken.
        device: as of `s2v.model.Model`.
    """

    def __init__(
        self, run: str | Path | None = None, limits: Limits | None = None, device: torch.device | str = "auto"
    ) -> None:
        self.run, self.limits, self.device = run, limits or Limits(), device
        self.source = ModelSource.of(run)
        self.generators = list(self.source.generators) or ["gan"]  # of which it is then said what is lacking
        self.models: dict[str, Model] = {}
        self.first = self._model(self.generators[0])
        self.frames = Frames.of(self.source.folder)

    @property
    def world_classes(self) -> list[str]:
        """Classes of the embedded world that the model knows: sounds of them can be made to try it."""
        return sorted(set(self.source.classes).intersection(class_names()))

    def paint(self, request: Request, folder: Path) -> Painted:
        """Do it; files are written into a new folder under `folder`.

        Raises:
            UserError: something of the request cannot be done; the message says what, in words.
        """
        model = self._model(request.generator)
        if not 1 <= len(request.sounds) <= SOUNDS:
            raise UserError(f"{len(request.sounds)} sounds: give one, and up to {SOUNDS - 1} more to mix")
        if not (isinstance(request.n, int) and 1 <= request.n <= self.limits.pictures):
            raise UserError(f"{_short(request.n)} pictures: at most {self.limits.pictures} are made at once")
        if not (isinstance(request.seed, int) and 0 <= request.seed < 2**31):
            raise UserError(f"seed {_short(request.seed)}: give a whole number from 0 to {2**31 - 1}")
        for what, value, low, high in (
            *(("gain", db, *GAINS_DB) for db in request.gains_db), ("lambda", request.weight, 0.0, 1.0)
        ):  # fmt: skip
            if not (isinstance(value, (int, float)) and low <= value <= high):
                raise UserError(f"{what} {_short(value)}: give a number from {low:g} to {high:g}")
        waves = [self._sound(model, path) for path in request.sounds]
        wave = model.mix(waves, request.gains_db)
        z = model.encode_audio(wave)
        shown = request.picture
        if shown is not None:
            self._size(shown)
            z = self._in_words(shown, lambda: model.interpolate(shown, wave, [request.weight]))
        made = model.generate(z.expand(request.n, -1), request.seed, range(request.n))
        # No two requests have a file of the same name: Gradio keeps one for those of the same name and content, and
        # would give it to somebody before it is whole.
        token = secrets.token_hex(4)
        place = folder / token
        place.mkdir(mode=0o700)
        sheet = place / f"s2v-{token}.png"
        px = max(PX, model.resolution)
        write(made, sheet, px)
        names = [one_line(path.name, 100) for path in request.sounds]
        picture = None if request.picture is None else one_line(request.picture.name, 100)
        published = self.source.name if self.source.published else None
        command = request.command(names, picture, px, published, sheet.name)
        files = [*request.sounds, *([request.picture] if request.picture else [])]
        said = heard(model, list(zip(names, waves, strict=True)), ("what is heard", wave))
        recipe = write_recipe(sheet, command, model, {
            "files": {one_line(path.name, 100): sha256(path) for path in files}, "seed": request.seed,
            "gains_db": list(request.gains_db), "lambda": request.weight if request.picture else None,
            **said,
        })  # fmt: skip
        words = "".join(f"{line}. " for lines in said.values() for line in lines)
        near = _files(self._nearest(model, z[0]), place, f"near-{token}", PX)
        return Painted(
            _files(made, place, f"picture-{token}", px),
            self._heard(wave, request.seed, place / f"heard-{token}.png"), near, sheet, recipe,
            f"{words}The same again: `{shlex.join(command)}`",
        )  # fmt: skip

    def _heard(self, wave: Tensor, seed: int, output: Path) -> Path | None:
        if "gan" not in self.generators:
            return None
        gan = self._model("gan")
        save(heat_figure(explain(gan, wave, seed), gan.window_s), output, HEARD_DPI)
        return output

    def _model(self, generator: str) -> Model:
        if generator not in self.generators:
            raise UserError(f"generator {generator!r}: this model has {', '.join(self.generators)}")
        if generator not in self.models:
            method = self.source.generators.get(generator)
            self.models[generator] = Model(self.run, method, device=self.device)
        return self.models[generator]

    def _size(self, path: Path) -> None:
        if path.stat().st_size > self.limits.upload_mb * 2**20:
            raise UserError(f"{one_line(path.name, 100)}: larger than {self.limits.upload_mb} MB")

    def _sound(self, model: Model, path: Path) -> Tensor:
        self._size(path)
        longest = self.limits.sound_s
        wave = self._in_words(path, lambda: model.sound(path, limit_s=longest + 1))
        if len(wave) > longest * SAMPLE_RATE_HZ:
            raise UserError(f"{one_line(path.name, 100)}: longer than {longest / 60:g} minutes; give a part of it")
        return wave

    def _in_words(self, path: Path, do: Callable[[], Tensor]) -> Tensor:
        """Errors name the file as its owner does, without the folder where it lies here."""
        try:
            return do()
        except UserError as error:
            raise UserError(str(error).replace(str(path), one_line(path.name, 100))) from error

    def _nearest(self, model: Model, z: Tensor) -> Tensor:
        # They are in the space of the GAN's f_V; the other generator has one of its own.
        if self.frames is None or model is not self.models.get("gan"):
            return torch.empty(0, 3, PX, PX, dtype=torch.uint8)
        return self.frames.nearest(z, NEAREST, PX)


def _short(value: object) -> str:
    """Of whatever somebody sent in place of a number."""
    return one_line(str(value), 40)


def _files(pictures: Tensor, folder: Path, name: str, px: int) -> list[Path]:
    """Pictures uint8 [N, 3, R, R] as a file each."""
    paths = [folder / f"{name}-{i}.png" for i in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        write(picture[None], path, px)
    return paths


__all__ = ["KEPT_S", "SOUNDS", "SWEEP_EVERY_S", "Limits", "Painted", "Painter", "Request"]
