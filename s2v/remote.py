"""A file on the web, read in one pass: where the connection is lost, it goes on where it was (HTTP Range)."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import BaseHandler

from s2v.errors import without_passwords

if TYPE_CHECKING:
    from s2v.config import DownloadConfig

_PASSING_CODES = frozenset([408, 425, 429, 500, 502, 503, 504])
# What is read at once; so much is lost and asked for again where a connection breaks off.
_CHUNK = 2**16


def open_url(url: str, download: DownloadConfig, most: int | None = None) -> io.BufferedReader:
    """The bytes behind an http(s) `url`.

    Args:
        url: the address.
        download: proxy, time limit, and how often a passing fault is tried again without a byte in between.
        most: bytes that there may be.

    Raises:
        OSError: here or while it is read: a final fault, a passing one after all retries, or one after which the server
            can't go on where it was.
    """
    return io.BufferedReader(Remote(url, download, most=most), _CHUNK)


class TooLarge(OSError):
    """The file has more bytes than it may have."""


class CannotResume(OSError):
    """The server can't go on in the middle of the file, or the file has changed since."""


class Remote(io.RawIOBase):
    """yt-dlp's HTTP client, since it knows all kinds of proxies, and what makes a lost connection good.

    Args:
        url: an http(s) address.
        download: as for `open_url`.
        at: bytes that are there from an earlier connection and are not asked for again.
        version: what `version` said in that connection; the server then goes on in the same file only.
        most: bytes that the whole file may have.

    Redirections are followed to http(s) alone, and from https to https alone.

    After the first read, `total` (bytes of the whole file) and `version` (ETag or time of last change) are what the
    server says, None where it says nothing.
    """

    def __init__(
        self, url: str, download: DownloadConfig, at: int = 0, version: str | None = None, most: int | None = None
    ) -> None:
        from yt_dlp import YoutubeDL

        options = {"socket_timeout": download.timeout_s, "quiet": True, "no_warnings": True, "cachedir": False}
        self.client = YoutubeDL({**options, **({"proxy": download.proxy} if download.proxy else {})})
        for handler in self.client._request_director.handlers.values():
            handler._create_instance = _watched(handler._create_instance, self._check_hop)
        self.url, self.retries, self.most = url, download.retries, most
        self.at = at
        self.total: int | None = None
        self.version = version
        self.response: Any = None
        self.failures = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Bytes that were read so far."""
        return self.at

    def readinto(self, buffer: Any) -> int:
        """Fill some of `buffer`; 0 is the end.

        Raises:
            OSError: as `open_url`.
        """
        from yt_dlp.networking.exceptions import RequestError

        while True:
            try:
                if self.response is None:
                    self._connect()
                data = self.response.read(len(buffer))
                if not data and self.total is not None and self.at < self.total:
                    raise _Lost(f"the connection ended after {self.at} of {self.total} bytes")
                break
            except (RequestError, _Lost) as error:
                self._wait(error)
        self.at += len(data)
        self._check_size(self.at)
        self.failures = 0 if data else self.failures
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """End the connection."""
        if not self.closed:
            self._drop()
            self.client.close()
        super().close()

    def _connect(self) -> None:
        """Ask for what is missing.

        Raises:
            CannotResume: the server sends something else.
        """
        from yt_dlp.networking import Request
        from yt_dlp.networking.exceptions import HTTPError

        headers = {"Accept-Encoding": "identity"}
        if self.at:
            headers["Range"] = f"bytes={self.at}-"
            if self.version:
                headers["If-Range"] = self.version
        refusal = f"lost after {self.at} bytes, and the server can't go on there, or the file has changed"
        try:
            self.response = self.client.urlopen(Request(self.url, headers=headers))
        except HTTPError as error:
            if self.at and error.status == 416:
                raise CannotResume(refusal) from error
            raise
        self._check_hop(self.url, self.response.url)
        got = self.response.headers
        if got.get("Content-Encoding", "identity") != "identity":
            raise OSError("the server sends it compressed, though it was not asked to")
        if self.at:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", got.get("Content-Range", "").strip())
            if self.response.status != 206 or not span or int(span[1]) != self.at:
                raise CannotResume(refusal)
            total = None if span[2] == "*" else int(span[2])
            if total is not None and total < self.at:
                raise CannotResume(refusal)
            self.total = self.total or total
            self._check_size(self.total)
            return
        length, tag = got.get("Content-Length", ""), got.get("ETag", "")
        self.total = int(length) if length.isdecimal() else None
        self._check_size(self.total)
        # A weak tag says nothing about bytes.
        self.version = got.get("Last-Modified") if tag.startswith("W/") or not tag else tag

    def _check_size(self, size: int | None) -> None:
        if size is not None and self.most is not None and size > self.most:
            raise TooLarge(f"it has more than {self.most / 1e6:.0f} MB")

    def _check_hop(self, here: str, location: str) -> None:
        """Raise a final fault where an answer leads to no place of the web, or to one that anybody may change."""
        from yt_dlp.networking.exceptions import RequestError

        scheme = urlsplit(urljoin(here, location)).scheme.lower()
        if scheme not in ("http", "https"):
            raise RequestError(f"it leads to {scheme}:, and not to the web")
        if scheme == "http" and urlsplit(self.url).scheme.lower() == "https":
            raise RequestError("it leads from https to http")

    def _wait(self, error: Exception) -> None:
        """Pause before the next try, twice as long each time.

        Raises:
            OSError: there is no next try.
        """
        self._drop()
        if self.failures == self.retries or not _may_pass(error):
            raise OSError(without_passwords(str(error))) from error
        pause_s = 2**self.failures
        self.failures += 1
        print(without_passwords(f"{self.url}: {error}; tried again in {pause_s} s"), file=sys.stderr)
        time.sleep(pause_s)

    def _drop(self) -> None:
        if self.response is not None:
            self.response.close()
            self.response = None


def _may_pass(error: Exception) -> bool:
    from yt_dlp.networking.exceptions import CertificateVerifyError, HTTPError, TransportError

    if isinstance(error, HTTPError):
        return error.status in _PASSING_CODES
    return isinstance(error, (_Lost, TransportError)) and not isinstance(error, CertificateVerifyError)


def _watched(create: Callable[..., Any], check_hop: Callable[[str, str], None]) -> Callable[..., Any]:
    """What makes one of yt-dlp's two clients, of requests or of urllib, so that each redirection is checked first."""

    def answered(answer: Any, *_: Any, **__: Any) -> None:
        if answer.is_redirect:
            check_hop(answer.url, answer.headers["Location"])

    def created(**how: Any) -> Any:
        client = create(**how)
        if hasattr(client, "hooks"):
            client.hooks["response"].append(answered)
        else:
            client.add_handler(_Redirections(check_hop))
        return client

    return created


class _Redirections(BaseHandler):
    handler_order = 0  # before the one that follows them

    def __init__(self, check_hop: Callable[[str, str], None]) -> None:
        self.check_hop = check_hop

    def http_error_302(self, request: Any, answer: Any, code: int, message: str, headers: Any) -> None:
        self.check_hop(request.full_url, headers.get("Location", ""))

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class _Lost(Exception):
    """The connection ended before the file did."""


__all__ = ["CannotResume", "Remote", "TooLarge", "open_url"]
