"""A Stable Diffusion with random weights, tiny, in the folder layout that diffusers publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from tiny_unclip import PUBLISHED_NAMES, TOKENS
from transformers import CLIPTextConfig, CLIPTextModel

from s2v.files import write_json, write_text

DIM, PX = 16, 32
"""Size of a word, side of the pictures."""
LONG = 12
"""Words of a prompt."""
SCHEDULE = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1,
}  # fmt: skip


def diffusion_folder(root: Path, prediction: str = "epsilon", dim: int = DIM) -> Path:
    """`root`/stable-diffusion-1-4, as `s2v weights fetch stable-diffusion-1-4` brings it: files of the same names."""
    folder = root / "stable-diffusion-1-4"
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(TOKENS),
        hidden_size=dim,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=LONG,
        projection_dim=dim,
        bos_token_id=6,
        eos_token_id=7,
        pad_token_id=7,
        initializer_factor=10.0,
    )
    unet = UNet2DConditionModel(
        sample_size=PX // 2,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=2,
        cross_attention_dim=dim,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
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
    nets: dict[str, Any] = {"text_encoder": CLIPTextModel(text), "unet": unet, "vae": vae}
    for name, net in nets.items():
        net.save_pretrained(folder / name)
        (path,) = (folder / name).glob("*.safetensors")
        save_file({PUBLISHED_NAMES.get(name, str)(k): v for k, v in load_file(path).items()}, path, {"format": "pt"})
    PNDMScheduler(**SCHEDULE, prediction_type=prediction).save_pretrained(folder / "scheduler")
    write_json(folder / "tokenizer/vocab.json", {token: i for i, token in enumerate(TOKENS)})
    write_text(folder / "tokenizer/merges.txt", "#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    special |= {"unk_token": "<|endoftext|>"}
    write_json(folder / "tokenizer/special_tokens_map.json", special)
    write_json(folder / "tokenizer/tokenizer_config.json", {
        **special, "add_prefix_space": False, "errors": "replace", "model_max_length": LONG,
        "tokenizer_class": "CLIPTokenizer",
    })  # fmt: skip
    write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.2.2",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })  # fmt: skip
    return folder
