"""Every difference between a configuration and the paper's set-up, in words, computed from its values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from s2v.config.table3 import table3_left_out
from s2v.report.recipes import RECIPES

if TYPE_CHECKING:
    from s2v.config import Config

_PARTS = ("encoder", "generator", "align")
_DATA = {
    "world": "Data: an embedded world of drawn scenes and synthesised sounds, rendered to real video files, "
    "in place of VGGSound and VEGAS. It shows that the chain works and lets claims be measured; it says "
    "nothing of real videos.",
    "speakers": "Data: embedded speakers, drawn heads and synthesised voices, rendered to real video files. Their "
    "voices carry sex, age and old film, by construction, and no more; it says nothing of real people.",
    "vggsound": "Data: VGGSound, of the videos that could still be had (see coverage.md).",
    "vegas": "Data: VEGAS; its splits are drawn here by a seed, since the authors' list is not public.",
    "celebvhq": "Data: CelebV-HQ, of the videos that could still be had (see coverage.md).",
    "folder": "Data: a folder of the user's own videos in place of VGGSound and VEGAS.",
}
_EVALUATOR = {
    "judge": "Evaluator: a judge, trained with labels on a split that nothing else sees, in place of CLIP "
    "ViT-B/32 and Inception-V3, whose weights are not shipped. It knows these classes only, so R@k is "
    "easier than CLIP's, and its FID and IS are on a scale of their own.",
    "clip_inception": "FID and IS: torch-fidelity's Inception-V3 trained on ImageNet; the paper's authors "
    "trained theirs on VGGSound.",
    "none": "Evaluator: none, so no metric that needs a network.",
}


def deviations(config: Config, latent_diffusion: bool = False) -> list[str]:
    """Lines for the paragraph that says what a table is and is not; `latent_diffusion` where it has such a row."""
    if not latent_diffusion:
        return list(_lines(config))
    return [*of_both(config), *_audiotoken(config)]


def of_both(config: Config) -> list[str]:
    """Of the GAN and of the latent diffusion model."""
    own = _unclip if config.generate.table3.B == "sound2vision_unclip" else _latent_diffusion
    return [*_lines(config), *own(config)]


def _audiotoken(config: Config) -> Iterator[str]:
    """Beside AudioToken's article and code."""
    left_out, row_c = table3_left_out(config), config.generate.table3.C
    if row_c is None:
        yield "Row C, AudioToken, is not run: generate.table3.C is null."
    for method, why in left_out.items():
        yield f"{'Row C, AudioToken,' if method == row_c else f'`{method}`'} is not run: {why}."
    if row_c == "audiotoken_published":
        yield (
            "AudioToken: BEATs, its authors' trained embedder and Stable Diffusion 1.4 (published weights); the "
            "dropout of its attention, which their code never switches off, is off."
        )
    if row_c != "audiotoken" or row_c in left_out:
        return
    text, tagger, token, draw = config.text_diffusion, config.tagger, config.audiotoken, config.generate.text_ldm
    yield (
        "AudioToken: its authors put the sound's word into Stable Diffusion 1.4; here a text tower of "
        f"{text.text_layers} layers, width {text.token_dim}, and a U-Net ({', '.join(map(str, text.channels))} "
        f"channels) are trained in the run, on the pictures with a sentence of the split `{text.split}`, in the "
        "latents of row B's autoencoder."
    )
    yield (
        "AudioToken: its authors hear with BEATs, three layers joined; here with three stages of a ResNet-10 of width "
        f"{tagger.width}, trained as a tagger on the named sounds of the split `{tagger.split}`."
    )
    yield (
        f"AudioToken: {token.steps} steps at batch {token.batch_size}, learning rate {token.learning_rate:g}, "
        f"{tagger.audio.window_s:g} s of sound, chosen on `val`, dropout {token.dropout:g} (theirs: 30,000 steps "
        "at batch 16, 1.6e-4, 5 s in training and 10 s in test, the last step, 0.5 that is never switched off)."
    )
    yield (
        f"AudioToken: drawn in {draw.steps} steps of {draw.scheduler}, guidance {draw.guidance:g}, prompt "
        f"`{draw.prompt}` (theirs: 50, 7.5, `a photo of <*>, 4k, high resolution`); names as `{draw.name_prompt}`."
    )


