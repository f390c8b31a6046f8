"""pyproject.toml, requirements.lock and envs/*.yaml say the same, and the installed versions are those."""

from __future__ import annotations

import ast
import os
import platform
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from s2v.configfile import load
from s2v.errors import UserError
from s2v.extras import EXTRAS

ROOT = Path(__file__).parent.parent
EVERYWHERE = ("workflow", "studio", "study", "download", "pretrained")  # the extra `all`
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock() -> dict[str, str]:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    return {normal(name): version for name, version in (line.split("==") for line in lines)}


ONLY = "; sys_platform == 'linux' and platform_machine == 'x86_64'"
"""What follows a package that is to be had for one system alone."""


def bounds(requirements: list[str]) -> dict[str, str]:
    plain = (line.removesuffix(ONLY) for line in requirements)
    return {normal(name): version for name, version in (line.split(">=") for line in plain)}


def pinned(path: Path) -> dict[str, str]:
    entries = yaml.safe_load(path.read_text())["dependencies"]
    listed = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    plain = (line.removesuffix(ONLY) for line in listed)
    return {normal(name): version for name, version in (line.split("==") for line in plain)}


def declared(*extras: str) -> dict[str, str]:
    found = bounds(PROJECT["dependencies"])
    for extra in extras:
        found |= bounds(PROJECT["optional-dependencies"][extra])
    return found


def imported(*folders: str) -> dict[str, set[str]]:
    """{top-level name of another's package: files that import it}."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                names = ["tensorboard" if name == "torch.utils.tensorboard" else name for name in names]
                for name in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"s2v", "adapter"}:
                    found.setdefault(name, set()).add(path.name)
    return found


NAMES = {
    "ffmpeg": "ffmpeg-python",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "open_clip": "open-clip-torch",
    "pydantic_core": "pydantic",
    "yt_dlp": "yt-dlp",
}
STARTED = {"snakemake", "yt-dlp-ejs"}
"""Not imported by the package: the first runs the workflow, the second is loaded by yt-dlp."""


def test_what_is_imported_is_declared_and_the_reverse() -> None:
    found = {NAMES.get(name, normal(name)) for name in imported("s2v", "workflow_scripts")}
    assert found == set(declared(*EVERYWHERE)) - STARTED
    tests = {NAMES.get(name, normal(name)) for name in imported("tests")}
    own = {normal(path.stem) for folder in ("tests", "benchmarks") for path in (ROOT / folder).glob("*.py")}
    brought = {"gradio-client", "httpx"}  # by gradio, whose server the tests ask
    assert tests - own - brought <= set(declared(*EVERYWHERE, "dev"))


def test_extras_are_those_of_the_project() -> None:
    names = {NAMES.get(name, normal(name)): extra for name, extra in EXTRAS.items()}
    for extra in EVERYWHERE:
        wanted = set(bounds(PROJECT["optional-dependencies"][extra])) - STARTED
        assert {name for name, found in names.items() if found == extra} == wanted
    assert PROJECT["optional-dependencies"]["all"] == [f"s2v[{','.join(EVERYWHERE)}]"]


BASE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from s2v.cli import app
app(sys.argv[1:])
"""


def test_a_sound_becomes_a_picture_with_the_base_packages_alone(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(0).normal(0, 0.1, 16000), 16000)

    def s2v(*words: str) -> subprocess.CompletedProcess[str]:
        script = BASE.format(missing=sorted(EXTRAS))
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, "-c", script, *words], cwd=tmp_path, env=environment,
                              capture_output=True, text=True)  # fmt: skip

    done = s2v("generate", "noise.wav", "-o", "made.png")
    assert done.returncode == 0 and (tmp_path / "made.png").exists(), done.stderr
    refused = s2v("world", "sample", "campfire")
    assert refused.returncode == 1
    assert refused.stderr == 's2v: the package aggdraw is not installed; pip install "s2v[workflow]"\n'


def test_lower_bounds_are_the_locked_versions() -> None:
    wanted = declared(*EVERYWHERE, "slurm", "dev")
    locked = lock()
    assert {name: locked.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.stem)
def test_conda_environments_pin_the_same(path: Path) -> None:
    wanted = declared(*EVERYWHERE)
    found = pinned(path)
    assert {name: wanted.get(name) for name in found} == found
    if path.stem == "s2v":
        assert found == wanted


def test_decord_is_asked_for_only_where_it_has_a_build() -> None:
    asked = [line for line in PROJECT["optional-dependencies"]["workflow"] if line.endswith(ONLY)]
    assert asked == [f"decord>={lock()['decord']}{ONLY}"]
    assert f"decord=={lock()['decord']}{ONLY}" in (ROOT / "envs" / "s2v.yaml").read_text()


@pytest.mark.parametrize(
    ("machine", "advised"),
    [
        (("Darwin", "arm64"), "decord has no build for Darwin on arm64; set extract.reader: ffmpeg"),
        (("Linux", "aarch64"), "decord has no build for Linux on aarch64; set extract.reader: ffmpeg"),
        (("Linux", "x86_64"), 'the package decord is not installed; pip install "s2v\\[workflow\\]"'),
    ],
)
def test_a_configuration_that_wants_decord_where_it_is_not_is_refused(
    machine: tuple[str, str], advised: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("platform.system", lambda: machine[0])
    monkeypatch.setattr("platform.machine", lambda: machine[1])
    (tmp_path / "o.yaml").write_text("extract: {reader: decord}")
    with pytest.raises(UserError, match=rf"o\.yaml: extract\.reader: {advised}"):
        load([ROOT / "config.yaml", tmp_path / "o.yaml"])
    (tmp_path / "o.yaml").write_text("extract: {reader: ffmpeg}")
    load([ROOT / "config.yaml", tmp_path / "o.yaml"])


def test_installed_versions_are_the_locked_ones() -> None:
    locked = lock()
    for name in declared(*EVERYWHERE):
        if name == "decord" and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            continue
        assert metadata.version(name).split("+")[0] == locked[name], name


def test_lock_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text and "@" not in text and "--" not in text
