"""Speaker encoders against what their publishers' code computes, and f_A that is one of them with a linear layer."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from shards import flac, write_tar
from torch import Tensor

from s2v.config import AlignConfig, AudioConfig, RuntimeConfig
from s2v.data.reader import read_waves
from s2v.files import sha256
from s2v.losses.alignment import LOSSES
from s2v.media.spectrogram import to_float
from s2v.models import wespeaker
from s2v.models.frozen_audio_encoder import FrozenAudioEncoder
from s2v.models.hearing import load_hearing
from s2v.models.resemblyzer import Resemblyzer, _stretches
from s2v.models.resemblyzer import mel as mel_of
from s2v.models.store import save
from s2v.models.tagger import AudioTagger
from s2v.models.wespeaker import WeSpeaker
from s2v.speakers.voice import Voice, speak
from s2v.tensors import load_tensors, save_tensors
from s2v.train import align_frozen
from s2v.weights.catalogue import CATALOGUE
from s2v.weights.convert import published
from s2v.weights.layouts import resemblyzer

AUDIO = {"window_s": 2.0, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": 16000}


def _lstm(state: dict[str, Tensor], mel: Tensor) -> Tensor:
    """Resemblyzer's net, gate by gate: mel [T, 40] -> [256]."""
    seen = mel
    for layer in range(3):
        names = (f"lstm.{part}_l{layer}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        w_x, w_h, b_x, b_h = (state[name] for name in names)
        h = c = torch.zeros(256)
        out = []
        for x in seen:
            i, f, g, o = (w_x @ x + b_x + w_h @ h + b_h).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            out.append(h)
        seen = torch.stack(out)
    raw = (state["linear.weight"] @ seen[-1] + state["linear.bias"]).relu()
    return raw / raw.norm()


def _resemblyzer_state() -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(0)
    shapes = {"linear.weight": (256, 256), "linear.bias": (256,), "similarity_weight": (1,), "similarity_bias": (1,)}
    for layer in range(3):
        shapes |= {
            f"lstm.weight_ih_l{layer}": (1024, 40 if layer == 0 else 256), f"lstm.weight_hh_l{layer}": (1024, 256),
            f"lstm.bias_ih_l{layer}": (1024,), f"lstm.bias_hh_l{layer}": (1024,),
        }  # fmt: skip
    return {name: 0.1 * torch.randn(shape, generator=g) for name, shape in shapes.items()}


def test_resemblyzer_equals_the_published_one() -> None:
    state, net = _resemblyzer_state(), Resemblyzer()
    net.load_state_dict(resemblyzer(state))
    mel = torch.rand(2, 20, 40, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([_lstm(state, one) for one in mel])
    assert torch.allclose(net(mel), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "starts"), [(8000, [0]), (25_600, [0]), (40_000, [0, 77]), (80_000, [0, 77, 154, 231, 308])]
)
def test_a_sound_is_heard_in_stretches(samples: int, starts: list[int]) -> None:
    """As its `compute_partial_slices` gives for these lengths, at its default rate and coverage."""
    assert _stretches(samples) == starts


def test_its_mel_spectrogram_is_that_of_slaney() -> None:
    tone = torch.sin(2 * np.pi * 1000 * torch.arange(16000) / 16000)[None]
    heard = mel_of(tone)
    assert heard.shape == (1, 101, 40)
    # Slaney's scale is linear up to 1 kHz, which is mel 15 of 45.245 at 8 kHz; 40 bands have 42 edges.
    edges = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), 42)
    assert heard[0, 50].argmax() == np.abs(edges[1:-1] - 15).argmin()


def _folder_of_resemblyzer() -> Path | None:
    spec = importlib.util.find_spec("resemblyzer")
    found = (
        Path(spec.submodule_search_locations[0], "pretrained.pt") if spec and spec.submodule_search_locations else None
    )
    return found if found is not None and found.is_file() else None


