"""A browser answers a whole study at its server, with a reload in the middle, and the table says what it answered."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from study_people import run_of
from workflow_runs import REPOSITORY

from s2v.study.files import Key, read_key, read_records
from s2v.study.score import score
from s2v.study.site import Asked, make, make_names

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PACKAGES = REPOSITORY / ".study/node_modules"
FORM = "#jspsych-survey-html-form"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium here (make browser-deps)")
    if not PACKAGES.is_dir():
        pytest.skip("no jsPsych here (make study-deps)")
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--mute-audio", *quiet]
        )
        yield found
        found.close()


class Serving:
    """A program that shows a page, at a port of its own."""

    def __init__(self, *command: str, port: int | None = None) -> None:
        self.port = port or _free()
        self.url = f"http://127.0.0.1:{self.port}/"
        given = [one.format(port=self.port) for one in command]
        self.process = subprocess.Popen([sys.executable, "-m", *given], cwd=REPOSITORY, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                httpx.get(self.url)
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the server does not answer")

    @classmethod
    def of(cls, study: Path, port: int | None = None) -> Serving:
        """`s2v study serve`."""
        return cls("s2v.cli", "study", "serve", str(study), "--port", "{port}", port=port)

    def end(self, kill: bool = False) -> None:
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait(30)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Person:
    """Answers what the page shows: ours alone where pictures may fit, the right one of four but for the first two."""

    def __init__(self, page: Any, key: Key, tones: int) -> None:
        self.page, self.key, self.tones, self.matched, self.asked = page, key, tones, 0, 0
        self.method = {
            one.name: one.method
            for sets in key.items.values()
            for part in sets
            for item in part
            for one in item.pictures
        }
        self.right = {
            frozenset(one.name for one in item.pictures): item
            for sets in key.items.values()
            for part in sets
            for item in part
        }
        asked = [one for parts in key.lists for part in parts for one in part.questions]
        self.real = {frozenset(one.pictures): one.wanted for one in asked if one.sound}

    def go(self, questions: int | None = None) -> None:
        """To the end, or until some questions are answered."""
        wanted = None if questions is None else self.asked + questions
        for _ in range(400):
            if self.page.locator("#end").count() or self.asked == wanted:
                return
            self.step()
        raise AssertionError(self.page.content())

    def step(self) -> None:
        page = self.page
        shown = page.locator(f"{FORM}-next, #jspsych-instructions-next, button.picture, [data-choice], #end").first
        shown.wait_for(timeout=30_000)
        if page.locator("#end").count():
            return
        if page.locator("input[name=agree]").count():
            assert page.locator("text=[your institution]").count() == 1
            page.check("input[name=agree]")
            page.click(f"{FORM}-next")
        elif page.locator("#jspsych-audio-button-response-btngroup").count():
            page.locator("#jspsych-audio-button-response-btngroup button").nth(self.tones - 1).click()
        elif page.locator("#jspsych-instructions-next").count():
            page.click("#jspsych-instructions-next")
        elif page.locator("#comments").count():
            page.fill("#comments", "nothing <b>else</b>")
            page.click(f"{FORM}-next")
        else:
            self.answer()
        page.wait_for_timeout(20)

    def answer(self) -> None:
        page = self.page
        names = [Path(str(one.get_attribute("src"))).stem for one in page.locator(".picture img").all()]
        said = page.locator(".ask").inner_text()
        only = re.search(r"choose picture (\d)", said)
        practice = page.locator(".progress").inner_text() == "Practice"
        item = self.right.get(frozenset(names))
        ours = next((i for i, name in enumerate(names) if item and name == item.pictures[0].name), 0)
        real = self.real.get(frozenset(names))
        place = int(only[1]) - 1 if only else ours if real is None else names.index(real)
        self.asked += not practice
        if page.locator(".pictures input").count():
            page.click(f"{FORM}-next")
            assert page.locator(".warn").inner_text() == "Please choose at least one picture."
            page.keyboard.press(str(place + 1))
            if not only:
                page.click(".again")
            page.click(f"{FORM}-next")
            return
        if not only and not practice and real is None:
            self.matched += 1
            place = (place + 1) % len(names) if self.matched <= 2 else place
        if self.matched % 2:
            page.keyboard.press(str(place + 1))
        else:
            page.locator("button.picture").nth(place).click()


def _tones(study: Path) -> int:
    return int(
        json.loads((study / "site/design.js").read_text().removeprefix("window.STUDY = ").rstrip(";\n"))["tones"]
    )


@pytest.mark.slow
def test_a_whole_study_with_a_reload_and_a_kill_in_the_middle(browser: Any, tmp_path: Path) -> None:
    study = tmp_path / "study"
    asked = Asked(run_of(tmp_path / "run"), sets=1, questions=4, save="serve", code="C0DE")
    make(asked, study, PACKAGES, "tiny", "sound2vision", "icgan")
    key, server = read_key(study), Serving.of(study)
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    page = context.new_page()
    outside: list[str] = []
    page.on(
        "request",
        lambda request: None if request.url.startswith((server.url, "data:", "blob:")) else outside.append(request.url),
    )
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        page.goto(f"{server.url}?PROLIFIC_PID=abc123&STUDY_ID=s1")
        person = Person(page, key, _tones(study))
        person.go(3)
        page.wait_for_timeout(500)
        server.end(kill=True)
        (record,) = read_records([study / "answers"])
        assert len(record.answers) == 3 and record.finished is None, "what was answered is there after a kill"
        server = Serving.of(study, server.port)
        page.reload()
        person.go()
        page.locator("text=C0DE").wait_for()
        assert page.locator("#end").inner_text() == "Your answers are saved. You may close this page."
    finally:
        server.end()
    (record,) = read_records([study / "answers"])
    assert record.person == "abc123" and record.source == {"PROLIFIC_PID": "abc123", "STUDY_ID": "s1"}
    assert record.finished and record.comments == "nothing <b>else</b>" and record.sound_check == 1
    assert person.asked == len(record.answers) == len({one.question for one in record.answers})
    fit = [one for one in record.answers if one.question.startswith("fit-0-") and "check" not in one.question]
    assert [one.replays for one in fit] == [1] * 4
    slow = type(record).model_validate(
        record.model_dump() | {"answers": [one.model_dump() | {"rt_ms": 3000} for one in record.answers]}
    )  # a program is faster than the rule allows people to be
    against, ours = score(key, [slow], count=50).rows
    assert ours.precision is not None
    assert (against.recall.value, ours.recall.value, ours.precision.value) == (0, 1, 0.5)
    assert not outside and not faults


@pytest.mark.slow
def test_on_a_phone_people_name_pictures_and_save_a_file(browser: Any, tmp_path: Path) -> None:
    study = tmp_path / "names"
    asked = Asked(run_of(tmp_path / "run"), sets=1, questions=4)
    make_names(asked, study, PACKAGES, "tiny", ["sound2vision", "icgan"], {})
    server = Serving("http.server", "{port}", "--bind", "127.0.0.1", "--directory", str(study / "site"))
    try:
        page = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True).new_page()
        page.goto(server.url)
        for _ in range(40):
            page.locator(f"{FORM}-next, #jspsych-instructions-next, #end").first.wait_for()
            if page.locator("#end").count():
                break
            if page.locator("#jspsych-instructions-next").count():
                page.click("#jspsych-instructions-next")
            else:
                if page.locator("input[name=agree]").count():
                    page.check("input[name=agree]")
                elif page.locator(".names input").count():
                    page.locator(".names label").first.click()
                    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing is cut off"
                page.click(f"{FORM}-next")
            page.wait_for_timeout(20)
        with page.expect_download() as saved:
            page.click("#file")
        saved.value.save_as(tmp_path / "answers.json")
    finally:
        server.end()
    (record,) = read_records([tmp_path / "answers.json"])
    assert len(record.answers) == 4 and {one.chosen[0] for one in record.answers} == {read_key(study).classes[0]}
