"""Stable unCLIP 2.1, the second generator at full size (paper 6.1), as the paper's authors' scripts run it.

The sound's feature takes the place of the CLIP image embedding in front of diffusers' own pipeline, which brings the
feature to its statistics, puts noise of a level (0: hardly any) on it, takes it back, appends a vector that says the
level, and holds zeros against it for guidance.
"""

from __future__ import annotations

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture import from_unit, resize, to_unit
from s2v.methods.base import Sources, clip_seed
from s2v.methods.renderers.steered import SteeredRenderer
from s2v.models.stable_unclip import ClipEncoder, load_pipeline, published_folder
from s2v.models.unclip_steering import SteeredUnclip


class StableUnclip(SteeredRenderer):
    """A feature of CLIP's space -> Stable unCLIP. Its f_V is CLIP's image encoder."""

    def __init__(self, method: str, sources: Sources) -> None:
        super().__init__(method, sources)
        if sources.embed_unclip is None:
            raise UserError(f"{method}: needs to be told how CLIP's image encoder sees (embed_unclip)")
        self.settings = sources.config.unclip
        cuda = torch.device(sources.device).type == "cuda"
        precision = self.settings.precision if cuda else "fp32"
        self.pipeline = load_pipeline(published_folder(), sources.device, precision)
        unet = self.pipeline.unet
        self.f_v = ClipEncoder(self.pipeline.image_encoder, self.pipeline.feature_extractor, sources.embed_unclip.input)
        self.unit_norm = self.settings.unit_norm
        self.noise_shape = (unet.config.in_channels, unet.config.sample_size, unet.config.sample_size)
        self.drawn_px = unet.config.sample_size * self.pipeline.vae_scale_factor
        self.resolution = self.settings.px or self.drawn_px
        self.steered = SteeredUnclip(self.pipeline, self.settings.prompt, self.settings.noise_level)
        self.steps, self.guidance = self.settings.steps, self.settings.guidance
        self.composed_guidance = self.settings.guidance

    def draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        """z [B, D] as encoders give it -> pictures [B, 3, R, R] in [-1, 1].

        A picture follows from its condition and its seed alone, up to the rounding of sums, whose order may change with
        the number of pictures in a batch.
        """
        at_once = self.settings.batch_size
        parts = [self._draw(z[i : i + at_once], seeds[i : i + at_once]) for i in range(0, len(seeds), at_once)]
        return torch.cat(parts) if parts else torch.empty(0, 3, self.resolution, self.resolution)

    @torch.inference_mode()
    def _draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        pipeline, settings = self.pipeline, self.settings
        device, dtype = pipeline.unet.device, pipeline.unet.dtype
        # The pipeline leaves latents that it is given as they are, where it would scale its own.
        pipeline.scheduler.set_timesteps(settings.steps, device=device)
        latents = self.noises(seeds).to(device, dtype) * pipeline.scheduler.init_noise_sigma
        drawn = pipeline(
            image_embeds=z.to(device, dtype),
            prompt=[settings.prompt] * len(seeds),
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance,
            noise_level=settings.noise_level,
            latents=latents,
            # Of the noise on the feature, and of the steps where a scheduler draws any: one for each picture, and other
            # numbers than those of the latents.
            generator=[torch.Generator().manual_seed(clip_seed(seed, "feature")) for seed in seeds],
            output_type="pt",
        ).images
        return self._kept((drawn.float().cpu() * 2 - 1).clamp(-1, 1))

    def _kept(self, pictures: Tensor) -> Tensor:
        return to_unit(resize(from_unit(pictures), self.resolution)) if self.settings.px else pictures

    @torch.inference_mode()
    def encoded(self, pictures: Tensor) -> Tensor:
        """Pictures uint8 [B, 3, R, R] -> latents [B, C, h, w], at the side at which it draws."""
        vae = self.pipeline.vae
        shown = to_unit(resize(pictures, self.drawn_px)).to(vae.device, vae.dtype)
        return torch.cat([vae.encode(one[None]).latent_dist.mode() for one in shown]).float()

    @torch.inference_mode()
    def decoded(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] -> pictures [B, 3, R, R] in [-1, 1], on the CPU."""
        vae = self.pipeline.vae
        made = vae.decode(latents.to(vae.device, vae.dtype), return_dict=False)[0]
        return self._kept(made.float().clamp(-1, 1).cpu())


__all__ = ["StableUnclip"]
