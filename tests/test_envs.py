"""pyproject.toml, requirements.lock and envs/*.yaml say the same, and the installed versions are those."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock() -> dict[str, str]:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    return {normal(name): version for name, version in (line.split("==") for line in lines)}


def bounds(requirements: list[str]) -> dict[str, str]:
    return {normal(name): version for name, version in (line.split(">=") for line in requirements)}


def pinned(path: Path) -> dict[str, str]:
    entries = yaml.safe_load(path.read_text())["dependencies"]
    listed = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    return {normal(name): version for name, version in (line.split("==") for line in listed)}


def test_lower_bounds_are_the_locked_versions() -> None:
    wanted = bounds(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        wanted |= bounds(extra)
    locked = lock()
    assert {name: locked.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.stem)
def test_conda_environments_pin_the_same(path: Path) -> None:
    wanted = bounds(PROJECT["dependencies"])
    found = pinned(path)
    assert {name: wanted.get(name) for name in found} == found
    if path.stem == "s2v":
        assert found == wanted


def test_installed_versions_are_the_locked_ones() -> None:
    locked = lock()
    for name in bounds(PROJECT["dependencies"]):
        assert metadata.version(name).split("+")[0] == locked[name], name


def test_lock_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text and "@" not in text and "--" not in text
