"""Several hundred odd requests to a running studio: nothing is read or written elsewhere, no program is started beside
the queue's, memory and disk stay bounded, and the page still works."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import secrets
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import soundfile
from studio_page import API, Studio, studio_of

from s2v.media.ffmpeg import ffmpeg_path
from s2v.studio.gate import EVENTS, FILE, JOIN, OPEN, PARTS, UPLOAD
from s2v.world.sample import sample

SECRET = "nobody is to read this"
UPLOAD_MB, TOTAL_MB = 2, 30
MEMORY_MB = 250
"""By which the program may grow meanwhile: 200 sessions' state, and a few models' buffers."""
PLAIN = (4, 5, 6, 7, 9, 10, 11, 12)
"""Of what the button sends, all but files."""
# Each file that the program opens and each program that it starts, as Python itself sees them.
WATCHED = """
import os, sys
log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
KEPT = ("open", "subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.fork", "os.rename", "os.remove",
        "os.mkdir", "os.symlink", "os.link", "shutil.rmtree", "socket.connect")
def hook(event, given):
    if event in KEPT:
        os.write(log, (repr((event, *[str(one) for one in given[:3]])) + "\\n").encode("utf-8", "replace"))
sys.addaudithook(hook)
from s2v.cli import app
app()
"""


class Fuzz:
    """Requests of any kind to a page, counted by their answers."""

    def __init__(self, studio: Studio, seed: int) -> None:
        self.studio, self.random = studio, random.Random(seed)
        self.host, self.port = studio.url.removeprefix("http://").split(":")
        self.answers: Counter[int] = Counter()
        self.sent = 0

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and the first of the answer; 0 where the connection was closed without one."""
        self.sent += 1
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=20)
        named = {"Host": f"{self.host}:{self.port}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            if body is not None and "Content-Length" not in named and "Transfer-Encoding" not in named:
                named["Content-Length"] = str(len(body))
            for name, value in named.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            status, text = answer.status, answer.read1(2**20)
        except (http.client.HTTPException, ConnectionError):
            status, text = 0, b""
        finally:
            connection.close()
        self.answers[status] += 1
        assert status != 500 and SECRET.encode() not in text and b"root:" not in text, (method, target, text[:500])
        return status, text

    def raw(self, data: bytes) -> None:
        """Bytes that are no HTTP, or hardly."""
        self.sent += 1
        with socket.create_connection((self.host, int(self.port)), timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            text = connection.recv(2**16)
        found = re.match(rb"HTTP/1.1 (\d+)", text)
        self.answers[int(found[1]) if found else 0] += 1
        assert SECRET.encode() not in text and b" 500 " not in text[:20], data[:200]

    def join(self, **body: Any) -> int:
        whole = {"data": self.studio.values(None), "fn_index": self.studio.function(), "trigger_id": None,
                 "session_hash": secrets.token_hex(4)} | body  # fmt: skip
        return self.ask("POST", JOIN, json.dumps(whole).encode(), Content_Type="application/json")[0]

    def upload(self, name: bytes, content: bytes, field: bytes = b"files", **headers: str) -> tuple[int, bytes]:
        head = b'--b\r\nContent-Disposition: form-data; name="' + field + b'"; filename="' + name + b'"\r\n\r\n'
        kind = {"Content_Type": "multipart/form-data; boundary=b"} | headers
        return self.ask("POST", UPLOAD, head + content + b"\r\n--b--\r\n", **kind)

    def odd(self, depth: int = 0) -> Any:
        """A value of any kind."""
        r = self.random
        simple: list[Callable[[], Any]] = [
            lambda: None, lambda: r.choice([True, False, float("nan"), float("inf"), -float("inf")]),
            lambda: r.choice([0, -1, 2**31, 2**63, 10**30, -(10**300), 1e308, 5e-324, 0.5]),
            lambda: r.choice(["gan", "ldm", "../../etc/passwd", "\x00", "nan", "1e9", "<script>", "é\u202e", "$(id)"]),
            lambda: "x" * r.choice([0, 1, 5000]),
            lambda: {"path": r.choice(self.paths), "meta": {"_type": "gradio.FileData"}},
            lambda: {"path": r.choice(self.paths), "url": "http://127.0.0.1:9/x"},
        ]  # fmt: skip
        nested: list[Callable[[], Any]] = [
            lambda: [self.odd(depth + 1) for _ in range(r.randint(0, 3))],
            lambda: {r.choice(["path", "url", "meta", "x", "__type__"]): self.odd(depth + 1) for _ in range(2)},
        ]
        return r.choice(simple if depth > 2 else simple + nested)()


@pytest.mark.slow
def test_odd_requests_read_write_and_start_nothing_elsewhere(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("tmp", "home", "here", "bin")}
    for folder in folders.values():
        folder.mkdir()
    for name in ("ffmpeg", "ffprobe"):  # Gradio would take these, where it is let
        (folders["bin"] / name).write_text("#!/bin/sh\nexit 1\n")
        (folders["bin"] / name).chmod(0o755)
    (folders["here"] / "secret.txt").write_text(SECRET)
    (tmp_path / "secret.wav").write_text(SECRET)
    sound = tmp_path / "dog.wav"
    soundfile.write(sound, sample("dog barking", px=16)[1], 16000)
    log, cwd = tmp_path / "opened.log", os.getcwd()
    os.chdir(folders["here"])
    try:
        with studio_of(
            folders["tmp"], "--upload-mb", str(UPLOAD_MB), "--total-mb", str(TOTAL_MB),
            program=("-c", WATCHED, str(log)),
            HOME=str(folders["home"]), MPLCONFIGDIR=str(folders["tmp"]), PYTHONDONTWRITEBYTECODE="1",
            PYTHONPATH=str(Path(__file__).parent.parent), PATH=f"{folders['bin']}:{os.environ['PATH']}",
        ) as studio:  # fmt: skip
            assert studio.paint(sound)["success"]
            begun, before = log.stat().st_size, _memory_mb(studio.process.pid)
            fuzz, children = Fuzz(studio, 14), _Children(studio.process.pid)
            fuzz.paths = [
                str(tmp_path / "secret.wav"), str(folders["here"] / "secret.txt"), "secret.txt", "/etc/passwd", "", "/",
                "../" * 12 + "etc/passwd", f"{studio.uploads}/../../../secret.wav", str(studio.uploads), "http://127.0.0.1:9/x",
                f"file://{tmp_path}/secret.wav", "\\\\host\\share", "x" * 5000, "/dev/stdin", "/proc/self/environ",
            ]  # fmt: skip
            kept = studio.upload(sound)
            _names_and_routes(fuzz)
            _files(fuzz)
            _jobs(fuzz, kept)
            _uploads(fuzz)
            _flood(fuzz)
            children.end()
            assert studio.paint(sound)["success"], "the page still paints"
            grown = _memory_mb(studio.process.pid) - before
            held = sum(path.lstat().st_size for path in folders["tmp"].rglob("*") if path.is_file()) / 2**20
            said = (folders["tmp"] / "said.log").read_text()
            opened = log.read_bytes()[begun:].decode().splitlines()
    finally:
        os.chdir(cwd)
    print(f"\n{fuzz.sent} requests, answers {dict(sorted(fuzz.answers.items()))}, {len(opened)} files and programs "
          f"opened, {children.most} at once, memory +{grown:.0f} MB, disk {held:.0f} MB")  # fmt: skip
    assert fuzz.sent >= 500 and set(fuzz.answers) <= {0, 200, 400, 403, 404, 411, 413, 422, 503, 507}
    assert {200, 400, 403, 404, 413, 503, 507} <= set(fuzz.answers)
    assert said.count("Traceback") <= 2, "what uvicorn itself says of a broken request"
    assert children.most == 1 and grown < MEMORY_MB and held < TOTAL_MB + 5
    _seen(opened, str(folders["tmp"]))
    assert [path.name for path in folders["here"].iterdir()] == ["secret.txt"] and not any(folders["home"].iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {*folders, "dog.wav", "opened.log", "secret.wav"}


def _names_and_routes(fuzz: Fuzz) -> None:
    """Every route of the installed Gradio by each method, and what is open from elsewhere."""
    source = Path(find_spec("gradio").submodule_search_locations[0], "routes.py").read_text()  # type: ignore[union-attr,index]
    found = re.findall(r'@(app|router)\.(get|post|head|put|delete)\(\s*f?"([^"]+)"', source)
    assert len(found) > 60
    for owner, name, path in found:
        method = name.upper()
        target = (API if owner == "router" else "") + re.sub(r"\{(\w+)(:path)?\}", r"\1", path)
        status, _ = fuzz.ask(method, target, b"{}" if method == "POST" else None)
        known = (method, target) in OPEN or method == "GET" and (target.startswith(FILE) or PARTS.fullmatch(target))
        assert known or status == 404, (method, target, status)
    for name in (
        "evil.example",
        "localhost.evil.example",
        "192.0.2.1",
        "[::2]",
        "0.0.0.0",
        "localhost@evil.example",
        "",
    ):
        for method, path in sorted(OPEN):
            assert fuzz.ask(method, path, Host=name)[0] in (400, 403), (name, path)
    for origin in (
        "http://evil.example",
        "null",
        "http://localhost:1",
        f"http://{fuzz.host}",
        "file://",
        "https://x@y",
    ):
        for method, path in sorted(OPEN):
            assert fuzz.ask(method, path, Origin=origin)[0] == 403, (origin, path)
        assert fuzz.ask("OPTIONS", JOIN, Origin=origin, Access_Control_Request_Method="POST")[0] == 403
    for data in (
        b"", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET " + b"/" * 70_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET http://evil/ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", os.urandom(3000),
        b"POST " + JOIN.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
    ):  # fmt: skip
        fuzz.raw(data)


def _files(fuzz: Fuzz) -> None:
    for path in fuzz.paths:
        quoted = "".join(f"%{byte:02x}" for byte in path.encode())
        for target in (
            FILE + quoted,
            f"{API}/file/{quoted}",
            f"/static/{quoted}",
            f"/assets/{quoted}",
            f"/svelte/{quoted}",
        ):
            assert fuzz.ask("GET", target)[0] in (400, 403, 404), target
    for query in ("", "?session_hash=", "?session_hash=" + "x" * 3000, "?session_hash=../x", "?deep_link=../x"):
        assert fuzz.ask("GET", EVENTS + query)[0] == 422


def _jobs(fuzz: Fuzz, kept: str) -> None:
    r, number = fuzz.random, fuzz.studio.function()
    for wrong in (-1, 99, 10**20, 1.5, "paint", "0", None, True, [], {}):
        assert fuzz.join(fn_index=wrong) == 400
    for name in ("dog barking", "../dog barking", "", 5):
        assert fuzz.join(data=[name], fn_index=0) == 200
    for _ in range(40):
        fuzz.join(**{r.choice(["data", "session_hash", "fn_index", "trigger_id", "event_data"]): fuzz.odd()})
    for _ in range(150):
        data = fuzz.studio.values(kept if r.random() < 0.3 else None)
        for _ in range(r.randint(1, 3)):
            place, value = r.randrange(len(data)), fuzz.odd()
            if place in PLAIN and r.random() < 0.9:  # of a kind that is let through
                value = value if isinstance(value, (bool, int, float, str)) else r.choice(["", "1", 10**20, -0.0])
            data[place] = value
        if r.random() < 0.1:
            data = data[: r.randrange(len(data))]
        fuzz.join(data=data, fn_index=r.choice([number, number, number, 0]))
    for body in (b"", b"{", b"[]", b"[" * 60_000, b"\xff\xfe", b"x" * 200_000, b'{"data":' + b"1" * 60_000):
        assert fuzz.ask("POST", JOIN, body, Content_Type="application/json")[0] in (0, 400, 413)
    _rest(fuzz)


def _uploads(fuzz: Fuzz) -> None:
    r = fuzz.random
    names = [
        b"../../../x.wav",
        b"/etc/x",
        b"..",
        b".",
        b"",
        b"a/b\\c",
        b"x" * 5000,
        b"\xff\x00",
        b"con",
        b"x.svg",
        b"-y.wav",
    ]
    for name in names:
        for field in (b"files", b"x"):
            assert fuzz.upload(name, SECRET[::-1].encode() + r.randbytes(9), field)[0] in (0, 200, 400, 413)
    assert fuzz.upload(b"x", b"y", Content_Length="9" * 30)[0] in (400, 411)
    assert fuzz.upload(b"x", b"y", Transfer_Encoding="chunked")[0] in (0, 400, 411)
    assert fuzz.upload(b"x", bytes(3 * 2**20))[0] == 413
    for kind in (
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=b;b",
    ):
        fuzz.ask("POST", UPLOAD, b"--b\r\n\r\nx", Content_Type=kind)
    many = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\n\r\n' for _ in range(1200)
    )
    assert fuzz.ask("POST", UPLOAD, many + b"--b--\r\n", Content_Type="multipart/form-data; boundary=b")[0] == 400
    full = [fuzz.upload(b"x.wav", r.randbytes(UPLOAD_MB * 2**20))[0] for _ in range(TOTAL_MB // UPLOAD_MB + 2)]
    assert full[-1] == 507 and 200 in full


def _flood(fuzz: Fuzz) -> None:
    """More at once than may queue, most of them for a sound that ffmpeg has to read."""
    kept = next(str(path) for path in fuzz.studio.uploads.rglob("*.wav") if path.stat().st_size > 2**20)
    data = fuzz.studio.values(kept)
    with ThreadPoolExecutor(32) as people:
        answers = Counter(people.map(lambda _: fuzz.join(data=data), range(300)))
    assert set(answers) == {200, 503} and answers[200] >= 100
    _rest(fuzz)


def _rest(fuzz: Fuzz) -> None:
    """Until the queue is empty: a job that is nothing waits for all before it."""
    until = time.monotonic() + 60
    session = secrets.token_hex(4)
    while fuzz.join(session_hash=session) == 503:
        assert time.monotonic() < until
        time.sleep(0.3)
    assert "Give a sound first" in str(fuzz.studio.done(session)["output"])


class _Children:
    """How many programs of a process live at once, looked at again and again."""

    def __init__(self, number: int) -> None:
        self.number, self.most, self._ended = number, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            living = 0
            for task in Path(f"/proc/{self.number}/task").glob("*/children"):
                with contextlib.suppress(OSError):  # that thread has ended
                    living += len(task.read_text().split())
            self.most = max(self.most, living)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


def _memory_mb(number: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{number}/status").read_text())
    assert found is not None
    return int(found[1]) / 2**10


def _seen(opened: list[str], scratch: str) -> None:
    """What was opened lies in the temporary folder, or is of the installed programs; what was started is ffmpeg."""
    import s2v

    packages = [sys.prefix, sys.base_prefix, str(Path(s2v.__file__).parent)]
    started = set()
    for line in opened:
        event, what, *rest = eval(line)
        if event in ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.fork"):
            started.add(what)
        elif event == "socket.connect":
            raise AssertionError(f"connects to {rest}")
        elif what.startswith(scratch) or what.isdecimal() or what in ("/dev/null", "/dev/urandom"):
            continue
        elif event == "os.remove" and rest[0] != "-1":
            continue  # in a folder that is removed whole, whose own path is seen, too
        else:
            flags = int(rest[1]) if event == "open" else os.O_WRONLY
            reads = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) == 0
            assert reads and what.startswith((*packages, "/proc/", "/sys/")), line
            assert "environ" not in what
    assert started <= {ffmpeg_path("bundled")}
