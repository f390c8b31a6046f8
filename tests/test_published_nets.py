"""Published checkpoints as our modules: synthetic ones of the published layout give what the published nets give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import published_nets as published
import pytest
import torch
from published_files import archive, checkpoint
from torch import Tensor

from s2v.config import AlignConfig, EncoderConfig, GeneratorConfig, S2iAutoencoderConfig, S2iGeneratorConfig
from s2v.errors import UserError
from s2v.evaluate.audiovisual import Wav2ClipB32
from s2v.files import sha256, write_json
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.biggan import Generator
from s2v.models.image_encoder import ImageEncoder
from s2v.models.store import load
from s2v.weights.catalogue import CATALOGUE
from s2v.weights.checkpoint import best_of, tensors
from s2v.weights.convert import convert
from s2v.weights.layouts import icgan_biggan

# Both sides are fp32 in another order of sums.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def _count(state: dict[str, Tensor], *without: str) -> int:
    buffers = ("u0", "sv0", "stored_mean", "stored_var", "running_mean", "running_var", "num_batches_tracked")
    return sum(v.numel() for k, v in state.items() if not k.endswith(buffers) and not k.startswith(without))


@pytest.mark.slow
@torch.inference_mode()
def test_biggan_equals_the_published_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The initial values are not used, and drawing orthogonal ones of this size takes most of the time.
    monkeypatch.setattr("torch.nn.init.orthogonal_", lambda tensor: tensor)
    state = published.biggan_state()
    # Brock et al.'s 70,433,988 with the class's 128 numbers in every condition; IC-GAN has 512 there, and the feature's
    # projection beside the class embeddings, which stay in the checkpoint unused.
    wider = 2 * (512 - 128) * (sum(published.WIDE) + sum(published.NARROW))
    assert _count(state) == 70_433_988 + wider + 2048 * 512 + 512
    archive(
        tmp_path,
        {
            "G_ema_best0.pth": state,
            "state_dict_best0.pth": {"best_FID": np.float64(11.7), "config": {"G_activation": torch.nn.ReLU()}},
            "D_best0.pth": {"weight": torch.zeros(2)},
        },
    )
    convert("icgan-biggan128", tmp_path / "g", tmp_path)
    g = load(Generator, tmp_path / "g")
    assert sum(p.numel() for p in g.parameters()) == _count(state, "shared.")
    noise = torch.Generator().manual_seed(1)
    z = torch.randn(2, 120, generator=noise)
    h = torch.nn.functional.normalize(torch.randn(2, 2048, generator=noise))
    expected = published.biggan(state, z, h)
    assert expected.std() > 0.1 and expected.abs().mean() < 0.9, "the comparison must see more than saturated pixels"
    torch.testing.assert_close(g(z, h), expected, **CLOSE)
    card = (tmp_path / "g" / "README.md").read_text()
    assert "NON-COMMERCIAL" in card and "FID 11.70" in card and "not trained here" in card


@torch.inference_mode()
def test_swav_equals_the_published_one(tmp_path: Path) -> None:
    state = published.swav_state()
    assert _count(state, "module.projection_head", "module.prototypes") == 23_508_032
    # As its publisher saved it: torch's older format.
    path = checkpoint(tmp_path, "swav-resnet50", state, _use_new_zipfile_serialization=False)
    convert("swav-resnet50", tmp_path / "v", tmp_path)
    f_v = load(ImageEncoder, tmp_path / "v")
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 2 - 1
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = published.swav(state, ((x + 1) / 2 - mean) / std)
    assert expected.shape == (2, 2048) and expected.std() > 0.01
    torch.testing.assert_close(f_v(x), expected, **CLOSE)
    assert sha256(path) in (tmp_path / "v" / "README.md").read_text()


@torch.inference_mode()
def test_the_authors_audio_encoder_equals_the_published_one(tmp_path: Path) -> None:
    state = published.audio_state()
    assert _count(state) == 11_170_240 + 512 * 2048 + 2048
    checkpoint(tmp_path, "sound2scene-audio", state)
    convert("sound2scene-audio", tmp_path / "a", tmp_path)
    f_a = load(AudioEncoder, tmp_path / "a")
    x = torch.randn(2, 257, 1004, generator=torch.Generator().manual_seed(1))
    expected = published.audio(state, x[:, None])
    assert 0.05 < (expected > 0).float().mean() < 0.95, "the ReLU at the end must matter"
    torch.testing.assert_close(f_a(x), expected, **CLOSE)
    assert f_a.spectrogram(torch.zeros(1, 16000)).shape == (1, 257, 1004)


@torch.inference_mode()
def test_wav2clip_equals_the_published_one(tmp_path: Path) -> None:
    state = published.wav2clip_state()
    assert _count(state, "audio_encoder.fc", "audio_encoder.spectrogram") == 11_170_240 + 2 * (512 * 512 + 512)
    path = checkpoint(tmp_path, "wav2clip", {"state_dict": state, "epoch": 3})
    clip: Any = None
    ours = Wav2ClipB32(path, clip)
    waves = [torch.randn(1, n, generator=torch.Generator().manual_seed(n)) * 0.1 for n in (16_000, 48_123)]
    for wave in waves:
        expected = published.wav2clip(state, wave)
        assert expected.std() > 0.01
        torch.testing.assert_close(ours.net(wave), expected, **CLOSE)
        torch.testing.assert_close(ours.hear(wave[0]), torch.nn.functional.normalize(expected), **CLOSE)
    bare = {key.replace("audio_", ""): value for key, value in state.items()}
    torch.save(bare, path)
    torch.testing.assert_close(Wav2ClipB32(path, clip).net(waves[0]), published.wav2clip(state, waves[0]), **CLOSE)
    torch.save({key: value for key, value in bare.items() if "layer4" not in key}, path)
    with pytest.raises(UserError, match="wav2clip: not the published layout: backbone.net.layer4"):
        Wav2ClipB32(path, clip)


def test_all_kinds_of_batch_norm_of_biggan_give_the_same(tmp_path: Path) -> None:
    """Plain (`stored_mean`), cross-replica (`bn.running_mean`, `bn.weight`) and standing (`bn.stored_mean`)."""
    norms = re.compile(r"(bn\d|output_layer\.0)\.(stored_mean|stored_var)|output_layer\.0\.(gain|bias)")
    plain = {k: torch.rand(shape) for k, shape in published.biggan_shapes().items() if norms.search(k)}
    assert len(plain) == 2 * 10 + 4
    replica, standing = {}, {}
    for key, value in plain.items():
        base, _, kind = key.rpartition(".")
        standing[f"{base}.bn.{kind}" if kind.startswith("stored") else key] = value
        if kind.startswith("stored"):
            key = f"{base}.bn.{kind.replace('stored', 'running')}"
        elif base == "output_layer.0":
            key = f"{base}.bn.{'weight' if kind == 'gain' else kind}"
        replica[key] = value
    expected = icgan_biggan(plain)
    for other in (icgan_biggan(replica), icgan_biggan(standing)):
        assert other.keys() == expected.keys() and all(torch.equal(other[k], expected[k]) for k in expected)


def test_the_copy_of_the_better_fid_is_taken(tmp_path: Path) -> None:
    first, second = {"w": torch.zeros(2)}, {"w": torch.ones(2)}
    copies = {"G_ema_best0.pth": first, "G_ema_best1.pth": second}
    scores = {"state_dict_best0.pth": {"best_FID": 13.0}, "state_dict_best1.pth": {"best_FID": 12.0}}
    state, said = best_of(archive(tmp_path, copies | scores))
    assert torch.equal(state["w"], second["w"]) and "G_ema_best1.pth" in said and "12.00" in said
    state, said = best_of(archive(tmp_path, copies))
    assert torch.equal(state["w"], first["w"]) and "could not be read" in said
    with pytest.raises(UserError, match="no G_ema_best0.pth"):
        best_of(archive(tmp_path, scores))


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("new_format", [True, False])
def test_code_in_a_checkpoint_is_refused(tmp_path: Path, new_format: bool) -> None:
    ran = tmp_path / "ran"
    hostile = {"module.conv1.weight": torch.zeros(1), "x": Payload(ran)}
    checkpoint(tmp_path, "swav-resnet50", hostile, _use_new_zipfile_serialization=new_format)
    with pytest.raises(UserError, match="not readable as weights, nothing in it was run"):
        convert("swav-resnet50", tmp_path / "v", tmp_path)
    # Not even of a training state, of which a number alone is wanted.
    states = {"state_dict_best0.pth": {"best_FID": Payload(ran)}, "G_ema_best0.pth": {"w": torch.zeros(1)}}
    assert "could not be read" in best_of(archive(tmp_path, states))[1]
    assert not ran.exists() and not (tmp_path / "v" / "model.safetensors").exists()


@pytest.mark.parametrize("value", [[1, 2], {}, {"a": 1}, {"state_dict": {"a": torch.zeros(1)}, "epoch": 3}])
def test_a_state_dict_and_nothing_else(tmp_path: Path, value: Any) -> None:
    torch.save(value, tmp_path / "x.pth")
    if isinstance(value, dict) and "state_dict" in value:
        assert list(tensors(tmp_path / "x.pth")) == ["a"]
        return
    with pytest.raises(UserError, match=r"x\.pth: no state dict"):
        tensors(tmp_path / "x.pth")


def test_a_weight_and_its_vector_must_belong_together() -> None:
    with pytest.raises(UserError, match="input has weight 4x2, u0 1x3"):
        icgan_biggan({"linear.weight": torch.zeros(4, 2), "linear.u0": torch.zeros(1, 3)})


def test_damaged_files_are_named(tmp_path: Path) -> None:
    file = archive(tmp_path, {"G_ema_best0.pth": {"w": torch.rand(10_000)}})
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(UserError, match=r"res128\.tar\.gz: not readable"):
        best_of(file)
    with pytest.raises(UserError, match=r"sound2scene\.pth: not there; run `s2v weights fetch sound2scene-audio`"):
        convert("sound2scene-audio", tmp_path / "a", tmp_path)
    state = published.audio_state()
    del state["audnet.layer1.0.conv1.weight"]
    checkpoint(tmp_path, "sound2scene-audio", state)
    with pytest.raises(UserError, match=r"not the published layout: backbone\.net\.layer1\.0\.conv1\.weight is absent"):
        convert("sound2scene-audio", tmp_path / "a", tmp_path)
    state = published.audio_state() | {"audnet.fc.bias": torch.full((2048,), torch.nan)}
    path = checkpoint(tmp_path, "sound2scene-audio", state)
    with pytest.raises(UserError, match=r"head\.bias is not finite"):
        convert("sound2scene-audio", tmp_path / "a", tmp_path)
    write_json(tmp_path / "SHA256.json", {CATALOGUE["sound2scene-audio"].files[0].path: "0" * 64})
    with pytest.raises(UserError, match=f"SHA-256 is {sha256(path)}, and must be 000"):
        convert("sound2scene-audio", tmp_path / "a", tmp_path)


def test_names_in_the_configuration_are_those_of_the_catalogue() -> None:
    for stage, config in (
        ("encoder", EncoderConfig),
        ("generator", GeneratorConfig),
        ("align", AlignConfig),
        ("s2i_autoencoder", S2iAutoencoderConfig),
        ("s2i_generator", S2iGeneratorConfig),
    ):
        stages = (stage, "align_unclip") if stage == "align" else (stage,)
        names = {entry.name for entry in CATALOGUE.values() if entry.stage in stages}
        allowed = config.model_json_schema()["properties"]["weights"]["anyOf"][0]
        assert {allowed.get("const"), *allowed.get("enum", [])} - {None} == names
