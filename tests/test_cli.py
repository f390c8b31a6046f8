"""The command line: help that suffices, one-line errors, and pictures of a sound file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner
from workflow_runs import REPOSITORY, Checkout

from s2v.cli import app
from s2v.config import json_schema
from s2v.model import SHIPPED

runner = CliRunner()


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


def test_help_names_all_commands() -> None:
    text = runner.invoke(app, ["--help"]).output
    for command in ("doctor", "plan", "generate", "studio", "coverage", "world", "config"):
        assert command in text


@pytest.mark.parametrize(
    "command",
    [
        ["doctor"],
        ["plan"],
        ["generate"],
        ["coverage"],
        ["world", "preview"],
        ["config", "check"],
        ["world", "sample"],
        *([name] for name in ("mix", "volume", "interpolate", "edit", "explain", "export", "studio")),
    ],
)
def test_every_command_has_help(command: list[str]) -> None:
    done = runner.invoke(app, [*command, "--help"])
    assert done.exit_code == 0 and "Usage" in done.output and "-h, --help" in done.output


def test_doctor_says_what_there_is_and_what_would_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    (tmp_path / "inception").mkdir()
    (tmp_path / "inception/weights-inception-2015-12-05-6726825d.pth").touch()
    done = runner.invoke(app, ["doctor", "--configfile", "configs/tiny.yaml"])
    assert done.exit_code == 0, done.output
    absent = "clip-vit-b32      absent (clip/ViT-B-32.safetensors)"
    for part in ("torch", "device", "ffmpeg", absent, "3 classes", "results/tiny", "judge"):
        assert part in done.output, part
    assert "inception-v3      inception/weights" in done.output


def test_doctor_survives_an_absent_ffmpeg(tmp_path: Path) -> None:
    overlay = tmp_path / "o.yaml"
    overlay.write_text("runtime: {ffmpeg: /no/such/ffmpeg}")
    done = runner.invoke(app, ["doctor", "--configfile", str(overlay)])
    assert done.exit_code == 0 and "/no/such/ffmpeg" in done.output


def test_config_check_and_schema(tmp_path: Path) -> None:
    done = runner.invoke(app, ["config", "check", "configs/tiny.yaml"])
    assert done.exit_code == 0 and "results/tiny" in done.output
    assert json.loads(runner.invoke(app, ["config", "schema"]).output) == json.loads(json.dumps(json_schema()))
    (tmp_path / "bad.yaml").write_text("align: {los: l2}")
    done = runner.invoke(app, ["config", "check", str(tmp_path / "bad.yaml")])
    assert done.exit_code == 1 and "did you mean loss?" in done.output
    assert "Traceback" not in done.output and done.output.count("\n") == 1
    assert "source: world" in runner.invoke(app, ["config", "show"]).output


def test_world_commands(tmp_path: Path) -> None:
    names = runner.invoke(app, ["world", "classes"]).output.split("\n")
    assert "dog barking" in names and len([n for n in names if n]) >= 10
    done = runner.invoke(app, ["world", "preview", "-o", str(tmp_path / "w.png"), "--columns", "2", "--px", "32"])
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "w.png").width == 2 * 32 + 3 * 2
    for number in ("0", "0", "1"):
        done = runner.invoke(app, ["world", "sample", "Dog", "-o", str(tmp_path / number), "--number", number])
        assert done.exit_code == 0, done.output
    wave, rate = soundfile.read(tmp_path / "0.wav")
    other, _ = soundfile.read(tmp_path / "1.wav")
    assert rate == 16000 and 3 < len(wave) / rate < 7 and not np.array_equal(wave, other)
    assert Image.open(tmp_path / "0.png").size == (256, 256)
    done = runner.invoke(app, ["world", "sample", "unicorn"])
    assert done.exit_code == 1 and "is in none" in done.output


def test_a_named_model_must_be_there(tmp_path: Path) -> None:
    done = runner.invoke(app, ["generate", "dog.wav", "-o", str(tmp_path / "x.png"), "--model", str(tmp_path)])
    assert done.exit_code == 1 and "no finished run" in done.output and "Traceback" not in done.output


def test_without_a_run_the_model_that_comes_with_s2v_speaks_and_says_so(
    tiny_checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(app, ["world", "sample", "waterfall"]).exit_code == 0
    done = runner.invoke(app, ["generate", "waterfall.wav", "-o", "x.png"])
    assert done.exit_code == 0 and "comes with s2v" in done.output and "embedded world only" in done.output
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) < 10 * 2**20
    (tmp_path / "results").symlink_to(tiny_checkout.results)
    done = runner.invoke(app, ["generate", "waterfall.wav", "-o", "y.png"])
    assert done.exit_code == 0 and "model: results\n" in done.output
    assert Path("x.png").read_bytes() != Path("y.png").read_bytes()


def test_generate_makes_pictures_of_any_sound(tiny_checkout: Checkout, tmp_path: Path) -> None:
    run = ["--model", str(tiny_checkout.results)]
    t = np.arange(44100 * 3) / 44100
    soundfile.write(tmp_path / "tone.wav", np.stack([np.sin(900 * t), np.sin(1300 * t)], 1) * 0.3, 44100)
    soundfile.write(tmp_path / "short.ogg", np.sin(900 * t[:4000]) * 0.3, 44100)
    made = {}
    for name, extra in {
        "one": [],
        "again": [],
        "other": ["--seed", "1"],
        "sheet": ["--n", "8"],
        "large": ["--px", "96"],
        "later": ["--start", "1.5", "--window", "0.5"],
    }.items():
        output = tmp_path / f"{name}.png"
        done = runner.invoke(app, ["generate", str(tmp_path / "tone.wav"), "-o", str(output), *run, *extra])
        assert done.exit_code == 0, done.output
        made[name] = np.asarray(Image.open(output))
    assert made["one"].shape == (32, 32, 3) and made["large"].shape == (96, 96, 3)
    assert made["sheet"].shape[1] == 3 * 32 + 4 * 2
    assert np.array_equal(made["one"], made["again"]) and not np.array_equal(made["one"], made["other"])
    done = runner.invoke(app, ["generate", str(tmp_path / "short.ogg"), "-o", str(tmp_path / "s.png"), *run])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("name", "content"), [("a.wav", b""), ("b.mp3", b"text"), ("absent.wav", None)])
def test_generate_says_in_one_line_what_is_wrong_with_a_sound(
    tiny_checkout: Checkout, tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    arguments = ["generate", str(tmp_path / name), "-o", str(tmp_path / "x.png"), "--model", str(tiny_checkout.results)]
    done = runner.invoke(app, arguments)
    assert done.exit_code == 1 and name in done.output and done.output.count("\n") == 1
    assert not (tmp_path / "x.png").exists()


def test_coverage(tiny_checkout: Checkout) -> None:
    done = runner.invoke(app, ["coverage", str(tiny_checkout.results)])
    assert done.exit_code == 0 and "clips went through" in done.output
    assert runner.invoke(app, ["coverage", "nowhere"]).exit_code == 1
