"""Control in the waveform and in the latent space: arithmetic, loudness kept to the feature, facade and commands."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tiny_run import models
from torch.testing import assert_close
from typer.testing import CliRunner
from workflow_runs import Checkout

from s2v.cli import app
from s2v.control import latent, waveform
from s2v.control.training_frames import Frames
from s2v.errors import UserError
from s2v.export import export
from s2v.model import Model
from s2v.models.diffusion_sampler import Sampler
from s2v.models.diffusion_steering import Steering
from s2v.tensors import save_tensors

runner = CliRunner()
RATE = 16000


def tone(hertz: float, seconds: float = 1.5, level: float = 0.1) -> torch.Tensor:
    g = torch.Generator().manual_seed(int(hertz))
    t = torch.arange(round(seconds * RATE)) / RATE
    return level * (torch.sin(2 * torch.pi * hertz * t) + 0.3 * torch.randn(len(t), generator=g)).clamp(-3, 3)


def test_six_decibels_are_twice_and_gains_add_up() -> None:
    wave = tone(440)
    assert_close(waveform.gain(wave, 20), 10 * wave)
    assert_close(waveform.gain(waveform.gain(wave, 3.5), -1.25), waveform.gain(wave, 2.25))


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(-40, 10), st.integers(0, 60)), min_size=1, max_size=4))
def test_a_mix_is_the_sum_of_its_parts(parts: list[tuple[int, float, int]]) -> None:
    waves = [torch.linspace(-1, 1, n) for n, _, _ in parts]
    gains, starts = [db for _, db, _ in parts], [start for _, _, start in parts]
    mixed = waveform.mix(waves, gains, [start / RATE for start in starts])
    expected = np.zeros(max(n + start for n, _, start in parts))
    for wave, db, start in zip(waves, gains, starts, strict=True):
        expected[start : start + len(wave)] += wave.numpy() * 10 ** (db / 20)
    assert_close(mixed, torch.from_numpy(expected).float(), rtol=1e-4, atol=1e-4)


def test_a_mix_that_cannot_be_is_refused() -> None:
    wrong = [([],), ([tone(1)], [0.0, 1.0]), *(([tone(1)], [0.0], [late]) for late in (-1.0, 1e9, math.nan, math.inf))]
    for arguments in wrong:
        with pytest.raises(ValueError, match="give one of each|cannot begin"):
            waveform.mix(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e9, -1e9])
def test_gains_and_weights_that_are_no_numbers_are_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="from -80 to 40"):
        waveform.gain(tone(1), odd)
    with pytest.raises(ValueError, match="from -80 to 40"):
        waveform.mix([tone(1)], [odd])
    z = torch.nn.functional.normalize(torch.randn(3, 8), dim=1)
    if not math.isfinite(odd):
        with pytest.raises(ValueError, match="give finite numbers"):
            latent.interpolate(z[0], z[1], [0.5, odd])
        with pytest.raises(ValueError, match="give finite numbers"):
            latent.move(z[0], z[1], z[2], [odd])


def test_features_between_and_along_are_of_unit_norm_and_end_where_they_should() -> None:
    z_v, z_a, other = (torch.nn.functional.normalize(torch.randn(8), dim=0) for _ in range(3))
    between = latent.interpolate(z_v, z_a, [1.0, 0.5, 0.0])
    assert_close(between[0], z_v)
    assert_close(between[2], z_a)
    moved = latent.move(z_v, z_a, other, [0.0, 1.0])
    assert_close(moved[0], z_v)
    assert_close(moved[1], torch.nn.functional.normalize(z_v + other - z_a, dim=0))
    for z in (*between, *moved):
        assert float(z.norm()) == pytest.approx(1, abs=1e-5)
    assert_close(latent.interpolate(z_v, z_a, [0.25], unit_norm=False)[0], 0.25 * z_v + 0.75 * z_a)
    assert_close(latent.move(z_v, z_a, other, [2.0], unit_norm=False)[0], z_v + 2 * (other - z_a))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    models(root)
    (root / "encoder_vit").symlink_to("encoder")
    (root / "align_ldm").symlink_to("align")
    return root


def test_loudness_survives_from_file_to_feature(run: Path, tmp_path: Path) -> None:
    """The log floor carries it; anything that normalised a level would make these equal."""
    model, wave = Model(run), tone(600)
    features = []
    for db in (-40, -20, 0):
        path = tmp_path / f"{db}.flac"
        soundfile.write(path, waveform.gain(wave, db).numpy(), RATE, subtype="PCM_24")
        features.append(model.encode_audio(path)[0])
        assert_close(features[-1], model.encode_audio(waveform.gain(wave, db))[0], rtol=0, atol=5e-2)
    assert float((features[0] - features[2]).norm()) > 0.01
    assert float((features[0] - features[2]).norm()) > float((features[1] - features[2]).norm())


@pytest.mark.parametrize("method", ["retrieval", "linear", "linear_snapped", "sound2vision_snapped"])
def test_methods_that_go_by_training_pairs_find_those_of_the_run(tiny_checkout: Checkout, method: str) -> None:
    model = Model(tiny_checkout.results, method)
    pictures = model.generate(model.encode_audio([tone(300), tone(900)]))
    assert pictures.shape == (2, 3, model.resolution, model.resolution)


def test_a_sound_may_be_a_file_an_array_or_a_tensor(run: Path, tmp_path: Path) -> None:
    model, wave = Model(run), tone(500)
    soundfile.write(tmp_path / "a.wav", wave.numpy(), RATE, subtype="FLOAT")
    array = wave.numpy()
    ways = [tmp_path / "a.wav", str(tmp_path / "a.wav"), wave, (array, RATE), (np.stack([array] * 2), RATE)]
    features = model.encode_audio(list(ways))
    assert features.shape == (5, model.dim) and float((features - features[2]).abs().max()) < 1e-2
    again = model.encode_audio((np.repeat(wave.numpy(), 3), 3 * RATE))
    assert float((again - features[2]).norm()) < 0.5, "another rate is brought to 16 kHz"
    with pytest.raises(UserError, match="ends before second 99"):
        model.sound(wave, 99)


@pytest.mark.parametrize("method", ["sound2vision", "sound2vision_ldm"])
def test_pictures_follow_from_feature_seed_and_noise_alone(run: Path, method: str) -> None:
    model = Model(run, method)
    z = model.encode_audio([tone(300), tone(900)])
    pictures = model.generate(z, 3)
    assert pictures.shape == (2, 3, model.resolution, model.resolution) and pictures.dtype == torch.uint8
    alone = torch.cat([model.generate(one[None], 3) for one in z])
    assert int((pictures.int() - alone.int()).abs().max()) <= 1
    same = model.generate(z[:1].expand(3, -1), 3, [0, 0, 1])
    assert torch.equal(same[0], same[1]) and not torch.equal(same[0], same[2])
    assert not torch.equal(model.generate(z, 4), pictures)


def test_pictures_are_read_as_files_arrays_and_tensors(run: Path, tmp_path: Path) -> None:
    model = Model(run)
    picture = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "p.png")
    features = model.encode_image([tmp_path / "p.png", picture, torch.from_numpy(picture).permute(2, 0, 1)])
    assert_close(features[0], features[1])
    assert_close(features[0], features[2])
    assert model.interpolate(picture, tone(400), [1.0, 0.0]).shape == (2, model.dim)
    (tmp_path / "p.txt").write_text("no picture")
    with pytest.raises(UserError, match="p.txt: not readable as a picture"):
        model.encode_image(tmp_path / "p.txt")
    with pytest.raises(UserError, match="does not hear"):
        Model(run, "icgan")


def test_an_inversion_comes_nearer_and_an_edit_begins_at_it(tiny_checkout: Checkout, run: Path) -> None:
    model = Model(tiny_checkout.results)
    made = model.generate(model.encode_audio(tone(700)), 5)[0]
    found = model.invert(made, steps=40)
    assert found.error < 0.9 * found.start_error and float(found.z.norm()) == pytest.approx(1, abs=1e-5)
    assert found.picture.shape == made.shape and found.noise.shape == (16,)
    edited = model.edit(found, tone(700), [0.0, 1.0, 3.0])
    assert int((edited[0].int() - found.picture.int()).abs().max()) <= 1, "lambda 0 is the inverted picture"
    assert not torch.equal(edited[2], edited[0])


def test_ddim_run_backwards_leads_back_to_the_picture(run: Path) -> None:
    """What is left is the error of the solver's steps. The net, which is untrained, is made a smooth one for it."""
    model = Model(run, "sound2vision_ldm")
    with torch.no_grad():
        for values in model.method.renderer.sampler.model.unet.conv_out.parameters():  # type: ignore[attr-defined]
            values.mul_(0.05)
    made = model.generate(model.encode_audio(tone(700)), 5)[0]
    found = model.invert(made)
    sampler = model.method.renderer.sampler  # type: ignore[attr-defined]
    assert found.noise.shape == model.method.renderer.noise_shape
    latents = torch.randn(2, *model.method.renderer.noise_shape)
    z, errors = model.encode_audio([tone(300), tone(900)]), []
    for steps in (10, 40, 160):
        steering = Steering(sampler.model, steps)
        back = steering.compose([z], [1.0], steering.invert(latents, z))
        errors.append(float((back - latents).abs().mean() / latents.abs().mean()))
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.1, errors
    for one in (found, model.invert(made, steps=20)):
        assert torch.equal(model.edit(one, tone(700), [0.0])[0], one.picture), "lambda 0 is the inverted picture"


