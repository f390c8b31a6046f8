"""What decides a result: a change of what code computes reruns the stages that use it; words rerun nothing."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_run import pack
from workflow_runs import REPOSITORY

import s2v
from s2v import identity
from s2v.configfile import load
from s2v.data.fetch import unused
from s2v.errors import UserError
from s2v.identity import NEUTRAL, code_digest, computes, import_closure, tree_digest
from s2v.provenance import revision, versions
from s2v.workflow import Plan

ROOT = Path(s2v.__file__).parent
STAGES = {
    "s2v.data.manifest",
    "s2v.data.fetch",
    "s2v.data.extract",
    "s2v.train.localise",
    "s2v.data.select",
    "s2v.data.pack",
    "s2v.train.encoder",
    "s2v.train.embed",
    "s2v.train.generator",
    "s2v.train.align",
    "s2v.train.judge",
    "s2v.evaluate.generate",
    "s2v.evaluate.evaluate",
    "s2v.report.table1",
    "s2v.report.fig04",
    "s2v.data.coverage",
}


def forget_sources() -> None:
    """Sources are read once a process; a test that edits them reads them again."""
    for cached in (identity._path, identity._tree, identity._module_digest, identity._imports):
        cached.cache_clear()


SAMPLE = '''
"""A module."""
from s2v.files import digest

class Net:
    """A net."""
    width: int = 3

    def forward(self, x: "Tensor", scale: float = 2.0) -> "Tensor":
        """[B] -> [B]."""
        half: float = 0.5
        if x is None:
            raise ValueError(f"no {x}")
        log.info("seen %s", x)
        return half * x * scale  # formula
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Another word."""'),
        ('    """A net."""\n', ""),
        ('"""[B] -> [B]."""', '"""Shapes stay."""'),
        ("  # formula", "  # the formula"),
        ('x: "Tensor", scale: float', "x, scale: int"),
        (' -> "Tensor"', ""),
        ("half: float = 0.5", "half = 0.5"),
        ("half * x * scale", "(\n            half * x * scale\n        )"),
        ('f"no {x}"', '"nothing there"'),
        ("seen %s", "saw %s"),
        ("scale: float = 2.0) ->", "scale: float = 2.0,) ->"),
        ('x: "Tensor"', "x: 'Tensor'"),
    ],
)
def test_words_are_no_code(old: str, new: str) -> None:
    assert SAMPLE.count(old) == 1
    assert computes(SAMPLE.replace(old, new).encode()) == computes(SAMPLE.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("half * x", "half + x"),
        ("= 2.0", "= 3.0"),
        ("0.5", "0.25"),
        ("width: int = 3", "width: float = 3"),
        ("x is None", "x is not None"),
        ("ValueError", "TypeError"),
        ("files import digest", "files import sha256"),
        ("return half", "return -half"),
    ],
)
def test_formulas_are_code(old: str, new: str) -> None:
    assert SAMPLE.count(old) == 1
    assert computes(SAMPLE.replace(old, new).encode()) != computes(SAMPLE.encode())


def test_what_code_computes_is_written_alike_by_every_python() -> None:
    """Checkpoints and results outlive an upgrade of Python: the text of a module is our own, and stays."""
    found = hashlib.sha256(computes(SAMPLE.encode()).encode()).hexdigest()[:16]
    assert found == "87d5198a88550acd"


