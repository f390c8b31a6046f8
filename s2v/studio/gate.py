"""What stands before Gradio's program: it lets through what the page itself asks for, and closes all else."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Program = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
"""An ASGI application."""

API = "/gradio_api/"
START, JOIN, EVENTS, UPLOAD, FILE = (
    API + name for name in ("startup-events", "queue/join", "queue/data", "upload", "file=")
)
OPEN = {
    *(("GET", path) for path in ("/", "/theme.css", "/favicon.ico", API + "app_id", START, EVENTS)),
    ("HEAD", "/"), ("POST", JOIN), ("POST", UPLOAD),
}  # fmt: skip
"""Routes of Gradio that a browser which shows the page asks for, `START` by the program itself. Of what they have in
the query only the session is passed on."""
PARTS = re.compile(r"/(assets|static)/(?!.*\.\.)[\w./-]{1,120}", re.ASCII)
"""Of what Gradio's own page is made."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HOST = re.compile(r"\[?([^][@/\\]+?)\]?(:\d+)?")
SESSION = re.compile(r"[0-9A-Za-z]{1,32}")
FIELDS = ("data", "fn_index", "trigger_id", "session_hash")
JOB_BYTES = 64 * 2**10
"""Largest request to paint: a few names of files and numbers."""
FORM_BYTES = 64 * 2**10
"""What an upload may be larger than its file."""
SENT_S = 300.0
"""In which an upload has to be here: room is kept for it meanwhile."""
AT_ONCE = 256
"""Requests that are answered at once; a browser holds two open while it waits for pictures."""
FILES = 10_000
"""Files that may lie there, made ones among them."""


