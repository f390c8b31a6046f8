"""A web server on this machine that serves files, and misbehaves as the web does."""

from __future__ import annotations

import gzip
import re
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Site(ThreadingHTTPServer):
    """Serves `folder`; `faults` says of a path what is wrong with it, and for how many requests (None: always).

    Faults: a status code; `stall` (the headers, then nothing); `pause` (half of the bytes, then nothing); `cut` (half
    of the bytes, then the connection ends); `cut, no ranges` (the same, and it can't go on there);
    `long` and `short` (Content-Length says more, or less, than there is); `endless` (no Content-Length, and no end);
    `packed` (sent gzipped, unasked); an address, to which the answer leads.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.faults: dict[str, tuple[int | str, int | None]] = {}
        self.requests: Counter[str] = Counter()
        self.ranges: list[str] = []
        self.cookies: set[str] = set()
        self.stalled = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client may go away."""

    @property
    def url(self) -> str:
        """Address of the folder."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.0"

    def log_message(self, *arguments: object) -> None:
        """Nothing is logged."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        site, path = self.server, self.path.split("?")[0]
        site.requests[path] += body
        site.cookies.add(self.headers.get("Cookie", ""))
        fault, left = site.faults.get(path, (None, None))
        if left == 0:
            fault = None
        elif fault is not None and left is not None and body:
            site.faults[path] = (fault, left - 1)
        below = site.folder / path.lstrip("/")
        file = below if below.is_file() else site.folder / Path(path).name
        if isinstance(fault, int) or not file.is_file():
            self.send_error(fault if isinstance(fault, int) else 404)
            return
        if fault is not None and ":" in fault:
            self.send_response(302)
            self.send_header("Location", fault)
            self.end_headers()
            return
        data, start = file.read_bytes(), 0
        tag = f'"{zlib.crc32(data)}"'
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if fault == "cut, no ranges" or self.headers.get("If-Range", tag) != tag:
            asked = None
        if asked and int(asked[1]) >= len(data):
            self.send_error(416)
            return
        if asked:
            start = int(asked[1])
            site.ranges.append(asked[0])
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "video/mp4" if file.suffix == ".mp4" else "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        if fault == "endless":
            self.end_headers()
            while body and not site.stalled.is_set():
                self.wfile.write(data)
            return
        if fault == "packed":
            self.send_header("Content-Encoding", "gzip")
            data = gzip.compress(data)
        size = len(data) - start + {"long": 5000, "short": -5000}.get(str(fault), 0)
        self.send_header("Content-Length", str(size))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if not body:
            return
        if fault == "stall":
            site.stalled.wait(20)
            return
        end = start + (len(data) - start) // 2 if fault in ("cut", "cut, no ranges", "pause") else len(data)
        self.wfile.write(data[start:end])
        if fault == "pause":
            self.wfile.flush()
            site.stalled.wait(20)


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A running site of `folder`."""
    server = Site(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stalled.set()
        server.shutdown()
        server.server_close()
