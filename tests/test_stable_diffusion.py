"""Stable Diffusion of a folder, with a word made of a sound: what is replaced, what learns, what is drawn."""

from __future__ import annotations

import json
import math
import pickle
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tiny_diffusion import DIM, LONG, PX, diffusion_folder
from torch import Tensor

from s2v.errors import UserError
from s2v.models.audiotoken import TokenEmbedder
from s2v.models.stable_diffusion import StableDiffusion, load_stable_diffusion
from s2v.weights.catalogue import CATALOGUE

PROMPT = "a b <*> a"
IDS = [6, 4, 5, None, 4, 7]
"""Its rows of the words' table: the start, a, b, the sound's, a, the end."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return diffusion_folder(tmp_path_factory.mktemp("w"))


@pytest.fixture(scope="module")
def diffusion(folder: Path) -> StableDiffusion:
    return load_stable_diffusion(folder)


def text(state: dict[str, Tensor], words: Tensor) -> Tensor:
    """CLIP's text transformer, literally: rows of the words' table [T, dim] -> last hidden states [T, dim]."""

    def dense(name: str, x: Tensor) -> Tensor:
        return x @ state[f"text_model.{name}.weight"].T + state[f"text_model.{name}.bias"]

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, (DIM,), state[f"text_model.{name}.weight"], state[f"text_model.{name}.bias"])

    x = words + state["text_model.embeddings.position_embedding.weight"]
    ahead = torch.full((len(x), len(x)), -math.inf).triu(1)
    for i in range(2):
        layer = f"encoder.layers.{i}"
        h = norm(f"{layer}.layer_norm1", x)
        q, k, v = (dense(f"{layer}.self_attn.{part}_proj", h).view(len(x), 2, -1).transpose(0, 1) for part in "qkv")
        seen = (q @ k.transpose(1, 2) / math.sqrt(DIM / 2) + ahead).softmax(-1) @ v
        x = x + dense(f"{layer}.self_attn.out_proj", seen.transpose(0, 1).flatten(1))
        h = dense(f"{layer}.mlp.fc1", norm(f"{layer}.layer_norm2", x))
        x = x + dense(f"{layer}.mlp.fc2", h * torch.sigmoid(1.702 * h))
    return norm("final_layer_norm", x)


@torch.no_grad()
def test_one_row_is_replaced_before_the_text_transformer(folder: Path, diffusion: StableDiffusion) -> None:
    state = load_file(folder / "text_encoder/model.safetensors")
    table = state["text_model.embeddings.token_embedding.weight"]
    tokens = torch.randn(2, DIM)
    found = diffusion.condition([PROMPT] * 2, tokens)
    for token, states in zip(tokens, found, strict=True):
        rows = [token if i is None else table[i] for i in IDS] + [table[7]] * (LONG - len(IDS))
        torch.testing.assert_close(states, text(state, torch.stack(rows)), rtol=1e-4, atol=1e-5)
    # Causal: what stands before the sound's word does not see it; what follows does.
    assert torch.equal(found[0, :3], found[1, :3])
    assert (found[0, 3:] - found[1, 3:]).abs().amax(1).min() > 1e-3
    assert torch.equal(diffusion.condition(["a b"]), diffusion.condition(["a b"])), "nothing of a token is left behind"
    assert torch.equal(diffusion.text.get_input_embeddings().weight, table)


def test_a_training_step_reaches_the_token_alone(diffusion: StableDiffusion) -> None:
    torch.manual_seed(0)
    net = TokenEmbedder(12, DIM)
    pictures = torch.rand(2, 3, PX, PX) * 2 - 1
    latents = diffusion.latents(pictures, torch.randn(2, *diffusion.latent_shape))
    noisy, target = diffusion.noised(latents, torch.randn_like(latents), torch.tensor([100, 700]))
    tokens = net(torch.randn(2, 7, 12))
    states = diffusion.condition([PROMPT] * 2, tokens)
    loss = F.mse_loss(diffusion.predict(noisy, torch.tensor([100, 700]), states), target)
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.fc1.parameters())
    frozen = [*diffusion.text.parameters(), *diffusion.unet.parameters(), *diffusion.vae.parameters()]
    assert not any(p.requires_grad or p.grad is not None for p in frozen)


@torch.no_grad()
def test_noise_and_what_is_asked_of_the_net(tmp_path: Path, diffusion: StableDiffusion) -> None:
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = (1 - betas).cumprod(0).float()
    latents, noise, t = torch.randn(2, 4, 16, 16), torch.randn(2, 4, 16, 16), torch.tensor([0, 999])
    a, b = kept[t].sqrt()[:, None, None, None], (1 - kept[t]).sqrt()[:, None, None, None]
    noisy, target = diffusion.noised(latents, noise, t)
    torch.testing.assert_close(noisy, a * latents + b * noise, rtol=1e-4, atol=1e-5)
    assert torch.equal(target, noise)
    second = load_stable_diffusion(diffusion_folder(tmp_path, "v_prediction"))
    torch.testing.assert_close(second.noised(latents, noise, t)[1], a * noise - b * latents, rtol=1e-4, atol=1e-5)
    # Latents are scaled by the constant of Stable Diffusion's first autoencoder.
    pictures = torch.rand(1, 3, PX, 48) * 2 - 1
    mean = diffusion.vae.encode(pictures).latent_dist.mean
    found = diffusion.latents(pictures, torch.zeros(1, 4, PX // 2, 24))
    torch.testing.assert_close(found, mean * 0.18215)


@pytest.mark.parametrize("kind", ["its own", "EulerDiscreteScheduler"])
def test_pictures_are_those_of_diffusers(folder: Path, tmp_path: Path, kind: str) -> None:
    """Textual inversion's way: the token in a new row of the table, and diffusers' own pipeline of the folder."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

    if kind != "its own":
        folder = Path(shutil.copytree(folder, tmp_path / "stable-diffusion-1-4"))
        # Its first noise is of another size than 1.
        EulerDiscreteScheduler(beta_schedule="scaled_linear").save_pretrained(folder / "scheduler")
    diffusion = load_stable_diffusion(folder)
    tokens, noises = torch.randn(2, DIM), torch.randn(2, *diffusion.latent_shape)
    found = diffusion.draw(tokens, noises, PROMPT, steps=4)
    plain = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, feature_extractor=None, requires_safety_checker=False, low_cpu_mem_usage=False
    )
    plain.scheduler = diffusion.pipeline.scheduler
    plain.tokenizer.add_tokens("<*>")
    plain.text_encoder.resize_token_embeddings(9)
    for i in range(2):
        plain.text_encoder.get_input_embeddings().weight.data[8] = tokens[i]
        drawn = plain(
            PROMPT, num_inference_steps=4, guidance_scale=7.5, latents=noises[i : i + 1], output_type="pt"
        ).images
        assert (found[i] - (drawn[0] * 2 - 1)).abs().max() < 1e-4
    assert found.shape == (2, 3, PX, PX) and (found[0] - found[1]).abs().max() > 0.01
    other = diffusion.draw(tokens.flip(0), noises, PROMPT, steps=4)
    assert (other - found).abs().max() > 1e-3, "the token is seen"
    alone = diffusion.draw(tokens[1:], noises[1:], PROMPT, steps=4)
    assert (alone[0] - found[1]).abs().max() < 1e-3, "whatever the batch"
    words = diffusion.draw(None, noises, "a b", steps=4)
    assert words.shape == found.shape and diffusion.draw(None, noises[:0], "a b").shape == (0, 3, PX, PX)


