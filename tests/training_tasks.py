"""Each training, small, on random data: what test_one_batch.py trains in one process, in two, and in parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from s2v.config import (
    AlignConfig,
    AudioTokenConfig,
    DiffusionConfig,
    EncoderConfig,
    FaceReaderConfig,
    GeneratorConfig,
    JointConfig,
    JudgeConfig,
    LocaliseConfig,
    PedersoliAudioConfig,
    PedersoliVqvaeConfig,
    S2iAutoencoderConfig,
    S2iGeneratorConfig,
    TaggerConfig,
    TextDiffusionConfig,
    VaeConfig,
    VitConfig,
)
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.face_reader import LOOKS
from s2v.models.image_encoder import ImageEncoder, shape
from s2v.models.joint import Joint
from s2v.models.joint import shape as joint_shape
from s2v.models.localiser import Ear
from s2v.models.s2i import SpectrogramAutoencoder
from s2v.models.tagger import AudioTagger
from s2v.runtime import Runtime
from s2v.speakers.recipe import SHAPE
from s2v.train.align import AlignTask
from s2v.train.audiotoken import AudioTokenTask
from s2v.train.diffusion import DiffusionTask
from s2v.train.encoder import SwavTask
from s2v.train.face_reader import FaceReaderTask, Pictures
from s2v.train.generator import IcGanTask
from s2v.train.joint import JointTask
from s2v.train.judge import JudgeTask
from s2v.train.localise import Clips, LocaliseTask
from s2v.train.pedersoli_audio import PedersoliAudioTask
from s2v.train.pedersoli_vqvae import PedersoliVqvaeTask
from s2v.train.s2i_autoencoder import S2iAutoencoderTask
from s2v.train.s2i_generator import S2iGeneratorTask
from s2v.train.step import train_step
from s2v.train.tagger import TaggerTask
from s2v.train.text_diffusion import TextDiffusionTask
from s2v.train.vae import VaeTask

STEPS = 5
BATCH = 7  # shares of two processes, and two parts of a share, are uneven

RESNET: dict[str, Any] = {
    "batch_size": BATCH, "steps": 20, "image_px": 32, "depth": 10, "width": 8, "crops": [(2, 32), (1, 16)],
    "crop_scales": [(0.5, 1.0), (0.25, 0.5)], "prototypes": 6, "projection_dim": 8, "projection_hidden": 16,
    "freeze_prototypes_steps": 2, "optimizer": "sgd", "learning_rate": 0.02, "temperature": 1.0, "epsilon": 0.5,
}  # fmt: skip
VIT = {
    **RESNET, "architecture": "vit",
    "vit": VitConfig(patch_px=8, width=16, depth=1, heads=2, stem="conv"),
}  # fmt: skip
GENERATOR: dict[str, Any] = {
    "batch_size": BATCH, "resolution": 32, "channels": 4, "dim_z": 16, "shared_dim": 16, "convs_per_block": 1,
    "feature_input": True, "feature_standardise": True, "neighbours": 3, "ema": 0.9, "ema_start": 2, "d_steps": 2,
    "diffaugment": "color,translation", "reconstruction_weight": 1.0, "learning_rate": 1e-3, "d_learning_rate": 1e-3,
    "warmup_learning_rate": 1e-2, "condition_noise": 0.3,
}  # fmt: skip


def pictures(n: int, px: int) -> Tensor:
    """uint8 [n, 3, px, px]."""
    return torch.randint(256, (n, 3, px, px), dtype=torch.uint8, generator=torch.Generator().manual_seed(n + px))


def numbers(*size: int) -> Tensor:
    """Standard normal."""
    return torch.randn(size, generator=torch.Generator().manual_seed(sum(size)))


def frozen(runtime: Runtime) -> ImageEncoder:
    """The f_V of perceptual losses."""
    torch.manual_seed(1)
    return ImageEncoder(**shape(EncoderConfig(**RESNET))).to(runtime.device).eval().requires_grad_(False)


def smooth(encoder: ImageEncoder) -> ImageEncoder:
    """Without ReLU and max pooling: at their kinks, rounding decides a gradient."""
    for net in [*encoder.modules()]:
        for name, part in net.named_children():
            if isinstance(part, nn.ReLU | nn.MaxPool2d):
                setattr(net, name, nn.Softplus() if isinstance(part, nn.ReLU) else nn.AvgPool2d(3, 2, 1))
    return encoder


def align(runtime: Runtime, **changes: Any) -> Any:
    """Alignment on 20 pairs."""
    config = AlignConfig(**{"batch_size": BATCH, "width": 8, "learning_rate": 0.05, **changes})
    model = AudioEncoder(8, 8, False, {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ})
    pairs = numbers(20, 33, 40).half(), numbers(20, 8)
    return AlignTask(config, model, pairs, pairs, runtime)


def swav(values: dict[str, Any]) -> Callable[..., Any]:
    """SwAV of 20 pictures."""

    def build(runtime: Runtime, **changes: Any) -> Any:
        config = EncoderConfig(**{**values, **changes})
        return SwavTask(config, pictures(20, config.image_px), runtime)

    return build


def generator(warmup_steps: int, steps: int) -> Callable[..., Any]:
    """IC-GAN on 20 pictures."""

    def build(runtime: Runtime, **changes: Any) -> Any:
        config = GeneratorConfig(**{**GENERATOR, "warmup_steps": warmup_steps, "steps": steps, **changes})
        return IcGanTask(config, pictures(20, 32), numbers(20, 64), numbers(20, 64), frozen(runtime), runtime)

    return build


def vae(runtime: Runtime, **changes: Any) -> Any:
    """The autoencoder."""
    config = VaeConfig(
        **{"batch_size": BATCH, "steps": 20, "resolution": 16, "channels": [8, 8], "layers_per_block": 1, "groups": 4,
           "loss": "l2", "kl_weight": 1e-2, "learning_rate": 0.05, **changes}
    )  # fmt: skip
    return VaeTask(config, pictures(20, 16), smooth(frozen(runtime)), runtime)


SENTENCES = ["a brown dog on a meadow", "sea waves, in haze", "an owl", "a train in a street, far away"]
DENOISER: dict[str, Any] = {
    "batch_size": BATCH, "steps": 20, "channels": [8, 16], "attention": [False, True], "layers_per_block": 1,
    "heads": 2, "groups": 4, "token_dim": 8, "cosine_decay": True, "ema": 0.9, "condition_dropout": 0.3,
    # Where a gradient is little more than rounding, Adam's step is rounding too, and as large as the rate: on some
    # processors two ways to one batch were 3e-5 apart at 2e-4.
    "learning_rate": 5e-5,
}  # fmt: skip


def text_diffusion(runtime: Runtime, **changes: Any) -> Any:
    """The denoiser that sees a sentence, in one of two templates, and its text tower."""
    sizes = {"text_layers": 1, "text_heads": 2, "length": 8, "templates": ["{}", "a photo of {}"]}
    config = TextDiffusionConfig(**{**DENOISER, **sizes, **changes})
    shows: Any = None
    return TextDiffusionTask(config, numbers(2, 20, 4, 8, 8), [SENTENCES[i % 4] for i in range(20)], shows, runtime)


def tagger(runtime: Runtime, **changes: Any) -> Any:
    """The audio tagger."""
    config = TaggerConfig(**{"batch_size": BATCH, "steps": 20, "width": 8, "learning_rate": 0.05, **changes})
    model = AudioTagger(["owl", "dog"], 8, {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ})
    heard = numbers(20, 33, 40).half(), torch.arange(20) % 2
    return TaggerTask(config, model, heard, heard, runtime)


def audiotoken(runtime: Runtime, **changes: Any) -> Any:
    """AudioToken's embedder, through a frozen denoiser of random weights."""
    config = AudioTokenConfig(
        **{"batch_size": BATCH, "steps": 20, "warmup_steps": 1, "learning_rate": 0.2, "token_weight": 1.0, **changes}
    )
    pairs = numbers(20, 5, 12), numbers(2, 20, 4, 8, 8)
    frozen = text_diffusion(ONE_PIECE).model
    return AudioTokenTask(config, frozen, pairs, pairs, runtime)