def test_composing_and_noising_have_the_ends_that_they_should(run: Path) -> None:
    model = Model(run, "sound2vision_ldm")
    net, g = model.method.renderer.sampler.model, torch.Generator().manual_seed(0)  # type: ignore[attr-defined]
    steering = Steering(net, 20)
    z = model.encode_audio([tone(300), tone(900)])
    noise = torch.randn(1, *model.method.renderer.noise_shape, generator=g)
    one, other = (steering.compose([each[None]], [1.0], noise) for each in z)
    assert_close(steering.compose([z[:1], z[1:]], [1.0, 0.0], noise), one, rtol=1e-4, atol=1e-3)
    assert_close(steering.compose([z[:1], z[1:]], [0.0, 1.0], noise), other, rtol=1e-4, atol=1e-3)
    drawn = Sampler(net, "ddim", 20, 1.0)(z[:1], noise)
    assert_close(one, drawn, rtol=1e-4, atol=1e-3)
    assert_close(steering.renoise(other, z[:1], noise, 0.0), other)
    begun = [float((steering.renoise(other, z[:1], noise, s) - other).abs().mean()) for s in (0.1, 0.5, 1.0)]
    assert begun == sorted(begun) and begun[0] > 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        steering.renoise(other, z[:1], noise, 1.5)
    with pytest.raises(UserError, match="needs a latent diffusion model"):
        Model(run).compose(np.zeros((8, 8, 3), np.uint8), tone(300), [0.5])


