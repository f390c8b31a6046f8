"""What helps where there are few clips: a baseline that costs seconds, and features brought to known ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from published_files import checkpoint
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler
from test_judge import published_name
from tiny_run import models, pack
from training_tasks import align, generator
from typer.testing import CliRunner

from s2v.cli import app
from s2v.config import EncoderConfig, GenerateConfig, RuntimeConfig, SnapConfig
from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.files import read_json, write_parquet
from s2v.media.picture import read_image, to_tensor
from s2v.methods import Sources, load_method
from s2v.methods.ears.linear import HOLDS, Linear, statistics
from s2v.methods.snapped import Snap
from s2v.models.efficientnet import EfficientNetLite0
from s2v.models.image_encoder import ImageEncoder, shape, unit
from s2v.models.perceptual import perceptual_maps
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train import embed
from s2v.weights.convert import convert, published


def test_the_baseline_is_ridge_regression_with_the_hold_that_leaving_one_out_chooses() -> None:
    g = torch.Generator().manual_seed(0)
    numbers, map_ = torch.randn(60, 128, generator=g) * 3 + 1, torch.randn(128, 5, generator=g)
    features = unit(numbers @ map_ + 20 * torch.randn(60, 5, generator=g))
    found = Linear(numbers, features)
    scaled = StandardScaler().fit(numbers.numpy())
    expected = RidgeCV(HOLDS).fit(scaled.transform(numbers.numpy()), features.numpy())
    assert found.hold == pytest.approx(expected.alpha_)
    x = (numbers.double() - found.mean) / found.scale
    np.testing.assert_allclose(
        (x @ found.map + found.centre).numpy(), expected.predict(scaled.transform(numbers.numpy())), atol=1e-5
    )


def test_statistics_hear_a_gain_and_no_shift_in_time() -> None:
    wave = torch.randn(1, 16000, generator=torch.Generator().manual_seed(0)) * 0.1
    own, softer = statistics(wave, 1.0), statistics(0.5 * wave, 1.0)
    torch.testing.assert_close(own[:, :64] - softer[:, :64], torch.full((1, 64), 4.0).log(), atol=1e-2, rtol=0)
    torch.testing.assert_close(own[:, 64:], softer[:, 64:], atol=1e-2, rtol=0)


@pytest.mark.parametrize("pairs", [1, 2, 8])
def test_a_method_of_few_pairs_draws(tmp_path: Path, pairs: int) -> None:
    pack(tmp_path / "train.tar", pairs)
    made = models(tmp_path)
    parts = {"encoder": made.encoder, "generator": made.generator}
    for name in ("linear", "linear_snapped", "linear_retrieval"):
        method = load_method(name, Sources(GenerateConfig(window_s=1.0), parts, train_packs=[tmp_path / "train.tar"]))
        z = method.encode_audio(0.1 * torch.randn(2, 16000))
        assert z.isfinite().all() and method.decode(z, [1, 2]).shape == (2, 3, 32, 32)


def test_a_run_is_asked_for_a_picture_by_any_method_that_hears(tmp_path: Path) -> None:
    models(tmp_path / "run")
    (tmp_path / "run/pack/train").mkdir(parents=True)
    pack(tmp_path / "run/pack/train/000.tar", 3)
    soundfile.write(tmp_path / "tone.wav", 0.3 * np.sin(900 * np.arange(16000) / 16000), 16000)
    told = ["generate", str(tmp_path / "tone.wav"), "-o", str(tmp_path / "x.png"), "--model", str(tmp_path / "run")]
    done = CliRunner().invoke(app, [*told, "--method", "linear_retrieval"])
    assert done.exit_code == 0 and "method: linear_retrieval\n" in done.output, done.output
    assert read_json(tmp_path / "x.json")["method"] == "linear_retrieval"
    shown = to_tensor([read_image(tmp_path / "x.png")])
    frames, _, _ = read_images([tmp_path / "run/pack/train/000.tar"], shown.shape[-1])
    assert any(torch.equal(shown[0], frame) for frame in frames), "it shows a training frame"
    done = CliRunner().invoke(app, [*told, "--method", "retrieval", "--generator", "gan"])
    assert done.exit_code == 1 and "give one of them" in done.output


@pytest.mark.parametrize(("source", "clips", "best"), [
    ("folder", 12, "retrieval"), ("folder", 200, "sound2vision"), ("world", 12, "sound2vision"),
])  # fmt: skip
def test_a_folder_of_few_clips_shows_its_frames_and_says_so(tmp_path: Path, source: str, clips: int, best: str) -> None:
    models(tmp_path / "run")
    for folder in ("pack/train", "manifest"):
        (tmp_path / "run" / folder).mkdir(parents=True)
    pack(tmp_path / "run/pack/train/000.tar", 3)
    schema = pa.schema([("split", pa.string()), ("source", pa.string()), ("label", pa.string())])
    rows = [{"split": "train", "source": source, "label": None}] * clips
    write_parquet(tmp_path / "run/manifest/000.parquet", rows + [{"split": "test", "source": source}] * 300, schema)
    soundfile.write(tmp_path / "tone.wav", 0.3 * np.sin(900 * np.arange(16000) / 16000), 16000)
    told = ["generate", str(tmp_path / "tone.wav"), "-o", str(tmp_path / "x.png"), "--model", str(tmp_path / "run")]
    done = CliRunner().invoke(app, told)
    assert done.exit_code == 0 and f"method: {best}\n" in done.output, done.output
    assert ("fewer than 200 clips were learned from" in done.output) == (best == "retrieval")
    done = CliRunner().invoke(app, [*told, "--generator", "gan"])
    assert "method: sound2vision\n" in done.output


def test_a_least_number_of_steps_counts_where_epochs_are_few() -> None:
    place = Runtime(torch.device("cpu"), bf16=False)
    of_epochs = align(place, epochs=3)
    assert (of_epochs.steps, of_epochs.min_steps) == (3 * (20 // 7), 0)
    for least, steps in ((5, of_epochs.steps), (500, 500)):
        task = align(place, epochs=3, min_steps=least)
        assert (task.steps, task.min_steps) == (steps, least)


@torch.inference_mode()
def test_what_imagenet_taught_is_f_v(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = EfficientNetLite0().eval()
    state = {published_name(name.removeprefix("net.")): value for name, value in net.state_dict().items()}
    checkpoint(tmp_path / "weights", "efficientnet-lite0", state | {"_fc.bias": torch.zeros(1000)})
    monkeypatch.setattr("s2v.weights.convert.expected", lambda folder, file: None)
    convert("efficientnet-lite0", tmp_path / "encoder", tmp_path / "weights")
    assert "Apache-2.0" in (tmp_path / "encoder/README.md").read_text()

    f_v, x = load(ImageEncoder, tmp_path / "encoder"), torch.rand(2, 3, 128, 128) * 2 - 1
    assert (f_v.dim, f_v.image_px) == (1280, 128)
    torch.testing.assert_close(f_v(x), net(x), rtol=1e-4, atol=1e-5)
    judge = published("efficientnet-lite0", tmp_path / "weights").backbone
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in judge.state_dict().items())
    assert perceptual_maps(f_v, x[..., :16, :16]).shape == (2, 112, 2, 2)
    assert ImageEncoder(**shape(EncoderConfig(weights="efficientnet-lite0", image_px=48))).dim == 1280

    pack(tmp_path / "train.tar", 3)
    embed.run(
        packs=[tmp_path / "train.tar"], encoder_dir=tmp_path / "encoder", output=tmp_path / "z.safetensors",
        keys=tmp_path / "z.parquet", runtime=RuntimeConfig(device="cpu"), threads=1,
    )  # fmt: skip
    assert load_tensors(tmp_path / "z.safetensors")["features"].shape[1] == 1280


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_g_paints_from_noised_features_and_is_judged_by_their_own(strength: float) -> None:
    task = generator(1, 1)(Runtime(torch.device("cpu"), bf16=False), condition_noise=strength)
    painted, judged = [], []
    task.generator.register_forward_pre_hook(lambda _, given: painted.append(given[1].detach()))
    task.discriminator.register_forward_pre_hook(lambda _, given: judged.append(given[1].detach()))
    for step in (0, 1):
        for update in task.updates(step):
            update.forward(update.drawn)
    known = task.features.flatten(0, 1)
    for z, noised in ((torch.cat(painted), strength > 0), (torch.cat(judged), False)):
        torch.testing.assert_close(z.norm(dim=1), torch.ones(len(z)))
        nearest = (z @ known.T).amax(1)
        # Features of mean 0: their deviation is their length, and half of it takes the cosine to 1 / sqrt(1.25).
        expected = (1 + strength**2) ** -0.5 if noised else 1.0
        assert float(nearest.mean()) == pytest.approx(expected, abs=0.03 if noised else 1e-5)


def test_no_pairs_are_one_line(tmp_path: Path) -> None:
    pack(tmp_path / "train.tar", 0)
    made = models(tmp_path)
    parts = {"encoder": made.encoder, "generator": made.generator, "align": made.align}
    for name in ("linear", "sound2vision_snapped"):
        own = {part: parts[part] for part in ("encoder", "generator", *(["align"] if "sound" in name else []))}
        with pytest.raises(UserError, match=rf"^{name}: .*the train split has (no|0) .*; see coverage\.csv$"):
            load_method(name, Sources(GenerateConfig(), own, train_packs=[tmp_path / "train.tar"]))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageEncoder, Path]:
    root = tmp_path_factory.mktemp("known")
    pack(root / "train.tar", 3)
    return load(ImageEncoder, models(root).encoder), root / "train.tar"


@given(st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**31))
def test_a_feature_goes_to_its_nearest_and_as_far_as_is_said(
    known: tuple[ImageEncoder, Path], neighbours: int, strength: float, seed: int
) -> None:
    f_v, train = known
    frames = unit(f_v.encode(read_images([train], f_v.image_px)[0]))
    z = torch.randn(5, f_v.dim, generator=torch.Generator().manual_seed(seed)) * 7
    found = Snap("any", f_v, [train], SnapConfig(neighbours=neighbours, strength=strength))(z)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(5))
    if strength == 0:
        torch.testing.assert_close(found, unit(z))
    if strength == 1 and neighbours == 1:
        torch.testing.assert_close(found, frames[torch.cdist(unit(z), frames).argmin(1)])
    before, after = (torch.cdist(one, frames).min(1).values for one in (unit(z), found))
    if neighbours == 1:
        assert (after <= before + 1e-5).all()