class Refused(Exception):
    """What is not let through, and why, in words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Gate:
    """An ASGI program before another.

    Args:
        program: the other, Gradio's.
        hosts: names under which the page may be asked for, besides those of the loopback and the address that a
            connection came in on. A page of another name, whose owner lets it point here (DNS rebinding), is refused.
        auth: user:password, asked for by HTTP Basic; None asks for none.
        folder: of all that is uploaded and made.
        uploads: folder within it, the only one of which files are given out or read.
        upload_mb: largest upload, in MiB.
        total_mb: of all that may lie in the folder.
        jobs: numbers of Gradio's functions that may be asked for, through the queue alone; of each, which of its
            values are files.
    """

    def __init__(
        self,
        program: Program,
        *,
        hosts: Sequence[str],
        auth: str | None,
        folder: Path,
        uploads: Path,
        upload_mb: int,
        total_mb: int,
        jobs: Mapping[int, Sequence[bool]],
    ) -> None:
        self.program, self.jobs = program, jobs
        self.hosts = LOOPBACK.union(name.lower() for name in hosts)
        self.auth = None if auth is None else b"Basic " + base64.b64encode(auth.encode())
        self.folder, self.uploads = folder, os.path.realpath(uploads)
        self.upload_bytes, self.total_bytes = upload_mb * 2**20, total_mb * 2**20
        self.open = self.coming = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer or pass on; of what is no HTTP only the start and the end of the server."""
        if scope["type"] == "lifespan":
            await self.program(scope, receive, send)
        if scope["type"] != "http":
            return
        coming, path = 0, scope["path"]
        self.open += 1
        try:
            if self.open > AT_ONCE:
                raise Refused(503, "too many requests at once; come again")
            await self._known(scope)
            if path == UPLOAD:
                coming = self._length(scope)
                self.coming += coming
            elif path.startswith(FILE):
                scope["path"] = FILE + self._file(path.removeprefix(FILE))
            session = re.search(rb"(?:^|&)session_hash=([0-9A-Za-z]{1,32})(?:&|$)", scope["query_string"])
            scope["query_string"] = b"session_hash=" + session[1] if path == EVENTS and session else b""
            async with asyncio.timeout(SENT_S if scope["method"] == "POST" else None):
                if path == JOIN:
                    self._room(0)
                    receive = await self._job(scope, receive)
                await self.program(scope, receive, send)
        except Refused as refused:
            await _answer(send, refused, path)
        except TimeoutError:
            await _answer(send, Refused(408, "what is sent has to come sooner"), path)
        finally:
            self.open -= 1
            self.coming -= coming

    async def _known(self, scope: MutableMapping[str, Any]) -> None:
        """The host, the origin, the password and the route."""
        named = _all(scope, b"host", b"x-forwarded-host")
        own = {*self.hosts, str((scope.get("server") or [""])[0])}
        names = [HOST.fullmatch(one) for one in named]
        if not _all(scope, b"host") or not all(name and name[1].lower() in own for name in names):
            raise Refused(403, "the page is not known under this name; s2v studio --allow-host NAME adds one")
        if not all(origin.partition("://")[2] in named for origin in _all(scope, b"origin")):
            raise Refused(403, "asked for by another page")
        method, path = scope["method"], scope["path"]
        if self.auth is not None and path != START:
            given = " ".join(_all(scope, b"authorization")).encode()
            if not secrets.compare_digest(given, self.auth):
                await asyncio.sleep(1 if given else 0)  # whoever guesses has to wait
                raise Refused(401, "user and password are asked for")
        known = method == "GET" and (path.startswith(FILE) or PARTS.fullmatch(path))
        if not known and (method, path) not in OPEN:
            raise Refused(404, "there is no such thing here")

    def _length(self, scope: MutableMapping[str, Any]) -> int:
        """Bytes of an upload, which says so before it comes and has room."""
        said = _all(scope, b"content-length")
        if len(said) != 1 or not said[0].isdecimal() or len(said[0]) > 15:
            raise Refused(411, "an upload says how long it is")
        length = int(said[0])
        if length > self.upload_bytes + FORM_BYTES:
            raise Refused(413, f"a file is above the maximum allowed size of {self.upload_bytes} bytes")
        self._room(length)
        return length

    def _room(self, length: int) -> None:
        files = [os.path.join(top, name) for top, _, names in os.walk(self.folder) for name in names]
        if len(files) >= FILES or sum(map(_size, files)) + self.coming + length > self.total_bytes:
            raise Refused(507, "the page is full; what was uploaded or made is removed after ten minutes")

    def _file(self, path: str) -> str:
        """A file among the uploads, links followed."""
        real = "" if "\0" in path else os.path.realpath(path)
        if not real.startswith(self.uploads + os.sep) or not os.path.isfile(real):
            raise Refused(403, "no file of this page, or removed: files are kept for ten minutes; give it again")
        return real

    async def _job(self, scope: MutableMapping[str, Any], receive: Receive) -> Receive:
        """What is asked of the queue, made anew from what it may hold: numbers, words, and files that lie here."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > JOB_BYTES:
                raise Refused(413, "a request is a few names and numbers, not more")
            if not message.get("more_body"):
                break
        try:
            data, number, trigger, session = (json.loads(body)[key] for key in FIELDS)
            wanted = self.jobs[number if type(number) is int else -1]
            right = isinstance(data, list) and len(data) == len(wanted) and SESSION.fullmatch(session) is not None
            right = right and all(map(_fits, data, wanted))
        except (ValueError, KeyError, TypeError, RecursionError):
            right = False
        if not right:
            raise Refused(400, "not a request of this page; load it anew")
        values = [self._given(value) if isinstance(value, dict) else value for value in data]
        trigger = trigger if type(trigger) is int else None
        made = json.dumps(dict(zip(FIELDS, (values, number, trigger, session), strict=True))).encode()
        others = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"content-type")]
        length = str(len(made)).encode()
        scope["headers"] = [*others, (b"content-length", length), (b"content-type", b"application/json")]
        first = [{"type": "http.request", "body": made, "more_body": False}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        return again

    def _given(self, file: dict[str, Any]) -> dict[str, Any]:
        path = file.get("path")
        return {"path": self._file(path if isinstance(path, str) else ""), "meta": {"_type": "gradio.FileData"}}


def _fits(value: Any, is_file: bool) -> bool:
    return value is None or isinstance(value, dict if is_file else (bool, int, float, str))


def _all(scope: MutableMapping[str, Any], *names: bytes) -> list[str]:
    """Values of some headers, as often as they are there."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name in names]


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:  # removed meanwhile
        return 0


async def _answer(send: Send, refused: Refused, path: str) -> None:
    # Gradio's page reads answers of its queue as JSON, and those to uploads as text.
    text = json.dumps({"detail": str(refused)}) if path == JOIN else str(refused)
    kind = b"application/json" if path == JOIN else b"text/plain; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(text)).encode())]
    if refused.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="s2v studio", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


__all__ = ["Gate", "Program"]
