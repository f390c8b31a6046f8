"""Progress for people: a bar on a terminal, an occasional line in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")
_LINE_EVERY_S = 30.0


def track(items: Iterable[T], total: int | None = None, description: str = "working") -> Iterator[T]:
    """Yield `items` and show on standard error how far it is.

    On a terminal this is a bar; elsewhere a line at the start, every 30 seconds, and at the end.

    Args:
        items: anything iterable.
        total: how many there are; taken from `items` where it has a length.
        description: a few words in front.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    return _bar(items, total, description) if sys.stderr.isatty() else _lines(items, total, description)


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))


def _bar(items: Iterable[T], total: int | None, description: str) -> Iterator[T]:
    with _progress() as progress:
        yield from progress.track(items, total=total, description=description)


def _lines(items: Iterable[T], total: int | None, description: str) -> Iterator[T]:
    whole = "?" if total is None else str(total)
    started = shown = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - shown >= _LINE_EVERY_S:
            shown = now
            rate = done / (now - started)
            _say(f"{description}: {done} of {whole}, {rate:.2f} a second")
    _say(f"{description}: {done} of {whole} in {time.monotonic() - started:.1f} s")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def bar(description: str, *, total: int, done: int = 0, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """A bar for loops that count by themselves; yields the function that advances it.

    Off a terminal it is silent, since such loops log their own lines.
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda steps: None
        return
    with _progress() as progress:
        task = progress.add_task(description, total=total, completed=done)
        yield lambda steps: progress.advance(task, steps)
