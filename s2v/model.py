"""The model as a Python object: `s2v.load("results")`, then sounds and pictures in, pictures out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from s2v.control import latent, waveform
from s2v.control.arguments import number, numbers, seed_of, settled_device
from s2v.control.familiarity import Familiarity, KnownSounds
from s2v.errors import UserError
from s2v.files import sha256
from s2v.media import arrays
from s2v.media.ffmpeg import ffmpeg_path
from s2v.media.picture import from_unit, read_image, to_tensor, to_unit
from s2v.media.sounds import read_sound
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods import Composed, Sources, clip_seed
from s2v.methods.renderers import Inversion
from s2v.model_source import SHIPPED, ModelSource
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.hearing import audio_of

if TYPE_CHECKING:
    from s2v.config import SamplerConfig, UnclipConfig

Array = NDArray[Any] | Tensor
Sound = str | Path | Array | tuple[Array, int] | tuple[int, Array]
"""A file; a waveform [N] at 16 kHz; or a waveform [N], [C, N] or [N, C] and its rate in Hz, in either order. Types are
those of `s2v.media.arrays.waveform`."""

Picture = str | Path | Image.Image | Array
"""A file, a PIL image, an array [H, W, 3] or a tensor [3, H, W], and others of `s2v.media.arrays.picture`."""

LONGEST_S = 3600.0
LATEST_S = 1e6  # second of a file at which hearing may begin
MAX_PICTURE_BYTES = 256 * 2**20
MAX_DB, MAX_WEIGHT, MAX_STEPS = 200.0, 1e6, 10_000
BROUGHT_ALONG = {"window_s": 10.0, "n_fft": 1600}
"""Of an audio encoder that is no part of a run: as the paper's clips, and a tenth of a second at least."""


