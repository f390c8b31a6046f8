"""The second generator at full size (paper 6.1): Stable unCLIP 2.1, as the paper's authors' scripts run it.

The sound's feature takes the place of the CLIP image embedding in front of diffusers' own pipeline, which brings the
feature to its statistics, puts noise of a level (0: hardly any) on it, takes it back, appends a vector that says the
level, and holds zeros against it for guidance.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture import Policy, from_unit, resize, to_unit
from s2v.methods.base import Sources, Unsupported, clip_seed, noise
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.image_encoder import unit
from s2v.models.store import load


class Unclip:
    """Image to image: CLIP's embedding of a frame -> Stable unCLIP."""

    name: ClassVar[str] = "unclip"
    letter: ClassVar[str] = ""
    title: ClassVar[str] = "Stable unCLIP"
    encoder: ClassVar[str] = "V"
    generator: ClassVar[str] = "G"
    takes: ClassVar[Literal["sound", "frame"]] = "frame"
    seeded: ClassVar[bool] = True

    def __init__(self, sources: Sources) -> None:
        # Here, since transformers takes seconds to import and no other method needs it.
        from s2v.models.stable_unclip import ClipEncoder, load_pipeline, published_folder

        if sources.unclip is None or sources.embed_unclip is None:
            raise UserError(f"{self.name}: needs to be told how Stable unCLIP sees and draws; it is not set up with it")
        self.settings, self.truncation = sources.unclip, sources.truncation
        cuda = torch.device(sources.device).type == "cuda"
        precision = self.settings.precision if cuda else "fp32"
        self.pipeline = load_pipeline(published_folder(), sources.device, precision)
        unet = self.pipeline.unet
        self.f_v = ClipEncoder(self.pipeline.image_encoder, self.pipeline.feature_extractor, sources.embed_unclip.input)
        self.dim, self.image_px = self.f_v.dim, self.f_v.image_px
        self.image_policy: Policy = self.f_v.policy
        self.latent = (unet.config.in_channels, unet.config.sample_size, unet.config.sample_size)
        self.resolution = self.settings.px or unet.config.sample_size * self.pipeline.vae_scale_factor

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Not possible."""
        raise Unsupported(f"{self.name}: makes pictures from pictures; it has no audio encoder")

    def encode_image(self, image: Tensor) -> Tensor:
        """Picture [B, 3, H, W] in [-1, 1] -> CLIP's embedding [B, D]; of unit norm only where the settings say so."""
        return self._condition(self.f_v.encode(from_unit(image)))

    def decode(self, z: Tensor, seeds: list[int]) -> Tensor:
        """z [B, D] as `encode_*` gives it -> pictures [B, 3, R, R] in [-1, 1].

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
        eps = noise(seeds, math.prod(self.latent), self.truncation).reshape(-1, *self.latent)
        latents = eps.to(device, dtype) * pipeline.scheduler.init_noise_sigma
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
        pictures = (drawn.float().cpu() * 2 - 1).clamp(-1, 1)
        return to_unit(resize(from_unit(pictures), self.resolution)) if self.settings.px else pictures

    def _condition(self, z: Tensor) -> Tensor:
        return unit(z) if self.settings.unit_norm else z


class Sound2VisionUnclip(Unclip):
    """f_A, aligned to CLIP's embedding -> Stable unCLIP."""

    name: ClassVar[str] = "sound2vision_unclip"
    title: ClassVar[str] = "Sound2Vision, Stable unCLIP"
    encoder: ClassVar[str] = "A"
    takes: ClassVar[Literal["sound", "frame"]] = "sound"

    def __init__(self, sources: Sources) -> None:
        super().__init__(sources)
        self.f_a, self.window_s = load(AudioEncoder, sources.align_dir, sources.device), sources.window_s
        if self.f_a.dim != self.dim:
            raise UserError(
                f"{sources.align_dir}: gives features of {self.f_a.dim} numbers, and Stable unCLIP takes {self.dim}; "
                "run stage align_unclip again"
            )

    def encode_audio(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> z^A [B, D] as f_A gives it; tiled or cut to the window."""
        return self._condition(self.f_a.encode(wave, self.window_s))


__all__ = ["Sound2VisionUnclip", "Unclip"]
