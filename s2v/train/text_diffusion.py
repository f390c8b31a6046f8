"""Stage `text_diffusion`: a latent diffusion model of pictures with a sentence each, trained with its text tower."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from s2v.data.reader import read_captioned
from s2v.data.table import sha256_of
from s2v.errors import UserError
from s2v.files import sha256
from s2v.models.autoencoder import autoencoder, encode
from s2v.models.store import load
from s2v.models.text_diffusion import TextDiffusion, shape
from s2v.models.text_tower import learn_pieces
from s2v.runtime import Runtime
from s2v.train.denoising import DenoisingTask
from s2v.train.loop import train_stage
from s2v.train.task import Batch

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from s2v.config import RuntimeConfig, TextDiffusionConfig


class TextDiffusionTask(DenoisingTask[TextDiffusion]):
    """The condition is the sentence, each time in one of the templates."""

    def __init__(
        self, config: TextDiffusionConfig, latents: Tensor, captions: list[str], vae: AutoencoderKL, runtime: Runtime
    ) -> None:
        """`latents` [2, N, C, h, w] of pictures and of their mirror images, and a sentence for each picture."""
        texts = [[template.replace("{}", caption) for caption in captions] for template in config.templates]
        pieces = learn_pieces((text for variant in texts for text in variant), config.pieces)
        self.shape = shape(config, pieces, latents.shape[-3], latents.shape[-1])
        model = TextDiffusion(**self.shape)
        model.fit_latents(latents.flatten(0, 1))
        self.captions = captions
        self.ids = torch.stack([model.text.tokens(variant) for variant in texts])
        super().__init__(config, model, latents, vae, runtime)

    def draw(self, n: int) -> Batch:
        return {**super().draw(n), "template": torch.randint(len(self.ids), (n,))}

    def predict(self, noisy: Tensor, given: dict[str, Any]) -> Tensor:
        ids = self.ids[given["template"].cpu(), given["index"].cpu()].to(noisy.device)
        return self.model(noisy, given["timestep"], ids, given["keep"])

    @torch.no_grad()
    def shown(self) -> Tensor:
        return self.ema.net.states([self.captions[i] for i in self.fixed.tolist()])


def run(
    *,
    config: TextDiffusionConfig,
    packs: list[Path],
    vae_dir: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train on the pictures of `packs` that have a sentence, in the latents of the autoencoder of `vae_dir`.

    Raises:
        UserError: no picture has one.
    """
    place = Runtime.from_config(runtime, threads)
    vae = load(autoencoder, vae_dir, place.device)
    images, captions = read_captioned(packs, int(vae.config["sample_size"]))
    if not captions:
        raise UserError(f"text_diffusion: no picture of the split `{config.split}` has a sentence; see coverage.csv")
    latents = torch.stack([encode(vae, images), encode(vae, images.flip(3))])
    torch.manual_seed(config.seed)
    task = TextDiffusionTask(config, latents, captions, vae, place)
    train_stage(
        task,
        name="text_diffusion",
        config=config,
        data=[*(sha256_of(path) for path in packs), sha256(vae_dir / "model.safetensors")],
        output_dir=output_dir,
        weights={"model.safetensors": task.ema.net},
        shape=task.shape,
        card=lambda _: (
            f"# Text-conditioned latent diffusion model\n\nA stand-in for Stable Diffusion, whose weights are not "
            f"shipped: a U-Net on latents of {latents.shape[2]} x {latents.shape[3]} x {latents.shape[4]} and a text "
            f"tower of {config.text_layers} layers over {len(task.shape['pieces'])} word pieces. Trained on "
            f"{len(captions)} pictures of the split `{config.split}` with a sentence each: {config.steps} steps at "
            f"batch {config.batch_size}, {config.prediction}, the sentence left out in "
            f"{100 * config.condition_dropout:g} %. `model.safetensors` is the average of the weights (EMA).\n"
        ),
    )


__all__ = ["run"]
