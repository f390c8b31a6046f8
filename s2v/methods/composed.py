"""A method of this package: what sees, what hears and what renders, as its entry composes them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from s2v.config.methods import Entry
from s2v.errors import UserError
from s2v.media.picture import Policy, from_unit
from s2v.methods.base import Sources, Unsupported
from s2v.methods.ears import ear
from s2v.methods.renderers import Eye, renderer
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.store import load


class Composed:
    """f_V of a picture, or f_A of a sound in its place -> renderer.

    Raises:
        UserError: a part is missing or damaged, or f_V, f_A and the renderer are not of features of one size; later,
            what comes is not finite.
    """

    def __init__(self, entry: Entry, sources: Sources) -> None:
        self.entry, self.window_s = entry, sources.config.window_s
        self.renderer = renderer(entry, sources)
        self.f_v: Eye = self.renderer.f_v or load(ImageEncoder, sources.part("encoder"), sources.device)
        if self.renderer.dim not in (None, self.f_v.dim):
            raise UserError(
                f"{sources.part('generator')}: takes features of {self.renderer.dim} numbers, and the image encoder of "
                f"{entry.name} gives {self.f_v.dim}; run its stage again"
            )
        self.f_a = ear(entry, sources)
        if self.f_a is not None and self.f_a.dim != self.f_v.dim:
            whose, how = (entry.ear, "") if entry.ear else (sources.part("align"), f"; run stage {entry.hears} again")
            raise UserError(
                f"{whose}: gives features of {self.f_a.dim} numbers, and {entry.name} takes {self.f_v.dim}{how}"
            )
        self.dim, self.image_px, self.resolution = self.f_v.dim, self.f_v.image_px, self.renderer.resolution
        self.image_policy: Policy = self.f_v.policy
        self.gap = self._mean_gap(sources) if entry.closed else None
        self.snap = self._snap(sources) if entry.snapped else None

    @property
    def database(self) -> int | None:
        """Number of pictures that it searches; None where it makes its own."""
        return self.renderer.size

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window -> z^A [B, D], as the renderer takes it."""
        if self.f_a is None:
            raise Unsupported(f"{self.entry.name}: makes pictures from pictures; it has no audio encoder")
        z = self.f_a.encode(wave, self.window_s)
        z = z if self.gap is None else unit(z) + self.gap.to(z.device)
        return self._condition(z if self.snap is None else self.snap(z))

    def encode_image(self, image: Tensor) -> Tensor:
        """Picture [B, 3, H, W] in [-1, 1] -> z^V [B, D], as the renderer takes it."""
        return self._condition(self.f_v.encode(from_unit(image)))

    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """Conditions [B, D] and one noise seed each -> pictures [B, 3, R, R] in [-1, 1]."""
        made = self.renderer.draw(z, seeds)
        if not made.isfinite().all():
            raise UserError(f"{self.entry.name}: a picture is not finite; the generator's weights are damaged")
        return made

    def _mean_gap(self, sources: Sources) -> Tensor:
        # Here, since it reads packed shards, and a sound that is heard once needs none.
        from s2v.methods.closed_gap import mean_gap

        assert self.f_a is not None
        return mean_gap(self.entry.name, self.f_v, self.f_a, sources)

    def _snap(self, sources: Sources) -> Callable[[Tensor], Tensor]:
        from s2v.methods.snapped import Snap  # as above

        return Snap(self.entry.name, self.f_v, sources.train_packs, sources.config.snap)

    def _condition(self, z: Tensor) -> Tensor:
        if not z.isfinite().all():
            raise UserError(f"{self.entry.name}: a feature is not finite; the encoder's weights are damaged")
        return unit(z) if self.renderer.unit_norm else z


__all__ = ["Composed"]
