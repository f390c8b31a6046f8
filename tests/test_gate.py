"""What stands before the studio's page: names, origins, passwords, routes, room, and what may be asked of the queue."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from s2v.studio import gate
from s2v.studio.gate import EVENTS, FILE, JOIN, START, UPLOAD, Gate

HOME = {"host": "localhost:7860"}


class Asked:
    """A gate before a program that keeps what comes through."""

    def __init__(self, folder: Path, auth: str | None = None, hosts: tuple[str, ...] = (), **sizes: int) -> None:
        self.uploads = folder / "uploads"
        self.uploads.mkdir()
        self.passed: list[tuple[dict[str, Any], bytes]] = []
        limits = {"upload_mb": 2, "total_mb": 5} | sizes
        self.gate = Gate(
            self._program,
            hosts=hosts,
            auth=auth,
            folder=folder,
            uploads=self.uploads,
            jobs={0: [False], 3: [True, False, True]},
            **limits,
        )

    async def _program(self, scope: Any, receive: Any, send: Any) -> None:
        self.passed.append((scope, (await receive()).get("body", b"")))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def __call__(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes = b"",
        server: str = "127.0.0.1",
        wait_s: float = 0.0,
    ) -> int:
        """The status."""
        target, _, query = path.partition("?")
        scope = {
            "type": "http", "method": method, "path": target, "query_string": query.encode(), "server": (server, 7860),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        parts = [{"body": body[i : i + 1000], "more_body": True} for i in range(0, len(body), 1000)] + [{"body": b""}]
        self.said: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(wait_s)
            return {"type": "http.request", **parts.pop(0)}

        async def send(message: Any) -> None:
            self.said.append(message)

        asyncio.run(self.gate(scope, receive, send))
        return int(self.said[0]["status"])

    def join(self, **body: Any) -> int:
        whole = {"data": [None, 1, None], "fn_index": 3, "trigger_id": 7, "session_hash": "abc"} | body
        return self("POST", JOIN, HOME, json.dumps(whole).encode())


def test_the_page_is_answered_under_its_own_names_alone(tmp_path: Path) -> None:
    asked = Asked(tmp_path, hosts=("studio.example", "0.0.0.0"))
    for name in ("localhost", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST", "studio.example:80", "192.0.2.7:7860"):
        assert asked("GET", "/", {"host": name}, server="192.0.2.7") == 200, name
    for name in ("evil.example", "localhost.evil.example", "evil@localhost", "192.0.2.8", "localhost:1:2", "", " "):
        assert asked("GET", "/", {"host": name}, server="192.0.2.7") == 403, name
    assert asked("GET", "/", {}) == 403
    assert asked("GET", "/", HOME | {"x-forwarded-host": "evil.example"}) == 403
    assert asked("GET", "/", HOME | {"x-forwarded-host": "studio.example"}) == 200, "behind a proxy that says so"


def test_another_page_can_ask_for_nothing(tmp_path: Path) -> None:
    asked = Asked(tmp_path, hosts=("studio.example",))
    for origin in ("http://evil.example", "null", "http://localhost", "http://localhost:8888", "localhost:7860", ""):
        assert asked("POST", UPLOAD, HOME | {"origin": origin, "content-length": "9"}) == 403, origin
        assert asked("OPTIONS", UPLOAD, HOME | {"origin": origin}) == 403
    assert asked("POST", UPLOAD, HOME | {"origin": "http://localhost:7860", "content-length": "9"}) == 200
    proxied = HOME | {"x-forwarded-host": "studio.example", "origin": "https://studio.example", "content-length": "9"}
    assert asked("POST", UPLOAD, proxied) == 200


def test_what_the_page_does_not_ask_for_is_closed(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    closed = (
        "process_recording",
        "run/paint",
        "api/paint",
        "call/paint",
        "call/v2/paint",
        "component_server",
        "cancel",
    )
    for name in (*closed, "queue/join/", "upload/", "queue/status", "proxy=http://x", "stream/x", "info", "reset"):
        for method in ("GET", "POST", "PUT", "HEAD", "OPTIONS"):
            assert asked(method, f"/gradio_api/{name}", HOME) == 404, name
    for path in ("/config", "/monitoring", "/login", "//", "/assets", "/assets/../x", "/gradio_api/vibe-edit/"):
        assert asked("GET", path, HOME) == 404, path
    assert not asked.passed
    for path in ("/", "/assets/index.js", START, EVENTS + "?deep_link=x&session_hash=abc&x=1"):
        assert asked("GET", path, HOME) == 200
    assert [scope["query_string"] for scope, _ in asked.passed] == [b"", b"", b"", b"session_hash=abc"]


def test_a_password_is_asked_for_everywhere_where_there_is_one(tmp_path: Path) -> None:
    asked = Asked(tmp_path, auth="ann:p:w ü")

    def key(words: str) -> dict[str, str]:
        return HOME | {"authorization": "Basic " + base64.b64encode(words.encode()).decode()}

    for path in ("/", "/assets/index.js", FILE + "/etc/passwd", "/config"):
        assert asked("GET", path, HOME) == 401 and b"www-authenticate" in dict(asked.said[0]["headers"])
    assert asked("GET", "/", key("ann:wrong")) == 401 and asked("GET", "/", HOME | {"authorization": "Basic"}) == 401
    assert asked("GET", "/", key("ann:p:w ü")) == 200
    assert asked("GET", START, HOME) == 200, "the program itself asks, and is told nothing"


def test_an_upload_says_how_large_it_is_and_has_room_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(tmp_path)

    def upload(length: str) -> int:
        return asked("POST", UPLOAD, HOME | {"content-length": length})

    assert asked("POST", UPLOAD, HOME) == 411 and upload("-1") == 411 and upload("1e3") == 411 and upload("²") == 411
    assert upload(str(3 * 2**20)) == 413 and upload("9" * 400) == 411
    assert upload(str(2**20)) == 200
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a.png").write_bytes(bytes(2 * 2**20))
    (asked.uploads / "a.wav").write_bytes(bytes(2 * 2**20))
    assert upload(str(2**20)) == 200 and upload(str(2**20 + 1)) == 507
    asked.gate.coming = 2**19  # another is on its way
    assert upload(str(2**19)) == 200 and upload(str(2**19 + 1)) == 507 and asked.gate.coming == 2**19
    monkeypatch.setattr(gate, "FILES", 2)
    assert upload("1") == 507 and asked.join() == 507, "nothing more is made either"


def test_what_is_sent_has_to_come_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(tmp_path)
    monkeypatch.setattr(gate, "SENT_S", 0.05)
    for path in (UPLOAD, JOIN):
        assert asked("POST", path, HOME | {"content-length": "9"}, b"{", wait_s=1) == 408
    assert asked.gate.coming == asked.gate.open == 0 and not asked.passed
    assert asked("GET", EVENTS, HOME, wait_s=0.2) == 200, "waiting for pictures takes as long as it takes"


def test_no_more_than_some_requests_are_open(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.gate.open = gate.AT_ONCE
    assert asked("GET", "/", HOME) == 503
    asked.gate.open -= 1
    assert asked("GET", "/", HOME) == 200


def test_files_of_the_page_are_given_out_and_no_others(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    (asked.uploads / "ab").mkdir()
    own, secret = asked.uploads / "ab/dog.wav", tmp_path / "secret.wav"
    own.touch(), secret.touch()
    (asked.uploads / "ab/link.wav").symlink_to(secret)
    (tmp_path / "uploads2").mkdir()
    (tmp_path / "uploads2/x.wav").touch()
    for path in (own, asked.uploads / "ab/../ab/dog.wav"):
        assert asked("GET", f"{FILE}{path}", HOME) == 200 and asked.passed[-1][0]["path"] == f"{FILE}{own}"
    for path in (
        secret, asked.uploads, asked.uploads / "ab", asked.uploads / "ab/../../secret.wav",
        asked.uploads / "ab/link.wav",
        tmp_path / "uploads2/x.wav", "", "dog.wav", "../secret.wav", f"{own}\0", "http://example.org/dog.wav",
        "file:///etc/passwd", "/etc/passwd", "/" * 5000, "x" * 5000, asked.uploads / "none.wav",
    ):  # fmt: skip
        assert asked("GET", f"{FILE}{path}", HOME) == 403, path
        assert asked.join(data=[{"path": str(path)}, 1, None]) == 403, path


def test_a_job_is_made_anew_from_what_it_may_hold(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    own = asked.uploads / "dog.wav"
    own.touch()
    file = {"path": str(own), "url": "http://evil.example/x", "is_stream": True, "orig_name": "../x", "meta": {}}
    data = [file, 1.5, None]
    assert asked.join(data=data, event_data={"x": 1}, batched=True, simple_format=True, event_id="x") == 200
    scope, body = asked.passed[-1]
    clean = {"path": str(own), "meta": {"_type": "gradio.FileData"}}
    expected = {"data": [clean, *data[1:]], "fn_index": 3, "trigger_id": 7, "session_hash": "abc"}
    assert json.loads(body) == expected
    assert dict(scope["headers"])[b"content-length"] == str(len(body)).encode()
    count = len(asked.passed)
    for wrong in (
        {"fn_index": 1}, {"fn_index": "3"}, {"fn_index": True}, {"fn_index": None}, {"fn_index": 3.0}, {"fn_index": -1},
        {"session_hash": None}, {"session_hash": "a/b"}, {"session_hash": "a" * 33}, {"session_hash": 5},
        {"data": {}}, {"data": "x"}, {"data": None}, {"data": []}, {"data": [file, 1]}, {"data": [file, 1, None, 1]},
        {"data": ["gan", 1, None]}, {"data": [file, file, None]}, {"data": [file, [], None]},
        {"data": [[file], 1, None]}, {"data": [file, 1, 5]}, {"fn_index": 0, "data": [{"path": str(own)}]},
    ):  # fmt: skip
        assert asked.join(**wrong) == 400, wrong
        assert "detail" in json.loads(asked.said[1]["body"])
    for value in (None, True, 5, float("nan"), "gan"):
        assert asked.join(fn_index=0, data=[value]) == 200
    count = len(asked.passed)
    for body in (b"", b"[]", b"{", b"null", b"[" * 60_000, b"\xff", b'{"data": [' + b"9" * 5000 + b"]}"):
        assert asked("POST", JOIN, HOME, body) == 400
    assert asked("POST", JOIN, HOME, b" " * 70_000) == 413
    assert len(asked.passed) == count
    os.remove(own)
    assert asked.join(data=data) == 403