ONE_PIECE = Runtime(torch.device("cpu"), bf16=False)


def diffusion(runtime: Runtime, **changes: Any) -> Any:
    """The denoiser."""
    config = DiffusionConfig(
        **{"batch_size": BATCH, "steps": 20, "channels": [8, 16], "attention": [False, True], "layers_per_block": 1,
           "heads": 2, "groups": 4, "tokens": 2, "token_dim": 8, "condition_noise": 0.5, "cosine_decay": True,
           "ema": 0.9, "condition_dropout": 0.3, **changes}
    )  # fmt: skip
    shows: Any = None
    return DiffusionTask(config, numbers(2, 20, 4, 8, 8), numbers(2, 20, 12), shows, runtime)


def judge(runtime: Runtime, **changes: Any) -> Any:
    """The stand-in evaluator, two of whose names come in one batch more than once."""
    config = JudgeConfig(
        **{"batch_size": BATCH, "steps": 20, "image_px": 16, "width": 8, "dim": 8, "learning_rate": 0.01, **changes}
    )
    data = pictures(20, 32), torch.arange(20) % 4
    others = pictures(7, 32) if config.broken else None
    return JudgeTask(config, ["owl", "dog", "rain", "bell"], data, data, runtime, others)


def face_reader(runtime: Runtime, **changes: Any) -> Any:
    """The evaluator of faces."""
    config = FaceReaderConfig(
        **{"batch_size": BATCH, "steps": 20, "image_px": 16, "width": 8, "learning_rate": 0.01, **changes}
    )
    names = [*LOOKS, *SHAPE]
    told = numbers(20, len(names))
    told[::4] = torch.nan  # pictures of scenes without anybody
    data = Pictures(pictures(20, 16), told, torch.arange(20) % 3)
    return FaceReaderTask(config, names, ["nowhere", "sea", "storm"], data, data, runtime)


