"""Row B, the paper's system: f_A of the sound takes the place of f_V's feature in front of the generator."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from s2v.methods.base import Sources
from s2v.methods.icgan import IcGan
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.image_encoder import unit
from s2v.models.store import load


class FromSounds:
    """The half of a method that hears: sounds become conditions by f_A. It goes before the method that sees."""

    f_a: AudioEncoder
    window_s: float

    def hear(self, sources: Sources) -> None:
        """Load f_A."""
        self.f_a, self.window_s = load(AudioEncoder, sources.align_dir, sources.device), sources.window_s

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> z^A [B, D] of unit norm; tiled or cut to the window."""
        return unit(self.f_a.encode(wave, self.window_s))


class Sound2Vision(FromSounds, IcGan):
    """f_A -> unit norm -> G. Its image side is that of ICGAN, so pictures and sounds can be mixed."""

    name: ClassVar[str] = "sound2vision"
    letter: ClassVar[str] = "B"
    title: ClassVar[str] = "Sound2Vision (ours)"
    encoder: ClassVar[str] = "A"
    takes: ClassVar[Literal["sound", "frame"]] = "sound"

    def __init__(self, sources: Sources) -> None:
        super().__init__(sources)
        self.hear(sources)


__all__ = ["FromSounds", "Sound2Vision"]
