"""The model as a Python object: `s2v.load("results")`, then sounds and pictures in, pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray
from torch import Tensor

from s2v.config.foreign import find
from s2v.config.methods import METHODS
from s2v.control import latent, waveform
from s2v.errors import UserError
from s2v.files import read_json, read_parquet
from s2v.media.ffmpeg import ffmpeg_path
from s2v.media.picture import from_unit, read_image, to_tensor, to_unit
from s2v.media.sounds import read_sound
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window, to_float
from s2v.methods import Composed, Sources, clip_seed
from s2v.methods.renderers import Inversion

if TYPE_CHECKING:
    from s2v.config import SamplerConfig
    from s2v.models.audio_encoder import AudioEncoder

Sound = str | Path | Tensor | tuple[NDArray[np.float32] | NDArray[np.int16] | Tensor, int]
"""A file; a waveform [N] at 16 kHz; or a waveform [N] (or [C, N]) and its rate in Hz. Floats lie in [-1, 1]."""

Picture = str | Path | NDArray[np.uint8] | Tensor
"""A file; uint8 [H, W, 3]; or a uint8 tensor [3, H, W]."""

LONGEST_S = 3600.0
SHIPPED = Path(__file__).parent / "shipped"
"""The model that comes with the package: of the embedded world, trained by configs/shipped.yaml."""
RESULTS = Path("results")


def default_run() -> Path:
    """`results` where a run is finished there, else the model that comes with the package."""
    parts = METHODS["sound2vision"].parts.values()
    return RESULTS if all((RESULTS / part / "model.safetensors").is_file() for part in parts) else SHIPPED


class Model:
    """An audio encoder, an image encoder and a generator of a finished run.

    Args:
        run: output folder of the run, or an exported model (`s2v export`); None is `default_run`.
        method: one that hears, such as sound2vision or sound2vision_ldm.
        window_s: seconds of a sound that are heard; None is what the audio encoder learned with.
        truncation: truncated noise of the GAN; 0 is off.
        sampler: how the latent diffusion model draws; None takes its defaults.
        device: of torch.
        ffmpeg: bundled, system, or a path.

    Raises:
        UserError: the method does not hear, or the run lacks one of its parts.
    """

    def __init__(
        self,
        run: str | Path | None = None,
        method: str = "sound2vision",
        *,
        window_s: float | None = None,
        truncation: float = 0.0,
        sampler: SamplerConfig | None = None,
        device: torch.device | str = "cpu",
        ffmpeg: str = "bundled",
    ) -> None:
        from s2v.config import GenerateConfig, SamplerConfig

        self.run, self.ffmpeg = Path(run) if run is not None else default_run(), ffmpeg
        entry = find(method)
        parts = {part: self.run / folder for part, folder in entry.parts.items()}
        if entry.source or "align" not in parts or "encoder" not in parts:
            raise UserError(f"method {method!r} does not hear; take sound2vision or sound2vision_ldm")
        self.weights = {part: folder / "model.safetensors" for part, folder in parts.items()}
        for file in self.weights.values():
            if not file.is_file():
                hint = "`snakemake --cores all` makes one"
                raise UserError(f"{self.run}: no finished run (no {file.relative_to(self.run)}); {hint}")
        audio = read_json(parts["align"] / "config.json")["audio"]
        self.window_s = float(window_s or audio["window_s"])
        config = GenerateConfig(window_s=self.window_s, truncation=truncation, ldm=sampler or SamplerConfig())
        self.method = Composed(entry, Sources(config, parts, device=device))

    @property
    def name(self) -> str:
        """Its folder, or that it is the one that comes with s2v."""
        return "shipped" if self.run == SHIPPED else str(self.run)

    @property
    def about(self) -> str:
        """Which model this is, in a line for people."""
        if self.run != SHIPPED:
            return f"model: {self.run}"
        known = ", ".join(self.classes)
        return f"model: the one that comes with s2v; it knows these sounds of the embedded world only: {known}"

    @property
    def classes(self) -> list[str]:
        """Names of the classes that alignment learned from; none where its data has none."""
        if (self.run / "s2v.json").is_file():
            return [str(name) for name in read_json(self.run / "s2v.json").get("classes", [])]
        rows = (row for path in sorted((self.run / "manifest").glob("*.parquet")) for row in read_parquet(path))
        return sorted({str(row["label"]) for row in rows if row["split"] == "train" and row["label"] is not None})

    @property
    def f_a(self) -> AudioEncoder:
        """Its audio encoder."""
        f_a = self.method.f_a
        assert f_a is not None, "a model hears"
        return f_a

    @property
    def dim(self) -> int:
        """D, size of a feature."""
        return self.method.dim

    @property
    def resolution(self) -> int:
        """R, side of the pictures."""
        return self.method.resolution

    def sound(self, source: Sound, start_s: float = 0.0, limit_s: float | None = None) -> Tensor:
        """A waveform float [N] at 16 kHz in [-1, 1], at the level that it has.

        Args:
            source: the sound.
            start_s: second at which to begin.
            limit_s: seconds of a file that are read; None is a little more than are heard.

        Raises:
            UserError: a file has no sound that can be read, or ends before `start_s`.
        """
        if isinstance(source, (str, Path)):
            limit_s = min(LONGEST_S, start_s + self.window_s + 1) if limit_s is None else limit_s
            wave = read_sound(source, ffmpeg=ffmpeg_path(self.ffmpeg), limit_s=limit_s)
        elif isinstance(source, Tensor):
            wave = to_float(source)
        else:
            values, rate = source
            wave = to_float(torch.as_tensor(np.asarray(values)))
            wave = wave.mean(0) if wave.ndim == 2 else wave
            wave = torchaudio.functional.resample(wave, rate, SAMPLE_RATE_HZ) if rate != SAMPLE_RATE_HZ else wave
        wave = wave[round(start_s * SAMPLE_RATE_HZ) :]
        if wave.ndim != 1 or len(wave) == 0:
            what = source if isinstance(source, (str, Path)) else "sound"
            raise UserError(f"{what}: ends before second {start_s:g}")
        return wave

    def encode_audio(self, sounds: Sound | list[Sound]) -> Tensor:
        """Sounds -> features z^A [B, D] of unit norm; short ones are repeated to the window, long ones cut."""
        several = sounds if isinstance(sounds, list) else [sounds]
        n = round(self.window_s * SAMPLE_RATE_HZ)
        return self.method.encode_audio(torch.stack([fit_window(self.sound(one), n) for one in several]))

    def encode_image(self, pictures: Picture | list[Picture]) -> Tensor:
        """Pictures -> features z^V [B, D] of unit norm.

        Raises:
            UserError: a file is no picture.
        """
        several = pictures if isinstance(pictures, list) else [pictures]
        return torch.cat([self.method.encode_image(to_unit(self._seen(one))) for one in several])

    def _seen(self, picture: Picture) -> Tensor:
        """uint8 [1, 3, H, W]."""
        if isinstance(picture, (str, Path)):
            picture = read_image(Path(picture))
        return picture[None] if isinstance(picture, Tensor) else to_tensor([picture])

    def generate(self, z: Tensor, seed: int = 0, noises: Sequence[int] | None = None) -> Tensor:
        """Features [B, D] -> pictures uint8 [B, 3, R, R].

        Args:
            z: features, of unit norm.
            seed: the same seed gives the same pictures.
            noises: which of the seed's noises each takes; None is the first for all, as a sweep wants it. A picture
                depends on its feature, seed and noise alone, not on its batch.
        """
        own = [0] * len(z) if noises is None else list(noises)
        return from_unit(self.method.decode(z, [clip_seed(seed, str(noise)) for noise in own]))

    def mix(
        self, sounds: Sequence[Sound], gains_db: Sequence[float] | None = None, offsets_s: Sequence[float] | None = None
    ) -> Tensor:
        """Several sounds in one waveform [N] (`s2v.control.waveform.mix`)."""
        try:
            return waveform.mix([self.sound(one) for one in sounds], gains_db, offsets_s)
        except ValueError as error:
            raise UserError(f"mix: {error}") from error

    def volumes(self, sound: Sound, gains_db: Sequence[float]) -> Tensor:
        """A sound at several gains [len(gains_db), N]."""
        wave = self.sound(sound)
        return torch.stack([waveform.gain(wave, db) for db in gains_db])

    def invert(self, picture: Picture, steps: int | None = None) -> Inversion:
        """Noise and feature that a picture could have come from (paper 5.2).

        Args:
            picture: it.
            steps: of the search; None is the renderer's own number (150 of Adam for the GAN, 100 of DDIM for the LDM).
        """
        renderer = self.method.renderer
        return renderer.invert(self.method.f_v, self._seen(picture)[0], steps or renderer.inversion_steps)

    def edit(
        self,
        picture: Picture | Inversion,
        sound: Sound,
        weights: Sequence[float],
        soft_db: float = -24.0,
        loud_db: float = 0.0,
    ) -> Tensor:
        """A picture moved along the direction from a soft to a loud version of a sound (paper 5.2, Fig. 13).

        Args:
            picture: it, or its inversion, which takes seconds.
            sound: the one whose volume makes the direction.
            weights: lambda of each result; 0 is the inverted picture, above 0 is louder.
            soft_db: gain of the soft version.
            loud_db: of the loud one.

        Returns:
            Pictures uint8 [len(weights), 3, R, R], with the noise of the inversion.
        """
        found = picture if isinstance(picture, Inversion) else self.invert(picture)
        soft, loud = self.encode_audio(list(self.volumes(sound, [soft_db, loud_db])))
        return self.method.renderer.redraw(found, latent.move(found.z, soft, loud, weights))

    def interpolate(self, picture: Picture, sound: Sound, weights: Sequence[float]) -> Tensor:
        """Features [len(weights), D] between a picture (1) and a sound (0) (`s2v.control.latent.interpolate`)."""
        return latent.interpolate(self.encode_image(picture)[0], self.encode_audio(sound)[0], weights)

    def compose(self, picture: Picture, sound: Sound, weights: Sequence[float], seed: int = 0) -> Tensor:
        """A picture and a sound as two conditions at once (composable diffusion; paper 6.1, Fig. 19; LDM only).

        Args:
            picture: the one condition.
            sound: the other.
            weights: of the picture; that of the sound is what is left to 1.
            seed: of the noise, one for all.

        Returns:
            Pictures uint8 [len(weights), 3, R, R].
        """
        z_v, z_a = self.encode_image(picture), self.encode_audio(sound)
        ldm = self.method.renderer.latent_diffusion()
        return torch.cat([ldm.compose(z_v, z_a, weight, seed) for weight in weights])

    def renoise(self, picture: Picture, sound: Sound, strengths: Sequence[float], seed: int = 0) -> Tensor:
        """A picture noised in part and drawn anew under the mean of its feature and a sound's, as the paper's authors'
        code does it (LDM only).

        Args:
            picture: where it begins.
            sound: what is put in.
            strengths: share of the drawing that is done anew; 0 is the picture.
            seed: of the noise, one for all.

        Returns:
            Pictures uint8 [len(strengths), 3, R, R].
        """
        z = self.interpolate(picture, sound, [0.5])
        images, ldm = self._seen(picture), self.method.renderer.latent_diffusion()
        return torch.cat([ldm.renoise(images, z, strength, seed) for strength in strengths])


def load(run: str | Path | None = None, method: str = "sound2vision", **settings: object) -> Model:
    """The model of a finished run or an exported one, by default `default_run`; for settings see `Model`."""
    return Model(run, method, **settings)  # type: ignore[arg-type]


__all__ = ["SHIPPED", "Model", "Picture", "Sound", "default_run", "load"]