def test_a_prompt_and_its_token_belong_together(diffusion: StableDiffusion) -> None:
    with pytest.raises(UserError, match="prompt 'a b': has no <\\*> for the token of the sound"):
        diffusion.condition(["a b"], torch.zeros(1, DIM))
    with pytest.raises(UserError, match="prompt 'a <\\*>': has a place holder"):
        diffusion.condition(["a <*>"])


@pytest.mark.parametrize("file", [file.path for file in CATALOGUE["stable-diffusion-1-4"].files])
def test_a_missing_file_is_one_line_that_names_it(folder: Path, tmp_path: Path, file: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "stable-diffusion-1-4"))
    (tmp_path / file).unlink()
    (tmp_path / file).with_suffix(".bin").write_bytes(pickle.dumps(print))
    with pytest.raises(UserError) as error:
        load_stable_diffusion(copy)
    said = str(error.value)
    assert str(tmp_path / file) in said and "s2v weights fetch stable-diffusion-1-4" in said and "\n" not in said


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("model_index.json", {"_class_name": "StableUnCLIPImg2ImgPipeline"}, "must be of StableDiffusionPipeline"),
        ("scheduler/scheduler_config.json", {"_class_name": "os"}, "'os' is no scheduler of diffusers"),
        ("unet/config.json", {"cross_attention_dim": 24}, "unet: "),
        ("text_encoder/config.json", {"num_hidden_layers": 3}, "missing keys: "),
        ("vae/config.json", {"latent_channels": 3}, "vae: "),
    ],
)
def test_other_models_are_refused_in_one_line(
    folder: Path, tmp_path: Path, file: str, values: dict[str, Any], said: str
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "stable-diffusion-1-4"))
    (copy / file).write_text(json.dumps(json.loads((copy / file).read_text()) | values))
    with pytest.raises(UserError) as error:
        load_stable_diffusion(copy)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_damaged_weights_and_parts_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "stable-diffusion-1-4"))
    path = copy / "unet/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"conv_in.bias": tensors["conv_in.bias"] * math.nan}, path, {"format": "pt"})
    with pytest.raises(UserError, match=r"unet: conv_in\.bias holds NaN or infinity"):
        load_stable_diffusion(copy)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="unet: not readable as UNet2DConditionModel"):
        load_stable_diffusion(copy)
    shutil.rmtree(copy)
    shutil.copytree(diffusion_folder(tmp_path / "other", dim=24) / "unet", tmp_path / "unet")
    shutil.copytree(folder, copy)
    shutil.rmtree(copy / "unet")
    shutil.copytree(tmp_path / "unet", copy / "unet")
    with pytest.raises(UserError, match="unet: takes words of 24 numbers, and text_encoder gives 16"):
        load_stable_diffusion(copy)


def test_the_published_sizes() -> None:
    """Of the nets that the config files of Stable Diffusion 1.4 describe: published counts."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    bench = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks/published_systems.py"))
    with torch.device("meta"):
        text = CLIPTextModel(CLIPTextConfig(**bench["TEXT"]))
        nets = UNet2DConditionModel(**bench["UNET"]), AutoencoderKL(**bench["VAE"]), text
    assert [sum(p.numel() for p in net.parameters()) for net in nets] == [859_520_964, 83_653_863, 123_060_480]
    # In single precision, with the tokenizer's two files of 1.6 MB.
    assert (
        round((4 * (859_520_964 + 83_653_863 + 123_060_480)) / 1e6 + 1.6) == CATALOGUE["stable-diffusion-1-4"].size_mb
    )
