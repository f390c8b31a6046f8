"""ImageBind's encoders as its publisher's file has them: names and shapes of any size, and what they compute."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]
BEFORE, TRUNK, HEAD = (f"modality_{part}.audio" for part in ("preprocessors", "trunks", "heads"))


def sizes(dim: int) -> dict[str, Any]:
    """Small ones, for embeddings of `dim` numbers."""
    return {
        "dim": dim, "width": 12, "depth": 2, "heads": 3, "bands": 26, "frames": 204, "patch_px": 16, "stride": 10,
    }  # fmt: skip


def imagebind_state(size: dict[str, Any], seed: int = 0) -> State:
    """What of `imagebind_huge.pth` is of sounds, of a size, and a little of what is not."""
    width, side = size["width"], size["patch_px"]
    count = ((size["bands"] - side) // size["stride"] + 1) * ((size["frames"] - side) // size["stride"] + 1)
    shapes: dict[str, tuple[int, ...]] = {
        f"{BEFORE}.cls_token": (1, 1, width),
        f"{BEFORE}.rgbt_stem.proj.weight": (width, 1, side, side),
        f"{BEFORE}.pos_embedding_helper.pos_embed": (1, 1 + count, width),
        f"{HEAD}.2.weight": (size["dim"], width),
        "modality_trunks.thermal.blocks.0.norm_1.weight": (5,),
    }
    norms = [f"{BEFORE}.rgbt_stem.norm_layer", f"{HEAD}.0"]
    for i in range(size["depth"]):
        block = f"{TRUNK}.blocks.{i}"
        shapes |= {f"{block}.attn.in_proj_weight": (3 * width, width), f"{block}.attn.in_proj_bias": (3 * width,)}
        shapes |= {f"{block}.attn.bias_k": (1, 1, width), f"{block}.attn.bias_v": (1, 1, width)}
        dense = (("attn.out_proj", width, width), ("mlp.fc1", width, 4 * width), ("mlp.fc2", 4 * width, width))
        for name, n_in, n_out in dense:
            shapes |= {f"{block}.{name}.weight": (n_out, n_in), f"{block}.{name}.bias": (n_out,)}
        norms += [f"{block}.norm_1", f"{block}.norm_2"]
    shapes |= {f"{norm}.{kind}": (width,) for norm in norms for kind in ("weight", "bias")}
    generator = torch.Generator().manual_seed(seed)
    state = {
        name: torch.randn(shape, generator=generator) / (math.prod(shape[1:]) ** 0.5 if len(shape) in (2, 4) else 2)
        for name, shape in shapes.items()
    }
    return state | {"modality_postprocessors.audio.1.log_logit_scale": torch.tensor(20.0).log()}


def imagebind(state: State, piece: Tensor, heads: int, stride: int) -> Tensor:
    """Embedding [dim] of one piece of sound: standardised filter banks [bands, frames]. Literal."""

    def norm(name: str, x: Tensor, eps: float = 1e-6) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)

    def dense(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    kernel = state[f"{BEFORE}.rgbt_stem.proj.weight"]
    side = kernel.shape[-1]
    patches = [
        kernel.flatten(1) @ piece[f : f + side, t : t + side].flatten()
        for f in range(0, len(piece) - side + 1, stride)
        for t in range(0, piece.shape[1] - side + 1, stride)
    ]
    x = norm(f"{BEFORE}.rgbt_stem.norm_layer", torch.stack(patches), 1e-5)
    x = torch.cat([state[f"{BEFORE}.cls_token"][0], x]) + state[f"{BEFORE}.pos_embedding_helper.pos_embed"][0]
    width = x.shape[1]
    for i in range(sum(name.endswith("bias_k") for name in state)):
        block = f"{TRUNK}.blocks.{i}"
        weight, bias = state[f"{block}.attn.in_proj_weight"], state[f"{block}.attn.in_proj_bias"]
        q, k, v = (norm(f"{block}.norm_1", x) @ weight.T + bias).split(width, 1)
        k, v = torch.cat([k, state[f"{block}.attn.bias_k"][0]]), torch.cat([v, state[f"{block}.attn.bias_v"][0]])
        each = width // heads
        seen = []
        for head in range(heads):
            own = slice(head * each, (head + 1) * each)
            seen.append((q[:, own] @ k[:, own].T / each**0.5).softmax(1) @ v[:, own])
        x = x + dense(f"{block}.attn.out_proj", torch.cat(seen, 1))
        x = x + dense(f"{block}.mlp.fc2", F.gelu(dense(f"{block}.mlp.fc1", norm(f"{block}.norm_2", x))))
    z = state[f"{HEAD}.2.weight"] @ norm(f"{HEAD}.0", x[0])
    return z / z.norm() * state["modality_postprocessors.audio.1.log_logit_scale"].exp()


def vision_sizes(dim: int) -> dict[str, Any]:
    """Small ones of the encoder of pictures."""
    return {"dim": dim, "width": 8, "depth": 2, "heads": 2, "image_px": 28, "patch_px": 14}


def vision_state(size: dict[str, Any], seed: int = 1) -> State:
    """What of `imagebind_huge.pth` is of pictures, of a size."""
    width, side = size["width"], size["patch_px"]
    before, trunk, head = (f"modality_{part}.vision" for part in ("preprocessors", "trunks", "heads"))
    shapes: dict[str, tuple[int, ...]] = {
        f"{before}.cls_token": (1, 1, width),
        f"{before}.rgbt_stem.proj.1.weight": (width, 3, 2, side, side),
        f"{before}.pos_embedding_helper.pos_embed": (1, 1 + (size["image_px"] // side) ** 2, width),
        f"{head}.2.weight": (size["dim"], width),
    }
    norms = [f"{trunk}.pre_transformer_layer.0", f"{head}.0"]
    for i in range(size["depth"]):
        block = f"{trunk}.blocks.{i}"
        shapes |= {f"{block}.attn.in_proj_weight": (3 * width, width), f"{block}.attn.in_proj_bias": (3 * width,)}
        dense = (("attn.out_proj", width, width), ("mlp.fc1", width, 4 * width), ("mlp.fc2", 4 * width, width))
        for name, n_in, n_out in dense:
            shapes |= {f"{block}.{name}.weight": (n_out, n_in), f"{block}.{name}.bias": (n_out,)}
        norms += [f"{block}.norm_1", f"{block}.norm_2"]
    shapes |= {f"{norm}.{kind}": (width,) for norm in norms for kind in ("weight", "bias")}
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator) / (math.prod(shape[1:]) ** 0.5 if len(shape) in (2, 5) else 2)
        for name, shape in shapes.items()
    }


def vision(state: State, picture: Tensor, heads: int) -> Tensor:
    """Embedding [dim] of a standardised picture [3, H, H], shown as a video of two frames. Literal."""
    before, trunk, head = (f"modality_{part}.vision" for part in ("preprocessors", "trunks", "heads"))

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], 1e-6)

    def dense(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    kernel = state[f"{before}.rgbt_stem.proj.1.weight"]
    side, video = kernel.shape[-1], picture[:, None].expand(-1, 2, -1, -1)
    places = range(0, picture.shape[-1] - side + 1, side)
    patches = [kernel.flatten(1) @ video[:, :, y : y + side, x : x + side].flatten() for y in places for x in places]
    x = torch.cat([state[f"{before}.cls_token"][0], torch.stack(patches)])
    x = norm(f"{trunk}.pre_transformer_layer.0", x + state[f"{before}.pos_embedding_helper.pos_embed"][0])
    each = x.shape[1] // heads
    for i in range(sum(name.endswith("in_proj_bias") for name in state)):
        block = f"{trunk}.blocks.{i}"
        weight, bias = state[f"{block}.attn.in_proj_weight"], state[f"{block}.attn.in_proj_bias"]
        q, k, v = (norm(f"{block}.norm_1", x) @ weight.T + bias).split(x.shape[1], 1)
        seen = [
            (q[:, own] @ k[:, own].T / each**0.5).softmax(1) @ v[:, own]
            for own in (slice(h * each, (h + 1) * each) for h in range(heads))
        ]
        x = x + dense(f"{block}.attn.out_proj", torch.cat(seen, 1))
        x = x + dense(f"{block}.mlp.fc2", F.gelu(dense(f"{block}.mlp.fc1", norm(f"{block}.norm_2", x))))
    z = state[f"{head}.2.weight"] @ norm(f"{head}.0", x[0])
    return z / z.norm()


def imagebind_file(root: Path, dim: int) -> Path:
    """`root`/imagebind/imagebind_huge.pth, of small sizes."""
    path = root / "imagebind/imagebind_huge.pth"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(imagebind_state(sizes(dim)) | vision_state(vision_sizes(dim)), path)
    return path
