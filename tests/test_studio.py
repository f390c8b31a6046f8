"""The studio: what it makes, what it refuses and in which words, many users at once, and a real browser."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image
from studio_page import API, Studio, studio_of
from typer.testing import CliRunner
from workflow_runs import Checkout

from s2v.cli import app
from s2v.errors import UserError
from s2v.files import sha256
from s2v.media.ffmpeg import ffmpeg_path
from s2v.studio.painter import PX, Limits, Painter, Request
from s2v.studio.server import PREFIX, is_loopback, scratch, sweep
from s2v.world.sample import find, sample

UPLOAD_MB = 20
RATE = 16000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds, a picture, and what is none of either."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("dog barking", "rain falling"):
        picture, wave = sample(name, px=64)
        soundfile.write(folder / f"{name.split()[0]}.wav", wave, RATE)
        Image.fromarray(picture).save(folder / f"{name.split()[0]}.png")
    shutil.make_archive(str(folder / "pack"), "zip", folder, "dog.wav")
    (folder / "pack.zip").rename(folder / "zip.wav")
    (folder / "page.wav").write_text("<!DOCTYPE html><html><script>alert(1)</script></html>")
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(folder / "ten.wav", np.sin(np.arange(10 * 8000) / 9) * 0.1, 8000)
    # MP3 has no header of the whole: its frames, again and again, are a longer sound.
    made = [ffmpeg_path("bundled"), "-loglevel", "error", "-i", str(folder / "ten.wav"), "-b:a", "8k", "-f", "mp3"]
    subprocess.run([*made, "-write_xing", "0", "-id3v2_version", "0", str(folder / "ten.mp3")], check=True)
    (folder / "long.mp3").write_bytes((folder / "ten.mp3").read_bytes() * 1080)
    with open(folder / "huge.wav", "wb") as stream:
        stream.truncate(2 * 2**30)
    return folder


@pytest.fixture(scope="module")
def painter(tiny_checkout: Checkout) -> Painter:
    return Painter(tiny_checkout.results, Limits(upload_mb=UPLOAD_MB))


def test_what_is_painted_is_what_the_command_of_its_recipe_paints(
    painter: Painter, tiny_checkout: Checkout, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    for request in (
        Request([Path("dog.wav")], [-6], n=3, seed=4),
        Request([Path("dog.wav"), Path("rain.wav")], [0, -9], Path("dog.png"), 0.25, n=2),
    ):
        made = painter.paint(request, tmp_path)
        assert len(made.pictures) == request.n and len(made.nearest) == 4
        assert {Image.open(path).size for path in (*made.pictures, *made.nearest)} == {(PX, PX)}
        assert Image.open(made.heard).width > 400
        recipe = json.loads(made.recipe.read_text())
        assert recipe["files"]["dog.wav"] == sha256("dog.wav") and shlex.join(recipe["again"]) in made.words
        again = [*recipe["again"][1:-1], str(tmp_path / "again.png"), "--model", str(tiny_checkout.results)]
        done = CliRunner().invoke(app, again)
        assert done.exit_code == 0, done.output
        assert (tmp_path / "again.png").read_bytes() == made.sheet.read_bytes()


@pytest.mark.parametrize(
    "name, words",
    [
        ("zip.wav", "zip.wav: a zip archive, not a sound"),
        ("page.wav", "page.wav: an HTML page, not a sound"),
        ("dog.png", "dog.png: a picture, not a sound"),
        ("long.mp3", "long.mp3: longer than 10 minutes; give a part of it"),
        ("huge.wav", f"huge.wav: larger than {UPLOAD_MB} MB"),
    ],
)
def test_what_is_no_sound_is_refused_in_words(
    painter: Painter, files: Path, tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(UserError) as raised:
        painter.paint(Request([files / name], [0]), tmp_path)
    assert str(raised.value) == words, "the file is named as its owner does"
    assert not list(tmp_path.iterdir())


def test_requests_out_of_bounds_are_refused(painter: Painter, files: Path, tmp_path: Path) -> None:
    sound = files / "dog.wav"
    for request, words in (
        (Request([], []), "0 sounds"),
        (Request([sound] * 5, [0] * 5), "5 sounds"),
        (Request([sound], [0], n=17), "17 pictures"),
        (Request([sound], [0], seed=-1), "seed -1"),
        (Request([sound], [float("nan")]), "gain nan: give a number from -80 to 40"),
        (Request([sound], [float("inf")]), "gain inf: give a number from -80 to 40"),
        (Request([sound], [0], weight=float("nan")), "lambda nan: give a number from 0 to 1"),
        (Request([sound], [0], weight=5), "lambda 5: give a number from 0 to 1"),
        (Request([sound], [0], generator="../x"), "generator '../x': this model has gan"),
        (Request([sound], [0], picture=files / "page.wav"), "page.wav: not readable as a picture"),
    ):
        with pytest.raises(UserError, match=re.escape(words)):
            painter.paint(request, tmp_path)


def test_a_silent_sound_is_painted_with_a_word(painter: Painter, files: Path, tmp_path: Path) -> None:
    def said(sounds: list[str], gains: list[float]) -> tuple[str, list[str]]:
        made = painter.paint(Request([files / name for name in sounds], gains, n=1), tmp_path)
        return made.words, json.loads(made.recipe.read_text()).get("silent", [])

    line = "silent.wav is silent (loudest 50 ms at -inf dBFS): the picture says nothing about it"
    words, noted = said(["silent.wav"], [0])
    assert words.startswith(f"{line}. The same again") and noted == [line]
    assert said(["dog.wav", "silent.wav"], [0, 0])[1] == [line]
    assert said(["dog.wav"], [0])[1] == []
    assert said(["dog.wav"], [-80])[1][0].startswith("what is heard is silent (loudest 50 ms at -")


def test_sounds_of_the_world_can_be_tried(painter: Painter) -> None:
    assert painter.world_classes == ["dog barking", "rain falling", "siren truck"]
    assert find("DOG") == "dog barking"
    with pytest.raises(UserError, match="is in none"):
        find("unicorn")
    with pytest.raises(UserError, match="is in several"):
        find("ing")


def test_the_folder_is_private_and_goes_with_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    left = tmp_path / f"{PREFIX}{died.pid}-x"
    other = tmp_path / f"{PREFIX}{os.getppid()}-x"
    left.mkdir(), other.mkdir()
    (tmp_path / f"{PREFIX}{died.pid}-link").symlink_to(other)
    (tmp_path / f"{PREFIX}{'9' * 40}-x").symlink_to("nowhere")
    with scratch() as folder:
        assert folder.stat().st_mode & 0o077 == 0
        assert not left.exists() and other.exists(), "what a living program has stays"
        (folder / "made").mkdir()
        (folder / "made" / "old").mkdir()
        os.utime(folder / "made" / "old", (0, 0))
        (folder / "made" / "new").mkdir()
        sweep(folder / "made")
        assert [path.name for path in (folder / "made").iterdir()] == ["new"]
    assert not folder.exists()


def test_loopback_is_told_from_the_rest() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", ""))


@pytest.fixture(scope="module")
def studio(tiny_checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """`s2v studio` as a program of its own."""
    options = ["--model", str(tiny_checkout.results), "--upload-mb", str(UPLOAD_MB)]
    with studio_of(tmp_path_factory.mktemp("tmp"), *options) as started:
        yield started


def test_others_are_let_in_by_a_password_or_where_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for words, said in (
        (["--host", "0.0.0.0"], "set S2V_STUDIO_AUTH=user:password, or let everybody in with --open"),
        (["--host", "::"], "set S2V_STUDIO_AUTH"),
        (["--auth", "ann"], "a user and a password with a colon between"),
        (["--auth", "ann:"], "a user and a password with a colon between"),
        (["--host", "203.0.113.77", "--open"], "give an address of this machine"),
        (["--host", "no such name", "--auth", "a:b"], "give an address of this machine"),
    ):
        done = CliRunner().invoke(app, ["studio", *words])
        assert done.exit_code == 1 and said in done.output and done.output.count("\n") == 1, done.output


@pytest.mark.slow
def test_twenty_people_at_once_all_get_their_pictures(studio: Studio, files: Path) -> None:
    def one(number: int) -> str:
        return str(studio.paint(files / ("dog.wav", "rain.wav")[number % 2], seed=number)["output"]["data"][3])

    with ThreadPoolExecutor(20) as people:
        words = list(people.map(one, range(20)))
    assert len({text.split("--seed ")[1].split()[0] for text in words}) == 20

    # Twice the same: what is alike in content is not shared, and so is never given out half written.
    def first(_: int) -> str:
        return str(studio.paint(files / "dog.wav")["output"]["data"][0][0]["image"]["path"])

    with ThreadPoolExecutor(20) as people:
        assert len(set(people.map(first, range(20)))) == 20


@pytest.mark.slow
def test_the_server_refuses_what_it_should(studio: Studio, files: Path) -> None:
    for name, words in (("zip.wav", "a zip archive"), ("page.wav", "an HTML page"), ("long.mp3", "longer than 10 min")):
        done = studio.paint(files / name)
        assert not done["success"] and words in done["output"]["error"]
    begun = time.monotonic()
    with open(files / "huge.wav", "rb") as stream:
        answer = studio.post(f"{API}/upload", files={"files": ("huge.wav", stream)})
    assert answer.status_code == 413 and f"maximum allowed size of {UPLOAD_MB * 2**20} bytes" in answer.text
    assert time.monotonic() - begun < 20, "it does not write two gigabytes first"
    held = sum(path.stat().st_size for path in studio.temporary.rglob("*") if path.is_file())
    assert held < 3 * UPLOAD_MB * 2**20
    # Paths that nobody uploaded, here and in what may be asked for.
    assert studio.join(studio.values(str(files / "dog.wav"))).status_code == 403
    assert studio.get(f"{API}/file={files / 'dog.wav'}").status_code == 403
    # Ways past the queue, and the one that starts somebody's ffmpeg.
    for way in ("run/paint", "api/paint", "call/paint", "call/v2/paint", "process_recording"):
        assert studio.post(f"{API}/{way}", json={"data": studio.values(None)}).status_code == 404


@pytest.mark.slow
def test_numbers_that_cannot_be_are_refused_in_words(studio: Studio, files: Path) -> None:
    for wrong, words in (
        ({"gain": 1e9}, "gain 1000000000.0: give a number from -80 to 40"),
        ({"gain": "loud"}, "gain loud: give a number"),
        ({"weight": 5, "picture": None}, "lambda 5: give a number from 0 to 1"),
        ({"n": 1.5}, "1.5 pictures: at most 16"),
        ({"n": 17}, "17 pictures: at most 16"),
        ({"seed": 0.5}, "seed 0.5: give a whole number"),
    ):
        assert words in studio.paint(files / "dog.wav", **wrong)["output"]["error"]
    assert studio.join(studio.values(None, generator={"path": "x"})).status_code == 400
    body = json.dumps({"data": studio.values(studio.upload(files / "dog.wav"), gain=float("nan")),
                       "fn_index": studio.function(), "trigger_id": None, "session_hash": "nan"})  # fmt: skip
    assert studio.post(f"{API}/queue/join", content=body).status_code == 200
    assert "gain nan: give a number from -80 to 40" in studio.done("nan")["output"]["error"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium here (make browser-deps)")
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    microphone = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *quiet, *microphone]
        )
        yield found
        found.close()


@pytest.mark.slow
def test_in_a_browser_from_a_dropped_sound_to_a_saved_picture(
    studio: Studio, browser: Any, files: Path, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(studio.url)
    page.locator("input[type=file]").first.set_input_files(files / "dog.wav")
    page.get_by_text("0:00").first.wait_for()
    page.click("#make")
    page.locator("#pictures img").first.wait_for()
    page.locator("#nearest img").first.wait_for()
    page.locator("#heard img").wait_for()
    assert page.locator("#pictures img").count() == 4
    for button, name in (("#save-pictures", "p.png"), ("#save-recipe", "r.json")):
        with page.expect_download() as saved:
            page.click(button)
        saved.value.save_as(tmp_path / name)
    assert Image.open(tmp_path / "p.png").width > 2 * PX
    assert json.loads((tmp_path / "r.json").read_text())["files"]["dog.wav"] == sha256(files / "dog.wav")
    assert all(url.startswith((studio.url, "data:", "blob:")) for url in asked), "nothing is fetched from elsewhere"
    page.close()


@pytest.mark.slow
def test_in_a_browser_a_password_is_enough_for_all_of_the_page(browser: Any, files: Path, tmp_path: Path) -> None:
    with studio_of(tmp_path, "--host", "0.0.0.0", S2V_STUDIO_AUTH="ann:secret") as closed:
        assert httpx.get(closed.url).status_code == 401
        context = browser.new_context(http_credentials={"username": "ann", "password": "secret"})
        page = context.new_page()
        page.goto(closed.url)
        page.locator("input[type=file]").first.set_input_files(files / "dog.wav")
        page.get_by_text("0:00").first.wait_for()
        page.click("#make")
        page.locator("#pictures img").first.wait_for()
        # An upload that is gone by the time it is asked for.
        for upload in closed.uploads.iterdir():
            shutil.rmtree(upload)
        page.click("#make")
        page.get_by_text("files are kept for ten minutes; give it again").wait_for()
        context.close()


@pytest.mark.slow
def test_in_a_browser_what_a_microphone_recorded_is_painted(studio: Studio, browser: Any, files: Path) -> None:
    context = browser.new_context(permissions=["microphone"])
    page = context.new_page()
    page.goto(studio.url)
    page.get_by_label("Record audio").first.click()
    page.get_by_role("button", name="Record").first.click()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Stop").first.click()
    page.get_by_text("0:00").first.wait_for()
    page.get_by_text("Blend in a picture").click()
    page.locator("#picture input[type=file]").set_input_files(files / "dog.png")
    page.locator("#picture img").wait_for()
    page.click("#make")
    page.locator("#pictures img").first.wait_for()
    assert "--picture dog.png --lambda 0.5" in page.locator("#words").inner_text()
    context.close()


@pytest.mark.slow
def test_in_a_browser_wrong_files_are_answered_in_words(studio: Studio, browser: Any, files: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(studio.url)
    page.click("#make")
    page.get_by_text("Give a sound first").wait_for()
    page.locator("input[type=file]").first.set_input_files(files / "huge.wav")
    page.get_by_text("exceed the maximum allowed size").wait_for()
    page.reload()
    page.locator("input[type=file]").first.set_input_files(files / "zip.wav")
    page.wait_for_timeout(1000)
    page.click("#make")
    page.get_by_text("zip.wav: a zip archive, not a sound").wait_for()
    page.reload()
    choice = page.get_by_role("option", name="siren truck")
    for _ in range(20):  # the list opens only once the page has come alive
        page.locator("#try-class input").click()
        page.wait_for_timeout(500)
        if choice.is_visible():
            break
        page.keyboard.press("Escape")
    choice.click()
    page.get_by_text("0:00").first.wait_for()
    page.click("#make")
    page.locator("#pictures img").first.wait_for()
    page.close()