@pytest.mark.parametrize(
    ("module", "used_by", "not_by"),
    [
        ("s2v.losses.alignment", {"s2v.train.align"}, {"s2v.train.encoder", "s2v.train.generator", "s2v.data.extract"}),
        ("s2v.models.biggan", {"s2v.train.generator", "s2v.evaluate.generate"}, {"s2v.train.align", "s2v.train.judge"}),
        ("s2v.media.decode", {"s2v.data.extract"}, {"s2v.data.pack", "s2v.train.align", "s2v.evaluate.evaluate"}),
        ("s2v.evaluate.fidelity", {"s2v.evaluate.evaluate"}, {"s2v.evaluate.generate", "s2v.train.judge"}),
        ("s2v.report.findings", {"s2v.report.table1"}, STAGES - {"s2v.report.table1"}),
        ("s2v.methods.renderers.database", {"s2v.evaluate.generate"}, {"s2v.train.align", "s2v.evaluate.evaluate"}),
        ("s2v.config.training", set(), STAGES),
    ],
)
def test_who_uses_what(module: str, used_by: set[str], not_by: set[str]) -> None:
    for stage in used_by:
        assert module in import_closure(stage), f"{stage} uses {module}"
    for stage in not_by:
        assert module not in import_closure(stage), f"{stage} does not use {module}"


def test_the_world_counts_for_manifest_and_fetch_alone() -> None:
    def entered(stage: str, overlay: str) -> frozenset[str]:
        config = load([REPOSITORY / "config.yaml", REPOSITORY / f"configs/{overlay}.yaml"])
        return import_closure(*Plan(config).modules(stage), without=unused(config.data))

    for stage in ("manifest", "fetch"):
        assert "s2v.world.classes.owl" in entered(stage, "tiny")
        assert "s2v.speakers.voice" in entered(stage, "faces") and "s2v.speakers.voice" not in entered(stage, "tiny")
        assert not any(name.startswith(("s2v.world", "s2v.speakers")) for name in entered(stage, "folder"))


FORKS = """
import importlib, json, os, sys
import torch, torchvision, webdataset, scipy.stats, matplotlib.figure, soundfile, torch.utils.tensorboard
for stage in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        importlib.import_module(stage)
        print(json.dumps([stage, [name for name in sys.modules if name.split(".")[0] == "s2v"]]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
def test_closure_covers_what_python_imports() -> None:
    """The naive twin: import each module in a process of its own and see what of this package was loaded."""
    command = [sys.executable, "-c", FORKS, *sorted(STAGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT.parent)
    seen = dict(json.loads(line) for line in done.stdout.splitlines())
    assert set(seen) == STAGES
    for stage, loaded in seen.items():
        free = NEUTRAL | {name for name in loaded if name.startswith("s2v.config")}
        assert set(loaded) <= import_closure(stage) | free, stage


def test_digest_follows_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    files = {
        "__init__.py": "",
        "a.py": "from pack import b\n",
        "b.py": "def f():\n    import pack.c\n",
        "c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .d import x\n",
        "d.py": "x = 1\n",
        "e.py": "from . import f\nfrom .f import y\n",
        "f.py": "y = 1\n",
    }
    for name, text in files.items():
        (package / name).write_text(text)

    def digests() -> dict[str, str]:
        monkeypatch.setattr(identity, "ROOT", package)
        monkeypatch.setattr(identity, "PACKAGE", "pack")
        monkeypatch.setattr(identity, "VALUES_ONLY", "")
        forget_sources()
        found = {name: code_digest(f"pack.{name}") for name in "abcdef"}
        forget_sources()
        return found

    before = digests()
    (package / "c.py").write_text(files["c.py"] + "z = 2\n")
    after = digests()
    assert {name for name in before if before[name] != after[name]} == {"a", "b", "c"}
    (package / "c.py").write_text(files["c.py"] + "z = (\n    2  # two\n)\n")
    assert digests() == after, "layout and comments are no code"
    (package / "d.py").write_text("x = 2\n")
    assert {name for name in after if after[name] != digests()[name]} == {"d"}
    (package / "f.py").write_text("y = 2\n")
    assert {name for name in after if after[name] != digests()[name]} == {"d", "e", "f"}


EDITED = (
    "errors.py",
    "progress.py",
    "files.py",
    "runtime.py",
    "losses/alignment.py",
    "media/picture.py",
    "data/reader.py",
    "models/judge.py",
    "train/loop.py",
    "train/judge.py",
)

TRAINING = """
import logging, sys
from pathlib import Path
from s2v.config import JudgeConfig, RuntimeConfig
from s2v.identity import code_digest
from s2v.train import checkpoint
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
save = checkpoint.save
def die(*arguments):
    save(*arguments)
    raise SystemExit(3)