def _files(folder: Path) -> list[str]:
    found = []
    for name, hertz in (("a", 300), ("b", 1200)):
        soundfile.write(folder / f"{name}.wav", tone(hertz).numpy(), RATE)
        found.append(str(folder / f"{name}.wav"))
    Image.new("RGB", (50, 40), (200, 30, 30)).save(folder / "p.jpg")
    return [*found, str(folder / "p.jpg")]


def test_the_commands_write_sheets_films_and_recipes(tiny_checkout: Checkout, tmp_path: Path) -> None:
    a, b, picture = _files(tmp_path)
    model = ["--model", str(tiny_checkout.results)]
    done = runner.invoke(app, ["mix", a, b, "--gain", "-6", "--gain", "0", "-o", str(tmp_path / "mix.png"), *model])
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "mix.png").size == (32, 32)
    recipe = json.loads((tmp_path / "mix.json").read_text())
    assert recipe["gains_db"] == [-6.0, 0.0] and recipe["again"][0] == "s2v" and recipe["sounds"] == [a, b]
    done = runner.invoke(app, ["volume", a, "-o", str(tmp_path / "v.gif"), "--steps", "4", "--px", "64", *model])
    assert done.exit_code == 0, done.output
    film = Image.open(tmp_path / "v.gif")
    assert film.n_frames >= 2 and film.size == (64, 64)  # type: ignore[attr-defined]
    gains = json.loads((tmp_path / "v.json").read_text())["gains_db"]
    assert gains == pytest.approx([-30, -30 + 40 / 3, -30 + 80 / 3, 10])
    done = runner.invoke(app, ["edit", picture, a, "-o", str(tmp_path / "e.png"), "--steps", "3", *model])
    assert done.exit_code == 0, done.output
    recipe = json.loads((tmp_path / "e.json").read_text())
    assert 0 < recipe["reconstruction_error"] <= recipe["reconstruction_error_at_start"] and recipe["lambda"][0] == -1
    done = runner.invoke(app, ["interpolate", picture, b, "-o", str(tmp_path / "i.mp4"), "--steps", "3", *model])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "i.mp4").read_bytes()[4:8] == b"ftyp"
    done = runner.invoke(app, ["interpolate", picture, b, "-o", str(tmp_path / "i.png"), "--steps", "3", *model])
    assert done.exit_code == 0 and Image.open(tmp_path / "i.png").width == 3 * 32 + 4 * 2


