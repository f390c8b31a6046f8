"""Every difference between the systems of Figure 15 and what was published, in words, from the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from s2v.report.deviations import deviations

if TYPE_CHECKING:
    from s2v.config import Config


def fig15_deviations(config: Config) -> list[str]:
    """Lines for the paragraph that says what the table is and is not."""
    # What is said of other tables' rows has no place here.
    ours = [line for line in deviations(config, latent_diffusion=True) if not line.startswith(("Row ", "Open in"))]
    return [*ours, *_lines(config)]


def _lines(config: Config) -> Iterator[str]:
    s2i, gan = config.s2i_autoencoder, config.s2i_generator
    vqvae, audio = config.pedersoli_vqvae, config.pedersoli_audio
    others = ""
    if config.fig15.classes is not None:
        others = ", not of these alone, so that all four may paint what is not among the names to choose from"
    yield (
        f"All four systems learn from all clips of the split `train`, of every class of the data{others}; pictures "
        f"alone are of the split(s) {', '.join(config.generator.splits)}, for ours, and {', '.join(vqvae.splits)}, for "
        "Pedersoli et al. None sees a clip that is tested."
    )
    if s2i.weights and gan.weights:
        yield f"S2I: published weights `{s2i.weights}` and `{gan.weights}`; its spectrogram's scale is not documented."
    else:
        yield (
            f"S2I: {gan.resolution} px (published: 96), width {gan.width} and {gan.d_width} of 64, embedding of "
            f"{s2i.dim} (512); autoencoder {s2i.steps} steps at batch {s2i.batch_size} (1000 epochs at 64), GAN "
            f"{gan.steps} steps. The GAN's training was never released: least squares towards 1 and -1, "
            f"{gan.pixels.upper()} of pictures (weight {gan.pixel_weight:g}) and Adam are our reading of the article."
        )
    yield (
        f"S2I hears a grey mel spectrogram of 128 x 100 of {config.generate.window_s:g} s; how the authors scale "
        "theirs is not documented. Its dropout stays on when pictures are made, as in their code: all a seed changes."
    )
    yield (
        f"Pedersoli et al.: {vqvae.resolution} px and {vqvae.code_px} x {vqvae.code_px} codes (published: 256, "
        f"32 x 32), {vqvae.codes} codes of {vqvae.code_dim} numbers (64 of 64), {vqvae.hidden} maps (128), audio width "
        f"{audio.width} (64), {audio.audio.bands} mel bands (256); {vqvae.steps} and {audio.steps} steps at batch "
        f"{vqvae.batch_size} and {audio.batch_size} (20 epochs each at 64). They make depth and segmentation maps; RGB "
        "with mean squared error, and one channel of sound, are our reading of the paper's adaptation, which is not "
        "public. Their stage 1 learns from test clips too; here it does not."
    )


__all__ = ["fig15_deviations"]