def _latent_diffusion(config: Config) -> Iterator[str]:
    encoder, vae, diffusion, ldm = config.encoder_vit, config.vae, config.diffusion, config.generate.ldm
    factor = 2 ** (len(vae.channels) - 1)
    yield (
        "LDM: the paper's authors take Stable unCLIP 2.1 (CLIP ViT-H/14, 768 px, pretrained on hundreds of millions "
        f"of pictures); here the image encoder ({encoder.named}, SwAV), the autoencoder (factor {factor}, no "
        f"discriminator) and the U-Net (channels {', '.join(map(str, diffusion.channels))}) are trained in the run, at "
        f"{vae.resolution} px."
    )
    yield (
        f"LDM: {ldm.steps} steps of {ldm.scheduler}, guidance {ldm.guidance:g} (the authors' code: 20 steps, guidance "
        "10, the condition not brought to unit norm; here it is, as for the GAN)."
    )
    if diffusion.condition_noise:
        yield (
            f"LDM: noise of deviation {diffusion.condition_noise:g} on the standardised image feature in training; the "
            "paper has none (Stable unCLIP has its own)."
        )
    yield from _recipes(config, "vae", "diffusion")


def _own_inception(config: Config) -> str:
    own = config.inception
    if own.weights:
        return (
            f"FID and IS: the Inception-V3 of the paper's authors (weights `{own.weights}`), which they trained on "
            "VGGSound, where the paper's text has a pre-trained one; pictures are squashed to 299 px (how theirs "
            "were is not said)."
        )
    begun = f"from `{own.start}` on" if own.start else "from random weights"
    return (
        f"FID and IS: an Inception-V3 that the run trains on the labelled frames of the split `{own.split}`, {begun}, "
        f"{own.steps} steps at {own.image_px} px. The paper's text has a pre-trained one; its authors' repository has "
        "one that was trained on VGGSound, how is not said, and FID and IS do not compare with theirs."
    )


def _unclip(config: Config) -> Iterator[str]:
    """Beside the authors' released code, which is what is known of their latent diffusion model."""
    align, draw = config.align_unclip, config.generate.unclip
    yield (
        "LDM: Stable unCLIP 2.1 (published weights) through diffusers, as the paper's authors run it; the scheduler is "
        f"its folder's. {draw.steps} steps, guidance {draw.guidance:g}, noise level {draw.noise_level}, prompt "
        f"{draw.prompt!r} (the authors' code: 20, 10, 0, '')."
    )
    if config.embed_unclip.input == "clip":
        yield (
            "LDM: CLIP sees centre crops with the statistics that it was trained with; in the authors' code squashed "
            "pictures with ImageNet's."
        )
    else:
        yield "LDM: pictures are brought to 256 px by one antialiased bicubic resize; in the authors' code bilinear."
    if align.weights:
        yield f"LDM: the audio encoder is the authors' own (weights `{align.weights}`)."
    yield from _recipes(config, "align_unclip")
    if (align.head, align.loss, draw.unit_norm) == ("fc2", "total_raw", False):
        yield (
            "LDM: the audio encoder's head has two layers, and loss and generator take features as they are, as in the "
            "authors' code; Eq. 1 has unit norm, and the paper says of neither for this generator."
        )
    else:
        norm = "unit norm" if draw.unit_norm else "the norm that they have"
        yield (
            f"LDM: head `{align.head}`, loss `{align.loss}`, features given to the generator with {norm} (the authors' "
            "code: `fc2`, `total_raw`, the norm that they have)."
        )
    if draw.px:
        yield f"LDM: pictures are kept at {draw.px} px."


