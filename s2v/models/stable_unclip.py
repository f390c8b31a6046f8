"""Stable unCLIP 2.1 out of a folder in the layout that diffusers publishes: its pipeline, and its CLIP image encoder.

Nothing is downloaded. Weights are read from safetensors alone, half precision (`.fp16.`) or full, whichever is there;
pickles beside them are not looked at.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.files import read_json
from s2v.media.picture import Policy, resize, to_unit
from s2v.tensors import not_finite

WEIGHTS_VARIABLE = "S2V_WEIGHTS"
FOLDER = "stable-unclip"
PIPELINE = "StableUnCLIPImg2ImgPipeline"
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SQUASH_PX = 256
"""Side of the authors' first resize."""

_FILES = {
    "feature_extractor": ("preprocessor_config.json",),
    "image_encoder": ("config.json", "model"),
    "image_noising_scheduler": ("scheduler_config.json",),
    "image_normalizer": ("config.json", "diffusion_pytorch_model"),
    "scheduler": ("scheduler_config.json",),
    "text_encoder": ("config.json", "model"),
    "tokenizer": ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json"),
    "unet": ("config.json", "diffusion_pytorch_model"),
    "vae": ("config.json", "diffusion_pytorch_model"),
}
"""Files of each part; one without a suffix is of weights."""


def published_folder() -> Path:
    """The folder of Stable unCLIP under $S2V_WEIGHTS.

    Raises:
        UserError: the variable is not set.
    """
    name = os.environ.get(WEIGHTS_VARIABLE)
    if not name:
        raise UserError(
            f"Stable unCLIP needs the environment variable {WEIGHTS_VARIABLE}: a folder with {FOLDER}/, as `s2v "
            "weights fetch stable-unclip` brings it"
        )
    return Path(name).expanduser() / FOLDER


def load_pipeline(folder: Path, device: torch.device | str = "cpu", precision: str = "fp32") -> Any:
    """diffusers' `StableUnCLIPImg2ImgPipeline` of a folder, all its nets in one precision on one device, frozen.

    Args:
        folder: in the layout that diffusers publishes.
        device: where to compute.
        precision: fp32, fp16 or bf16.

    Raises:
        UserError: a file is missing (the message names it), damaged, of another model, or the parts don't fit together.
    """
    _look_for(folder, *_FILES)
    _check_index(folder)
    dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    with _quiet():
        from diffusers import AutoencoderKL, StableUnCLIPImg2ImgPipeline, UNet2DConditionModel
        from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
        from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

        parts = {
            "feature_extractor": _processor(folder),
            "image_encoder": _net(CLIPVisionModelWithProjection, folder / "image_encoder", dtype),
            "image_normalizer": _net(StableUnCLIPImageNormalizer, folder / "image_normalizer", dtype),
            "image_noising_scheduler": _scheduler(folder / "image_noising_scheduler"),
            "tokenizer": _loaded(CLIPTokenizer, folder / "tokenizer"),
            "text_encoder": _net(CLIPTextModel, folder / "text_encoder", dtype),
            "unet": _net(UNet2DConditionModel, folder / "unet", dtype),
            "scheduler": _scheduler(folder / "scheduler"),
            "vae": _net(AutoencoderKL, folder / "vae", dtype),
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
    _look_for(folder, "image_encoder", "feature_extractor")
    dtype = torch.float32 if torch.device(device).type == "cpu" else torch.float16
    with _quiet():
        from transformers import CLIPVisionModelWithProjection

        net = _net(CLIPVisionModelWithProjection, folder / "image_encoder", dtype)
        return ClipEncoder(net.to(device), _processor(folder), shown)


def _look_for(folder: Path, *parts: str) -> None:
    """Before anything is loaded, since the large parts take minutes."""
    wanted = [folder / part / name for part in parts for name in _FILES[part]]
    for path in wanted if set(parts) != set(_FILES) else [folder / "model_index.json", *wanted]:
        if path.suffix:
            there, name = path.is_file(), str(path)
        else:
            there, name = any(file.is_file() for file in _weights(path)), " or ".join(map(str, _weights(path)))
        if not there:
            raise UserError(
                f"{name}: not there; run `s2v weights fetch stable-unclip`, or put the file of "
                "stabilityai/stable-diffusion-2-1-unclip there by hand (safetensors; pickles, .bin, are not read)"
            )


def _weights(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.fp16.safetensors"), path.with_name(f"{path.name}.safetensors")


def _check_index(folder: Path) -> None:
    index = read_json(folder / "model_index.json")
    found = index.get("_class_name") if isinstance(index, dict) else None
    if found != PIPELINE:
        raise UserError(f"{folder / 'model_index.json'}: of {found!r}, and must be of {PIPELINE}")


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


def _net(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """A net whose weights all come from its file: what a file lacks would else be left at random."""
    name = next(name for name in _FILES[folder.name] if not Path(name).suffix)
    half, _ = _weights(folder / name)
    options: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
    if kind.__module__.startswith("diffusers"):
        # The other way of loading needs another package.
        options = {"torch_dtype": dtype, "low_cpu_mem_usage": False}
    net, info = _loaded(
        kind,
        folder,
        use_safetensors=True,
        variant="fp16" if half.is_file() else None,
        output_loading_info=True,
        **options,
    )
    for key in ("missing_keys", "mismatched_keys"):
        if info[key]:
            raise UserError(f"{folder}: not the published layout: {key.replace('_', ' ')}: {sorted(info[key])[0]}")
    bad = not_finite(net.state_dict())
    if bad is not None:
        raise UserError(f"{folder}: {bad} holds NaN or infinity; run `s2v weights fetch stable-unclip` again")
    return net.eval().requires_grad_(False)


def _processor(folder: Path) -> Any:
    from transformers import CLIPImageProcessor

    return _loaded(CLIPImageProcessor, folder / "feature_extractor")


def _scheduler(folder: Path) -> Any:
    import diffusers.schedulers as known

    path = folder / "scheduler_config.json"
    config = read_json(path)
    name = config.get("_class_name") if isinstance(config, dict) else None
    kind = getattr(known, name, None) if isinstance(name, str) and name.endswith("Scheduler") else None
    if kind is None or not hasattr(kind, "add_noise"):
        raise UserError(f"{path}: {name!r} is no scheduler of diffusers")
    return _loaded(kind, folder)


def _loaded(kind: Any, folder: Path, **options: Any) -> Any:
    try:
        return kind.from_pretrained(folder, local_files_only=True, **options)
    except Exception as error:  # diffusers, transformers, safetensors and torch each raise their own
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: not readable as {kind.__name__} ({line})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars and the advice that loading prints; errors are raised."""
    from transformers.utils import logging as shows

    bars: Any = shows
    names = ("diffusers", "transformers")
    levels, shown = {name: logging.getLogger(name).level for name in names}, bars.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            bars.disable_progress_bar()
            for name in names:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            if shown:
                bars.enable_progress_bar()
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


__all__ = ["ClipEncoder", "load_encoder", "load_pipeline", "published_folder"]
