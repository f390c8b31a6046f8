"""Every difference between Figure 12 and what was published, in words, from the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from s2v.report.deviations import deviations

if TYPE_CHECKING:
    from s2v.config import Config


def fig12_deviations(config: Config) -> list[str]:
    """Lines for the paragraph that says what the figure is and is not."""
    # What is said of tables' rows has no place here.
    ours = [line for line in deviations(config) if not line.startswith(("Row ", "Open in"))]
    return [*ours, *_lines(config)]


def _lines(config: Config) -> Iterator[str]:
    lee, joint = config.lee, config.joint
    yield (
        "Ours: the paper's Figure 12 mixes the sound's feature with f_V's own of the picture, not inverted; here all "
        "begin at the inverted picture, so that none keeps more of it by its start. The curve along volume is the edit "
        "of its Figure 13, which it compares with nobody."
    )
    if lee.generator == "run":
        yield (
            "Lee et al.: they edit in the 14 x 512 styles of a StyleGAN2 of landscapes, from an encoder's codes on; "
            "here in z^V and z^N of our own generator, from our inversion on."
        )
        yield (
            f"Lee et al.: their space is CLIP ViT-B/32's, of 512 numbers; here one of {joint.dim} is trained in the "
            f"run, {joint.picture_steps} steps of pictures of {joint.image_px} px (224), by a ResNet-10 of width "
            f"{joint.image_width}, against the sentences of the split `{joint.captioned}`, by a text tower of "
            f"{joint.text.layers} layers and width {joint.text.width} (12, 512)."
        )
        yield (
            f"Lee et al.: sounds come to it by a ResNet-18 of width {joint.audio_width} (64) on "
            f"{joint.audio.window_s:g} s (10), {joint.audio.bands} mel bands (128) and {joint.audio.columns} columns "
            f"(512), in {joint.sound_steps} steps at batch {joint.batch_size} (50 epochs at 320), cosines times "
            f"{joint.sound_multiplier:g} (exp(0.07) = 1.07). Texts are the names of the split `{joint.tagged}` as "
            f"`{joint.prompt}`, cut to the words that the sentences have; theirs are changed at random (EDA)."
        )
    else:
        yield (
            "Lee et al.: their StyleGAN2, their audio encoder and CLIP ViT-B/32 (published weights). They begin at the "
            f"codes of an encoder, here at those of a search ({lee.inversion_steps} steps); ours begins at its own "
            "generator's inversion, which is another picture."
        )
    weights = ", ".join(f"{weight:g}" for weight in sorted(lee.similarity_weights, reverse=True))
    yield (
        f"Lee et al.: {lee.steps} steps of Adam (300), learning rate {lee.learning_rate:g} (README: 0.1, code: 0.05), "
        f"lambda_sim {weights} (0.002, 0.008), lambda_id {lee.identity_weight:g} (0, 0.005), of f_V's "
        "feature where theirs is a face recogniser's; their mask over layers, off by default, is not here."
    )


__all__ = ["fig12_deviations"]
