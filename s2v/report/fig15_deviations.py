"""Every difference between the systems of Figure 15 and what was published, in words, from the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from s2v.config.methods import METHODS
from s2v.report.deviations import of_both
from s2v.stages import STAGES

if TYPE_CHECKING:
    from s2v.config import Config


def fig15_deviations(config: Config) -> list[str]:
    """Lines for the paragraph that says what the table is and is not."""
    # What is said of other tables' rows has no place here.
    ours = [line for line in of_both(config) if not line.startswith(("Row ", "Open in"))]
    return [*ours, *_lines(config)]


def _lines(config: Config) -> Iterator[str]:
    s2i, gan = config.s2i_autoencoder, config.s2i_generator
    vqvae, audio = config.pedersoli_vqvae, config.pedersoli_audio
    others = ""
    if config.fig15.classes is not None:
        others = ", not of these alone, so that all four may paint what is not among the names to choose from"
    ours = {name for method in _ours(config) for name in METHODS[method].parts.values()}
    sections = [getattr(config, STAGES[name].section) for name in sorted(ours)]
    pictures = {split for one in sections if not getattr(one, "weights", None) for split in getattr(one, "splits", [])}
    alone = [*([f"{', '.join(sorted(pictures))}, for ours"] if pictures else []), f"{', '.join(vqvae.splits)}, for "]
    yield (
        f"What is trained here learns from clips of the split `train`, of every class of the data{others}; pictures "
        f"alone are of the split(s) {', and '.join(alone)}Pedersoli et al. None of it sees a clip that is tested."
    )
    taken = [f"`{one.weights}`" for one in (*sections, s2i, gan) if getattr(one, "weights", None)]
    if config.generate.table3.B == "sound2vision_unclip":
        taken.append("`stable-unclip`")
    if taken:
        yield f"{', '.join(taken)}: published weights, which learned from what their authors had."
    if s2i.weights and config.data.source != "world":
        yield "S2I's published weights learned from VEGAS under its authors' split, which may hold clips tested here."
    sizes = _sizes(config)
    if len(set(sizes.values())) > 1:
        each = ", ".join(f"{name} {px}" for name, px in sizes.items())
        yield (
            f"Pictures are of different sizes, px: {each}. FID compares each row with real frames at its own size, so "
            "that a difference of two rows' FID is one of sizes too."
        )
    if not s2i.weights:
        yield (
            f"S2I: embedding of {s2i.dim} (published: 512), width {s2i.width} of 64, {s2i.steps} steps at batch "
            f"{s2i.batch_size} (1000 epochs at 64)."
        )
    if not gan.weights:
        yield (
            f"S2I: {gan.resolution} px (published: 96), width {gan.width} and {gan.d_width} of 64, {gan.steps} steps. "
            "The GAN's training was never released: least squares towards 1 and -1, "
            f"{gan.pixels.upper()} of pictures (weight {gan.pixel_weight:g}) and Adam are our reading of the article."
        )
    yield (
        f"S2I hears a grey mel spectrogram of 128 x 100 of {config.generate.window_s:g} s (its authors: segments of 1 "
        "s); how they scale theirs is not documented. Its dropout stays on when pictures are made, as in their code: "
        "all a seed changes."
    )
    yield (
        f"Pedersoli et al.: {vqvae.resolution} px and {vqvae.code_px} x {vqvae.code_px} codes (published: 256, "
        f"32 x 32), {vqvae.codes} codes of {vqvae.code_dim} numbers (64 of 64), {vqvae.hidden} maps (128), audio width "
        f"{audio.width} (64), {audio.audio.bands} mel bands (256) of {config.generate.window_s:g} s (windows of 1 s); "
        f"{vqvae.steps} and {audio.steps} steps at batch {vqvae.batch_size} and {audio.batch_size} (20 epochs each at "
        "64). They make depth and segmentation maps; RGB with mean squared error, and one channel of sound, are our "
        "reading of the paper's adaptation, which is not public. Their stage 1 learns from test clips too; here it "
        "does not."
    )


def _ours(config: Config) -> tuple[str, str]:
    return config.generate.table3.A, config.generate.table3.B


def _sizes(config: Config) -> dict[str, int]:
    """Side of each system's pictures, of those whose size follows from the configuration."""
    gan, ldm = _ours(config)
    sizes = {
        "Pedersoli et al.": config.pedersoli_vqvae.resolution,
        "S2I": 96 if config.s2i_generator.weights else config.s2i_generator.resolution,
    }
    if gan == "sound2vision":
        sizes["ours (GAN)"] = 128 if config.generator.weights else config.generator.resolution
    if ldm == "sound2vision_ldm":
        sizes["ours (LDM)"] = config.vae.resolution
    if ldm == "sound2vision_unclip":
        sizes["ours (LDM)"] = config.generate.unclip.px or 768
    return sizes


__all__ = ["fig15_deviations"]
