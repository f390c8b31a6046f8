"""aiSFX's network of sound effects against what its publishers' code computes, and f_A that is it with a head."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal.windows import hann
from torch import Tensor

from s2v.errors import UserError
from s2v.files import sha256
from s2v.models.aisfx import RATE_HZ, SCALE, Aisfx, mel
from s2v.models.frozen_audio_encoder import FrozenAudioEncoder
from s2v.models.hearing import load_hearing
from s2v.models.store import save
from s2v.weights.catalogue import CATALOGUE
from s2v.weights.checkpoint import tensors
from s2v.weights.convert import published
from s2v.weights.layouts import aisfx

AUDIO = {"window_s": 3.0, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": 16000}


def _published_state(width: int) -> dict[str, Tensor]:
    """Random values under the published names, with one of the nine classifiers."""
    g = torch.Generator().manual_seed(0)
    state, inputs = {"fc.0.0.weight": torch.zeros(4, 4)}, 1
    for block in range(1, 5):
        outputs = width * 2 ** (block - 1)
        for layer, channels in ((1, inputs), (2, outputs)):
            at = f"embedding_net.conv_block{block}"
            state[f"{at}.conv{layer}.weight"] = 0.3 * torch.randn(outputs, channels, 3, 3, generator=g)
            for name in ("weight", "running_var"):
                state[f"{at}.bn{layer}.{name}"] = 0.5 + torch.rand(outputs, generator=g)
            for name in ("bias", "running_mean"):
                state[f"{at}.bn{layer}.{name}"] = 0.2 * torch.randn(outputs, generator=g)
            state[f"{at}.bn{layer}.num_batches_tracked"] = torch.tensor(1)
        inputs = outputs
    return state


def _literal(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """Their network in evaluation, layer by layer: [B, T, 96] -> [B, dim]."""
    x = x.unsqueeze(1)
    for block, pooled in ((1, True), (2, True), (3, True), (4, False)):
        at = f"embedding_net.conv_block{block}"
        for layer in (1, 2):
            x = F.conv2d(x, state[f"{at}.conv{layer}.weight"], padding=1)
            names = ("running_mean", "running_var", "weight", "bias")
            mean, var, weight, bias = (state[f"{at}.bn{layer}.{name}"][:, None, None] for name in names)
            x = F.relu((x - mean) / torch.sqrt(var + 1e-5) * weight + bias)
        x = F.max_pool2d(x, 2) if pooled else x
    return torch.max(torch.mean(x, dim=3), dim=2)[0]


def test_the_network_equals_the_published_one(tmp_path: Path) -> None:
    """Read from a file such as theirs: a state dict beside numpy's numbers of classes."""
    torch.save((_published_state(4), {"effects": (np.int64(0), 78)}), tmp_path / "checkpoint.pth")
    state, net = tensors(tmp_path / "checkpoint.pth"), Aisfx(4)
    net.load_state_dict(aisfx(state))
    heard = torch.rand(2, 100, 96, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(net.eval()(heard), _literal(state, heard), atol=1e-5)


def _essentia(wave: Tensor) -> Any:
    """Mel spectrogram [T, 96] as Essentia's FrameCutter, Windowing, Spectrum and MelBands (HTK, unit_sum) have it."""
    padded = np.concatenate([np.zeros(1024), wave.double().numpy(), np.zeros(4096)])
    frames = [padded[at : at + 2048] for at in range(0, len(wave) + 1024, 1024)]
    power = np.abs(np.fft.rfft(np.stack(frames) * hann(2048), axis=1)) ** 2
    edges = np.linspace(0, 1127.01048 * np.log(1 + 22050 / 700), 98)
    bins = 1127.01048 * np.log(1 + np.arange(1025) * RATE_HZ / 2048 / 700)
    up, down = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    triangles = np.minimum(up, down).clip(0)
    return np.log10(1 + 1e4 * (power @ (triangles / triangles.sum(0)))) / SCALE


@pytest.mark.parametrize("samples", [RATE_HZ, 100 * 1024])
def test_its_mel_spectrogram_is_essentias(samples: int) -> None:
    at = torch.arange(samples) / RATE_HZ
    wave = 0.3 * torch.sin(2 * np.pi * (200 + 3000 * at) * at)
    wave += 0.05 * torch.randn(samples, generator=torch.Generator().manual_seed(0))
    expected = _essentia(wave)
    found = mel(wave[None])[0]
    assert found.shape == expected.shape and np.abs(found.numpy() - expected).max() < 1.5e-3


def _net() -> Aisfx:
    net = Aisfx(4).eval()
    net.load_state_dict(aisfx(_published_state(4)))
    return net


def test_a_sound_is_the_mean_of_its_blocks_whatever_is_heard_beside_it() -> None:
    net, wave = _net(), 0.2 * torch.randn(3, 80_000, generator=torch.Generator().manual_seed(0))
    together = net.embed(wave)
    assert torch.allclose(together[1:2], net.embed(wave[1:2]), atol=1e-5)
    # Five seconds have 217 frames: three whole blocks, the last of which ends at 4.6 s.
    changed = wave.clone()
    changed[:, 76_500:] = 0
    assert torch.allclose(net.embed(changed), together, atol=1e-5)
    changed[:, 70_000:] = 0
    assert not torch.allclose(net.embed(changed), together, atol=1e-3)
    # Half a second is a block that ends in silence.
    assert torch.allclose(net.embed(wave[:, :8000]), net.embed(F.pad(wave[:, :8000], (0, 24_000))), 0.01, 0.01)


def test_volume_is_heard() -> None:
    """A tenth of the amplitude is two of its logarithms less where there is sound: no clip is brought to a level."""
    wave = 0.2 * torch.randn(1, RATE_HZ, generator=torch.Generator().manual_seed(0))
    assert SCALE * (mel(wave) - mel(wave / 10)).median() == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("head", ["linear", "fc2"])
def test_a_head_on_it_begins_at_the_mean_feature_and_is_kept_whole(tmp_path: Path, head: Any) -> None:
    """A folder of it holds the backbone too: who draws with it needs no published file."""
    model = FrozenAudioEncoder(8, "aisfx", AUDIO, head=head)
    assert not model.train().net.training and not any(p.requires_grad for p in model.net.parameters())
    heard, features = 3 + 5 * torch.randn(20, 512), 2 + torch.randn(20, 8)
    model.begin(heard, features)
    assert torch.allclose(model(heard), features.mean(0).expand(20, 8), atol=1e-5)
    model.head.requires_grad_(True)
    model(heard).square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.head.parameters())
    save(tmp_path, model.state_dict(), {"dim": 8, "backbone": "aisfx", "audio": AUDIO, "width": 64, "head": head})
    wave = 0.1 * torch.randn(2, 16_000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(load_hearing(tmp_path).encode(wave), model.eval().encode(wave))


def test_a_folder_of_before_the_key_was_renamed_is_loaded(tmp_path: Path) -> None:
    model = FrozenAudioEncoder(8, "tagger", AUDIO, 4)
    save(tmp_path, model.state_dict(), {"dim": 8, "speaker": "tagger", "audio": AUDIO, "width": 4})
    loaded = load_hearing(tmp_path)
    assert isinstance(loaded, FrozenAudioEncoder)
    assert torch.equal(loaded.encode(torch.zeros(1, 16_000)), model.eval().encode(torch.zeros(1, 16_000)))


def test_a_missing_file_is_one_line_with_two_ways_to_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"s2v weights fetch aisfx.*the Python package aisfx 0\.1\.2"):
        published("aisfx", tmp_path)


def test_its_own_weights_are_what_its_own_code_computes(tmp_path: Path) -> None:
    found = importlib.util.find_spec("aisfx")
    places = list(found.submodule_search_locations or []) if found else []
    file = Path(places[0], "models/checkpoint.pth") if places else None
    if file is None or not file.is_file():
        pytest.skip("the package aisfx 0.1.2, which has the weights, is not installed")
    assert sha256(file) == CATALOGUE["aisfx"].files[0].sha256
    (tmp_path / "aisfx").mkdir()
    shutil.copy(file, tmp_path / "aisfx/checkpoint.pth")
    net = published("aisfx", tmp_path)
    # Its module alone: the package's first lines import all that its program takes.
    named = importlib.util.spec_from_file_location("cnn2d", file.with_name("cnn2d.py"))
    assert named is not None and named.loader is not None
    named.loader.exec_module(code := importlib.util.module_from_spec(named))
    theirs = code.EmbeddingNet("max", 3, 1, 64).eval()
    prefix = "embedding_net."
    theirs.load_state_dict({k.removeprefix(prefix): v for k, v in tensors(file).items() if k.startswith(prefix)})
    heard = torch.rand(2, 100, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(net(heard), theirs(heard), atol=1e-5)
