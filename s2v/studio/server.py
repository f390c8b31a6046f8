"""The page's program: where it listens, and the folder that is gone when it ends."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import socket
import stat
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from s2v.errors import UserError
from s2v.studio.gate import Gate
from s2v.studio.painter import KEPT_S, SWEEP_EVERY_S, Limits, Painter

PREFIX = "s2v-studio-"
SESSIONS = 200
"""Whose state Gradio keeps."""


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches a server there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def scratch() -> Iterator[Path]:
    """A private folder, removed at the end; those that killed programs left behind are removed first."""
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        number = re.match(r"\d{1,9}(?=-)", old.name.removeprefix(PREFIX))
        # Others may have put things of this name here, links among them.
        owner = old.lstat()
        if number and stat.S_ISDIR(owner.st_mode) and owner.st_uid == os.getuid() and not _lives(int(number[0])):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sweep(folder: Path, older_than_s: float = KEPT_S) -> None:
    """Remove what was made longer ago."""
    for path in folder.iterdir():
        if time.time() - path.lstat().st_mtime > older_than_s:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def serve(
    run: str | Path | None,
    *,
    device: str,
    host: str,
    port: int | None,
    hosts: Sequence[str],
    auth: str | None,
    everybody: bool,
    open_browser: bool,
    limits: Limits,
    say: Callable[[str], None],
) -> None:
    """Show the page until the program is stopped.

    Args:
        run: as of `s2v.model.Model`.
        device: likewise.
        host: address to listen on.
        port: None is the first free one from 7860 on.
        hosts: further names under which the page may be asked for.
        auth: user:password; None asks for none.
        everybody: serve others than this machine without a password.
        open_browser: show it at once.
        limits: what is taken.
        say: is told the address.

    Raises:
        UserError: there is no model, the address cannot be listened on, or it is others' too and asks for no password.
    """
    if auth is not None and not all(auth.partition(":")):
        raise UserError("studio: --auth and S2V_STUDIO_AUTH are a user and a password with a colon between")
    if auth is None and not everybody and not is_loopback(host):
        raise UserError(
            f"studio: others reach --host {host}: set S2V_STUDIO_AUTH=user:password, or let everybody in with --open"
        )
    _listen(host)
    painter = Painter(run, limits, device)
    with scratch() as folder:
        uploads, made = folder / "uploads", folder / "made"
        uploads.mkdir()
        made.mkdir()
        # Gradio reads these when it is imported.
        os.environ |= {"GRADIO_TEMP_DIR": str(uploads), "GRADIO_ANALYTICS_ENABLED": "False"}
        from s2v.studio.page import CSS, build, theme

        page = build(painter, made)
        files = {
            number: [getattr(one, "data_model", None) is not None for one in job.inputs]
            for number, job in page.fns.items()
        }

        @asynccontextmanager
        async def guarded(app: Any) -> AsyncIterator[None]:
            # Before anybody is listened to. Given as a middleware it would stand behind those of Gradio.
            app.middleware_stack = Gate(
                app.middleware_stack, hosts=[host, *hosts], auth=auth, folder=folder, uploads=uploads,
                upload_mb=limits.upload_mb, total_mb=limits.total_mb, jobs=files,
            )  # fmt: skip
            yield

        try:
            _, url, _ = page.launch(
                server_name=f"[{host}]" if ":" in host else host,
                server_port=port,
                inbrowser=open_browser,
                share=False,
                quiet=True,
                show_error=False,
                prevent_thread_lock=True,
                ssr_mode=False,
                mcp_server=False,
                enable_monitoring=False,
                run_history=False,
                footer_links=[],
                max_file_size=limits.upload_mb * 2**20,
                state_session_capacity=SESSIONS,
                app_kwargs={"lifespan": guarded},
                theme=theme(),
                css=CSS,
            )
        except OSError as error:
            raise UserError(f"studio: cannot listen on {host}, port {port}: {error}; try another --port") from error
        say(f"s2v studio: {url}")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.wait(SWEEP_EVERY_S):
            sweep(made, SWEEP_EVERY_S)  # Gradio has copied it among the uploads
            # After Gradio, which forgets only those of its files that it removes itself.
            sweep(uploads, KEPT_S + 2 * SWEEP_EVERY_S)
        page.close(verbose=False)


def _listen(host: str) -> None:
    """See that the address is one of this machine: Gradio would try a hundred ports first."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.bind(address)
    except OSError as error:
        raise UserError(f"studio: cannot listen on {host}: {error}; give an address of this machine") from error


__all__ = ["is_loopback", "scratch", "serve", "sweep"]