def localise(runtime: Runtime, **changes: Any) -> Any:
    """The localisation model."""
    config = LocaliseConfig(
        **{"batch_size": BATCH, "steps": 20, "image_px": 16, "width": 8, "dim": 8, "frames_per_clip": 4,
           "frames_per_step": 2, "learning_rate": 0.05, **changes}
    )  # fmt: skip
    ear = Ear(window_s=0.5)
    clips = Clips(pictures(80, 16).unflatten(0, (20, 4)), numbers(20, 4, *ear.shape).half())
    return LocaliseTask(config, ear, clips, runtime)


def s2i_autoencoder(runtime: Runtime, **changes: Any) -> Any:
    """S2I's spectrogram autoencoder."""
    config = S2iAutoencoderConfig(
        **{"batch_size": BATCH, "width": 1, "dim": 4, "steps": 20, "learning_rate": 1e-4, **changes}
    )
    model = SpectrogramAutoencoder(config.dim, config.width, config.audio.model_dump())
    return S2iAutoencoderTask(config, model, numbers(20, 128, 100).clamp(-1, 1).half(), runtime)


def s2i_generator(runtime: Runtime, **changes: Any) -> Any:
    """S2I's GAN."""
    config = S2iGeneratorConfig(
        **{"batch_size": BATCH, "resolution": 32, "width": 1, "d_width": 2, "steps": 20, "learning_rate": 5e-4,
           "d_learning_rate": 5e-4, **changes}
    )  # fmt: skip
    return S2iGeneratorTask(config, pictures(20, 32), numbers(20, 8).tanh(), runtime)


def pedersoli_vqvae(runtime: Runtime, **changes: Any) -> Any:
    """The VQ-VAE of Pedersoli et al."""
    config = PedersoliVqvaeConfig(
        **{"batch_size": BATCH, "resolution": 16, "code_px": 4, "hidden": 8, "residual_hidden": 4, "codes": 6,
           "code_dim": 4, "steps": 20, "learning_rate": 5e-3, **changes}
    )  # fmt: skip
    return PedersoliVqvaeTask(config, pictures(20, 16), runtime)