def _lines(config: Config) -> Iterator[str]:
    yield _DATA[config.data.source]
    yield from _parts(config)
    if config.encoder.weights == "efficientnet-lite0":
        yield (
            "Image encoder: EfficientNet-lite0 at 128 px, which learned ImageNet's 1000 classes by their names, in "
            "place of SwAV, which sees no names: what is aligned and generated knows of them."
        )
    yield from _recipes(config, "extract", "encoder", "generator", "align", "generate")
    if config.generator.warmup_steps and not config.generator.weights:
        yield (
            f"Generator: {config.generator.warmup_steps} steps of reconstruction and perceptual loss come "
            f"before the {config.generator.steps} adversarial ones; IC-GAN has no such warm-up."
        )
    if config.generator.condition_noise and not config.generator.weights:
        yield (
            f"Generator: noise of deviation {config.generator.condition_noise:g} on the standardised image feature in "
            "training; IC-GAN has none."
        )
    if config.generator.reconstruction_code and not config.generator.weights:
        yield (
            f"Generator: while it reconstructs, {config.generator.reconstruction_code} numbers of its noise say which "
            f"of a picture and {config.generator.reconstruction_neighbours} near ones is meant; IC-GAN draws all of it."
        )
    if config.align.final_relu or config.align.weights:
        yield "Audio encoder: ends in a ReLU, as in the authors' code; the paper does not say so."
    if not config.align.weights:
        yield (
            f"Early stopping: on a held-out split with a patience of {config.align.patience} epochs"
            + (f", not before {config.align.min_steps} steps" if config.align.min_steps else "")
            + "; the paper gives no rule, and the authors' code validates on its training folder."
        )
    yield _own_inception(config) if config.evaluate.own_inception else _EVALUATOR[config.evaluate.evaluator]
    yield (
        f"Open in the paper, settled here: row A sees the {_frame(config.generate.icgan_frame)} of the test "
        f"clip, row D the {_frame(config.generate.upper_bound_frame)}; FID's real pictures are the selected "
        f"frames of the split `{config.evaluate.reference_split}`; IS has "
        f"{config.evaluate.inception_splits} parts; the prompt is `{config.evaluate.prompt}`; one picture a "
        f"clip and seed, {len(config.generate.seeds)} seeds."
    )
    if config.generate.retrieval.database == "generator_memory":
        yield (
            "Row C: the database holds as many training images as their stored JPEG bytes fit in the bytes "
            "of the generator's parameters; where all fit, it is the whole training split."
        )
    else:
        yield "Row C: the database is the whole training split, not the generator's memory size."


def _parts(config: Config) -> Iterator[str]:
    """Which pretrained parts are published ones, and which the run trains."""
    published = {stage: name for stage in _PARTS if (name := getattr(config, stage).weights)}
    own = [f"{stage}: {', '.join(getattr(config, stage).splits)}" for stage in _PARTS[:2] if stage not in published]
    own += ["localiser: train"] if config.select.mode == "top1" else []
    told = [f"{stage}: published weights `{name}`" for stage, name in published.items()]
    if config.select.mode == "published":
        told.append(
            f"moments: those that the paper's authors chose (`{config.select.moments}`, frames counted from "
            f"{config.select.moments_first}, of which they say nothing)"
        )
    here = f"here trained in the run, on splits of this data set: {'; '.join(own)}" if own else "here none is trained"
    yield (
        "Pretrained parts: the paper takes a SwAV ResNet-50 and an IC-GAN generator trained on ImageNet and a "
        f"localisation model of Senocak et al. (2022); {here}" + "".join(f"; {one}" for one in told) + "."
    )
    if config.select.mode == "mid":
        yield "Moments: the middle frame of each clip, in place of the most sounding one."
    if own or "align" not in published:
        yield (
            "Trainings: unless `runtime.precision` says fp32, in bf16 on CUDA, and on a CPU that computes with it "
            "where they are faster so (each model's card says which it was); IC-GAN's and the authors' alignment are "
            "in fp32, SwAV's in fp16."
        )


def _recipes(config: Config, *stages: str) -> Iterator[str]:
    """Stages beside those of their sources, key by key; those that are not trained here are left out."""
    for stage in stages:
        section, recipe = getattr(config, stage), RECIPES[stage]
        if getattr(section, "weights", None):
            continue
        values = section.model_dump(mode="json")
        if getattr(section, "backbone", None):
            values |= {"width": recipe.values["width"], "head": recipe.values["head"]}
            yield (
                f"Audio encoder: the frozen backbone `{section.backbone}` and a head (`{section.head}`); the paper's "
                "text has ResNet-18, its authors' code for faces WeSpeaker's speaker encoder and a linear layer."
            )
        told = [*recipe.differences(values), *recipe.also]
        if told:
            yield f"`{stage}` beside {recipe.source}: {', '.join(told)}."


def _frame(name: str) -> str:
    return "middle frame" if name == "mid" else "selected moment"


__all__ = ["deviations", "of_both"]
