"""Every command of the README is run: those of `s2v` as they stand, those of Snakemake as far as its plan."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from PIL import Image
from workflow_runs import REPOSITORY, Checkout

README = (REPOSITORY / "README.md").read_text()
COMMAND = re.compile(r"^    ((?:s2v|snakemake|make|git|export|tensorboard|conda|\$EDITOR|\.) .*)$", re.M)
INLINE = re.compile(r"`((?:s2v|snakemake|make|tensorboard|conda) [^`]*)`")
ELSEWHERE = {
    "git clone": "what a user does before anything else",
    "make table1": "tests/test_workflow.py runs it at a small size",
    "make env": "without it no test runs",
    "make test": "this is it",
    "make lint": "CI runs it",
    "make test-fast": "a part of make test",
    "make slurm": "tests/test_slurm.py",
    ". .venv/bin/activate": "",
    "export S2V_WEIGHTS": "",
    "$EDITOR": "",
    "s2v weights fetch": "tests/test_weights.py, from a local server: there is no network here",
    "s2v generate dog.wav --model paper": "tests/test_published_models.py",
    "s2v studio": "tests/test_studio.py",
    "s2v evaluate": "the next test",
    "s2v compare": "the next test",
    "s2v leaderboard": "the next test",
    "make study-deps": "tests/test_study_page.py is skipped without what it brings",
    "s2v study": "tests/test_study.py, and tests/test_study_page.py in a browser",
    "cd s2v": "",
    "conda activate": "",
    "pip install --no-deps": "",
    "conda env create": "tests/test_envs.py compares its versions",
    "tensorboard": "a program of its own",
    "snakemake --cores all --configfile configs/vggsound50.yaml": "tests/test_resources.py plans it",
    "snakemake --cores all --configfile configs/paper.yaml": "tests/test_full_size.py plans it",
    "snakemake --profile": "tests/test_slurm.py",
    "snakemake --report": "tests/test_evidence.py",
}


def commands() -> list[str]:
    """All of them, without remarks and placeholders."""
    found = [line.split("  #")[0].strip() for line in COMMAND.findall(README)] + INLINE.findall(README)
    return [part.strip() for line in dict.fromkeys(found) for part in line.split("&&")]


def known(command: str) -> bool:
    return any(command.startswith(start) for start in ELSEWHERE)


def of(program: str) -> list[str]:
    return list(dict.fromkeys(one for one in commands() if one.startswith(program) and not known(one)))


def test_each_command_is_run_or_said_where_it_is() -> None:
    for command in commands():
        assert known(command) or command.startswith(("s2v ", "snakemake ")), command
    assert len(of("s2v ")) > 10 and len(of("snakemake ")) > 8


@pytest.fixture(scope="module")
def newcomer(tiny_checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone in which the files are that the README tells of, and no run was made but that of `results/folder`."""
    root = tmp_path_factory.mktemp("newcomer") / "s2v"
    checkout = Checkout.of_repository(root)
    (root / "configs" / "mine.yaml").write_text("name: mine\n")
    (root / "configs" / "nce.yaml").write_text("name: nce\noutput: results/nce\nalign: {loss: nce}\n")
    (root / "videos").mkdir()
    (root / "videos" / "dog").mkdir()
    (root / "videos" / "dog" / "walk.mp4").write_bytes(b"not read by a plan")
    (root / "results").mkdir()
    (root / "results" / "folder").symlink_to(tiny_checkout.results)
    return checkout


@pytest.mark.slow
def test_a_newcomers_commands_work_one_after_another(newcomer: Checkout) -> None:
    """In the order of the README, with the model that comes with s2v, each in a process of its own."""
    environment = newcomer.environment() | {"S2V_WEIGHTS": str(newcomer.root / "weights")}
    (newcomer.root / "weights").mkdir()
    for command in of("s2v "):
        words = shlex.split(command.replace("s2v", f"{sys.executable} -m s2v.cli", 1))
        done = subprocess.run(words, cwd=newcomer.root, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        if "-o" in words:
            made = newcomer.root / words[words.index("-o") + 1]
            with Image.open(made) as picture:
                assert picture.width >= 32, command
            assert made.with_suffix(".json").is_file()
            assert "comes with s2v" in done.stderr, "it says which model spoke"
    with Image.open(newcomer.root / "louder.gif") as film:
        assert film.n_frames > 3  # type: ignore[attr-defined]


@pytest.mark.slow
def test_ones_own_pictures_are_measured_as_the_readme_tells(tiny_checkout: Checkout, tmp_path: Path) -> None:
    """With the tiny run for `results`."""
    (tmp_path / "results").symlink_to(tiny_checkout.results)
    (tmp_path / "my-pictures").mkdir()
    for shard in tiny_checkout.results.glob("pack/test/*.tar"):
        with tarfile.open(shard) as tar:
            for member in tar:
                clip, _, suffix = member.name.partition(".")
                stream = tar.extractfile(member)
                if suffix == "mid.jpg" and stream is not None:
                    (tmp_path / f"my-pictures/{clip}.jpg").write_bytes(stream.read())
    starts = ("s2v evaluate ", "s2v compare ", "s2v leaderboard ")
    told = [one for one in commands() if one.startswith(starts)]
    assert len(told) == 4
    for command in told:
        words = shlex.split(command.replace("s2v", f"{sys.executable} -m s2v.cli", 1))
        environment = tiny_checkout.environment()
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert (tmp_path / "LEADERBOARD.md").read_text().count("## Protocol") == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", of("snakemake "))
def test_snakemake_can_plan_what_the_readme_tells(newcomer: Checkout, command: str) -> None:
    words = shlex.split(command.replace("snakemake", f"{sys.executable} -m snakemake -n -q", 1))
    environment = newcomer.environment()
    done = subprocess.run(words, cwd=newcomer.root, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert os.listdir(newcomer.root / "results") == ["folder"], "a plan writes nothing"