def pedersoli_audio(runtime: Runtime, **changes: Any) -> Any:
    """Their net from sounds to latents."""
    config = PedersoliAudioConfig(
        **{"batch_size": BATCH, "depth": 10, "width": 4, "steps": 20, "learning_rate": 1e-3, **changes}
    )
    return PedersoliAudioTask(config, numbers(20, 32, 32).clamp(-1, 1).half(), numbers(20, 4, 4, 4), runtime)


def joint(picture_steps: int, sound_steps: int) -> Callable[..., Any]:
    """The joint space of Lee et al., of 20 pictures and 20 sounds; some texts come more than once."""

    def build(runtime: Runtime, **changes: Any) -> Any:
        config = JointConfig(
            **{"batch_size": BATCH, "dim": 8, "image_px": 16, "image_width": 8, "audio_width": 8, "learning_rate": 0.02,
               "picture_steps": picture_steps, "sound_steps": sound_steps, "multiplier": 5.0, "sound_multiplier": 1.07,
               "text": {"width": 16, "layers": 1, "heads": 2, "length": 8}, **changes}
        )  # fmt: skip
        net = Joint(**joint_shape(config, ["dog", "owl"]))
        sentences, names = [f"a dog {i % 12}" for i in range(20)], ["dog", "owl", "rain", "bell"] * 5
        levels = numbers(20, 33, 40).sigmoid().half()
        return JointTask(config, net, (pictures(20, 32), sentences), (levels, names), runtime)

    return build


TASKS: dict[str, Callable[..., Any]] = {
    "encoder": swav(RESNET),
    "encoder_vit": swav(VIT),
    "generator, warm-up": generator(20, 10),
    "generator, adversarial": generator(0, 20),
    "generator, codes": partial(
        generator(20, 10),
        reconstruction_neighbours=3,
        reconstruction_code=4,
        reconstruction_maps="all",
        upsample="bilinear",
    ),
    "vae": vae,
    "diffusion": diffusion,
    "text_diffusion": text_diffusion,
    "tagger": tagger,
    "audiotoken": audiotoken,
    "audiotoken, dropout": partial(audiotoken, dropout=0.5),
    "align": align,
    "joint, pictures": joint(20, 1),
    "joint, sounds": joint(0, 20),
    "judge": judge,
    "judge, none of these": partial(judge, broken=0.5),
    "face_reader": face_reader,
    "localise": localise,
    "s2i_autoencoder": s2i_autoencoder,
    "s2i_generator": s2i_generator,
    "pedersoli_vqvae": pedersoli_vqvae,
    "pedersoli_audio": pedersoli_audio,
}


def small(name: str, runtime: Runtime, normed: bool = True) -> Any:
    """A task, with plain SGD: Adam's first steps are as long for a gradient that is only rounding.

    Without `normed` batch norm takes its running statistics, as in evaluation, since those of a batch are of what is
    computed at once.
    """
    torch.manual_seed(0)
    task = TASKS[name](runtime)
    if "diffusion" not in name:  # AdamW, which one process takes within the backward pass; they bear it
        task.optimizers = {
            part: torch.optim.SGD([p for group in optimizer.param_groups for p in group["params"]])
            for part, optimizer in task.optimizers.items()
        }
    for net in task.modules.values():
        for module in net.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and not normed:
                module.eval()
    return task


def trained(name: str, runtime: Runtime, normed: bool = True, steps: int = STEPS) -> dict[str, Tensor]:
    """Weights and buffers of a task after some steps."""
    task = small(name, runtime, normed)
    for step in range(steps):
        torch.manual_seed(step)
        train_step(task, step)
    nets = task.modules.items()
    return {
        f"{part}/{k}": v.clone() for part, net in nets for k, v in net.state_dict().items() if v.is_floating_point()
    }
