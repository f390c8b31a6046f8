"""Nothing is written over that s2v did not write: no input, no other's file, no other's .json, by no command."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from s2v.cli import app
from s2v.control.outputs import LARGEST_RECIPE, check, write_recipe
from s2v.errors import UserError

runner = CliRunner()


def refused(outputs: list[Path], *inputs: Path, force: bool = False) -> str:
    with pytest.raises(UserError) as raised:
        check(outputs, inputs, force)
    return str(raised.value)


def test_what_s2v_wrote_may_be_written_over_while_it_is_as_it_was(tmp_path: Path) -> None:
    made, other = tmp_path / "a.png", tmp_path / "b.png"
    check([made])
    made.write_text("picture")
    assert "a.png: is there, and not as s2v wrote it; give another name, or --force" in refused([made])
    check([made], force=True)
    write_recipe([made], ["s2v", "generate"], {"seed": 1})
    check([made])
    other.write_text("picture")
    assert "b.png" in refused([made, other])
    made.write_text("the same, but painted over by hand")
    assert "a.png: is there, and not as s2v wrote it" in refused([made])
    made.unlink()
    check([made])


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", "", "null", "5", "no json", '{"name": "package"}', "[" * 10_000, '{"again": [], "s2v": "1"}',
        '{"again": ["s2v"]}', '{"again": ["npm"], "s2v": "1"}', '{"again": ["s2v"], "s2v": "1", "made": 5}',
        " " * (LARGEST_RECIPE + 1) + '{"again": ["s2v"], "s2v": "1", "made": {}}', "\xff\x00",
    ],
    ids=lambda text: text[:20].strip() or "spaces",
)  # fmt: skip
def test_the_json_of_others_is_never_written_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "package.json").write_text(text)
    for force in (False, True):
        assert "package.json: is there, and not written by s2v" in refused([tmp_path / "package.png"], force=force)


def test_an_input_is_never_written_over_by_whatever_name(tmp_path: Path) -> None:
    given = tmp_path / "in.png"
    given.write_text("picture")
    write_recipe([given], ["s2v", "world", "sample"], {})
    os.link(given, tmp_path / "hard.png")
    (tmp_path / "soft.png").symlink_to(given)
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("in.png", "hard.png", "soft.png", "folder/in.png", "../" + tmp_path.name + "/in.png"):
        for force in (False, True):
            assert "is the input" in refused([tmp_path / name], tmp_path / "other.wav", given, force=force)
    assert "in.json: is the input" in refused([tmp_path / "in.gif"], tmp_path / "in.json", force=True)


def test_only_plain_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to("elsewhere.png")
    (tmp_path / "a.json").mkdir()
    os.mkfifo(tmp_path / "b.json")
    for path in ("folder.png", "pipe.png", "link.png", "a.png", "b.png", "/dev/null", "/dev/full"):
        for force in (False, True):
            assert "no plain file (a folder, a link or a device)" in refused([tmp_path / path], force=force)
    (tmp_path / "file").touch()
    assert "file: nothing can be written there" in refused([tmp_path / "file/x/a.png"])
    with pytest.raises(OSError, match="too long"):
        check([tmp_path / f"{'x' * 300}.png"])


OUTPUTS: dict[str, list[str]] = {
    "generate": ["{sound}", "-o", "{out}.png"],
    "mix": ["{sound}", "{sound}", "-o", "{out}.png"],
    "volume": ["{sound}", "-o", "{out}.gif"],
    "interpolate": ["{picture}", "{sound}", "-o", "{out}.mp4"],
    "edit": ["{picture}", "{sound}", "-o", "{out}.png"],
    "explain": ["{sound}", "-o", "{out}.png"],
    "world preview": ["-o", "{out}.png"],
    "world sample": ["dog", "-o", "{out}"],
    "export": ["{folder}", "-o", "{out}.png"],
}
MEASURES = {
    "evaluate": ["{folder}", "--sounds", "{folder}", "-o", "{out}.json"],
    "leaderboard": ["{sound}", "-o", "{out}.md"],
    "join": ["{sound}", "{picture}", "-o", "{out}.md"],
}
"""Commands that measure; their inputs are looked at after what they would write."""
STUDIES = {"study make", "study score"}
"""They write folders of many files; test_study.py sees that none that is there is written over."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A sound and a picture; there is no run here, so that the model is the one that comes with s2v."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", 0.1 * np.sin(np.arange(16000) / 9), 16000)
    Image.new("RGB", (40, 30), (200, 30, 30)).save("p.png")
    return {"sound": "a.wav", "picture": "p.png", "folder": str(tmp_path), "out": "made"}


