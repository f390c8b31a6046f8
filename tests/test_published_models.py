"""`--model paper` and its like: from a server with published files to pictures, without a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import published_files
import published_nets as published
import pytest
import soundfile
import torch
from PIL import Image
from published_files import LAYERS
from tiny_unclip import unclip_folder
from typer.testing import CliRunner
from web import site

import s2v
from s2v.cli import app
from s2v.config import UnclipConfig
from s2v.errors import UserError
from s2v.files import read_json
from s2v.media.picture import from_unit
from s2v.methods import clip_seed, noise
from s2v.model_source import ModelSource
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.store import load
from s2v.studio.painter import Painter, Request
from s2v.weights.catalogue import CATALOGUE
from s2v.weights.convert import convert
from s2v.weights.published import PUBLISHED_MODELS, made

runner = CliRunner()
RATE = 16000


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder as a server has it; Stable unCLIP is tiny but for the feature."""
    root = tmp_path_factory.mktemp("mirror")
    published_files.paper(root)
    unclip_folder(root, dim=1024)
    return root


@pytest.fixture(scope="module")
def folder(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A weights folder into which both models were fetched."""
    root = tmp_path_factory.mktemp("weights")
    with site(mirror) as web, pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.nn.init.orthogonal_", lambda tensor: tensor)  # initial values, which are not used
        unclip = CATALOGUE["stable-unclip"]  # of some of its files the published checksums are known
        files = tuple(replace(file, sha256=None) for file in unclip.files)
        patch.setitem(CATALOGUE, "stable-unclip", replace(unclip, files=files))
        told = runner.invoke(
            app, ["weights", "fetch", "paper", "paper-ldm", "--folder", str(root), "--mirror", web.url]
        )
    assert told.exit_code == 0, told.output
    for name in ("swav-resnet50", "icgan-biggan128", "sound2scene-audio", "sound2vision-audio", "stable-unclip"):
        assert told.output.count(f"{name}: ") == 1, "a licence is said once"
    assert "5 weights, about 4,063 MB, and 1 of unknown size" in told.output
    assert "paper is ready" in told.output and "paper-ldm is ready" in told.output
    yield root


@pytest.fixture
def weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, under the variable."""
    monkeypatch.setenv("S2V_WEIGHTS", str(folder))
    return folder


@pytest.fixture(scope="module")
def wave() -> np.ndarray[Any, Any]:
    """Two seconds of sound, in 16 bits."""
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    loud = 0.2 * np.sin(2 * np.pi * 440 * t) * (1 + np.sin(7 * t)) + 0.02 * rng.standard_normal(len(t))
    return np.round(loud * 32767) / 32768


@pytest.mark.slow
@torch.inference_mode()
def test_the_papers_model_draws_what_the_peers_arithmetic_gives(
    weights: Path, wave: np.ndarray[Any, Any], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "dog.wav", wave, RATE, subtype="PCM_16")
    z = published.audio(published.audio_state(), published.spectrogram(wave))
    h = torch.nn.functional.normalize(z)
    seeds = [clip_seed(3, str(i)) for i in range(2)]
    expected = published.biggan(published.biggan_state(), noise(seeds, 120), h.expand(2, -1))
    assert expected.std() > 0.1, "pictures of something"

    model = s2v.load("paper", device="cpu")
    assert (model.resolution, model.dim, model.window_s, model.classes) == (128, 2048, 10.0, [])
    found = model.method.decode(model.encode_audio(tmp_path / "dog.wav").expand(2, -1), seeds)
    assert (found - expected.clamp(-1, 1)).abs().max() < 1e-4

    arguments = [
        "generate",
        str(tmp_path / "dog.wav"),
        "--model",
        "paper",
        "--seed",
        "3",
        "-o",
        str(tmp_path / "d.png"),
    ]
    told = runner.invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert "sound2scene-audio" in told.output and "NON-COMMERCIAL" in told.output
    picture = np.asarray(Image.open(tmp_path / "d.png")).astype(float)
    wanted = ((expected[0].clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    assert picture.shape == (128, 128, 3) and np.abs(picture - wanted).max() <= 1
    recipe = read_json(tmp_path / "d.json")
    noted = read_json(weights / "SHA256.json")
    assert recipe["model"] == "paper"
    assert recipe["sha256"]["published"]["swav-resnet50"] == {
        "swav/swav_800ep_pretrain.pth.tar": noted["swav/swav_800ep_pretrain.pth.tar"]
    }


def _latents(model: s2v.Model, shown: torch.Tensor) -> torch.Tensor:
    return model.method.renderer.latent_diffusion().encoded(shown)


def _unclip_model(name: str = "paper-ldm", **settings: Any) -> s2v.Model:
    return s2v.load(name, device="cpu", unclip=UnclipConfig(steps=3, batch_size=2, **settings))


def test_the_papers_second_model_draws_what_diffusers_gives(weights: Path, wave: np.ndarray[Any, Any]) -> None:
    from diffusers import StableUnCLIPImg2ImgPipeline

    with torch.inference_mode():
        z = published.audio_fc2(published.audio_fc2_state(LAYERS), published.spectrogram(wave), LAYERS)
    seeds = [clip_seed(0, str(i)) for i in range(2)]
    plain = StableUnCLIPImg2ImgPipeline.from_pretrained(
        weights / "stable-unclip", variant="fp16", local_files_only=True, low_cpu_mem_usage=False
    ).to(dtype=torch.float32)  # type: ignore[attr-defined]
    drawn = plain(
        image_embeds=z.expand(2, -1), prompt=["", ""], num_inference_steps=3, guidance_scale=10.0, noise_level=0,
        latents=noise(seeds, 4 * 16 * 16).reshape(2, 4, 16, 16), output_type="pt",
        generator=[torch.Generator().manual_seed(clip_seed(seed, "feature")) for seed in seeds],
    ).images  # fmt: skip
    model = _unclip_model()
    found = model.method.decode(model.encode_audio(torch.from_numpy(wave).float()).expand(2, -1), seeds)
    assert found.std() > 0.05 and (found - (drawn * 2 - 1)).abs().max() < 1e-4
    assert not model.unit_norm and model.source.generators == {"unclip": "sound2vision_unclip"}


@pytest.mark.parametrize("layers", [("fc", "fc2"), ("fc.0", "fc.2"), ("mlp2", "mlp1")])
def test_the_second_audio_encoder_is_told_by_its_shapes(tmp_path: Path, layers: tuple[str, str]) -> None:
    path = tmp_path / CATALOGUE["sound2vision-audio"].files[0].path
    path.parent.mkdir()
    state = published.audio_fc2_state(layers)
    torch.save(state, path)
    convert("sound2vision-audio", tmp_path / "a", tmp_path)
    x = torch.randn(1, 257, 400, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = published.audio_fc2(state, x[:, None], layers)
        torch.testing.assert_close(load(AudioEncoder, tmp_path / "a")(x), expected, rtol=1e-4, atol=1e-5)
    torch.save({key: value for key, value in state.items() if not key.startswith(f"audnet.{layers[1]}.")}, path)
    with pytest.raises(UserError, match="not the published layout: 1 linear layers"):
        convert("sound2vision-audio", tmp_path / "b", tmp_path)


def test_a_picture_and_a_sound_steer_it_as_they_steer_the_model_that_is_trained_here(
    weights: Path, wave: np.ndarray[Any, Any]
) -> None:
    """Tiny random nets draw nothing, but what is asked for has the ends that it should."""
    model, sound = _unclip_model(), torch.from_numpy(wave).float()
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), size=(32, 32), mode="bilinear")[0]
    between = model.interpolate(picture, sound, [0.0, 0.5, 1.0])
    z_a, z_v = model.encode_audio(sound)[0], model.encode_image(picture)[0]
    torch.testing.assert_close(between, torch.stack([z_a, (z_a + z_v) / 2, z_v]))
    assert (z_a.norm() - 1).abs() > 0.1, "features go on as they are"
    shown = (picture * 255).round().to(torch.uint8)[None]
    coded = from_unit(model.method.renderer.latent_diffusion().decoded(_latents(model, shown)))
    rough, found = (model.invert(picture, steps) for steps in (60, 240))
    far, near = ((one.picture.float() - coded[0].float()).abs().mean() for one in (rough, found))
    assert near < 0.6 * far and near < 25, "DDIM leads back to what the autoencoder gives, the more steps the nearer"
    edited = model.edit(found, sound, [0.0, 2.0])
    assert (edited[0].int() - found.picture.int()).abs().max() <= 1 and not torch.equal(edited[1], edited[0])
    same, other = (model.renoise(picture, sound, [strength]) for strength in (0.0, 1.0))
    assert (same[0].int() - coded[0].int()).abs().max() <= 1 and not torch.equal(same, other)
    ends = model.compose(picture, sound, [0.0, 1.0])
    assert ends.shape == (2, 3, 32, 32) and not torch.equal(ends[0], ends[1])


def test_every_command_takes_it(weights: Path, wave: np.ndarray[Any, Any], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", wave, RATE)
    soundfile.write(tmp_path / "b.wav", wave[::-1] * 0.5, RATE)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)).save(tmp_path / "p.png")
    a, b, p = (str(tmp_path / name) for name in ("a.wav", "b.wav", "p.png"))
    for name, arguments in {
        "generate": [a, "--n", "2"],
        "mix": [a, b, "--generator", "unclip"],
        "volume": [a, "--steps", "2"],
        "interpolate": [p, a, "--steps", "2", "--how", "noise"],
        "edit": [p, a, "--steps", "2"],
    }.items():
        output = tmp_path / f"{name}.png"
        told = runner.invoke(app, [name, *arguments, "--model", "paper-ldm", "--device", "cpu", "-o", str(output)])
        assert told.exit_code == 0, (name, told.output)
        assert output.is_file() and "Open RAIL++-M" in told.output
    for arguments, said in (
        (["generate", a, "--generator", "gan"], "the model paper-ldm draws by sound2vision_unclip, and not by sound2v"),
        (["generate", a, "--device", "cuda:7"], "device 'cuda:7' is not there"),
        (["explain", a], "the model paper-ldm draws by sound2vision_unclip, and not by sound2vision"),
    ):
        told = runner.invoke(app, [*arguments, "--model", "paper-ldm", "-o", str(tmp_path / "no.png")])
        assert told.exit_code == 1 and said in told.output and len(told.output.strip().splitlines()) == 1


def test_what_is_missing_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S2V_WEIGHTS", raising=False)
    with pytest.raises(UserError, match="^paper: .*`export S2V_WEIGHTS=~/weights`, then `s2v weights fetch paper`"):
        s2v.load("paper")
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match="lacks imagebind, stable-unclip: run `s2v weights fetch imagebind-ldm`"):
        s2v.load("imagebind-ldm")
    monkeypatch.chdir(tmp_path)
    for run in ("./paper", Path("paper")):
        with pytest.raises(UserError, match="paper: no finished run"):
            s2v.load(run)


