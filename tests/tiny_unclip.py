"""A Stable unCLIP with random weights, tiny, in the folder layout that diffusers publishes (half precision)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDPMScheduler, PNDMScheduler, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

from s2v.files import write_json, write_text

DIM, TEXT, PX = 32, 16, 32
"""Size of the image feature and of the text's, side of the pictures."""

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
TOKENS = ["!", "a", "b", "!</w>", "a</w>", "b</w>", "<|startoftext|>", "<|endoftext|>"]


def _text(name: str) -> str:
    return name if name.startswith("text_model.") else f"text_model.{name}"


def _vae(name: str) -> str:
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for new, published in old.items() if ".attentions." in name else ():
        name = name.replace(f".{new}.", f".{published}.")
    return name


PUBLISHED_NAMES: dict[str, Callable[[str], str]] = {"text_encoder": _text, "vae": _vae}
"""Weights that the published files call otherwise than today's libraries do."""


def unclip_folder(root: Path, half: bool = True, dim: int = DIM) -> Path:
    """`root`/stable-unclip, as `s2v weights fetch stable-unclip` brings it: files of the same names.

    Args:
        root: the weights folder.
        half: whether weights are `.fp16.safetensors`, or fp32 under plain names.
        dim: of the image feature.
    """
    folder = root / "stable-unclip"
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        projection_dim=dim,
    )
    text = CLIPTextConfig(
        vocab_size=len(TOKENS),
        hidden_size=TEXT,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=TEXT,
        bos_token_id=6,
        eos_token_id=7,
        pad_token_id=0,
    )
    unet = UNet2DConditionModel(
        sample_size=PX // 2,
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=(2, 4),
        cross_attention_dim=TEXT,
        use_linear_projection=True,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        class_embed_type="projection",
        projection_class_embeddings_input_dim=2 * dim,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=PX,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    normalizer = StableUnCLIPImageNormalizer(embedding_dim=dim)
    normalizer.mean.data.normal_(std=0.1)
    normalizer.std.data.uniform_(0.5, 1.5)
    nets: dict[str, Any] = {
        "image_encoder": CLIPVisionModelWithProjection(vision), "text_encoder": CLIPTextModel(text), "unet": unet,
        "vae": vae, "image_normalizer": normalizer,
    }  # fmt: skip
    for name, net in nets.items():
        if half:
            net = torch.nn.Module.half(net)
        net.save_pretrained(folder / name, variant="fp16" if half else None)
        (path,) = (folder / name).glob("*.safetensors")
        tensors = {PUBLISHED_NAMES.get(name, str)(key): tensor for key, tensor in load_file(path).items()}
        if name == "text_encoder":
            tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        save_file(tensors, path, {"format": "pt"})
    # As they are published: v-prediction with Stable Diffusion's noise, and the noise on the feature.
    PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        set_alpha_to_one=False,
        skip_prk_steps=True,
        steps_offset=1,
    ).save_pretrained(folder / "scheduler")
    DDPMScheduler(beta_schedule="squaredcos_cap_v2").save_pretrained(folder / "image_noising_scheduler")
    write_json(folder / "feature_extractor/preprocessor_config.json", {
        "crop_size": {"height": 28, "width": 28}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
        "do_rescale": True, "do_resize": True, "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": MEAN,
        "image_processor_type": "CLIPImageProcessor", "image_std": STD, "resample": 3, "rescale_factor": 1 / 255,
        "size": {"shortest_edge": 28},
    })  # fmt: skip
    write_json(folder / "tokenizer/vocab.json", {token: i for i, token in enumerate(TOKENS)})
    write_text(folder / "tokenizer/merges.txt", "#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "!"}
    special |= {"unk_token": "<|endoftext|>"}
    write_json(folder / "tokenizer/special_tokens_map.json", special)
    write_json(folder / "tokenizer/tokenizer_config.json", {
        **special, "add_prefix_space": False, "errors": "replace", "model_max_length": 77,
        "tokenizer_class": "CLIPTokenizer",
    })  # fmt: skip
    write_json(folder / "model_index.json", {
        "_class_name": "StableUnCLIPImg2ImgPipeline", "_diffusers_version": "0.15.0.dev0",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
        "image_noising_scheduler": ["diffusers", "DDPMScheduler"],
        "image_normalizer": ["stable_diffusion", "StableUnCLIPImageNormalizer"],
        "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })  # fmt: skip
    return folder
