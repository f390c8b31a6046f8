"""The published networks, literally: their state dicts' names and shapes, and their forward passes in plain functions.

Written from the publishers' descriptions of what their code computes, apart from this package's modules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

State = dict[str, Tensor]

# IC-GAN's BigGAN at 128 px: multipliers of 96 channels, five blocks, attention after the fourth (64 px).
WIDE, NARROW = [1536, 1536, 768, 384, 192], [1536, 768, 384, 192, 96]
CHUNK, EMBEDDED = 20, 512
CLASS_EMBEDDINGS = 1000 * 128


def _draw(shapes: dict[str, tuple[int, ...]], seed: int) -> State:
    """Random values that keep activations of every layer in reach of fp32."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    state: State = {}
    for key, shape in shapes.items():
        kind = key.rsplit(".", 1)[-1]
        if kind == "num_batches_tracked":
            state[key] = torch.tensor(7)
        elif kind in ("stored_var", "running_var"):
            state[key] = 0.5 + torch.rand(shape, generator=generator)
        elif kind == "gain" or (kind == "weight" and len(shape) == 1):
            state[key] = 1 + 0.1 * normal(*shape)
        elif kind == "gamma":
            state[key] = torch.tensor(0.7)
        elif kind == "weight" and len(shape) > 1:
            state[key] = normal(*shape) / torch.tensor(shape[1:]).prod().sqrt()
        else:
            state[key] = 0.3 * normal(*shape)
    return state


def biggan_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of `G_ema_best0.pth`."""
    shapes: dict[str, tuple[int, ...]] = {"shared.weight": (1000, 128)}

    def normed(name: str, *weight: int, bias: bool = True) -> None:
        shapes[f"{name}.weight"] = weight
        if bias:
            shapes[f"{name}.bias"] = weight[:1]
        shapes[f"{name}.u0"], shapes[f"{name}.sv0"] = (1, weight[0]), (1,)

    normed("shared_feat", EMBEDDED, 2048)
    normed("linear", 1536 * 16, CHUNK)
    for i, (n_in, n_out) in enumerate(zip(WIDE, NARROW, strict=True)):
        normed(f"blocks.{i}.0.conv1", n_out, n_in, 3, 3)
        normed(f"blocks.{i}.0.conv2", n_out, n_out, 3, 3)
        normed(f"blocks.{i}.0.conv_sc", n_out, n_in, 1, 1)
        for bn, channels in (("bn1", n_in), ("bn2", n_out)):
            shapes[f"blocks.{i}.0.{bn}.stored_mean"] = shapes[f"blocks.{i}.0.{bn}.stored_var"] = (channels,)
            normed(f"blocks.{i}.0.{bn}.gain", channels, EMBEDDED + CHUNK, bias=False)
            normed(f"blocks.{i}.0.{bn}.bias", channels, EMBEDDED + CHUNK, bias=False)
    shapes["blocks.3.1.gamma"] = ()
    for name, n_in, n_out in (("theta", 192, 24), ("phi", 192, 24), ("g", 192, 96), ("o", 96, 192)):
        normed(f"blocks.3.1.{name}", n_out, n_in, 1, 1, bias=False)
    for name in ("gain", "bias", "stored_mean", "stored_var"):
        shapes[f"output_layer.0.{name}"] = (96,)
    normed("output_layer.2", 3, 96, 3, 3)
    return shapes


def biggan_state(seed: int = 0) -> State:
    """A generator's state dict of the published layout."""
    return _draw(biggan_shapes(), seed)