def test_parts_are_converted_once_and_again_where_their_file_is_another(folder: Path, tmp_path: Path) -> None:
    root, model = tmp_path / "weights", PUBLISHED_MODELS["paper-ldm"]
    shutil.copytree(folder, root, ignore=shutil.ignore_patterns("models", "icgan", "swav", "sound2scene"))
    (part,) = (made(model, root) / name for name in model.parts)
    first = (part / "model.safetensors").stat().st_mtime_ns
    assert made(model, root) / "align_unclip" == part and (part / "model.safetensors").stat().st_mtime_ns == first
    path = root / CATALOGUE["sound2vision-audio"].files[0].path
    torch.save(published.audio_fc2_state(LAYERS, seed=1), path)
    with pytest.raises(UserError, match="its SHA-256 is .*, and must be"):
        made(model, root)
    assert (part / "model.safetensors").stat().st_mtime_ns == first, "what was there stays"
    (root / "SHA256.json").unlink()
    made(model, root)
    assert (part / "model.safetensors").stat().st_mtime_ns != first
    assert sorted(file.name for file in part.parent.iterdir()) == [".lock", "align_unclip"]


def test_a_run_that_has_no_published_weights_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S2V_WEIGHTS", raising=False)
    (tmp_path / "align_unclip").mkdir()
    (tmp_path / "align_unclip/model.safetensors").touch()
    source = ModelSource.of(tmp_path)
    assert source.generators == {}
    assert "s2v weights fetch stable-unclip" in str(source.lacking(source.method("sound2vision_unclip")))


def test_a_published_model_has_one_method_under_the_name_of_its_generator() -> None:
    model = ModelSource(Path("x"), PUBLISHED_MODELS["imagebind-ldm"])
    assert model.generators == {"unclip": "imagebind_unclip"}
    assert {model.method(asked).name for asked in (None, "imagebind_unclip", "sound2vision_unclip")} == {
        "imagebind_unclip"
    }
    with pytest.raises(UserError, match="draws by imagebind_unclip, and not by sound2vision"):
        model.method("sound2vision")


def test_the_page_paints_with_it(weights: Path, wave: np.ndarray[Any, Any], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", wave, RATE)
    painter = Painter("paper-ldm", device="cpu")
    assert painter.generators == ["unclip"] and painter.frames is None and painter.world_classes == []
    made = painter.paint(Request([tmp_path / "a.wav"], [0.0], generator="unclip", n=2), tmp_path)
    assert len(made.pictures) == 2 and made.heard is None and "--model paper-ldm" in made.words
