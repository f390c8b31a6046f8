"""Code digests: an edit reruns the stages that use the edited module, and no others."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import s2v
from s2v.errors import UserError
from s2v.provenance import code_digest, import_closure, revision, tree_digest, versions

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


@pytest.mark.parametrize(
    ("module", "used_by", "not_by"),
    [
        ("s2v.losses", {"s2v.train.align"}, {"s2v.train.encoder", "s2v.train.generator", "s2v.data.extract"}),
        ("s2v.models.biggan", {"s2v.train.generator", "s2v.evaluate.generate"}, {"s2v.train.align", "s2v.train.judge"}),
        ("s2v.media.decode", {"s2v.data.extract"}, {"s2v.data.pack", "s2v.train.align", "s2v.evaluate.evaluate"}),
        ("s2v.evaluate.fidelity", {"s2v.evaluate.evaluate"}, {"s2v.evaluate.generate", "s2v.train.judge"}),
        ("s2v.report.findings", {"s2v.report.table1"}, STAGES - {"s2v.report.table1"}),
        ("s2v.methods.retrieval", {"s2v.evaluate.generate"}, {"s2v.train.align", "s2v.evaluate.evaluate"}),
        ("s2v.config.training", set(), STAGES),
    ],
)
def test_who_uses_what(module: str, used_by: set[str], not_by: set[str]) -> None:
    for stage in used_by:
        assert module in import_closure(stage), f"{stage} uses {module}"
    for stage in not_by:
        assert module not in import_closure(stage), f"{stage} does not use {module}"


def test_the_world_counts_for_manifest_and_fetch_alone() -> None:
    for stage in STAGES:
        assert not any(name.startswith("s2v.world") for name in import_closure(stage)), stage
    assert "s2v.world.classes.owl" in import_closure("s2v.data.fetch", "s2v.world")
    assert not any(name.startswith("s2v.world") for name in import_closure("s2v.data.fetch", "s2v.data.folder"))


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


def test_closure_covers_what_python_imports() -> None:
    """The naive twin: import each module in a process of its own and see what of this package was loaded."""
    command = [sys.executable, "-c", FORKS, *sorted(STAGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT.parent)
    seen = dict(json.loads(line) for line in done.stdout.splitlines())
    assert set(seen) == STAGES
    for stage, loaded in seen.items():
        assert set(loaded) <= import_closure(stage) | {name for name in loaded if name.startswith("s2v.config")}, stage


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
        import s2v.provenance as provenance

        monkeypatch.setattr(provenance, "ROOT", package)
        monkeypatch.setattr(provenance, "PACKAGE", "pack")
        monkeypatch.setattr(provenance, "VALUES_ONLY", "")
        provenance._path.cache_clear()
        provenance._imports.cache_clear()
        found = {name: code_digest(f"pack.{name}") for name in "abcdef"}
        provenance._path.cache_clear()
        provenance._imports.cache_clear()
        return found

    before = digests()
    (package / "c.py").write_text(files["c.py"] + "z = 2\n")
    after = digests()
    assert {name for name in before if before[name] != after[name]} == {"a", "b", "c"}
    (package / "d.py").write_text("x = 2\n")
    assert {name for name in after if after[name] != digests()[name]} == {"d"}
    (package / "f.py").write_text("y = 2\n")
    assert {name for name in after if after[name] != digests()[name]} == {"d", "e", "f"}


def test_unknown_module() -> None:
    with pytest.raises(UserError, match=r"s2v\.nonsense: no module"):
        code_digest("s2v.nonsense")


def test_scripts_digest_the_modules_that_they_run() -> None:
    """Each rule's digest names the modules from which its script takes `run` (two where a mode has one of its own)."""
    workflow = ROOT.parent
    for script in sorted((workflow / "workflow_scripts").glob("*.py")):
        modules = {
            node.module
            for node in ast.walk(ast.parse(script.read_text()))
            if isinstance(node, ast.ImportFrom) and any(alias.name == "run" for alias in node.names)
        }
        if script.stem == "adapter":
            continue
        assert modules, script.name
        rules = "\n".join(path.read_text() for path in (workflow / "rules").glob("*.smk"))
        rule = re.split(r"\n *rule ", rules.split(f"workflow_scripts/{script.name}")[0])[-1]
        for module in modules:
            assert f'"{module}"' in rule.split("code_digest(")[1].split(")")[0]
            assert callable(importlib.import_module(str(module)).run)


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