def biggan(state: State, z: Tensor, h: Tensor) -> Tensor:
    """G(z, h) in evaluation: noise [B, 120], unit-norm features [B, 2048] -> pictures [B, 3, 128, 128]."""

    def weight(name: str) -> Tensor:
        w, u = state[f"{name}.weight"], state[f"{name}.u0"]
        matrix = w.view(len(w), -1)
        v = F.normalize(u @ matrix, eps=1e-6)
        u = F.normalize(v @ matrix.t(), eps=1e-6)
        return w / (v @ matrix.t() @ u.t()).squeeze()

    def dense(name: str, x: Tensor) -> Tensor:
        return F.linear(x, weight(name), state.get(f"{name}.bias"))

    def conv(name: str, x: Tensor) -> Tensor:
        w = weight(name)
        return F.conv2d(x, w, state.get(f"{name}.bias"), padding=w.shape[-1] // 2)

    def norm(name: str, x: Tensor, y: Tensor) -> Tensor:
        x = F.batch_norm(x, state[f"{name}.stored_mean"], state[f"{name}.stored_var"], eps=1e-5)
        return x * (1 + dense(f"{name}.gain", y))[..., None, None] + dense(f"{name}.bias", y)[..., None, None]

    def up(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    zs = z.split(CHUNK, 1)
    y = dense("shared_feat", h)
    x = dense("linear", zs[0]).view(len(z), -1, 4, 4)
    for i in range(len(WIDE)):
        name, condition = f"blocks.{i}.0", torch.cat([y, zs[i + 1]], 1)
        inner = conv(f"{name}.conv1", up(norm(f"{name}.bn1", x, condition).relu()))
        inner = conv(f"{name}.conv2", norm(f"{name}.bn2", inner, condition).relu())
        x = inner + conv(f"{name}.conv_sc", up(x))
        if i == 3:
            name, (b, c, side, _) = "blocks.3.1", x.shape
            theta = conv(f"{name}.theta", x).view(b, c // 8, -1)
            phi = F.max_pool2d(conv(f"{name}.phi", x), 2).view(b, c // 8, -1)
            g = F.max_pool2d(conv(f"{name}.g", x), 2).view(b, c // 2, -1)
            beta = torch.bmm(theta.transpose(1, 2), phi).softmax(-1)
            seen = torch.bmm(g, beta.transpose(1, 2)).view(b, c // 2, side, side)
            x = state[f"{name}.gamma"] * conv(f"{name}.o", seen) + x
    x = F.batch_norm(
        x,
        state["output_layer.0.stored_mean"],
        state["output_layer.0.stored_var"],
        state["output_layer.0.gain"],
        state["output_layer.0.bias"],
        eps=1e-5,
    )
    return conv("output_layer.2", x.relu()).tanh()


def _resnet_shapes(prefix: str, layers: list[int], bottleneck: bool, channels: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {f"{prefix}conv1.weight": (64, channels, 7, 7)}

    def norm(name: str, n: int) -> None:
        for kind in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{kind}"] = (n,)
        shapes[f"{name}.num_batches_tracked"] = ()

    norm(f"{prefix}bn1", 64)
    n_in = 64
    for stage, blocks in enumerate(layers):
        width = 64 * 2**stage
        n_out = width * 4 if bottleneck else width
        for block in range(blocks):
            name = f"{prefix}layer{stage + 1}.{block}"
            convs = (
                [(width, n_in, 1), (width, width, 3), (n_out, width, 1)]
                if bottleneck
                else [(width, n_in, 3), (width, width, 3)]
            )
            for i, (out, into, side) in enumerate(convs, 1):
                shapes[f"{name}.conv{i}.weight"] = (out, into, side, side)
                norm(f"{name}.bn{i}", out)
            if block == 0 and (stage > 0 or n_in != n_out):
                shapes[f"{name}.downsample.0.weight"] = (n_out, n_in, 1, 1)
                norm(f"{name}.downsample.1", n_out)
            n_in = n_out
    return shapes


def _resnet(state: State, x: Tensor, prefix: str, layers: list[int], bottleneck: bool, stem: tuple[int, int]) -> Tensor:
    """Pooled features; `stem` is how much zero padding comes before the first convolution, and in it."""

    def norm(name: str, x: Tensor) -> Tensor:
        return F.batch_norm(
            x,
            state[f"{name}.running_mean"],
            state[f"{name}.running_var"],
            state[f"{name}.weight"],
            state[f"{name}.bias"],
            eps=1e-5,
        )

    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        w = state[f"{name}.weight"]
        return F.conv2d(x, w, stride=stride, padding=w.shape[-1] // 2)

    x = F.conv2d(F.pad(x, [stem[0]] * 4), state[f"{prefix}conv1.weight"], stride=2, padding=stem[1])
    x = F.max_pool2d(norm(f"{prefix}bn1", x).relu(), 3, 2, 1)
    for stage, blocks in enumerate(layers):
        for block in range(blocks):
            name, stride = f"{prefix}layer{stage + 1}.{block}", 2 if stage and not block else 1
            skip = x
            if f"{name}.downsample.0.weight" in state:
                skip = norm(f"{name}.downsample.1", conv(f"{name}.downsample.0", x, stride))
            # The stride is in the 3x3 convolution (torchvision's form of the bottleneck).
            out = norm(f"{name}.bn1", conv(f"{name}.conv1", x, 1 if bottleneck else stride)).relu()
            out = norm(f"{name}.bn2", conv(f"{name}.conv2", out, stride if bottleneck else 1))
            if bottleneck:
                out = norm(f"{name}.bn3", conv(f"{name}.conv3", out.relu()))
            x = (out + skip).relu()
    return x.mean((2, 3))


RESNET50, RESNET18 = [3, 4, 6, 3], [2, 2, 2, 2]


def swav_state(seed: int = 0) -> State:
    """`swav_800ep_pretrain.pth.tar`: backbone, projection head (2048-2048-128), 3000 prototypes."""
    shapes = _resnet_shapes("module.", RESNET50, bottleneck=True, channels=3)
    head = "module.projection_head"
    shapes |= {f"{head}.0.weight": (2048, 2048), f"{head}.0.bias": (2048,)}
    shapes |= {f"{head}.1.{kind}": (2048,) for kind in ("weight", "bias", "running_mean", "running_var")}
    shapes |= {f"{head}.1.num_batches_tracked": (), f"{head}.3.weight": (128, 2048), f"{head}.3.bias": (128,)}
    shapes["module.prototypes.weight"] = (3000, 128)
    return _draw(shapes, seed)


def swav(state: State, x: Tensor) -> Tensor:
    """Backbone in evaluation: pictures [B, 3, H, W] of ImageNet's statistics -> [B, 2048]. Zeros are padded twice."""
    return _resnet(state, x, "module.", RESNET50, bottleneck=True, stem=(1, 2))


def audio_state(seed: int = 0) -> State:
    """`sound2scene.pth`."""
    shapes = _resnet_shapes("audnet.", RESNET18, bottleneck=False, channels=1)
    return _draw(shapes | {"audnet.fc.weight": (2048, 512), "audnet.fc.bias": (2048,)}, seed)


def audio(state: State, x: Tensor) -> Tensor:
    """Log-spectrograms [B, 1, 257, T] -> [B, 2048], none below 0."""
    pooled = _resnet(state, x, "audnet.", RESNET18, bottleneck=False, stem=(0, 3))
    return F.linear(pooled, state["audnet.fc.weight"], state["audnet.fc.bias"]).relu()


def audio_fc2_state(layers: tuple[str, str], seed: int = 0) -> State:
    """`sound2vision_env.pth`: two layers behind the pool, under names that are not known."""
    shapes = _resnet_shapes("audnet.", RESNET18, bottleneck=False, channels=1)
    for layer, n_in in zip(layers, (512, 1024), strict=True):
        shapes |= {f"audnet.{layer}.weight": (1024, n_in), f"audnet.{layer}.bias": (1024,)}
    return _draw(shapes, seed)


def audio_fc2(state: State, x: Tensor, layers: tuple[str, str]) -> Tensor:
    """Log-spectrograms [B, 1, 257, T] -> [B, 1024]."""
    x = _resnet(state, x, "audnet.", RESNET18, bottleneck=False, stem=(0, 3))
    first, last = (f"audnet.{layer}" for layer in layers)
    hidden = F.linear(x, state[f"{first}.weight"], state[f"{first}.bias"]).relu()
    return F.linear(hidden, state[f"{last}.weight"], state[f"{last}.bias"])


def spectrogram(wave: NDArray[Any]) -> Tensor:
    """The authors' front end: a waveform [N] at 16 kHz -> [1, 1, 257, 1004]."""
    tiled = np.clip(np.tile(wave, 10)[:160000], -1, 1)
    power = scipy.signal.spectrogram(tiled, 16000, nperseg=512, noverlap=353)[2]
    logged = np.log(power + 1e-7)
    return torch.from_numpy((logged - logged.mean()) / (logged.std() + 1e-9)).float()[None, None]


def wav2clip_state(seed: int = 0) -> State:
    """`ResNet_CX.ckpt`: a ResNet-18 with the classifier of ImageNet's size that nothing reads, and two layers."""
    shapes = _resnet_shapes("audio_encoder.", RESNET18, bottleneck=False, channels=1)
    shapes |= {"audio_encoder.fc.weight": (1000, 512), "audio_encoder.fc.bias": (1000,)}
    for layer in (0, 3):
        shapes |= {
            f"audio_transform.sequential.{layer}.weight": (512, 512),
            f"audio_transform.sequential.{layer}.bias": (512,),
        }
    return _draw(shapes, seed) | {"audio_encoder.spectrogram.window": torch.hann_window(512)}


def wav2clip(state: State, wave: Tensor) -> Tensor:
    """A waveform [1, N] -> [1, 512]; each sound by itself, since all of a batch were standardised as one."""
    import torchaudio

    x = torch.log(torchaudio.transforms.Spectrogram(n_fft=512, hop_length=353)(wave[:, None]) + 1e-7)
    x = (x - torch.mean(x)) / (torch.std(x) + 1e-9)
    pooled = _resnet(state, x, "audio_encoder.", RESNET18, bottleneck=False, stem=(0, 3))
    name = "audio_transform.sequential"
    hidden = F.linear(pooled, state[f"{name}.0.weight"], state[f"{name}.0.bias"]).relu()
    return F.linear(hidden, state[f"{name}.3.weight"], state[f"{name}.3.bias"])
