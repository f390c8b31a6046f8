"""S2I's published networks, literally: names and shapes of their state dicts, and forward passes in plain functions.

Written from what the authors' code computes, apart from this package's modules.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from published_nets import State, _draw
from torch import Tensor

MAPS = [80, 176, 192, 224, 272, 304, 352, 416, 512, 512, 512, 512, 512]
DENSE = [512, 512, 512, 512, 416, 352, 304, 256, 224, 192, 176, 160, 144, 128, 112, 96, 80, 64]


def _layer(shapes: dict[str, tuple[int, ...]], name: str, shape: tuple[int, ...], maps: int) -> None:
    shapes[f"{name}.weight"], shapes[f"{name}.bias"] = shape, (maps,)
    for kind in ("weight", "bias", "running_mean", "running_var"):
        shapes[f"{name}_bn.{kind}"] = (maps,)
    shapes[f"{name}_bn.num_batches_tracked"] = ()


def autoencoder_state(seed: int = 0) -> State:
    """`net_audio_autoencoder_model_(test_66_2_epoch_995).pth`, saved from DataParallel."""
    shapes: dict[str, tuple[int, ...]] = {}
    maps = [1, *MAPS]
    for i in range(13):
        kernel = {0: (7, 5), 1: (5, 3), 2: (5, 3), 3: (5, 3), 4: (5, 3)}.get(i, (3, 3))
        _layer(shapes, f"conv{i + 1}", (maps[i + 1], maps[i], *kernel), maps[i + 1])
    back = maps[::-1]
    for i in range(13):
        kernel = {8: (5, 3), 9: (5, 3), 10: (5, 3), 11: (5, 4), 12: (8, 6)}.get(i, (3, 3))
        _layer(shapes, f"convT{i + 1}", (back[i], back[i + 1], *kernel), back[i + 1])
    return {f"module.{key}": value for key, value in _draw(shapes, seed).items()}


def generator_state(seed: int = 0) -> State:
    """`net_visual_generator_model_(test_191_R3_1-4_TS_epoch_3679).pth`."""
    shapes: dict[str, tuple[int, ...]] = {}
    _layer(shapes, "transition0", (512, 512, 2, 2), 512)
    into = 512
    for block in range(6):
        a, b, c = DENSE[3 * block : 3 * block + 3]
        for i, (n_in, n_out) in enumerate(((into, a), (a, b), (a + b, c))):
            _layer(shapes, f"convT{3 * block + i + 1}", (n_in, n_out, 3, 3), n_out)
        into, side = c if block < 5 else 3, 3 if block < 2 else 4
        _layer(shapes, f"transition{block + 1}", (a + b + c, into, side, side), into)
    return {f"module.{key}": value for key, value in _draw(shapes, seed).items()}


def _norm(state: State, name: str, x: Tensor) -> Tensor:
    statistics = (state[f"module.{name}_bn.{kind}"] for kind in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, *statistics)


def embed(state: State, x: Tensor) -> Tensor:
    """Grey spectrograms [B, 1, 128, 100] -> embeddings [B, 512]."""
    for i in range(1, 14):
        weight, bias = state[f"module.conv{i}.weight"], state[f"module.conv{i}.bias"]
        x = _norm(state, f"conv{i}", F.conv2d(x, weight, bias, 2 if i < 3 else 1))
        x = x.tanh() if i == 13 else x.relu()
    return x.view(-1, 512)


def unembed(state: State, z: Tensor) -> Tensor:
    """And back, without dropout."""
    x = z.view(-1, 512, 1, 1)
    for i in range(1, 14):
        weight, bias = state[f"module.convT{i}.weight"], state[f"module.convT{i}.bias"]
        x = _norm(state, f"convT{i}", F.conv_transpose2d(x, weight, bias, 2 if i > 11 else 1))
        x = x.tanh() if i == 13 else x.relu()
    return x


def generate(state: State, z: Tensor) -> Tensor:
    """Embeddings [B, 512] -> pictures [B, 3, 96, 96], without dropout."""

    def up(name: str, x: Tensor, stride: int, padding: int) -> Tensor:
        weight, bias = state[f"module.{name}.weight"], state[f"module.{name}.bias"]
        return _norm(state, name, F.conv_transpose2d(x, weight, bias, stride, padding))

    x = up("transition0", z.view(-1, 512, 1, 1), 1, 0).relu()
    for block in range(6):
        x1 = up(f"convT{3 * block + 1}", x, 1, 1).relu()
        x2 = up(f"convT{3 * block + 2}", x1, 1, 1).relu()
        x3 = up(f"convT{3 * block + 3}", torch.cat((x1, x2), 1), 1, 1).relu()
        x = up(f"transition{block + 1}", torch.cat((x1, x2, x3), 1), *((1, 0) if block < 2 else (2, 1)))
        x = x.tanh() if block == 5 else x.relu()
    return x
