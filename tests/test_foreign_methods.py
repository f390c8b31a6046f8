"""Methods of somebody else's: the documented example as a package of its own, and what is said of a wrong one."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_run import models, pack
from workflow_runs import TINY, Checkout

from s2v.config import GenerateConfig, RuntimeConfig
from s2v.config.foreign import find, source_digest
from s2v.config.methods import METHODS
from s2v.configfile import load
from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.evaluate.generate import run
from s2v.evaluate.pictures import read_pictures

DOCS = Path(__file__).parent.parent / "docs/methods.md"


def documented(language: str) -> str:
    """The block of docs/methods.md in some language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.S)
    return str(block)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Writes a module of somebody else's that can be imported, under a name of its own each time."""
    monkeypatch.syspath_prepend(tmp_path)
    before, written = dict(METHODS), []

    def write(source: str) -> str:
        name = f"theirs_{tmp_path.name[-8:].replace('-', '_')}_{len(written)}"
        written.append(name)
        (tmp_path / f"{name}.py").write_text("from s2v.config.methods import OWN, Entry, Rendering\n" + source)
        return name

    yield write
    METHODS.clear()
    METHODS.update(before)
    for name in written:
        sys.modules.pop(name, None)


def test_the_example_makes_pictures_with_its_own_settings(tmp_path: Path, module: Callable[[str], str]) -> None:
    name = module(documented("python"))
    m, test, train = models(tmp_path), pack(tmp_path / "test.tar", 2), pack(tmp_path / "train.tar", 3, seed=1)
    run(
        config=GenerateConfig(window_s=1.0), method=f"{name}:NearestSound", seeds=[0], packs=[test],
        train_packs=[train], parts={"generator": m.generator}, settings={"bands": 16}, outputs=[tmp_path / "0.tar"],
        runtime=RuntimeConfig(device="cpu"), threads=1,
    )  # fmt: skip
    made, records = read_pictures(tmp_path / "0.tar")
    frames, _, labels = read_images([train], 32)
    nearest = [[bool(torch.equal(one, frame)) for frame in frames].index(True) for one in made]
    assert [labels[i] for i in nearest] == [record["label"] for record in records], "a class sounds like itself"
    row = {key: records[0][key] for key in ("method", "letter", "title", "encoder", "generator", "seeded", "main")}
    assert row == {
        "method": "nearest_sound", "letter": "nearest_sound", "title": "Nearest sound", "encoder": "A",
        "generator": "R", "seeded": False, "main": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class Theirs: pass", "has no `entry`"),
        ("class Theirs: entry = Entry('../up', 'T')", "'../up' is no name; allowed: small letters, digits and _"),
        ("class Theirs: entry = Entry('icgan', 'T')", "'icgan' is a method of s2v itself; give it another name"),
        ("class Theirs: entry = Entry('t', 'T', sees='judge')", "no run has 'judge' as the part 'encoder'; allowed"),
        ("import nowhere", "cannot be imported (ModuleNotFoundError: No module named 'nowhere')"),
        ("1 / 0", "cannot be imported (ZeroDivisionError: division by zero)"),
        ("class Other: pass", "cannot be imported (AttributeError"),
    ],
)
def test_a_class_that_is_no_method_is_one_line_of_the_configuration(
    tmp_path: Path, module: Callable[[str], str], source: str, said: str
) -> None:
    named = f"{module(source)}:Theirs"
    (tmp_path / "mine.yaml").write_text(f"generate: {{methods: [icgan, '{named}']}}\n")
    with pytest.raises(UserError) as error:
        load(["config.yaml", tmp_path / "mine.yaml"])
    assert str(error.value).startswith(f'{tmp_path / "mine.yaml"}: generate.methods.1: "{named}" is not allowed; ')
    assert said in str(error.value) and "\n" not in str(error.value)


def test_two_methods_of_one_name_are_refused(module: Callable[[str], str]) -> None:
    one, other = (f"{module('class T: entry = Entry(chr(116), chr(116))')}:T" for _ in range(2))
    assert find(one) == find(one) == find("t")
    with pytest.raises(UserError, match=rf"'t' is a method of {one}; give it another name"):
        find(other)


def test_settings_are_those_that_the_method_has(tmp_path: Path, module: Callable[[str], str]) -> None:
    named = f"{module('class T: entry = Entry(chr(116), chr(116), defaults=dict(bands=3))')}:T"
    text = f"generate: {{methods: ['{named}'], settings: {{t: {{bands: 5}}}}}}\n"
    (tmp_path / "mine.yaml").write_text(text)
    config = load(["config.yaml", tmp_path / "mine.yaml"]).generate
    assert config.methods == ["t"] and config.settings == {"t": {"bands": 5}}
    (tmp_path / "mine.yaml").write_text(text.replace("bands", "bnads"))
    with pytest.raises(UserError, match=r"generate\.settings: .*t has no setting 'bnads' of its own; allowed: bands"):
        load(["config.yaml", tmp_path / "mine.yaml"])


