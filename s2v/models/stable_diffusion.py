"""Text-conditioned Stable Diffusion (1.4, 1.5, 2) out of a folder that diffusers publishes, with words made of sounds.

A prompt may have a place holder, `<*>`. Its row of the word embeddings is replaced by a token [dim] of each picture's
own, before the text transformer; no other row is touched, and gradients reach the token alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.models.audiotoken import PLACEHOLDER, PROMPT
from s2v.models.diffusers_folder import PRECISIONS, Layout, loaded, quiet, scheduler

STEPS, GUIDANCE = 50, 7.5
"""What AudioToken's authors draw with, through the scheduler that the folder names (1.4: PNDM)."""

LAYOUT = Layout(
    name="stable-diffusion-1-4",
    title="Stable Diffusion 1.4",
    repository="CompVis/stable-diffusion-v1-4",
    pipeline="StableDiffusionPipeline",
    files={
        "scheduler": ("scheduler_config.json",),
        "text_encoder": ("config.json", "model"),
        "tokenizer": ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json"),
        "unet": ("config.json", "diffusion_pytorch_model"),
        "vae": ("config.json", "diffusion_pytorch_model"),
    },
)


class StableDiffusion:
    """A frozen Stable Diffusion.

    The published safety checker is not part of it: nothing looks at what is drawn.

    Args:
        tokenizer: CLIP's, of transformers; the place holder is added to it.
        text: CLIP's text model, of transformers.
        unet: diffusers' U-Net, conditioned on the text's last hidden states.
        vae: diffusers' autoencoder.
        scheduler: of diffusers; it says how samples are drawn, and what noise a training puts on.
    """

    def __init__(self, tokenizer: Any, text: nn.Module, unet: nn.Module, vae: nn.Module, scheduler: Any) -> None:
        from diffusers import StableDiffusionPipeline

        tokenizer.add_tokens(PLACEHOLDER)
        self.tokenizer, self.text, self.unet, self.vae = tokenizer, text, unet, vae
        self.place = tokenizer.convert_tokens_to_ids(PLACEHOLDER)
        build: Any = StableDiffusionPipeline
        with quiet():
            self.pipeline = build(
                tokenizer=tokenizer,
                text_encoder=text,
                unet=unet,
                vae=vae,
                scheduler=scheduler,
                safety_checker=None,
                feature_extractor=None,
                requires_safety_checker=False,
            )
        self.pipeline.set_progress_bar_config(disable=True)
        self.pipeline.vae.enable_slicing()
        config: Any = unet.config
        self.dim = int(text.get_input_embeddings().weight.shape[1])  # type: ignore[operator]
        self.latent_shape = (int(config.in_channels), int(config.sample_size), int(config.sample_size))
        self.resolution = int(config.sample_size) * self.pipeline.vae_scale_factor
        self.timesteps = int(scheduler.config.num_train_timesteps)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.unet.parameters()).device

    def condition(self, prompts: list[str], tokens: Tensor | None = None) -> Tensor:
        """What the U-Net sees of prompts: hidden states [B, 77, dim], with a gradient to `tokens`.

        Args:
            prompts: of each picture.
            tokens: words [B, dim] in the place of each prompt's `<*>`; without them no prompt may have one.

        Raises:
            UserError: a prompt has no place for its token, or none stands for it.
        """
        ids = self.tokenizer(
            prompts, padding="max_length", max_length=self.tokenizer.model_max_length, truncation=True,
            return_tensors="pt",
        ).input_ids  # fmt: skip
        here = ids == self.place
        for prompt, found in zip(prompts, here.any(1).tolist(), strict=True):
            if found != (tokens is not None):
                said = (
                    f"has no {PLACEHOLDER} for the token of the sound" if tokens is not None else "has a place holder"
                )
                raise UserError(f"prompt {prompt!r}: {said}")
        ids, here = ids.to(self.device), here.to(self.device)
        words: nn.Module = self.text.get_input_embeddings()  # type: ignore[operator]

        def replaced(_: nn.Module, __: Any, found: Tensor) -> Tensor:
            return found if tokens is None else torch.where(here[..., None], tokens[:, None].to(found), found)

        hook = words.register_forward_hook(replaced)
        try:
            # The table has no row for the place holder; what is looked up in its place is replaced.
            states: Tensor = self.text(ids.masked_fill(here, 0)).last_hidden_state
        finally:
            hook.remove()
        return states

    @torch.no_grad()
    def latents(self, pictures: Tensor, noise: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in [-1, 1], sides multiples of 8, and noise [B, 4, H / 8, W / 8] of the autoencoder's
        posterior -> latents as the U-Net takes them."""
        vae: Any = self.vae
        posterior = vae.encode(pictures.to(self.device, vae.dtype)).latent_dist
        return (posterior.mean + posterior.std * noise.to(posterior.mean)) * vae.config.scaling_factor

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """Latents under noise of the same shape at `timesteps` [B], and what the U-Net shall say of them.

        Raises:
            UserError: the folder's scheduler wants something that is neither the noise nor the velocity.
        """
        known = self.pipeline.scheduler
        noisy = known.add_noise(latents, noise, timesteps)
        if known.config.prediction_type == "epsilon":
            return noisy, noise
        if known.config.prediction_type == "v_prediction":
            alpha = known.alphas_cumprod.to(latents)[timesteps][:, None, None, None]
            return noisy, alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
        raise UserError(f"scheduler: prediction_type {known.config.prediction_type!r} is not epsilon or v_prediction")

    def predict(self, noisy: Tensor, timesteps: Tensor, condition: Tensor) -> Tensor:
        """Noisy latents [B, 4, h, w], `timesteps` [B], hidden states [B, 77, dim] -> prediction [B, 4, h, w]."""
        out: Tensor = self.unet(noisy, timesteps, condition, return_dict=False)[0]
        return out

    @torch.no_grad()
    def draw(
        self,
        tokens: Tensor | None,
        noises: Tensor,
        prompt: str = PROMPT,
        steps: int = STEPS,
        guidance: float = GUIDANCE,
        generators: list[torch.Generator] | None = None,
    ) -> Tensor:
        """Pictures [B, 3, R, R] in [-1, 1] on the CPU, of one prompt.

        Args:
            tokens: words [B, dim] for the place holder in `prompt`, or None where it has none.
            noises: N(0, I) [B, *latent_shape] that drawing begins with; a picture follows from its own and its token.
            prompt: with one place holder where there are tokens.
            steps: of the scheduler.
            guidance: w of classifier-free guidance against the empty prompt; 1 is none.
            generators: of noise in the steps, where the folder's scheduler draws any.

        Raises:
            UserError: as `condition`.
        """
        pipeline, dtype, n = self.pipeline, next(self.unet.parameters()).dtype, len(noises)
        if not n:
            return torch.empty(0, 3, self.resolution, self.resolution)
        drawn = pipeline(
            prompt_embeds=self.condition([prompt] * n, tokens).to(dtype),
            negative_prompt_embeds=self.condition([""] * n).to(dtype),
            num_inference_steps=steps,
            guidance_scale=guidance,
            latents=noises.to(self.device, dtype),
            generator=generators,
            output_type="pt",
        ).images
        return (drawn.float().cpu() * 2 - 1).clamp(-1, 1)


def load_stable_diffusion(folder: Path, device: torch.device | str = "cpu", precision: str = "fp32") -> StableDiffusion:
    """Stable Diffusion of a folder, all its nets in one precision on one device, frozen.

    Args:
        folder: in the layout that diffusers publishes; by name it is `LAYOUT.folder()`.
        device: where to compute.
        precision: fp32, fp16 or bf16.

    Raises:
        UserError: a file is missing (the message names it), damaged, of another model, or the parts don't fit together.
    """
    LAYOUT.look_for(folder, *LAYOUT.files)
    LAYOUT.check_index(folder)
    dtype = PRECISIONS[precision]
    with quiet():
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from transformers import CLIPTextModel, CLIPTokenizer

        text = LAYOUT.net(CLIPTextModel, folder / "text_encoder", dtype)
        unet = LAYOUT.net(UNet2DConditionModel, folder / "unet", dtype)
        vae = LAYOUT.net(AutoencoderKL, folder / "vae", dtype)
        if unet.config.cross_attention_dim != text.config.hidden_size:
            raise UserError(
                f"{folder / 'unet'}: takes words of {unet.config.cross_attention_dim} numbers, and text_encoder gives "
                f"{text.config.hidden_size}"
            )
        if vae.config.latent_channels != unet.config.in_channels:
            raise UserError(
                f"{folder / 'unet'}: takes latents of {unet.config.in_channels} channels, and vae gives "
                f"{vae.config.latent_channels}"
            )
        words = loaded(CLIPTokenizer, folder / "tokenizer")
        return StableDiffusion(words, text.to(device), unet.to(device), vae.to(device), scheduler(folder / "scheduler"))


__all__ = ["GUIDANCE", "LAYOUT", "STEPS", "StableDiffusion", "load_stable_diffusion"]
