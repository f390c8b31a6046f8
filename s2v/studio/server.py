"""The page's program: where it listens, and the folder that is gone when it ends."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from s2v.errors import UserError
from s2v.studio.painter import KEPT_S, SWEEP_EVERY_S, Limits, Painter

PREFIX = "s2v-studio-"


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
        if time.time() - path.stat().st_mtime > older_than_s:
            shutil.rmtree(path, ignore_errors=True)


def serve(
    run: Path | None,
    *,
    host: str,
    port: int | None,
    open_browser: bool,
    limits: Limits,
    say: Callable[[str], None],
) -> None:
    """Show the page until the program is stopped.

    Raises:
        UserError: there is no model, or the port is taken.
    """
    painter = Painter(run, limits)
    with scratch() as folder:
        # Gradio reads these when it is imported.
        os.environ |= {"GRADIO_TEMP_DIR": str(folder / "uploads"), "GRADIO_ANALYTICS_ENABLED": "False"}
        from s2v.studio.page import CSS, build, theme

        made = folder / "made"
        made.mkdir()
        page = build(painter, made)
        try:
            _, url, _ = page.launch(
                server_name=host,
                server_port=port,
                inbrowser=open_browser,
                share=False,
                quiet=True,
                show_error=True,
                prevent_thread_lock=True,
                ssr_mode=False,
                enable_monitoring=False,
                run_history=False,
                footer_links=[],
                max_file_size=limits.upload_mb * 2**20,
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
            sweep(made)
        page.close(verbose=False)


__all__ = ["is_loopback", "scratch", "serve", "sweep"]
