"""What is printed, and what lies in results that are given away, names neither a password nor this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner
from workflow_runs import REPOSITORY, Checkout

from s2v.cli import app
from s2v.config import VideosConfig
from s2v.errors import UserError, without_passwords
from s2v.train.checkpoint import State
from s2v.train.loop import _Diary
from s2v.workflow import plain

TAR = "https://me:tar-secret@example.org/a.tar?b=c"
OVERLAY = {
    "name": "private",
    "output": "results/private",
    "data": {
        "source": "vggsound",
        "vggsound": {"csv": "list.csv", "n_classes": None},
        "videos": {"source": "tar_urls", "tars": [TAR, "/data/b@2:3.tar"]},
    },
    "extract": {"soundless_splits": []},
    "encoder": {"splits": ["train"]},
    "generator": {"splits": ["train"]},
    "evaluate": {"evaluator": "none"},
    "runtime": {"download": {"proxy": "socks5://me:proxy-secret@127.0.0.1:1080"}},
}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("http://me:secret@host:80/a", "http://***@host:80/a"),
        ("socks5h://token@host", "socks5h://***@host"),
        ("http://me:se@cret@host", "http://***@host"),
        ("me:secret@host:1080", "***@host:1080"),
        ("x: https://a:b@c/d lost; ftp://e:f@g", "x: https://***@c/d lost; ftp://***@g"),
        ("https://host/pkg@1.0?mail=a@b", "https://host/pkg@1.0?mail=a@b"),
        ("a@b.wav", "a@b.wav"),
        ("/data/a:b@c.tar: cut off", "/data/a:b@c.tar: cut off"),
        (5, 5),
    ],
)
def test_an_address_is_shown_without_user_and_password(said: object, shown: object) -> None:
    assert without_passwords(said) == shown
    assert without_passwords({"a": [said, {"b": said}], "c": None}) == {"a": [shown, {"b": shown}], "c": None}
    assert str(UserError(str(said))) == str(shown)


def test_the_shown_configuration_has_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "o.yaml").write_text(yaml.safe_dump(OVERLAY))
    monkeypatch.chdir(REPOSITORY)
    shown = CliRunner().invoke(app, ["config", "show", "--configfile", str(tmp_path / "o.yaml")])
    values = yaml.safe_load(shown.output)
    assert "secret" not in shown.output and values["runtime"]["download"]["proxy"] == "socks5://***@127.0.0.1:1080"
    assert values["data"]["videos"]["tars"] == ["https://***@example.org/a.tar?b=c", "/data/b@2:3.tar"]


def test_values_of_rules_have_no_password() -> None:
    """Snakemake prints them where they changed, and keeps them."""
    assert plain(VideosConfig(tars=[TAR]))["tars"] == ["https://***@example.org/a.tar?b=c"]


@pytest.mark.chain
@pytest.mark.slow
def test_a_run_prints_and_writes_no_password(tmp_path: Path) -> None:
    checkout = Checkout.of_repository(tmp_path / "work")
    (checkout.root / "list.csv").write_text("v0000000001,31,hail,train\nv0000000002,32,hail,test\n")
    missing = {**OVERLAY, "data": OVERLAY["data"] | {"videos": {"source": "tar_urls", "tars": [TAR]}}}
    missing["runtime"] = {"download": {"proxy": "http://me:proxy-secret@127.0.0.1:9", "retries": 0}}
    (checkout.root / "o.yaml").write_text(yaml.safe_dump(missing))
    done = checkout.snakemake("--cores", "1", "results/private/unpack/0.parquet", config=("--configfile", "o.yaml"))
    assert done.returncode and "https://***@example.org/a.tar?b=c: cannot be read to its end" in done.stdout
    written = "".join(path.read_text(errors="replace") for path in (checkout.root / "results").rglob("*.*"))
    assert "secret" not in done.stdout + written


def test_curves_are_not_named_after_the_machine(tmp_path: Path) -> None:
    diary = _Diary("a", tmp_path, State(), active=True)
    diary.add({"loss": 1.0}, write=True)
    assert diary.writer is not None
    diary.writer.close()
    [file] = (tmp_path / "tensorboard").iterdir()
    assert file.name.startswith("events.out.tfevents.") and socket.gethostname() not in file.name
    assert socket.gethostname().encode() not in file.read_bytes()