class Model:
    """An audio encoder, an image encoder and a generator.

    Args:
        run: output folder of a finished run, an exported model (`s2v export`), or the name of a published one
            (`s2v.weights.published`): paper, paper-ldm, imagebind-ldm. None is `results` where a run is finished
            there, else the model that comes with s2v.
        method: one that hears, such as sound2vision, sound2vision_ldm, sound2vision_unclip; None is the published
            model's own, else sound2vision.
        window_s: seconds of a sound that are heard; None is what the audio encoder learned with.
        truncation: truncated noise of the GAN; 0 is off.
        sampler: how the latent diffusion model draws; None takes its defaults.
        unclip: how Stable unCLIP draws, likewise.
        device: of torch; auto is CUDA where it is there.
        ffmpeg: bundled, system, or a path.

    Raises:
        UserError: the method does not hear, the run lacks one of its parts or one is damaged, a setting is out of
            range, or the device is not there.
    """

    def __init__(
        self,
        run: str | Path | None = None,
        method: str | None = None,
        *,
        window_s: float | None = None,
        truncation: float = 0.0,
        sampler: SamplerConfig | None = None,
        unclip: UnclipConfig | None = None,
        device: torch.device | str = "auto",
        ffmpeg: str = "bundled",
    ) -> None:
        from s2v.config import EmbedUnclipConfig, GenerateConfig, SamplerConfig, UnclipConfig

        self.source, self.ffmpeg = ModelSource.of(run), ffmpeg
        self.device = settled_device(device)
        entry = self.source.method(method)
        if lacking := self.source.lacking(entry):
            raise UserError(lacking)
        parts = {part: self.source.folder / folder for part, folder in entry.parts.items()}
        self.weights = {part: folder / "model.safetensors" for part, folder in parts.items()}
        audio = audio_of(parts["align"]) if "align" in parts else BROUGHT_ALONG
        shortest_s = audio["n_fft"] / SAMPLE_RATE_HZ
        wanted_s = audio["window_s"] if window_s is None else window_s
        self.window_s = number("window_s", wanted_s, shortest_s, LONGEST_S)
        try:
            config = GenerateConfig(
                window_s=self.window_s,
                truncation=truncation,
                ldm=sampler or SamplerConfig(),
                unclip=unclip or UnclipConfig(),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise UserError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        packs = sorted((self.source.folder / "pack" / "train").glob("*.tar"))  # for methods that go by training pairs
        embed = EmbedUnclipConfig()
        sources = Sources(config, parts, train_packs=packs, device=self.device, embed_unclip=embed)
        self.method = Composed(entry, sources)
        own = entry.parts.get("align")
        self.known = KnownSounds.of(self.source.folder, own) if own else None

    @property
    def name(self) -> str:
        """Its folder, or what it is called."""
        return self.source.name

    @property
    def about(self) -> str:
        """Which model this is, in a line for people."""
        return self.source.about

    @property
    def classes(self) -> list[str]:
        """Names of the classes that alignment learned from; none where its data has none."""
        return self.source.classes

    def checksums(self) -> dict[str, Any]:
        """SHA-256 of the weights that it draws with, by part; those of published ones by file, as they are noted."""
        own: dict[str, Any] = {part: sha256(file)[:16] for part, file in self.weights.items()}
        return own | ({"published": self.source.published.checksums()} if self.source.published else {})

    @property
    def f_a(self) -> AudioEncoder:
        """Its audio encoder on spectrograms.

        Raises:
            UserError: it hears with a frozen backbone.
        """
        f_a = self.method.f_a
        if not isinstance(f_a, AudioEncoder):
            raise UserError(f"{self.name}: hears with a frozen backbone; this takes the audio encoder on spectrograms")
        return f_a

    @property
    def dim(self) -> int:
        """D, size of a feature."""
        return self.method.dim

    @property
    def unit_norm(self) -> bool:
        """Whether features have unit norm; Stable unCLIP takes them as they are."""
        return self.method.renderer.unit_norm

    @property
    def resolution(self) -> int:
        """R, side of the pictures."""
        return self.method.resolution

    def sound(self, source: Sound, start_s: float = 0.0, limit_s: float | None = None) -> Tensor:
        """A waveform float [N] at 16 kHz in [-1, 1], at the level that it has.

        Args:
            source: the sound.
            start_s: second at which to begin.
            limit_s: seconds of a file that are read from there on; None is a little more than are heard.

        Raises:
            UserError: it has no sound that can be read, or ends before `start_s`.
        """
        start_s = number("start_s", start_s, 0, LATEST_S)
        if isinstance(source, str | Path):
            limit_s = min(LONGEST_S, self.window_s + 1) if limit_s is None else limit_s
            try:
                wave = read_sound(source, ffmpeg=ffmpeg_path(self.ffmpeg), start_s=start_s, limit_s=limit_s)
            except OSError as error:
                raise UserError(f"{source}: cannot be read as a sound ({error.strerror})") from error
            start_s = 0.0  # the decoder went there
        elif arrays.is_pair(source):
            values, rate = source if arrays.is_number(source[1]) else source[::-1]
            wave = arrays.waveform(values, rate)
        elif arrays.is_array(source):
            rows: Any = source
            if rows.ndim > 1 and len(rows) != 1:
                shape = list(rows.shape)
                raise UserError(f"sound of shape {shape}, without a rate: give [N] at 16 kHz, or (channels, rate)")
            wave = arrays.waveform(rows[0] if rows.ndim > 1 else rows)
        else:
            raise UserError(f"a {type(source).__name__} is no sound: give a file, a waveform, or (waveform, rate)")
        wave = wave[round(start_s * SAMPLE_RATE_HZ) :]
        if len(wave) == 0:
            raise UserError(f"the sound ends before second {start_s:g}")
        return wave

    def encode_audio(self, sounds: Sound | Iterable[Sound]) -> Tensor:
        """Sounds -> features z^A [B, D], of unit norm where `unit_norm` says so.

        Short ones are repeated to the window, long ones cut.

        Several are a list, a tuple or an iterator, or one array [B, N] at 16 kHz, such as `volumes` gives. That an
        array without its rate holds channels is never assumed.

        Raises:
            UserError: one of them is no sound.
        """
        n = round(self.window_s * SAMPLE_RATE_HZ)
        return self.method.encode_audio(torch.stack([fit_window(self.sound(one), n) for one in arrays.sounds(sounds)]))

    def familiarity(self, sounds: Sound | Iterable[Sound]) -> list[Familiarity]:
        """How far sounds lie from all that the audio encoder learned from, and which classes are near.

        Raises:
            UserError: one of them is no sound, or the model does not know what it learned from (`known` is None).
        """
        if self.known is None or self.method.f_a is None:
            raise UserError(f"{self.name}: what it learned from is not there; stage known_sounds of its run makes it")
        n = round(self.window_s * SAMPLE_RATE_HZ)
        waves = torch.stack([fit_window(self.sound(one), n) for one in arrays.sounds(sounds)])
        return [self.known.familiarity(z) for z in self.method.f_a.encode(waves, self.window_s)]

    def encode_image(self, pictures: Picture | Iterable[Picture]) -> Tensor:
        """Pictures -> features z^V [B, D], likewise.

        Several are a list, a tuple or an iterator, or one array [B, H, W, 3] or tensor [B, 3, H, W].

        Raises:
            UserError: one of them is no picture.
        """
        several = arrays.several(pictures, 4)
        if not several:
            raise UserError("no picture is given")
        return torch.cat([self.method.encode_image(to_unit(self._seen(one))) for one in several])

    def _seen(self, picture: Picture) -> Tensor:
        """uint8 [1, 3, H, W]."""
        if isinstance(picture, str | Path):
            return to_tensor([read_image(Path(picture))])
        if not isinstance(picture, Image.Image) and not arrays.is_array(picture):
            raise UserError(f"a {type(picture).__name__} is no picture: give a file, a PIL image or an array")
        return arrays.picture(picture)[None]

    def generate(self, z: Tensor, seed: int = 0, noises: Sequence[int] | None = None) -> Tensor:
        """Features [B, D] -> pictures uint8 [B, 3, R, R].

        Args:
            z: features, as `encode_audio` gives them.
            seed: the same seed gives the same pictures.
            noises: which of the seed's noises each takes; None is the first for all, as a sweep wants it. A picture
                depends on its feature, seed and noise alone, not on its batch.

        Raises:
            UserError: `z` is no features of this model, or a seed lies outside 0 to 2^63 - 1.
        """
        if not isinstance(z, Tensor):
            raise UserError(f"features are a tensor [B, {self.dim}], and no {type(z).__name__}")
        if z.ndim != 2 or z.shape[1] != self.dim or not z.is_floating_point() or not z.isfinite().all():
            raise UserError(f"features {z.dtype} {list(z.shape)}: give finite floats [B, {self.dim}], B of at least 1")
        own = [0] * len(z) if noises is None else [seed_of("a noise", noise) for noise in noises]
        if len(own) != len(z) or not own:
            raise UserError(f"{len(own)} noises for {len(z)} features: give one of each a picture")
        seed = seed_of("the seed", seed)
        return from_unit(self.method.decode(z, [clip_seed(seed, str(noise)) for noise in own]))

    def mix(
        self,
        sounds: Sound | Iterable[Sound],
        gains_db: Sequence[float] | None = None,
        offsets_s: Sequence[float] | None = None,
    ) -> Tensor:
        """Several sounds in one waveform [N] (`s2v.control.waveform.mix`), clipped to [-1, 1]."""
        gains = None if gains_db is None else numbers("a gain", gains_db, -MAX_DB, MAX_DB)
        offsets = None if offsets_s is None else numbers("an offset", offsets_s, 0, LONGEST_S)
        try:
            return waveform.mix([self.sound(one) for one in arrays.sounds(sounds)], gains, offsets).clamp(-1, 1)
        except ValueError as error:
            raise UserError(f"mix: {error}") from error

    def volumes(self, sound: Sound, gains_db: Sequence[float]) -> Tensor:
        """A sound at several gains [len(gains_db), N], clipped to [-1, 1]."""
        wave, gains = self.sound(sound), numbers("a gain", gains_db, -MAX_DB, MAX_DB)
        try:
            return torch.stack([waveform.gain(wave, db) for db in gains]).clamp(-1, 1)
        except ValueError as error:
            raise UserError(f"volumes: {error}") from error

    def invert(self, picture: Picture, steps: int | None = None) -> Inversion:
        """Noise and feature that a picture could have come from (paper 5.2).

        Args:
            picture: it.
            steps: of the search; None is the renderer's own number (150 of Adam for the GAN, 100 of DDIM for the LDM).
        """
        renderer = self.method.renderer
        count = renderer.inversion_steps if steps is None else round(number("steps", steps, 1, MAX_STEPS))
        try:
            return renderer.invert(self.method.f_v, self._seen(picture)[0], count)
        except ValueError as error:  # a solver has no more steps than it was trained with
            raise UserError(f"invert: {error}") from error

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
        amounts = numbers("a weight", weights, -MAX_WEIGHT, MAX_WEIGHT)
        soft, loud = self.encode_audio(self.volumes(sound, [soft_db, loud_db]))
        found = picture if isinstance(picture, Inversion) else self.invert(picture)
        return self.method.renderer.redraw(found, latent.move(found.z, soft, loud, amounts, self.unit_norm))

    def interpolate(self, picture: Picture, sound: Sound, weights: Sequence[float]) -> Tensor:
        """Features [len(weights), D] between a picture (1) and a sound (0) (`s2v.control.latent.interpolate`)."""
        amounts = numbers("a weight", weights, -MAX_WEIGHT, MAX_WEIGHT)
        z_v, z_a = self.encode_image(picture)[0], self.encode_audio(sound)[0]
        return latent.interpolate(z_v, z_a, amounts, self.unit_norm)

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
        amounts, seed = numbers("a weight", weights, -MAX_WEIGHT, MAX_WEIGHT), seed_of("the seed", seed)
        z_v, z_a = self.encode_image(picture), self.encode_audio(sound)
        ldm = self.method.renderer.latent_diffusion()
        return torch.cat([ldm.compose(z_v, z_a, weight, seed) for weight in amounts])

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
        amounts, seed = numbers("a strength", strengths, 0, 1), seed_of("the seed", seed)
        z = self.interpolate(picture, sound, [0.5])
        images, ldm = self._seen(picture), self.method.renderer.latent_diffusion()
        return torch.cat([ldm.renoise(images, z, strength, seed) for strength in amounts])


def load(run: str | Path | None = None, method: str | None = None, **settings: object) -> Model:
    """The model of a finished run, an exported or a published one; for all of these see `Model`."""
    return Model(run, method, **settings)  # type: ignore[arg-type]


__all__ = ["SHIPPED", "Model", "Picture", "Sound", "load"]
