"""Ways from a sound to a picture through text: AudioToken (Yariv et al. 2023), and what it is measured against.

All draw with the same text-conditioned diffusion model and prompt. AudioToken puts a word of the sound into it, the
text pivot the name that a tagger gives the sound, the oracle the name that the sound has.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from s2v.config.methods import Entry
from s2v.errors import UserError
from s2v.methods.base import Sources, Unsupported, noise
from s2v.models.audiotoken import PLACEHOLDER, TokenEmbedder
from s2v.models.autoencoder import autoencoder, decode
from s2v.models.diffusion_sampler import Sampler
from s2v.models.store import load
from s2v.models.tagger import AudioTagger
from s2v.models.text_diffusion import TextDiffusion
from s2v.models.text_tower import with_room
from s2v.world.captions import noun, with_article


class FromText:
    """States of a prompt -> the text-conditioned diffusion model -> autoencoder.

    Raises:
        UserError: a part is missing or damaged, or parts are not of one size.
    """

    image_px = 0

    def __init__(self, entry: Entry, sources: Sources) -> None:
        self.entry, self.device, self.window_s = entry, sources.device, sources.config.window_s
        drawing = sources.config.text_ldm
        self.truncation = sources.config.truncation
        self.vae = load(autoencoder, sources.part("vae"), sources.device)
        self.model = load(TextDiffusion, sources.part("text_diffusion"), sources.device)
        self.prompt, self.name_prompt = (with_room(self.model.text, p) for p in (drawing.prompt, drawing.name_prompt))
        self.sampler = Sampler(self.model, drawing.scheduler, drawing.steps, drawing.guidance, drawing.compile)
        self.resolution = int(self.vae.config["sample_size"])
        side = self.resolution // 2 ** (len(self.vae.config["block_out_channels"]) - 1)
        self.dim = self.model.null.numel()
        self.noise_shape = (self.model.latent_channels, self.model.latent_px, self.model.latent_px)
        if (self.vae.config["latent_channels"], side, side) != self.noise_shape:
            raise _misfit(sources.part("text_diffusion"), "latents", "the autoencoder", "text_diffusion")

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> states of the prompt [B, D]."""
        raise Unsupported(f"{self.entry.name}: is told names; it hears nothing")

    def encode_image(self, image: Tensor) -> Tensor:
        """Nothing here sees."""
        raise Unsupported(f"{self.entry.name}: makes pictures through text; it sees none")

    @torch.no_grad()
    def encode_names(self, names: list[str]) -> Tensor:
        """Names of classes -> states [B, D] of the prompt with the thing of each, as in `a photo of a dog`."""
        return self.model.states([self.name_prompt.replace(PLACEHOLDER, thing(name)) for name in names]).cpu()

    @torch.no_grad()
    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """States [B, D] and one noise seed each -> pictures [B, 3, R, R] in [-1, 1]."""
        drawn = noise(seeds, torch.Size(self.noise_shape).numel(), self.truncation).reshape(-1, *self.noise_shape)
        return decode(self.vae, self.sampler(z, drawn))


class OracleName(FromText):
    """It is told the class: what the text-conditioned model makes of a name that is always right."""


class TextPivot(FromText):
    """The tagger's best name of a sound, as text."""

    def __init__(self, entry: Entry, sources: Sources) -> None:
        super().__init__(entry, sources)
        self.tagger = load(AudioTagger, sources.part("tagger"), sources.device)

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> states of the prompt with the name that it has by the tagger [B, D]."""
        return self.encode_names(self.tagger.name(wave, self.window_s))


class AudioToken(FromText):
    """A word that is learned of the sound, in the place of `<*>`."""

    def __init__(self, entry: Entry, sources: Sources) -> None:
        super().__init__(entry, sources)
        self.tagger = load(AudioTagger, sources.part("tagger"), sources.device)
        self.embedder = load(TokenEmbedder, sources.part("audiotoken"), sources.device)
        if self.embedder.dim_in != self.tagger.dim:
            raise _misfit(sources.part("audiotoken"), "features", "the tagger", "audiotoken")
        if self.embedder.dim != self.model.null.shape[-1]:
            raise _misfit(sources.part("audiotoken"), "words", "the text tower", "audiotoken")

    @torch.no_grad()
    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> states of the prompt with the sound's word [B, D]."""
        heard = self.tagger.moments(self.tagger.spectrogram(wave.to(self.device), self.window_s))
        return self.model.states([self.prompt] * len(wave), self.embedder.words(heard, wave)).cpu()


def thing(name: str) -> str:
    """What a class's name shows, with its article: `a dog` of `dog barking`."""
    what = noun(name)
    return with_article(what, what)


def _misfit(folder: Path, what: str, whose: str, stage: str) -> UserError:
    return UserError(f"{folder}: its {what} are not of the size of those of {whose}; run stage {stage} again")


__all__ = ["AudioToken", "OracleName", "TextPivot", "thing"]
