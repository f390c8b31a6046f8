"""AudioToken as its authors published it: BEATs, their trained embedder, Stable Diffusion 1.4. Nothing is trained."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from s2v.config.methods import Entry
from s2v.errors import UserError
from s2v.media.picture import from_unit, resize, to_unit
from s2v.methods.base import Sources, Unsupported, clip_seed, noise
from s2v.models.stable_diffusion import LAYOUT, load_stable_diffusion
from s2v.models.text_tower import with_one_placeholder
from s2v.weights.convert import published


class Drawing(NamedTuple):
    """Settings of the method's entry, which `generate.settings.audiotoken_published` may change."""

    prompt: str
    steps: int
    guidance: float
    batch_size: int
    precision: str
    px: int | None
    dropout: float


class PublishedAudioToken:
    """A sound becomes one word of a prompt of Stable Diffusion.

    Raises:
        UserError: a file under $S2V_WEIGHTS is not there or not what it should be, or a setting is of no use.
    """

    image_px = 0

    def __init__(self, entry: Entry, sources: Sources) -> None:
        self.entry, self.window_s = entry, sources.config.window_s
        self.drawing = _checked(dict(sources.settings or entry.defaults))
        cuda = torch.device(sources.device).type == "cuda"
        precision = self.drawing.precision if cuda else "fp32"
        self.model = load_stable_diffusion(LAYOUT.folder(), sources.device, precision)
        self.beats = published("beats", device=sources.device)
        self.embedder = published("audiotoken-embedder", device=sources.device)
        self.embedder.dropout = self.drawing.dropout
        if self.embedder.dim != self.model.dim or self.embedder.dim_in != self.beats.dim:
            raise UserError(f"{entry.name}: BEATs, the embedder and Stable Diffusion are not of one size; take 1.4")
        self.dim = self.model.dim
        self.resolution = self.drawing.px or self.model.resolution

    @torch.no_grad()
    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> the word of each sound [B, 768]."""
        heard = self.beats.encode(wave, self.window_s).clone()
        parts = zip(heard.split(8), wave.split(8), strict=True)
        return torch.cat([self.embedder.words(part.to(self.model.device), own).float().cpu() for part, own in parts])

    def encode_image(self, image: Tensor) -> Tensor:
        """Nothing here sees."""
        raise Unsupported(f"{self.entry.name}: makes pictures through text; it sees none")

    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """Words [B, 768] and one noise seed each -> pictures [B, 3, R, R] in [-1, 1]."""
        at_once = self.drawing.batch_size
        parts = [self._draw(z[i : i + at_once], seeds[i : i + at_once]) for i in range(0, len(seeds), at_once)]
        return torch.cat(parts) if parts else torch.empty(0, 3, self.resolution, self.resolution)

    def _draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        noises = noise(seeds, torch.Size(self.model.latent_shape).numel()).reshape(-1, *self.model.latent_shape)
        generators = [torch.Generator().manual_seed(clip_seed(seed, "steps")) for seed in seeds]
        drawing = self.drawing
        made = self.model.draw(z, noises, drawing.prompt, drawing.steps, drawing.guidance, generators)
        if made.shape[-1] == self.resolution:
            return made
        return to_unit(resize(from_unit(made), self.resolution))


def _checked(given: dict[str, Any]) -> Drawing:
    found = Drawing(**given)
    positive = all(type(value) is int and value > 0 for value in (found.steps, found.batch_size, found.px or 1))
    numbers = all(type(value) in (int, float) for value in (found.guidance, found.dropout))
    if (
        not positive
        or not numbers
        or not (1 <= found.guidance < 1000 and 0 <= found.dropout < 1)
        or found.precision not in ("fp16", "bf16", "fp32")
    ):
        raise UserError(f"generate.settings.audiotoken_published: {found._asdict()} cannot be; see docs/methods.md")
    return found._replace(prompt=with_one_placeholder(str(found.prompt)))


__all__ = ["PublishedAudioToken"]
