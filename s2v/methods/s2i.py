"""S2I: the embedding of a sound becomes a picture; dropout is all that a seed decides."""

from __future__ import annotations

from torch import Tensor

from s2v.config.methods import Entry
from s2v.errors import UserError
from s2v.media.mel import mel_picture
from s2v.methods.base import Sources, Unsupported
from s2v.models.s2i import S2iGenerator, SpectrogramAutoencoder
from s2v.models.store import load


class S2I:
    """Spectrogram autoencoder and generator of Fanzeres and Nadeu 2023, dropout kept on as their code does.

    Raises:
        UserError: a part is missing or damaged, or the two are not of embeddings of one size.
    """

    image_px = 0

    def __init__(self, entry: Entry, sources: Sources) -> None:
        self.entry = entry
        self.autoencoder = load(SpectrogramAutoencoder, sources.part("autoencoder"), sources.device)
        self.generator = load(S2iGenerator, sources.part("generator"), sources.device)
        self.device, self.resolution = sources.device, self.generator.resolution
        self.dim = self.generator.dim
        if self.generator.dim != self.autoencoder.dim:
            raise UserError(
                f"{sources.part('generator')}: takes embeddings of {self.generator.dim} numbers, and the autoencoder "
                f"gives {self.autoencoder.dim}; run stage s2i_generator again"
            )

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window that the net learned -> embedding [B, D]."""
        return self.autoencoder.embed(mel_picture(wave, **self.autoencoder.mel))

    def encode_image(self, image: Tensor) -> Tensor:
        """It sees no pictures."""
        raise Unsupported(f"{self.entry.name}: makes pictures from sounds alone")

    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """Embeddings [B, D] and one seed of dropout each -> pictures [B, 3, R, R] in [-1, 1]."""
        dropped = self.generator.dropouts.draw_for(seeds).to(self.device)
        return self.generator(z.to(self.device), dropped).float().cpu()


__all__ = ["S2I"]
