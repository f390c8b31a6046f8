"""The page on this machine: it hands lists out and keeps one file a person, whole after every answer."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from s2v.errors import UserError
from s2v.files import sweep, write_bytes
from s2v.study.files import RECORD_BYTES, Key, Record, read_key, record_of

PEOPLE = 10_000
"""Most people of a study."""
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


class Answers:
    """The people of a study so far.

    Args:
        folder: one JSON a person; what is there is gone on with.
        key: of the study.
    """

    def __init__(self, folder: Path, key: Key) -> None:
        self.folder, self.key = folder, key
        self.lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        self.lists: dict[str, int] = {}
        for path in sorted(folder.glob("*.json")):
            record = record_of(path.read_bytes(), str(path))
            if record.study != key.study:
                raise UserError(f"{path}: of another study; name another folder")
            self.lists[record.person] = record.listed
        self.questions = [{one.name for part in parts for one in part.questions} for parts in key.lists]

    def file(self, person: str) -> Path:
        """Of a person, whose id may be anything."""
        return self.folder / f"{hashlib.sha256(person.encode()).hexdigest()[:24]}.json"

    def list_of(self, person: str) -> tuple[int, dict[str, Any] | None]:
        """The list of a person, the one that the fewest have where they are new, and what they have answered."""
        with self.lock:
            if person not in self.lists:
                self._room()
                given = Counter(self.lists.values())
                self.lists[person] = min(range(len(self.key.lists)), key=lambda n: (given[n], n))
            path = self.file(person)
            record = json.loads(path.read_bytes()) if path.is_file() else None
            return self.lists[person], record

    def keep(self, record: Record) -> None:
        """Write a person's answers, unless more of them are there already.

        Raises:
            UserError: they are of another study or list, or there is no room.
        """
        if record.study != self.key.study or record.listed >= len(self.key.lists):
            raise UserError("of another study; load the page anew")
        names = [one.question for one in record.answers]
        if len(set(names)) != len(names) or not set(names) <= self.questions[record.listed]:
            raise UserError("answers to questions that were not asked; load the page anew")
        with self.lock:
            if record.person not in self.lists:
                self._room()
            path = self.file(record.person)
            if path.is_file():
                known = record_of(path.read_bytes(), str(path))
                if known.finished or len(known.answers) > len(record.answers):
                    return  # a page that was loaded twice, or an answer that came late
            self.lists[record.person] = record.listed
            write_bytes(path, record.model_dump_json(indent=1).encode(), durable=True)

    def _room(self) -> None:
        if len(self.lists) >= PEOPLE:
            raise UserError(f"{PEOPLE} people have been here; this study takes no more")


def program(site: Path, answers: Answers, hosts: Sequence[str] = ()) -> Starlette:
    """The page's program.

    Args:
        site: folder of the page.
        answers: where they go.
        hosts: further names under which the page may be asked for.
    """
    own = "http://", "https://"

    async def handed(request: Request) -> Response:
        person = request.query_params.get("person", "")
        if not 1 <= len(person) <= 100:
            return PlainTextResponse("person: from 1 to 100 characters", 400)
        try:
            number, record = answers.list_of(person)
        except UserError as error:
            return PlainTextResponse(str(error), 503)
        return JSONResponse({"list": number, "record": record})

    async def take(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and origin not in {f"{start}{request.headers.get('host')}" for start in own}:
            return PlainTextResponse("asked for by another page", 403)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return PlainTextResponse("answers are JSON", 415)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > RECORD_BYTES:
                return PlainTextResponse("longer than anybody's answers", 413)
        try:
            answers.keep(record_of(body, "answers"))
        except UserError as error:
            return PlainTextResponse(str(error), 400)
        return PlainTextResponse("kept")

    routes = [
        Route("/list", handed, methods=["GET"]),
        Route("/answers", take, methods=["POST"]),
        Mount("/", StaticFiles(directory=site, html=True)),
    ]
    named = [*_LOCAL, *hosts]
    return Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=named, www_redirect=False)]
    )


def serve(study: Path, *, folder: Path | None, port: int, say: Callable[[str], None]) -> None:
    """Show the page on this machine's loopback until the program is stopped.

    Args:
        study: folder of `s2v study make`.
        folder: of the answers; None is `answers` beside the page.
        port: to listen on.
        say: is told the address.

    Raises:
        UserError: it is no study, or the port is taken.
    """
    import uvicorn

    key, site = read_key(study), study / "site"
    design = (site / "design.js").read_text() if (site / "design.js").is_file() else ""
    if f'"{key.study}"' not in design:
        raise UserError(f"{site}: not the page of this study's key; make it anew with `s2v study make`")
    if '"save": "serve"' not in design:
        raise UserError(f"{site}: was made for another host; make it with `s2v study make --save serve`")
    answers = Answers(folder or study / "answers", key)
    server = uvicorn.Server(
        uvicorn.Config(program(site, answers), host="127.0.0.1", port=port, log_level="warning", access_log=False)
    )
    say(f"s2v study: http://127.0.0.1:{port}/, {len(answers.lists)} people so far, answers in {answers.folder}")
    try:
        server.run()
    except SystemExit as error:
        raise UserError(f"study: cannot listen on port {port}; try another --port") from error


__all__ = ["Answers", "program", "serve"]
