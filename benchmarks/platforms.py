"""Whether what `make env` installs is to be had for each system, by resolution alone: nothing is installed.

    pip install uv && python benchmarks/platforms.py

uv resolves the project's packages with the pins of requirements.lock, and those of envs/s2v.yaml, for systems other
than its own. Each pin must then have a wheel there, but for SOURCES, which are plain Python. Prints a table; exit code
1 where something is missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
# glibc 2.28 is that of 2018 (Debian 10, RHEL 8); torch has no build for an older one, nor for macOS before 14.
SYSTEMS = {
    "Linux x86-64 (and WSL)": "x86_64-manylinux_2_28",
    "Linux ARM (aarch64)": "aarch64-manylinux_2_28",
    "macOS 14, Apple silicon": "aarch64-apple-darwin",
}
PYTHONS = ("3.11", "3.12", "3.13")
EXTRAS = ("all", "dev", "slurm")
SOURCES = ("connection-pool",)


def resolve(arguments: list[str], system: str, python: str, requirements: str | None = None) -> list[str]:
    """Pins of all packages for a system.

    Raises:
        RuntimeError: uv's reason why there are none.
    """
    command = ["uv", "pip", "compile", "--quiet", "--no-annotate", "--no-header", "--python-platform", system]
    command += ["--python-version", python, *arguments]
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, input=requirements, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(" ".join(done.stderr.split()))
    return [line for line in done.stdout.splitlines() if "==" in line]


def packages(arguments: list[str], system: str, python: str, requirements: str | None = None) -> list[str]:
    """The same, where each has a wheel, too."""
    pins = resolve([*arguments, "--constraint", str(LOCK)], system, python, requirements)
    built = [pin for pin in pins if not pin.startswith(SOURCES)]
    resolve(["--no-deps", "--no-build", "-"], system, python, "\n".join(built))
    return pins


def main() -> None:
    """Print the table."""
    project = ["pyproject.toml", *(f"--extra={extra}" for extra in EXTRAS)]
    listed = yaml.safe_load((ROOT / "envs/s2v.yaml").read_text())["dependencies"]
    conda = next(part["pip"] for part in listed if isinstance(part, dict))
    whole = True
    print("| system | Python | packages | decord |\n|---|---|---:|---|")
    for name, system in SYSTEMS.items():
        for python in PYTHONS:
            try:
                pins = packages(project, system, python)
                if python == PYTHONS[0]:
                    packages(["-"], system, python, "\n".join(conda))
                row = f"{len(pins)} | {'yes' if any(pin.startswith('decord==') for pin in pins) else 'no'}"
            except RuntimeError as error:
                row, whole = f"none | {error}", False
            print(f"| {name} | {python} | {row} |", flush=True)
    sys.exit(not whole)


if __name__ == "__main__":
    main()