def test_explain_draws_and_export_makes_a_folder_that_works(tiny_checkout: Checkout, tmp_path: Path) -> None:
    a, _, _ = _files(tmp_path)
    results = str(tiny_checkout.results)
    done = runner.invoke(app, ["explain", a, "-o", str(tmp_path / "x.png"), "--model", results])
    assert done.exit_code == 0 and Image.open(tmp_path / "x.png").width > 300, done.output
    folder = tmp_path / "model"
    done = runner.invoke(app, ["export", results, "-o", str(folder), "--programs"])
    assert done.exit_code == 0, done.output
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".safetensors", ".json", ".md", ".pt2"}
    pictures = []
    for model in (results, str(folder)):
        done = runner.invoke(app, ["generate", a, "-o", str(tmp_path / "p.png"), "--model", model])
        assert done.exit_code == 0, done.output
        pictures.append((tmp_path / "p.png").read_bytes())
    assert pictures[0] == pictures[1]
    own = Model(tiny_checkout.results)
    heard = torch.export.load(folder / "audio_encoder.pt2").module()
    wave = tone(500, 2.0)[None]
    assert_close(heard(wave), own.encode_audio(wave[0]), rtol=0, atol=1e-4)
    done = runner.invoke(app, ["export", results, "-o", str(folder)])
    assert done.exit_code == 1 and "is there already" in done.output


@pytest.mark.parametrize(("arguments", "message"), [
    (["mix", "{a}", "-o", "{o}.png"], "two or more sounds"),
    (["mix", "{a}", "{b}", "--gain", "1", "-o", "{o}.png"], "2 sounds, 1 gains"),
    (["volume", "{a}", "-o", "{o}.txt"], "ends in .png"),
    (["volume", "nowhere.wav", "-o", "{o}.png"], "nowhere.wav"),
    (["interpolate", "{a}", "{b}", "-o", "{o}.png"], "not readable as a picture"),
    (["volume", "{a}", "-o", "{o}.png", "--generator", "ldm"], "no finished run"),
])  # fmt: skip
def test_mistakes_are_one_line(tiny_checkout: Checkout, tmp_path: Path, arguments: list[str], message: str) -> None:
    a, b, _ = _files(tmp_path)
    values = {"a": a, "b": b, "o": str(tmp_path / "x")}
    done = runner.invoke(app, [*(part.format(**values) for part in arguments), "--model", str(tiny_checkout.results)])
    assert done.exit_code == 1 and message in done.output and done.output.count("\n") == 1, done.output
    assert not list(tmp_path.glob("x.*"))


