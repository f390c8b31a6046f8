"""`s2v weights`: fetching from a web that misbehaves, checksums, and what is said to people."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import published_nets as published
import pytest
import torch
from typer.testing import CliRunner
from web import site
from workflow_runs import Checkout

from s2v.cli import app
from s2v.config import DownloadConfig
from s2v.configfile import load
from s2v.errors import UserError
from s2v.files import sha256
from s2v.remote import Remote
from s2v.report.deviations import deviations
from s2v.weights.catalogue import CATALOGUE, Entry, File
from s2v.weights.checksums import states
from s2v.weights.fetch import fetch

runner = CliRunner()
ONCE = DownloadConfig(retries=0, timeout_s=1)
NAME = "net.safetensors"


def _weights(size: int = 300_000) -> bytes:
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
    return len(header).to_bytes(8, "little") + header + bytes(i * 7 % 251 for i in range(size))


def _entry(url: str, checksum: str | None = None) -> Entry:
    file = File(f"net/{NAME}", f"{url}/{NAME}", checksum)
    return Entry("net", "a net", (file,), "CC BY-NC 4.0", True, "https://example.org/net", 1, note="size guessed")


def _bring(entry: Entry, folder: Path, **how: object) -> list[str]:
    said: list[str] = []
    fetch(entry, folder, say=said.append, **{"download": ONCE, **how})  # type: ignore[arg-type]
    return said


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "net").iterdir())


def test_a_first_fetch_says_the_licence_and_notes_the_checksum(tmp_path: Path) -> None:
    data, folder = _weights(), tmp_path / "weights"
    (tmp_path / NAME).write_bytes(data)
    with site(tmp_path) as web:
        entry = _entry(web.url)
        said = "\n".join(_bring(entry, folder))
        digest = hashlib.sha256(data).hexdigest()
        assert "CC BY-NC 4.0: NON-COMMERCIAL use only" in said and "size guessed" in said
        assert "no checksum is published" in said and digest in said
        assert (folder / "net" / NAME).read_bytes() == data and _left(folder) == [NAME]
        assert json.loads((folder / "SHA256.json").read_text()) == {f"net/{NAME}": digest}
        assert "is there" in "\n".join(_bring(entry, folder)) and web.requests[f"/{NAME}"] == 1
        # The publisher's file changes: that is said, and nothing takes its place.
        (folder / "net" / NAME).unlink()
        (tmp_path / NAME).write_bytes(data[:-1] + b"x")
        with pytest.raises(UserError, match=f"SHA-256 is .*, and must be {digest}; it was removed"):
            _bring(entry, folder)
        assert _left(folder) == []


def test_a_lost_connection_is_gone_on_with_by_the_next_fetch(tmp_path: Path) -> None:
    data, folder = _weights(), tmp_path / "weights"
    (tmp_path / NAME).write_bytes(data)
    with site(tmp_path) as web:
        entry = _entry(web.url, hashlib.sha256(data).hexdigest())
        web.faults[f"/{NAME}"] = ("cut", 1)
        with pytest.raises(UserError, match=r"run the command again.*put the file as .*weights/net/net\.safetensors"):
            _bring(entry, folder)
        half = (folder / "net" / f"{NAME}.part").stat().st_size
        assert 0 < half < len(data) and not (folder / "net" / NAME).exists()
        said = "\n".join(_bring(entry, folder))
        assert web.ranges == [f"bytes={half}-"]
        assert (folder / "net" / NAME).read_bytes() == data and _left(folder) == [NAME]
        assert "no checksum" not in said and not (folder / "SHA256.json").exists()


def test_a_connection_is_also_gone_on_with_at_once(tmp_path: Path) -> None:
    data = _weights()
    (tmp_path / NAME).write_bytes(data)
    with site(tmp_path) as web:
        web.faults[f"/{NAME}"] = ("cut", 1)
        _bring(_entry(web.url), tmp_path / "weights", download=DownloadConfig(retries=1, timeout_s=1))
        assert (tmp_path / "weights/net" / NAME).read_bytes() == data and len(web.ranges) == 1


@pytest.mark.parametrize("change", ["file", "ranges", "address", "longer"])
def test_what_cannot_be_gone_on_with_begins_anew(tmp_path: Path, change: str) -> None:
    data, folder = _weights(), tmp_path / "weights"
    (tmp_path / NAME).write_bytes(data)
    with site(tmp_path) as web:
        entry = _entry(web.url)
        web.faults[f"/{NAME}"] = ("cut", 1)
        with pytest.raises(UserError):
            _bring(entry, folder)
        if change == "file":
            data = data[:-5] + b"other"
            (tmp_path / NAME).write_bytes(data)
        elif change == "ranges":
            web.faults[f"/{NAME}"] = ("cut, no ranges", 1)
        elif change == "longer":
            part = folder / "net" / f"{NAME}.part"
            part.write_bytes(part.read_bytes() + bytes(len(data)))
        else:
            (tmp_path / "copy.safetensors").write_bytes(data)
        mirror = f"{web.url}/copy.safetensors" if change == "address" else None
        _bring(entry, folder, url=mirror)
        assert (folder / "net" / NAME).read_bytes() == data and _left(folder) == [NAME]


@pytest.mark.parametrize(
    ("fault", "message"), [(404, "404"), (403, "403"), ("stall", "timed out"), ("pause", "timed out"), (503, "503")]
)
def test_faults_are_one_line_with_the_file_and_the_folder(tmp_path: Path, fault: int | str, message: str) -> None:
    (tmp_path / NAME).write_bytes(_weights())
    with site(tmp_path) as web:
        web.faults[f"/{NAME}"] = (fault, None)
        with pytest.raises(UserError) as caught:
            _bring(_entry(web.url), tmp_path / "weights")
    said = str(caught.value)
    assert message in said and "\n" not in said and "weights/net/net.safetensors" in said
    assert "https://example.org/net" in said and not (tmp_path / "weights/net" / NAME).exists()


def test_without_network_the_message_says_what_to_put_where(tmp_path: Path) -> None:
    with site(tmp_path) as web:
        gone = web.url
    with pytest.raises(
        UserError, match=r"there is no network, put the file as .*net/net\.safetensors \(from https://ex"
    ):
        _bring(_entry(gone), tmp_path / "weights")
    # Put there by hand, it is taken as it is, and its checksum noted.
    (tmp_path / "weights/net" / NAME).write_bytes(_weights())
    assert "is noted" in "\n".join(_bring(_entry(gone), tmp_path / "weights"))


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        (NAME, b"<!DOCTYPE html><title>Quota exceeded</title>", "a web page in place of the file"),
        (NAME, b"\n  <HTML><body>virus scan</body>", "a web page in place of the file"),
        (NAME, b"version https://git-lfs.github.com/spec/v1\n", "no safetensors file"),
        ("net.pth", b"Not found", "no pth file"),
        ("net.tar.gz", b"PK\x03\x04", "no tar.gz file"),
        ("net.json", b"<html></html>", "a web page in place of the file"),
        ("net.json", b"{", "no json file"),
        ("merges.txt", b"<!doctype html>", "a web page in place of the file"),
    ],
)
def test_other_things_in_place_of_weights_are_refused(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(data)
    with site(tmp_path) as web:
        entry = replace(_entry(""), files=(File(f"net/{name}", f"{web.url}/{name}"),))
        with pytest.raises(UserError, match=f"gave {what}; see https://example.org/net"):
            _bring(entry, tmp_path / "weights")
    assert _left(tmp_path / "weights") == [] and not (tmp_path / "weights/SHA256.json").exists()


@pytest.mark.parametrize("with_length", [False, True])
def test_a_body_larger_than_the_catalogue_says_is_stopped_and_removed(tmp_path: Path, with_length: bool) -> None:
    """The entry has 1 MB, so 11.25 MB at most."""
    (tmp_path / NAME).write_bytes(_weights(12_000_000 if with_length else 300_000))
    with site(tmp_path) as web:
        web.faults[f"/{NAME}"] = ("none" if with_length else "endless", None)
        with pytest.raises(UserError, match="is not it: it has more than 11 MB and should have 1 with all its files"):
            _bring(_entry(web.url), tmp_path / "weights")
        assert web.requests[f"/{NAME}"] == 1
    assert _left(tmp_path / "weights") == []


def test_all_files_of_an_entry_share_what_it_may_have(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.safetensors"):
        (tmp_path / name).write_bytes(_weights(6_000_000))
    files = tuple(File(f"net/{name}", f"/{name}") for name in ("a.safetensors", "b.safetensors"))
    with site(tmp_path) as web:
        entry = replace(_entry(""), files=tuple(replace(file, url=web.url + file.url) for file in files))
        with pytest.raises(UserError, match="b.safetensors is not it: it has more than 5 MB"):
            _bring(entry, tmp_path / "weights")
    assert _left(tmp_path / "weights") == ["a.safetensors"]


@pytest.mark.parametrize("client", ["requests", "urllib"])
@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("file:///etc/passwd", "it leads to file:, and not to the web"),
        ("ftp://127.0.0.1:1/x", "it leads to ftp:, and not to the web"),
        ("data:text/plain,weights", "it leads to data:, and not to the web"),
        ("gopher://127.0.0.1:1/x", "it leads to gopher:, and not to the web"),
    ],
)
def test_a_way_out_of_the_web_is_refused_at_once(
    tmp_path: Path, where: str, what: str, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yt_dlp import YoutubeDL
    from yt_dlp.networking.common import _REQUEST_HANDLERS

    if client == "urllib":
        only = lambda ydl: ydl.build_request_director([_REQUEST_HANDLERS["Urllib"]])  # noqa: E731
        monkeypatch.setattr(YoutubeDL, "_request_director", functools.cached_property(only))
        YoutubeDL._request_director.__set_name__(YoutubeDL, "_request_director")
    (tmp_path / NAME).write_bytes(_weights())
    started = time.monotonic()
    with site(tmp_path) as web:
        web.faults[f"/{NAME}"] = (f"{web.url}/copy", None)
        (tmp_path / "copy").write_bytes(b"")
        web.faults["/copy"] = (where, None)
        with pytest.raises(UserError, match=f"can't be had \\({what}\\)"):
            _bring(_entry(web.url), tmp_path / "weights", download=DownloadConfig(retries=5, timeout_s=1))
        assert web.requests == {f"/{NAME}": 1, "/copy": 1}
    assert time.monotonic() - started < 5 and not (tmp_path / "weights/net" / NAME).exists()


def test_a_body_that_is_sent_compressed_unasked_is_refused(tmp_path: Path) -> None:
    """Nobody could say how large it becomes, nor go on in the middle of it."""
    (tmp_path / NAME).write_bytes(_weights())
    with site(tmp_path) as web:
        web.faults[f"/{NAME}"] = ("packed", None)
        with pytest.raises(UserError, match="can't be had .the server sends it compressed"):
            _bring(_entry(web.url), tmp_path / "weights")


def test_a_way_from_https_to_http_is_refused() -> None:
    from yt_dlp.networking.exceptions import RequestError

    remote = Remote("https://example.org/a", ONCE)
    for here, location in (("https://example.org/a", "http://example.org/a"), ("https://b.org/a", "http://c.org")):
        with pytest.raises(RequestError, match="from https to http"):
            remote._check_hop(here, location)
    remote._check_hop("https://example.org/a", "/b?c")
    remote._check_hop("https://example.org/a", "https://cdn.example.org/b")
    Remote("http://127.0.0.1/a", ONCE)._check_hop("http://127.0.0.1/a", "http://127.0.0.1/b")


def test_a_password_in_an_address_is_neither_said_nor_noted(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(_weights())
    with site(tmp_path) as web:
        url = web.url.replace("//", "//user:secret@") + f"/{NAME}"
        web.faults[f"/{NAME}"] = ("cut", None)
        with pytest.raises(UserError) as caught:
            _bring(_entry(web.url), tmp_path / "weights", url=url)
    record = (tmp_path / "weights/net" / f"{NAME}.part.json").read_text()
    assert (
        "***@127.0.0.1" in str(caught.value)
        and "***@127.0.0.1" in record
        and "secret" not in str(caught.value) + record
    )


def test_a_published_checksum_decides(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(_weights())
    with site(tmp_path) as web:
        with pytest.raises(UserError, match="must be 0000"):
            _bring(_entry(web.url, "0" * 64), tmp_path / "weights")
    assert _left(tmp_path / "weights") == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "/etc/passwd", "data:text/plain,x"])
def test_other_kinds_of_address_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="not an address of the web"):
        _bring(_entry("http://127.0.0.1:1"), tmp_path, url=url)


def test_entries_of_many_files_have_a_folder_as_mirror(tmp_path: Path) -> None:
    files = tuple(File(f"net/{path}", f"http://127.0.0.1:1/{path}") for path in ("index.json", "unet/config.json"))
    for name in ("index.json", "config.json"):
        (tmp_path / name).write_text("{}")
    with site(tmp_path) as web:
        _bring(replace(_entry(""), files=files), tmp_path / "weights", url=f"{web.url}/main/")
        assert set(web.requests) == {"/main/index.json", "/main/unet/config.json"}
    assert (tmp_path / "weights/net/unet/config.json").read_text() == "{}"


def test_two_fetches_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    from s2v.files import hold_lock

    lock = hold_lock(tmp_path / ".lock")
    with pytest.raises(UserError, match="another run is using this folder"):
        _bring(_entry("http://127.0.0.1:1"), tmp_path)
    lock.close()


def test_the_catalogue_is_whole() -> None:
    paths = [file.path for entry in CATALOGUE.values() for file in entry.files]
    assert len(set(paths)) == len(paths)
    for entry in CATALOGUE.values():
        assert entry.licence and entry.source.startswith("https://") and entry.what
        for file in entry.files:
            assert not Path(file.path).is_absolute() and ".." not in file.path
            assert urlsplit(file.url).scheme == "https"
            assert file.sha256 is None or len(file.sha256) == 64
    known = {name for name, entry in CATALOGUE.items() if entry.non_commercial}
    assert known == {
        "swav-resnet50", "icgan-biggan128", "sound2scene-audio", "sound2vision-audio", "sound2scene-inception",
        "imagebind", "lee-stylegan2",
    }  # fmt: skip


def test_list_fetch_and_check_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S2V_WEIGHTS", raising=False)
    listed = runner.invoke(app, ["weights", "list"])
    assert listed.exit_code == 0 and all(name in listed.output for name in CATALOGUE)
    assert listed.output.count("NON-COMMERCIAL") == 7 and "set S2V_WEIGHTS" in listed.output
    for command in (["fetch", "clip-vit-b32"], ["check"]):
        done = runner.invoke(app, ["weights", *command])
        assert done.exit_code == 1 and "set S2V_WEIGHTS" in done.output and done.output.count("\n") == 1
    done = runner.invoke(app, ["weights", "fetch", "clip", "--folder", str(tmp_path)])
    assert done.exit_code == 1 and "no such weights; there are swav-resnet50, icgan-biggan128" in done.output
    two = ["swav-resnet50", "clip-vit-b32", "--url", "http://127.0.0.1:1/x"]
    assert "give one name" in runner.invoke(app, ["weights", "fetch", *two, "--folder", str(tmp_path)]).output

    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path / "weights"))
    torch.save({"w": torch.zeros(3)}, tmp_path / "copy.pth")
    with site(tmp_path) as web:
        done = runner.invoke(app, ["weights", "fetch", "sound2scene-audio", "--url", f"{web.url}/copy.pth"])
    assert done.exit_code == 0 and "is noted in" in done.output, done.output
    listed = runner.invoke(app, ["weights", "list"])
    assert next(line for line in listed.output.splitlines() if line.startswith("sound2scene")).split()[1] == "yes"
    done = runner.invoke(app, ["weights", "check"])
    assert done.exit_code == 0 and "sound2scene.pth: right (as first fetched)" in done.output
    path = tmp_path / "weights/sound2scene/sound2scene.pth"
    path.write_bytes(_weights(10))
    done = runner.invoke(app, ["weights", "check"])
    assert done.exit_code == 1 and f"WRONG: SHA-256 {sha256(path)}" in done.output
    (tmp_path / "weights/SHA256.json").write_text('{"sound2scene/sound2scene.pth": 3}')
    done = runner.invoke(app, ["weights", "check"])
    assert done.exit_code == 1 and "SHA256.json: not a list of SHA-256" in done.output


def test_check_says_where_nothing_can_be_compared(tmp_path: Path) -> None:
    path = tmp_path / "net" / NAME
    path.parent.mkdir()
    path.write_bytes(b"x")
    [(_, said, wrong)] = states(tmp_path, _entry(""))
    assert "no checksum to compare with" in said and not wrong


def test_published_parts_in_the_configuration(tmp_path: Path) -> None:
    overlay = tmp_path / "o.yaml"
    overlay.write_text("generator: {weights: icgan-biggan128}")
    with pytest.raises(UserError, match="add encoder.weights: swav-resnet50"):
        load(["config.yaml", overlay])
    overlay.write_text("encoder: {weights: efficientnet-lite0}\nalign: {weights: sound2scene-audio}")
    with pytest.raises(UserError, match="align.weights: .*add encoder.weights: swav-resnet50"):
        load(["config.yaml", overlay])
    overlay.write_text("encoder: {weights: efficientnet-lite0}")
    said = "\n".join(deviations(load(["config.yaml", overlay])))
    assert "ImageNet's 1000 classes by their names" in said and "`encoder`:" not in said
    overlay.write_text("encoder: {weights: icgan-biggan128}")
    with pytest.raises(UserError, match="encoder.weights"):
        load(["config.yaml", overlay])
    overlay.write_text(
        "encoder: {weights: swav-resnet50}\ngenerator: {weights: icgan-biggan128}\nalign: {weights: sound2scene-audio}"
    )
    said = "\n".join(deviations(load(["config.yaml", overlay])))
    assert "encoder: published weights `swav-resnet50`" in said and "ends in a ReLU" in said
    assert "`generator`:" not in said and "warm-up" not in said and "Early stopping" not in said


def test_a_rule_publishes_the_weights_in_place_of_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No video is needed for it: neither rule has packs as input."""
    checkout = Checkout.of_repository(tmp_path / "work")
    overlay = checkout.root / "published.yaml"
    overlay.write_text("encoder: {weights: swav-resnet50}\nalign: {weights: sound2scene-audio}\n")
    config = ("--configfile", "configs/tiny.yaml", "published.yaml")
    stages = {"encoder": 1, "align": 1}
    targets = [f"results/tiny/{stage}/model.safetensors" for stage in stages]
    assert checkout.planned(*targets, config=config) == stages
    path = tmp_path / "weights" / CATALOGUE["sound2scene-audio"].files[0].path
    path.parent.mkdir(parents=True)
    torch.save(published.audio_state(), path)
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path / "weights"))
    done = checkout.snakemake("--cores", "1", *targets, config=config)
    assert done.returncode and "encoder.weights): `s2v weights fetch swav-resnet50`" in done.stdout
    assert "Traceback" not in done.stdout and not checkout.results.exists(), "it is told before anything is made"
    done = checkout.snakemake("--cores", "1", targets[1], config=config)
    assert "NON-COMMERCIAL" in (checkout.results / "align" / "README.md").read_text(), done.stdout[-3000:]
