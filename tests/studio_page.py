"""`s2v studio` as a program of its own, and what a browser asks of it, without one."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from s2v.studio.server import PREFIX

API = "/gradio_api"


@dataclass
class Studio:
    """A running page."""

    url: str
    process: subprocess.Popen[bytes]
    temporary: Path
    auth: tuple[str, str] | None = None
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def uploads(self) -> Path:
        """Where it keeps what is uploaded."""
        return next(self.temporary.glob(f"{PREFIX}*")) / "uploads"

    def get(self, path: str, **more: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=60, auth=self.auth, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", timeout=60, auth=self.auth, **more)

    def function(self) -> int:
        """Number of the one that paints, which takes most."""
        if not self.numbers:
            found = re.search(r"window\.gradio_config = (\{.*?\});</script>", self.get("/").text, re.S)
            assert found is not None
            made = max(json.loads(found[1])["dependencies"], key=lambda one: len(one["inputs"]))
            self.numbers["paint"] = made["id"]
        return self.numbers["paint"]

    def upload(self, file: Path) -> str:
        """Where the file lies there."""
        with open(file, "rb") as stream:
            answer = self.post(f"{API}/upload", files={"files": (file.name, stream)})
        assert answer.status_code == 200, answer.text
        return str(answer.json()[0])

    def values(self, sound: str | None, **more: Any) -> list[Any]:
        """What the button sends: sounds, gains, picture, lambda, generator, seed, number of pictures."""
        given = {"gain": 0, "picture": None, "weight": 0.5, "generator": "gan", "seed": 0, "n": 1} | more
        first = None if sound is None else {"path": sound, "meta": {"_type": "gradio.FileData"}}
        return [
            first, None, None, None, given["gain"], 0, 0, 0,
            *(given[name] for name in ("picture", "weight", "generator", "seed", "n")),
        ]  # fmt: skip

    def join(self, data: list[Any], **more: Any) -> httpx.Response:
        """Into the queue."""
        body = {"data": data, "fn_index": self.function(), "trigger_id": None, "session_hash": secrets.token_hex(6)}
        return self.post(f"{API}/queue/join", json=body | more)

    def done(self, session: str) -> dict[str, Any]:
        """What comes of it, `success` and `output` among it."""
        asked = {"params": {"session_hash": session}, "timeout": 120, "auth": self.auth}
        with httpx.stream("GET", f"{self.url}{API}/queue/data", **asked) as answer:  # type: ignore[arg-type]
            for line in answer.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("msg") == "process_completed":
                    return dict(message)
        raise AssertionError("the page said nothing")

    def paint(self, sound: Path, **more: Any) -> dict[str, Any]:
        """Upload and paint it."""
        session = secrets.token_hex(6)
        answer = self.join(self.values(self.upload(sound), **more), session_hash=session)
        assert answer.status_code == 200, answer.text
        return self.done(session)


@contextmanager
def studio_of(
    temporary: Path, *options: str, program: Sequence[str] = ("-m", "s2v.cli"), **environment: str
) -> Iterator[Studio]:
    """`s2v studio` with these options, stopped at the end, when it must have left nothing."""
    variables = os.environ | {"TMPDIR": str(temporary), "NO_PROXY": "127.0.0.1,localhost"} | environment
    log = temporary / "said.log"
    with open(log, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, *program, "studio", *options], stdout=stream, stderr=stream, env=variables,
            start_new_session=True,
        )  # fmt: skip
    try:
        while not (found := re.search(r"s2v studio: (http://[\w.]+:\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        user = variables.get("S2V_STUDIO_AUTH", "").partition(":")
        yield Studio(found[1], process, temporary, (user[0], user[2]) if user[0] else None)
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(20)
    assert ended == 0
    assert not list(temporary.glob(f"{PREFIX}*")), "uploads and what was made are gone"