def test_resemblyzers_own_weights_tell_voices_apart(tmp_path: Path) -> None:
    file = _folder_of_resemblyzer()
    if file is None:
        pytest.skip("the package Resemblyzer 0.1.4, which has the weights, is not installed")
    (tmp_path / "resemblyzer").mkdir()
    shutil.copy(file, tmp_path / "resemblyzer/pretrained.pt")
    assert sha256(file) == CATALOGUE["resemblyzer"].files[0].sha256
    net = published("resemblyzer", tmp_path)
    people = [
        Voice(pitch_hz=210, tract_cm=14.0),
        Voice(pitch_hz=105, tract_cm=17.5),
        Voice(pitch_hz=290, tract_cm=11.5),
    ]
    said = [
        torch.from_numpy(0.2 * speak(one, 4.0, np.random.default_rng(seed)).wave).float()
        for one in people
        for seed in (1, 2)
    ]
    z = net.embed(torch.stack([F.pad(wave, (0, 64_000 - len(wave))) for wave in said]))
    alike = z @ z.T
    for i in range(6):
        assert alike[i, i ^ 1] > max(alike[i, j] for j in range(6) if j // 2 != i // 2), alike


def _literal_wespeaker(state: dict[str, Tensor], banks: Tensor, depths: tuple[int, ...]) -> Tensor:
    """Their ResNet in evaluation, layer by layer: [B, T, 80] -> [B, dim]."""

    def normed(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, mean, var, weight, bias)

    x = F.relu(normed(F.conv2d(banks.permute(0, 2, 1).unsqueeze(1), state["conv1.weight"], padding=1), "bn1"))
    for stage, depth in enumerate(depths, 1):
        for block in range(depth):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = F.relu(normed(F.conv2d(x, state[f"{at}.conv1.weight"]), f"{at}.bn1"))
            y = F.relu(normed(F.conv2d(y, state[f"{at}.conv2.weight"], stride=stride, padding=1), f"{at}.bn2"))
            y = normed(F.conv2d(y, state[f"{at}.conv3.weight"]), f"{at}.bn3")
            if block == 0:
                x = normed(F.conv2d(x, state[f"{at}.shortcut.0.weight"], stride=stride), f"{at}.shortcut.1")
            x = F.relu(y + x)
    stats = [x.mean(-1).flatten(1), torch.sqrt(torch.var(x, dim=-1) + 1e-8).flatten(1)]
    return F.linear(torch.cat(stats, 1), state["seg_1.weight"], state["seg_1.bias"])


def test_wespeaker_equals_the_published_one() -> None:
    depths = (2, 1, 2, 1)
    net = WeSpeaker(depths, width=4, dim=16).eval()
    g = torch.Generator().manual_seed(0)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            drawn = torch.randn(value.shape, generator=g)
            value.copy_(0.5 + drawn.abs() if name.endswith(("running_var", "bn1.weight")) else 0.2 * drawn)
    banks = torch.randn(2, 57, 80, generator=g)
    assert torch.allclose(net(banks), _literal_wespeaker(net.state_dict(), banks, depths), atol=1e-4)


def test_wespeaker_has_the_published_size_and_layout(tmp_path: Path) -> None:
    with torch.device("meta"):
        net = WeSpeaker()
    # ResNet221 without its classifier: the ONNX file of the same weights has 95 MB.
    count = sum(p.numel() for p in net.parameters())
    assert 23.5e6 < count < 24e6 and net.seg_1.in_features == 20480
    state = {k: torch.zeros(v.shape, dtype=v.dtype) for k, v in net.state_dict().items()}
    state["projection.weight"] = torch.zeros(17982, 256)
    (tmp_path / "wespeaker").mkdir()
    torch.save(state, tmp_path / "wespeaker/voxceleb_resnet221_LM.pt")
    assert published("wespeaker", tmp_path).dim == 256


def test_its_filter_banks_have_no_mean_and_begin_with_the_first_frame() -> None:
    heard = wespeaker.filter_banks(0.1 * torch.randn(1, 16000, generator=torch.Generator().manual_seed(0)))
    assert heard.shape == (1, 98, 80) and heard.mean(1).abs().max() < 1e-4


def test_a_linear_layer_on_a_speaker_encoder_is_the_authors_adapter(tmp_path: Path) -> None:
    model = FrozenAudioEncoder(1024, "resemblyzer", AUDIO)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 263_168
    assert not model.train().net.training
    save(tmp_path, model.state_dict(), {"dim": 1024, "speaker": "resemblyzer", "audio": AUDIO, "width": 64})
    loaded = load_hearing(tmp_path)
    wave = 0.1 * torch.randn(2, 20_000, generator=torch.Generator().manual_seed(0))
    z = loaded.encode(wave)
    assert z.shape == (2, 1024) and torch.equal(z, model.eval().encode(wave))
    tiled = torch.cat([wave, wave], 1)[:, :32_000]
    assert torch.allclose(z, loaded.encode(tiled), atol=1e-5), "a short sound is repeated to the window"


def test_training_begins_at_the_mean_feature() -> None:
    """Whatever is heard; and the layer sees voices that are standardised."""
    model = FrozenAudioEncoder(8, "tagger", AUDIO, 4)
    size = model.head.in_features
    voices, features = 3 + 5 * torch.randn(20, size), 2 + torch.randn(20, 8)
    model.begin(voices, features)
    assert torch.allclose(model(voices), features.mean(0).expand(20, 8))
    model.head.weight.data = torch.eye(8, size)
    model.head.bias.data.zero_()
    seen = model(voices)
    assert seen.mean(0).abs().max() < 1e-5 and torch.allclose(seen.std(0), torch.ones(8), atol=1e-4)


def test_a_tagger_stays_as_it_is_under_its_linear_layer(tmp_path: Path) -> None:
    """Batch norm of the frozen encoder neither sees batches nor moves, so that it hears in use what it heard before."""
    torch.manual_seed(0)
    tagger = AudioTagger(["a", "b"], 4, AUDIO)
    for name, value in tagger.state_dict().items():
        low, high = {"mean": (-0.1, 0.1), "_var": (0.5, 1.5)}.get(name[-4:], (0.0, 0.0))
        if high:
            value.uniform_(low, high, generator=torch.Generator().manual_seed(len(name)))
    save(tmp_path / "tagger", tagger.state_dict(), {"class_names": ["a", "b"], "width": 4, "audio": AUDIO})
    g, features = torch.Generator().manual_seed(0), tmp_path / "z.safetensors"
    save_tensors(features, {"features": torch.randn(6, 8, generator=g)})
    members: dict[str, bytes] = {}
    for i in range(6):
        wave = (3000 * torch.randn(24_000, generator=g)).clamp(-32000, 32000).numpy().astype(np.int16)
        members |= {f"c{i}.flac": flac(wave), f"c{i}.json": b'{"clip_id": "c", "label": "a"}'}
    pack = write_tar(tmp_path / "pack.tar", members)
    align_frozen.run(
        config=AlignConfig(
            backbone="tagger", batch_size=4, epochs=4, learning_rate=0.1, audio=AudioConfig(window_s=1.5)
        ),
        train_packs=[pack], val_packs=[pack], train_features=features, val_features=features,
        output_dir=tmp_path / "align", runtime=RuntimeConfig(device="cpu"), threads=1, tagger_dir=tmp_path / "tagger",
    )  # fmt: skip
    loaded = load_hearing(tmp_path / "align")
    assert isinstance(loaded, FrozenAudioEncoder) and loaded.audio["window_s"] == 1.5
    kept = loaded.net.state_dict()
    for name, value in tagger.backbone.state_dict().items():
        assert torch.equal(kept[f"backbone.{name}"], value), name
    assert loaded.encode(torch.zeros(1, 24_000)).shape == (1, 8) and loaded.spread.median() > 1e-3, "voices differ"
    # What is kept is what was validated: the same sounds give the loss of the best validation.
    waves = [torch.from_numpy(wave)[:24_000] for wave in read_waves([pack], 16_000)[0]]
    z_v = load_tensors(features, need=["features"])["features"]
    z_a = loaded.encode(torch.stack([to_float(wave) for wave in waves]))
    losses = [json.loads(line).get("val_loss") for line in (tmp_path / "align/train.jsonl").read_text().splitlines()]
    best = min(loss for loss in losses if loss is not None)
    parts = [LOSSES["total"](z_v[a : a + 4], z_a[a : a + 4], 1.0) * len(z_v[a : a + 4]) for a in (0, 4)]
    assert sum(parts).item() / 6 == pytest.approx(best, abs=1e-5)