if sys.argv[1] == "die":
    checkpoint.save = die
from s2v.train.judge import run
config = JudgeConfig(steps=8, batch_size=4, checkpoint_every=4, width=8, dim=8, image_px=16)
if sys.argv[1] != "digests":
    run(config=config, packs=[Path(sys.argv[2])], output_dir=Path(sys.argv[3]), runtime=RuntimeConfig(device="cpu"),
        threads=1)
for stage in sys.argv[4:]:
    print("digest", stage, code_digest(stage))
"""


@dataclass
class Package:
    """A copy of the package, which a test may edit."""

    root: Path
    pack: Path

    def run(self, what: str) -> tuple[str, dict[str, str]]:
        """Output of `TRAINING` in this copy, and the digests of all stages."""
        command = [sys.executable, "-c", TRAINING, what, str(self.pack), str(self.root / "judge"), *sorted(STAGES)]
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(self.root)}, cwd=self.root, text=True,
                              capture_output=True)  # fmt: skip
        assert done.returncode == (3 if what == "die" else 0), done.stdout + done.stderr
        return done.stdout, dict(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("digest"))


@pytest.fixture
def package(tmp_path: Path) -> Package:
    shutil.copytree(ROOT, tmp_path / "s2v", ignore=shutil.ignore_patterns("__pycache__", "shipped"))
    return Package(tmp_path, pack(tmp_path / "pack.tar", 4))


def add_words(path: Path) -> None:
    """Another word in the first docstring, a comment, and another annotation of the first function that has one."""
    text = path.read_text().replace('"""', '"""Indeed: ', 1)
    assert " -> " in text
    path.write_text(re.sub(r"\) -> [^\n]*:\n", ') -> "SomethingElse":\n', text, count=1) + "# A last word.\n")


@pytest.mark.slow
def test_words_in_ten_modules_change_no_digest_and_a_killed_training_resumes_at_its_step(package: Package) -> None:
    _, before = package.run("digests")
    package.run("die")
    for name in EDITED:
        add_words(package.root / "s2v" / name)
    printed, after = package.run("go on")
    assert before == after and set(after) == STAGES
    assert "goes on at step 4 of 8" in printed


@pytest.mark.slow
def test_a_formula_changes_the_stages_that_compute_it_and_no_others(package: Package) -> None:
    _, before = package.run("digests")
    path = package.root / "s2v/losses/alignment.py"
    text = path.read_text()
    formula = "0.5 * (F.cross_entropy(similarity, target)"
    assert text.count(formula) == 1
    path.write_text(text.replace(formula, "0.4 * (F.cross_entropy(similarity, target)"))
    _, after = package.run("digests")
    users = {stage for stage in STAGES if "s2v.losses.alignment" in import_closure(stage)}
    assert {stage for stage in STAGES if before[stage] != after[stage]} == users
    assert "s2v.train.align" in users and "s2v.data.extract" not in users and "s2v.evaluate.generate" not in users


def test_unknown_module() -> None:
    with pytest.raises(UserError, match=r"s2v\.nonsense: no module"):
        code_digest("s2v.nonsense")


def test_package_does_not_know_snakemake() -> None:
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "snakemake" for name in names), path


def test_tree_digest_sees_additions_and_replacements(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"1")
    first = tree_digest(tmp_path)
    assert first == tree_digest(tmp_path, None)
    (tmp_path / "b.mp4").write_bytes(b"1")
    second = tree_digest(tmp_path)
    (tmp_path / "b.mp4").write_bytes(b"22")
    assert len({first, second, tree_digest(tmp_path)}) == 3
    assert tree_digest(tmp_path / "nowhere") != first


def test_versions_and_revision() -> None:
    found = versions("torch", "no-such-thing")
    assert found["no-such-thing"] == "not installed" and found["torch"][0].isdigit()
    assert revision()