def test_a_blend_and_a_gain_are_options_of_generate(tiny_checkout: Checkout, tmp_path: Path) -> None:
    a, _, picture = _files(tmp_path)
    made = {}
    for name, more in {"plain": [], "loud": ["--gain", "30"], "all": ["--picture", picture, "--lambda", "1"]}.items():
        out = str(tmp_path / f"{name}.png")
        done = runner.invoke(app, ["generate", a, "-o", out, "--model", str(tiny_checkout.results), *more])
        assert done.exit_code == 0, done.output
        made[name] = np.asarray(Image.open(out))
    model = Model(tiny_checkout.results)
    expected = model.generate(model.encode_image(picture))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(made["all"], expected) and not np.array_equal(made["plain"], made["loud"])
    recipe = json.loads((tmp_path / "all.json").read_text())
    assert recipe["lambda"] == 1 and set(recipe["sha256"]) == {"align", "encoder", "generator"}


def test_half_precision_is_half_the_size_and_nearly_the_same(tiny_checkout: Checkout, tmp_path: Path) -> None:
    export(tiny_checkout.results, tmp_path / "whole")
    export(tiny_checkout.results, tmp_path / "half", half=True, frames=5)
    size = {name: (tmp_path / name / "align/model.safetensors").stat().st_size for name in ("whole", "half")}
    assert size["half"] < 0.6 * size["whole"]
    models = [Model(tmp_path / name) for name in ("whole", "half")]
    pictures = [model.generate(model.encode_audio(tone(500))).int() for model in models]
    assert float((pictures[0] - pictures[1]).abs().float().mean()) < 3
    assert models[1].classes == ["dog barking", "rain falling", "siren truck"]
    frames = Frames.of(tmp_path / "half")
    assert frames is not None and len(frames) == 5 and Frames.of(tmp_path / "whole") is None
    known = Frames.of(tiny_checkout.results)
    assert known is not None
    z = known.features[known.keys.index(known.keys[-1])]
    assert torch.equal(known.nearest(z, 2, 16)[0], known.nearest(z, 1, 16)[0]) and known.nearest(z, 2, 16).shape[0] == 2
    save_tensors(tmp_path / "half/frames.safetensors", {"features": torch.zeros(2, 4)})
    with pytest.raises(UserError, match="not frames of an exported model"):
        Frames.of(tmp_path / "half")


def test_generating_imports_nothing_that_takes_seconds(tiny_checkout: Checkout, tmp_path: Path) -> None:
    """Each of these would be most of a cold start."""
    a, _, _ = _files(tmp_path)
    code = f"import sys; sys.argv[1:] = ['generate', {a!r}, '-o', {str(tmp_path / 'x.png')!r}, '--model', "
    code += f"{str(tiny_checkout.results)!r}]\nfrom s2v.cli import app\ntry: app()\nexcept SystemExit: pass\n"
    code += "heavy = {'torchvision', 'timm', 'diffusers', 'transformers', 'matplotlib', 'sklearn', 'gradio'}\n"
    code += "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    code += "unused = tuple(f's2v.{name}.' for name in "
    code += "('train', 'report', 'evaluate', 'data', 'methods.renderers', 'weights.layouts', 'models.imagebind'))\n"
    code += "own = [name for name in sys.modules if f'{name}.'.startswith(unused)]\n"
    code += "own = {name.removeprefix('s2v.methods.renderers') for name in own}\n"
    code += "assert own == {'', '.base', '.biggan'}, own"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and (tmp_path / "x.png").is_file(), done.stderr


def test_importing_s2v_is_quick_and_imports_no_torch() -> None:
    code = "import sys, s2v; assert 'torch' not in sys.modules; s2v.load; assert 'torch' in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import s2v"], check=True)
    assert time.perf_counter() - started < 5