def commands() -> dict[str, Any]:
    """All of them, by what is typed."""
    found: dict[str, Any] = {}

    def walk(command: Any, typed: str) -> None:
        for name, one in getattr(command, "commands", {}).items():
            walk(one, f"{typed} {name}".strip())
        if not hasattr(command, "commands"):
            found[typed] = command

    walk(get_command(app), "")
    return found


def test_every_command_that_writes_where_somebody_says_is_looked_at_here() -> None:
    writing = {name for name, command in commands().items() if any("-o" in param.opts for param in command.params)}
    assert writing == {*OUTPUTS, *MEASURES, *STUDIES}


@pytest.mark.parametrize("name", MEASURES)
def test_no_command_that_measures_writes_over_what_it_did_not_write(files: dict[str, str], name: str) -> None:
    words = [name, *(word.format(**files) for word in MEASURES[name])]
    for suffix in (".json", ".md"):
        Path(f"made{suffix}").write_text("somebody's")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    done = runner.invoke(app, words)
    assert done.exit_code == 1 and "is there" in done.output and done.output.count("\n") == 1, done.output
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_command_writes_over_what_it_did_not_write(files: dict[str, str], name: str) -> None:
    words = [*name.split(), *(word.format(**files) for word in OUTPUTS[name])]
    there = [Path(f"made{suffix}") for suffix in (".png", ".gif", ".mp4", ".wav")]
    for path in there:
        path.write_text("somebody's")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    done = runner.invoke(app, words)
    assert done.exit_code == 1 and "is there" in done.output and done.output.count("\n") == 1, done.output
    if name != "export":
        for path in there:
            path.unlink()
        Path("made.json").write_text('{"name": "made"}')
        before = {path: path.read_bytes() for path in Path().iterdir()}
        for more in ([], ["--force"]):
            done = runner.invoke(app, [*words, *more])
            assert done.exit_code == 1 and "made.json: is there, and not written by s2v" in done.output, done.output
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize("name", ["generate", "mix", "interpolate", "edit", "explain"])
def test_no_command_writes_over_its_input(files: dict[str, str], name: str) -> None:
    sound, out = Path("a.wav").read_bytes(), "in.png"
    Path(out).write_bytes(sound if name not in ("interpolate", "edit") else Path("p.png").read_bytes())
    before = Path(out).read_bytes()
    given = {"sound": out, "picture": out} | files if name == "explain" else files | {"sound": out, "picture": out}
    given["sound"] = out if name in ("generate", "mix", "explain") else "a.wav"
    words = [name, *(word.format(**given | {"out": "in"}) for word in OUTPUTS[name])]
    words[-1] = out
    for more in ([], ["--force"]):
        done = runner.invoke(app, [*words, *more])
        assert done.exit_code == 1 and "in.png: is the input in.png itself" in done.output, done.output
    assert Path(out).read_bytes() == before and not Path("in.json").exists()


