"""Stable unCLIP 2.1 out of a folder that diffusers publishes: its pipeline, and its CLIP image encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.media.picture import Policy, resize, to_unit
from s2v.models.diffusers_folder import PRECISIONS, Layout, loaded, quiet, scheduler

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SQUASH_PX = 256
"""Side of the authors' first resize."""

LAYOUT = Layout(
    name="stable-unclip",
    title="Stable unCLIP",
    repository="stabilityai/stable-diffusion-2-1-unclip",
    pipeline="StableUnCLIPImg2ImgPipeline",
    files={
        "feature_extractor": ("preprocessor_config.json",),
        "image_encoder": ("config.json", "model"),
        "image_noising_scheduler": ("scheduler_config.json",),
        "image_normalizer": ("config.json", "diffusion_pytorch_model"),
        "scheduler": ("scheduler_config.json",),
        "text_encoder": ("config.json", "model"),
        "tokenizer": ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json"),
        "unet": ("config.json", "diffusion_pytorch_model"),
        "vae": ("config.json", "diffusion_pytorch_model"),
    },
)
published_folder = LAYOUT.folder


def load_pipeline(folder: Path, device: torch.device | str = "cpu", precision: str = "fp32") -> Any:
    """diffusers' `StableUnCLIPImg2ImgPipeline` of a folder, all its nets in one precision on one device, frozen.

    Args:
        folder: in the layout that diffusers publishes.
        device: where to compute.
        precision: fp32, fp16 or bf16.

    Raises:
        UserError: a file is missing (the message names it), damaged, of another model, or the parts don't fit together.
    """
    LAYOUT.look_for(folder, *LAYOUT.files)
    LAYOUT.check_index(folder)
    dtype = PRECISIONS[precision]
    with quiet():
        from diffusers import AutoencoderKL, StableUnCLIPImg2ImgPipeline, UNet2DConditionModel
        from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
        from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

        parts = {
            "feature_extractor": _processor(folder),
            "image_encoder": LAYOUT.net(CLIPVisionModelWithProjection, folder / "image_encoder", dtype),
            "image_normalizer": LAYOUT.net(StableUnCLIPImageNormalizer, folder / "image_normalizer", dtype),
            "image_noising_scheduler": scheduler(folder / "image_noising_scheduler"),
            "tokenizer": loaded(CLIPTokenizer, folder / "tokenizer"),
            "text_encoder": LAYOUT.net(CLIPTextModel, folder / "text_encoder", dtype),
            "unet": LAYOUT.net(UNet2DConditionModel, folder / "unet", dtype),
            "scheduler": scheduler(folder / "scheduler"),
            "vae": LAYOUT.net(AutoencoderKL, folder / "vae", dtype),
        }
        _check_sizes(folder, parts)
        build: Any = StableUnCLIPImg2ImgPipeline
        pipeline = build(**parts).to(device)
    pipeline.set_progress_bar_config(disable=True)
    # One picture at a time through the decoder, whose maps at 768 px are the largest of all.
    pipeline.vae.enable_slicing()
    return pipeline


class ClipEncoder:
    """f_V: the CLIP image encoder of Stable unCLIP, pictures -> projected embeddings as they are (ViT-H: 1024-d).

    Args:
        net: the encoder.
        processor: its folder's feature extractor, which says side and statistics of the pictures it was trained with.
        shown: `clip` for those, by a centre crop; `imagenet` for what the authors' code does: squashed to 256 px,
            ImageNet's statistics, then 224 px by bicubic interpolation whose corners are aligned.
    """

    def __init__(self, net: nn.Module, processor: Any, shown: str) -> None:
        self.net, self.shown = net, shown
        self.px = int(processor.crop_size["height"])
        self.image_px = self.px if shown == "clip" else SQUASH_PX
        self.policy: Policy = "crop" if shown == "clip" else "squash"
        self.dim = int(net.config.projection_dim)  # type: ignore[union-attr, arg-type]
        mean, std = (processor.image_mean, processor.image_std) if shown == "clip" else IMAGENET
        self.mean, self.std = (torch.tensor(values)[:, None, None] for values in (mean, std))

    def pixels(self, images: Tensor) -> Tensor:
        """uint8 [N, 3, H, W] of any size -> what the net takes, float [N, 3, px, px]."""
        x = (to_unit(resize(images, self.image_px, self.policy)) + 1) / 2
        x = (x - self.mean) / self.std
        if self.shown == "imagenet":
            x = F.interpolate(x, size=(self.px, self.px), mode="bicubic", align_corners=True)
        return x

    @torch.inference_mode()
    def encode(self, images: Tensor, batch_size: int = 64) -> Tensor:
        """uint8 [N, 3, H, W] of any size -> embeddings float32 [N, D] on the CPU."""
        weight = next(self.net.parameters())
        if not len(images):  # a shard may be empty
            return torch.empty(0, self.dim)
        parts = [
            self.net(self.pixels(part).to(weight.device, weight.dtype)).image_embeds.float().cpu()
            for part in images.split(batch_size)
        ]
        return torch.cat(parts)


def load_encoder(folder: Path, shown: str, device: torch.device | str = "cpu") -> ClipEncoder:
    """The image encoder of a folder, frozen; fp32 on the CPU, fp16 (that of the published file) elsewhere.

    Raises:
        UserError: as `load_pipeline`.
    """
    LAYOUT.look_for(folder, "image_encoder", "feature_extractor")
    dtype = torch.float32 if torch.device(device).type == "cpu" else torch.float16
    with quiet():
        from transformers import CLIPVisionModelWithProjection

        net = LAYOUT.net(CLIPVisionModelWithProjection, folder / "image_encoder", dtype)
        return ClipEncoder(net.to(device), _processor(folder), shown)


def _check_sizes(folder: Path, parts: dict[str, Any]) -> None:
    dim, unet = parts["image_encoder"].config.projection_dim, parts["unet"].config
    normalised = parts["image_normalizer"].config.embedding_dim
    if normalised != dim:
        raise UserError(f"{folder / 'image_normalizer'}: of {normalised} numbers, and image_encoder gives {dim}")
    # The feature, and as long a vector that says how much noise was put on it.
    taken = unet.projection_class_embeddings_input_dim if unet.class_embed_type == "projection" else None
    if taken != 2 * dim:
        raise UserError(
            f"{folder / 'unet'}: takes {taken} numbers of a picture's feature, and image_encoder gives 2 x {dim}"
        )


def _processor(folder: Path) -> Any:
    from transformers import CLIPImageProcessor

    return loaded(CLIPImageProcessor, folder / "feature_extractor")


__all__ = ["ClipEncoder", "load_encoder", "load_pipeline", "published_folder"]
