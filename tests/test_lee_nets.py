"""StyleGAN2 and the audio encoder of Lee et al.: sizes, published files as our modules, what is literally computed."""

from __future__ import annotations

import math
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import published_nets
import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from test_audiotoken_nets import Payload, put
from torch import Tensor

from s2v.errors import UserError
from s2v.models.lee_audio import LeeAudio, shown_to_clip, spectrogram
from s2v.models.store import load
from s2v.models.stylegan2 import StyleGan2
from s2v.weights.catalogue import CATALOGUE
from s2v.weights.convert import SHAPES, convert, published

State = dict[str, Tensor]
SMALL: dict[str, Any] = {"resolution": 16, "dim": 6, "mapping": 2, "channels": [5, 4, 3]}
BLUR = torch.tensor([1.0, 3.0, 3.0, 1.0])


def stylegan2_state(size: dict[str, Any], seed: int = 0) -> State:
    """The `g_ema` of `landscape.pt`, of a size: rosinality's names."""
    dim, channels = size["dim"], size["channels"]
    shapes: dict[str, tuple[int, ...]] = {"input.input": (1, channels[0], 4, 4)}
    for i in range(size["mapping"]):
        shapes |= {f"style.{i + 1}.weight": (dim, dim), f"style.{i + 1}.bias": (dim,)}

    def modulated(name: str, n_in: int, n_out: int, kernel: int) -> None:
        shapes[f"{name}.conv.weight"] = (1, n_out, n_in, kernel, kernel)
        shapes[f"{name}.conv.modulation.weight"], shapes[f"{name}.conv.modulation.bias"] = (n_in, dim), (n_in,)
        if kernel == 3:
            shapes[f"{name}.noise.weight"], shapes[f"{name}.activate.bias"] = (1,), (n_out,)
        else:
            shapes[f"{name}.bias"] = (1, 3, 1, 1)

    modulated("conv1", channels[0], channels[0], 3)
    modulated("to_rgb1", channels[0], 3, 1)
    kernels = []
    for i, (n_in, n_out) in enumerate(zip(channels, channels[1:], strict=False)):
        modulated(f"convs.{2 * i}", n_in, n_out, 3)
        modulated(f"convs.{2 * i + 1}", n_out, n_out, 3)
        modulated(f"to_rgbs.{i}", n_out, 3, 1)
        kernels += [f"convs.{2 * i}.conv.blur.kernel", f"to_rgbs.{i}.upsample.kernel"]
    for i in range(2 * len(channels) - 1):
        shapes[f"noises.noise_{i}"] = (1, 1) + (4 * 2 ** ((i + 1) // 2),) * 2
    generator = torch.Generator().manual_seed(seed)
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    # As trained: the mapping's weights count a hundredth, its biases too.
    state = {k: v * 100 if k.startswith("style.") else v for k, v in state.items()}
    return state | dict.fromkeys(kernels, BLUR[:, None] * BLUR / 16)


def stylegan2(state: State, w: Tensor) -> Tensor:
    """Picture [3, R, R] of styles [n, dim], as StyleGAN2's article has it: kernels modulated for the one picture."""

    def kernel(name: str, style: Tensor, demodulate: bool) -> Tensor:
        weight = state[f"{name}.conv.weight"][0]
        scale = state[f"{name}.conv.modulation.weight"] @ style / style.numel() ** 0.5
        scale = scale + state[f"{name}.conv.modulation.bias"]
        weight = weight / weight[0].numel() ** 0.5 * scale[None, :, None, None]
        return weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt() if demodulate else weight

    def between(x: Tensor) -> Tensor:
        """Each value with a zero after it, in both directions."""
        out = torch.zeros(len(x), 2 * x.shape[1], 2 * x.shape[2])
        out[:, ::2, ::2] = x
        return out

    def blurred(x: Tensor, before: int, after: int, by: str) -> Tensor:
        weight = state[by].flip(0, 1)[None, None]
        return F.conv2d(F.pad(x, (before, after, before, after))[:, None], weight)[:, 0]

    def layer(name: str, number: int, x: Tensor, style: Tensor, up: bool) -> Tensor:
        weight = kernel(name, style, True)
        if up:
            # A transposed convolution of stride 2: a plain one, its kernel turned, over values with zeros between.
            spread = between(x)[:, :-1, :-1]
            x = F.conv2d(F.pad(spread, (2, 2, 2, 2))[None], weight.flip(2, 3))[0]
            x = blurred(x, 1, 1, f"{name}.conv.blur.kernel")
        else:
            x = F.conv2d(x[None], weight, padding=1)[0]
        x = x + state[f"{name}.noise.weight"] * state[f"noises.noise_{number}"][0]
        x = x + state[f"{name}.activate.bias"][:, None, None]
        return math.sqrt(2) * torch.where(x > 0, x, 0.2 * x)

    def rgb(name: str, x: Tensor, style: Tensor) -> Tensor:
        return F.conv2d(x[None], kernel(name, style, False))[0] + state[f"{name}.bias"][0]

    x = layer("conv1", 0, state["input.input"][0], w[0], False)
    picture = rgb("to_rgb1", x, w[1])
    for i in range(len(w) // 2 - 1):
        x = layer(f"convs.{2 * i}", 2 * i + 1, x, w[2 * i + 1], True)
        x = layer(f"convs.{2 * i + 1}", 2 * i + 2, x, w[2 * i + 2], False)
        picture = blurred(between(picture), 2, 1, f"to_rgbs.{i}.upsample.kernel")
        picture = picture + rgb(f"to_rgbs.{i}", x, w[2 * i + 3])
    return picture


@pytest.mark.parametrize(
    ("resolution", "narrow", "count"), [(256, [256, 128], 30_034_338), (1024, [256, 128, 64, 32], 30_370_060)]
)
def test_stylegan2_has_the_published_size(resolution: int, narrow: list[int], count: int) -> None:
    """30,370,060 is what NVIDIA's own code prints of its largest, config F at 1024 px."""
    with torch.device("meta"):
        net = StyleGan2(resolution, channels=[512] * 5 + narrow)
    assert sum(p.numel() for p in net.parameters()) == count
    assert net.styles == {256: 14, 1024: 18}[resolution]
    assert SHAPES["lee-stylegan2"] == {"resolution": 256, "dim": 512, "mapping": 8, "channels": [512] * 5 + [256, 128]}


def test_stylegan2_equals_the_literal_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPES, "lee-stylegan2", SMALL)
    state = stylegan2_state(SMALL)
    # As rosinality's training saves it, settings and all.
    put(tmp_path, "lee-stylegan2", {"g": {}, "d": {}, "g_ema": state, "args": Namespace(size=256), "ada_aug_p": 0.1})
    convert("lee-stylegan2", tmp_path / "g", tmp_path)
    net = load(StyleGan2, tmp_path / "g")
    w = torch.randn(2, 6, 6, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([stylegan2(state, one) for one in w])
    assert expected.shape == (2, 3, 16, 16) and expected.std() > 0.1
    torch.testing.assert_close(net(w), expected, rtol=1e-4, atol=1e-5)
    # From latents: at unit mean square, then layers that count a hundredth.
    z = torch.randn(3, 6)
    style = z / z.square().mean(1, keepdim=True).sqrt()
    for i in (1, 2):
        x = style @ (state[f"style.{i}.weight"] / 100 / 6**0.5).T + state[f"style.{i}.bias"] / 100
        style = math.sqrt(2) * torch.where(x > 0, x, 0.2 * x)
    torch.testing.assert_close(net.style(z), style, rtol=1e-4, atol=1e-5)
    assert "NON-COMMERCIAL" in (tmp_path / "g/README.md").read_text() and "NVIDIA" in CATALOGUE["lee-stylegan2"].licence


def test_an_edit_follows_the_gradient_of_every_style() -> None:
    torch.manual_seed(0)
    net = StyleGan2(**SMALL).eval().requires_grad_(False)
    w = net.style(torch.randn(1, 6))[:, None].repeat(1, net.styles, 1).requires_grad_()
    net(w).square().sum().backward()
    assert w.grad is not None and w.grad.abs().amax(2).min() > 0
    with pytest.raises(ValueError, match="3 numbers of channels are not of 32 px"):
        StyleGan2(32, 6, 2, [5, 4, 3])


def audio_state(seed: int = 0) -> State:
    """`resnet18_57.pth`, as the authors' training in parallel saves it."""
    shapes = published_nets._resnet_shapes("module.feature_extractor.", published_nets.RESNET18, False, 3)
    shapes |= {"module.conv.weight": (3, 1, 3, 3), "module.conv.bias": (3,)}
    shapes |= {"module.feature_extractor.fc.weight": (512, 512), "module.feature_extractor.fc.bias": (512,)}
    return published_nets._draw(shapes, seed)


@torch.inference_mode()
def test_the_audio_encoder_equals_the_literal_one(tmp_path: Path) -> None:
    state = audio_state()
    counted = sum(v.numel() for k, v in state.items() if not k.endswith(("running_mean", "running_var", "tracked")))
    # torchvision's ResNet-18 without its head, a head of 512, and the first convolution.
    assert counted == 11_176_512 + 512 * 512 + 512 + 3 * 9 + 3
    assert round(4 * counted / 1e6) == CATALOGUE["lee-audio"].size_mb
    put(tmp_path, "lee-audio", state)
    net = published("lee-audio", tmp_path)
    assert isinstance(net, LeeAudio) and sum(p.numel() for p in net.parameters()) == counted
    x = torch.rand(1, 128, 512)
    shown = F.conv2d(x[:, None], state["module.conv.weight"], state["module.conv.bias"])
    pooled = published_nets._resnet(
        state, shown, "module.feature_extractor.", published_nets.RESNET18, bottleneck=False, stem=(0, 3)
    )
    expected = pooled @ state["module.feature_extractor.fc.weight"].T + state["module.feature_extractor.fc.bias"]
    torch.testing.assert_close(net(x), expected, rtol=1e-4, atol=1e-5)


def slaney(hz: float) -> float:
    """Mel of Slaney's toolbox: linear below 1 kHz, logarithmic above."""
    return hz * 3 / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)


def heard(wave: np.ndarray) -> np.ndarray:
    """librosa's mel spectrogram at its defaults of 2021 and the authors' steps after it, band by band. 44.1 kHz [N]."""
    frames = 1 + len(wave) // 512
    padded = np.pad(wave, 1024, mode="reflect")
    window = scipy.signal.get_window("hann", 2048)
    power = np.stack([np.abs(np.fft.rfft(padded[512 * t : 512 * t + 2048] * window)) ** 2 for t in range(frames)], 1)
    bins = np.arange(1025) * 44100 / 2048
    edges = np.linspace(0, slaney(22050), 130)
    edges = np.where(edges < 15, edges * 200 / 3, 1000 * 6.4 ** ((edges - 15) / 27))
    bands = []
    for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
        triangle = np.clip(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0, None)
        bands.append(triangle * 2 / (high - low) @ power)
    mel = np.maximum(np.stack(bands), 1e-10)
    level = np.maximum(10 * np.log10(mel / mel.max()), -80) / 80 + 1
    whole = np.zeros((128, 864))
    whole[:, :frames] = level[:, :864]
    # OpenCV's linear resize to 512 rows and 128 columns: centres of pixels on centres, edges held.
    for axis, size in ((0, 512), (1, 128)):
        at = (np.arange(size) + 0.5) * whole.shape[axis] / size - 0.5
        first = np.clip(np.floor(at), 0, whole.shape[axis] - 1).astype(int)
        second = np.minimum(first + 1, whole.shape[axis] - 1)
        share = np.clip(at - first, 0, 1)[:, None] if axis == 0 else np.clip(at - first, 0, 1)[None]
        whole = np.take(whole, first, axis) * (1 - share) + np.take(whole, second, axis) * share
    return whole.reshape(128, 512)


def test_its_front_end_is_librosas_and_the_authors_odd_resize() -> None:
    rng = np.random.default_rng(0)
    wave = (rng.standard_normal(3 * 44100) * np.linspace(0.01, 0.3, 3 * 44100)).astype(np.float32)
    wave += 0.2 * np.sin(2 * np.pi * 3000 / 44100 * np.arange(len(wave))).astype(np.float32)
    # Single precision is a third of a decibel off, of 80, where a band has next to nothing.
    found = spectrogram(torch.from_numpy(wave)[None], 44100)[0]
    assert found.shape == (128, 512) and found.min() >= 0 and found.max() <= 1
    torch.testing.assert_close(found, torch.from_numpy(heard(wave.astype(np.float64))).float(), rtol=0, atol=4e-3)


def test_volume_cannot_be_heard_by_it() -> None:
    wave = torch.randn(1, 32_000, generator=torch.Generator().manual_seed(0)) * 0.1
    loud, quiet = spectrogram(wave), spectrogram(wave * 0.1)
    torch.testing.assert_close(loud, quiet, rtol=1e-4, atol=1e-4)
    assert (loud - spectrogram(wave.flip(1))).abs().max() > 0.05, "but what is heard when, it does hear"
    assert spectrogram(torch.zeros(2, 10)).shape == (2, 128, 512)
    assert LeeAudio(4, 6).eval().encode(wave).shape == (1, 6)


def test_clip_is_shown_pictures_as_the_authors_show_them() -> None:
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    shown = shown_to_clip(pictures)
    # Each of 224 values is the mean of two of the 448 that seven copies of 64 give.
    expected = pictures.repeat_interleave(7, 2).repeat_interleave(7, 3).unflatten(3, (224, 2)).unflatten(2, (224, 2))
    torch.testing.assert_close(shown, expected.mean((3, 5)))


def test_hostile_files_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPES, "lee-stylegan2", SMALL)
    state = stylegan2_state(SMALL)
    cases: list[tuple[Any, str]] = [
        ({"g_ema": state, "args": Payload(tmp_path / "ran")}, "nothing in it was run"),
        ({"g_ema": {k: v for k, v in state.items() if "noises" not in k}}, "layers.0.noise is absent"),
        ({"g_ema": state | {"convs.0.conv.blur.kernel": torch.ones(4, 4)}}, "not the blur of 1, 3, 3, 1"),
        ({"g_ema": state | {"convs.0.conv.blur.kernel": torch.ones(3)}}, "not the blur of 1, 3, 3, 1"),
        ({"g_ema": state | {"to_rgb1.bias": torch.zeros(7)}}, "rgb_bias is absent"),
        ({"g_ema": {k: v for k, v in state.items() if k != "to_rgbs.0.bias"}}, "rgb_bias is 2x3, and should be 3x3"),
        ({"g_ema": state | {"convs.99999.noise.weight": torch.zeros(1)}}, "convs.99999.noise_strength is 1, and"),
        ({"g_ema": state | {"input.input": torch.full((1, 5, 4, 4), math.inf)}}, "start is not finite"),
    ]
    for value, said in cases:
        path = put(tmp_path, "lee-stylegan2", value)
        with pytest.raises(UserError) as error:
            convert("lee-stylegan2", tmp_path / "g", tmp_path)
        assert said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
    put(tmp_path, "lee-audio", audio_state() | {"module.feature_extractor.fc.bias": torch.zeros(3)})
    with pytest.raises(UserError, match=r"head\.bias is 3, and should be 512"):
        published("lee-audio", tmp_path)
    assert not (tmp_path / "ran").exists() and not (tmp_path / "g/model.safetensors").exists()