def test_a_command_may_be_repeated_and_forced(files: dict[str, str]) -> None:
    def run(*more: str) -> Any:
        return runner.invoke(app, ["generate", "a.wav", "-o", "made.png", *more])

    assert run().exit_code == 0 and run("--seed", "1").exit_code == 0
    recipe = json.loads(Path("made.json").read_text())
    assert recipe["seed"] == 1 and list(recipe["made"]) == ["made.png"]
    Path("made.png").write_text("my own")
    assert run().exit_code == 1 and Path("made.png").read_text() == "my own"
    assert run("--force").exit_code == 0 and Image.open("made.png").width > 16
    for _ in range(2):
        assert runner.invoke(app, ["world", "sample", "dog", "--px", "32"]).exit_code == 0
        assert runner.invoke(app, ["world", "preview", "--px", "16", "--columns", "1"]).exit_code == 0
    assert set(json.loads(Path("dog.json").read_text())["made"]) == {"dog.wav", "dog.png"}
    done = runner.invoke(app, ["world", "sample", "dog", "-o", "."])
    assert done.exit_code == 1 and "a folder; give the name" in done.output


FLOATS = [
    (name, param.opts[0])
    for name, command in commands().items()
    for param in command.params
    if "float" in str(getattr(param.type_descriptor, "annotation", ""))
]


@pytest.mark.parametrize(("name", "option"), FLOATS)
def test_a_number_that_cannot_be_is_one_line_that_says_which_can(name: str, option: str) -> None:
    for wrong in ("nan", "inf", "-inf", "1e30", "-1e30", "1e400", "much"):
        done = runner.invoke(app, [*name.split(), f"{option}={wrong}"])
        assert done.exit_code == 1 and done.output.count("\n") == 1, done.output
        assert f"s2v: {option}: give a number from " in done.output and " to " in done.output


def test_all_commands_with_numbers_are_looked_at() -> None:
    assert len(FLOATS) >= 17 and ("generate", "--gain") in FLOATS and ("mix", "--gain") in FLOATS


def test_more_pictures_than_memory_holds_are_refused(files: dict[str, str]) -> None:
    for words in (["generate", "a.wav", "--n", "400"], ["volume", "a.wav", "--steps", "200"]):
        done = runner.invoke(app, [*words, "--px", "4096", "-o", "made.png"])
        assert done.exit_code == 1 and "pictures of 4096 px: above 200 megapixels" in done.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["generate", "mix", "volume", "interpolate", "edit", "explain"])
def test_a_silent_sound_is_painted_with_a_word(files: dict[str, str], name: str) -> None:
    soundfile.write("quiet.wav", 1e-4 * np.sin(np.arange(16000) / 9), 16000)
    words = [name, *(word.format(**files | {"sound": "quiet.wav"}) for word in OUTPUTS[name])]
    words += ["--steps", "2"] if name in ("volume", "interpolate", "edit") else []
    done = runner.invoke(app, words)
    assert done.exit_code == 0, done.output
    line = r"quiet\.wav is silent \(loudest 50 ms at -8\d\.\d dBFS\): the picture says nothing about it"
    assert re.match(line, done.stderr), done.stderr
    assert all(re.fullmatch(line, said) for said in json.loads(Path("made.json").read_text())["silent"])


def test_low_gains_of_a_sweep_are_no_silence_but_sounds_that_cancel_are(files: dict[str, str]) -> None:
    done = runner.invoke(app, ["volume", "a.wav", "-o", "v.png", "--from", "-80", "--steps", "2"])
    assert done.exit_code == 0 and "silent" not in done.output and "silent" not in Path("v.json").read_text()
    soundfile.write("b.wav", -0.1 * np.sin(np.arange(16000) / 9), 16000)
    done = runner.invoke(app, ["mix", "a.wav", "b.wav", "-o", "m.png"])
    assert done.exit_code == 0 and "the mix is silent (loudest 50 ms at -" in done.stderr
    done = runner.invoke(app, ["mix", "a.wav", "b.wav", "--offset", "0", "--offset", "30", "-o", "n.png"])
    assert done.exit_code == 1 and "mix: --offset 30: only the first 5 s are heard" in done.output