def test_what_is_no_picture_is_one_line(tmp_path: Path, module: Callable[[str], str]) -> None:
    source = """
import torch
class T:
    entry = Entry('t', 'T', hears=OWN)
    resolution = 32
    def __init__(self, sources): pass
    def encode_audio(self, wave): return wave[:, :4]
    def decode(self, z, seeds): return torch.zeros(len(z), 3, 16, 16)
"""
    with pytest.raises(
        UserError, match=r"t: decode gave torch.float32 \[6, 3, 16, 16\]; give finite floats \[6, 3, 32"
    ):
        run(
            config=GenerateConfig(window_s=1.0), method=f"{module(source)}:T", seeds=[0],
            packs=[pack(tmp_path / "test.tar", 2)], train_packs=[], parts={}, outputs=[tmp_path / "0.tar"],
            runtime=RuntimeConfig(device="cpu"), threads=1,
        )  # fmt: skip


def test_its_digest_follows_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert source_digest("") is None
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for text in ("A = 1\n", "A = 1\n", "A = 2\n"):
        (tmp_path / "theirpack").mkdir(exist_ok=True)
        (tmp_path / "theirpack/__init__.py").touch()
        (tmp_path / "theirpack/rooms.py").write_text("class T: pass\n")
        (tmp_path / "theirpack/helper.py").write_text(text)
        source_digest.cache_clear()
        found.append(source_digest("theirpack.rooms:T"))
    assert found[0] == found[1] != found[2]
    sys.modules.pop("theirpack.rooms"), sys.modules.pop("theirpack")


def test_an_installed_method_is_a_row_of_the_table(checkout: Checkout, tmp_path: Path) -> None:
    """The package of docs/methods.md, built and installed by pip into a folder beside s2v's."""
    files = {"nearest_sound.py": documented("python"), "pyproject.toml": documented("toml")}
    assert sum(text.count("\n") for text in files.values()) < 60
    (tmp_path / "package").mkdir()
    for name, text in files.items():
        (tmp_path / "package" / name).write_text(text)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", tmp_path / "site", tmp_path / "package"], check=True, cwd=tmp_path)
    (checkout.root / "theirs.yaml").write_text(documented("yaml"))
    config, path = (*TINY, "theirs.yaml"), f"{checkout.root}:{tmp_path / 'site'}"
    table = "results/tiny/table1.csv"

    def planned() -> dict[str, int]:
        done = checkout.snakemake("--dry-run", table, config=config, PYTHONPATH=path)
        return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.M) if name != "total"}

    assert planned() == {"generate": 1, "evaluate": 1, "table1": 1}, "what is there is not made again"
    done = checkout.snakemake("--cores", "2", table, config=config, PYTHONPATH=path)
    assert done.returncode == 0, done.stdout[-4000:]
    with open(checkout.results / "table1.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["row"] for row in rows] == ["A", "B", "C", "D", "nearest_sound"]
    assert (rows[-1]["method"], rows[-1]["encoder"], rows[-1]["generator"]) == ("Nearest sound", "A", "R")
    assert 0 <= float(rows[-1]["R@1"]) <= 100 and float(rows[-1]["FID"]) > 0
    assert re.search(
        r"\| nearest_sound *\| Nearest sound *\| A *\| R *\|", (checkout.results / "table1.md").read_text()
    )
    assert planned() == {}
    _is_beside_pictures_from_outside(checkout, path, tmp_path)
    theirs = tmp_path / "site/nearest_sound.py"
    theirs.write_text(theirs.read_text().replace("1e-6", "1e-5"))
    assert planned() == {"generate": 1, "evaluate": 1, "table1": 1}, "its source is watched"


def _is_beside_pictures_from_outside(checkout: Checkout, path: str, tmp_path: Path) -> None:
    """The method, and a folder of pictures that nothing is known of, end up in one table."""

    def s2v(*words: object) -> str:
        command = [sys.executable, "-m", "s2v.cli", *map(str, words)]
        environment = checkout.environment() | {"PYTHONPATH": path}
        done = subprocess.run(command, cwd=checkout.root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    for shard in sorted((checkout.results / "pack/test").glob("*.tar")):
        images, keys, _ = read_images([shard], 48)
        for image, key in zip(images.roll(1, 0), keys, strict=True):
            (tmp_path / "elsewhere" / key).mkdir(parents=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(tmp_path / "elsewhere" / key / "made by us.webp")
    fast = ("--inception-splits", "2", "--bootstrap", "50", "--sounds", "results/tiny")
    s2v("evaluate", "results/tiny/generate/nearest_sound", *fast, "-o", tmp_path / "a.json", "--about", "text=no")
    s2v("evaluate", tmp_path / "elsewhere", *fast, "-o", tmp_path / "b.json", "--about", "text=yes", "--about", "by=us")
    s2v("leaderboard", tmp_path / "a.json", tmp_path / "b.json", "-o", tmp_path / "LEADERBOARD.md")
    board = (tmp_path / "LEADERBOARD.md").read_text()
    assert board.count("## Protocol") == 1
    assert re.search(r"\| Nearest sound +\| s2v, method nearest_sound +\| no ", board)
    assert re.search(r"\| elsewhere +\| us +\| yes ", board)
    assert "Nearest sound against elsewhere" in s2v("compare", tmp_path / "a.json", tmp_path / "b.json")
    with open(checkout.results / "table1.csv", newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["row"] == "nearest_sound")
    assert f"{float(row['R@1']):.1f} [{float(row['R@1 low']):.1f}, {float(row['R@1 high']):.1f}]" in board
