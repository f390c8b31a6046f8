"""A decoder as a program: in limited time and memory, ended with all that it started, gone when its parent is."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from s2v.errors import AGAIN, MachineError

CRASHES = frozenset([signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL])
"""Signals that a program brings upon itself, over a crafted file for one. All others are sent to it."""

MEMORY_BYTES = 4 * 2**30
"""Address space of a decoder, where the system has that limit. 8K video of ten bits takes a third of it."""

_LOG_LIMIT_BYTES = 65536
_PIPE_BYTES = 2**20  # fewer turns between decoder and reader than with the usual 64 KiB
_THREADS = 16  # of a decoder, whose stacks come on top
_KILL_S = 10.0  # a program that waits for a dead disk does not end even when it is killed
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_is_tied = False


@dataclass(frozen=True)
class Finished:
    """How a decoder process ended: `returncode`, its `log` (standard error, shortened), `timed_out`, and whether it
    failed since its clip `asks_too_much` memory.
    """

    returncode: int
    log: str
    timed_out: bool
    asks_too_much: bool = False


def execute(
    arguments: Sequence[str],
    *,
    timeout_s: float,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    most_bytes: int | None = None,
) -> tuple[Finished, bytes]:
    """Run a program to its end, or kill it with all that it started after `timeout_s` seconds.

    Returns:
        How it ended, and its standard output; what comes after `most_bytes` is dropped.

    Raises:
        MachineError: it cannot be started.
    """
    try:
        process = subprocess.Popen(
            arguments,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # Only where there are no other threads, beside which nothing may run between fork and exec.
            preexec_fn=_tie if _is_tied else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        what = getattr(error, "strerror", None) or error
        raise MachineError(f"{arguments[0]}: cannot be started ({what}); repair or replace it, and {AGAIN}") from error
    log, out = _Ends(), _Start(most_bytes)
    try:
        _limit_memory(process.pid)
        in_time = _drain(process, time.monotonic() + timeout_s, log, out)
    finally:
        _end(process)
    return Finished(process.returncode if in_time else -signal.SIGKILL, log.text(), not in_time), bytes(out.data)


def die_with_parent() -> None:
    """Have the system kill this program, and the decoders that it starts, when the one that started it dies (Linux).

    For programs of one thread.
    """
    global _is_tied
    _tie()
    _is_tied = True


def _tie() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def has_less_memory() -> bool:
    """Whether this process, and so each that it starts, was given less memory than a decoder may have."""
    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return any(limit != resource.RLIM_INFINITY and limit < MEMORY_BYTES for limit in limits)


def _limit_memory(pid: int) -> None:
    if hasattr(resource, "prlimit") and not has_less_memory():
        stack, most = resource.getrlimit(resource.RLIMIT_STACK)[0], resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = MEMORY_BYTES + (0 if stack == resource.RLIM_INFINITY else _THREADS * stack)
        limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        with contextlib.suppress(ProcessLookupError):  # it has ended
            resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))


def _drain(process: subprocess.Popen[bytes], deadline: float, log: _Ends, out: _Start) -> bool:
    """Read all that a program writes and wait for its end; False where that is not reached in time."""
    assert process.stdout is not None and process.stderr is not None
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # a user's pipes are limited together
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, out.add)
        selector.register(process.stderr, selectors.EVENT_READ, log.add)
        while selector.get_map():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            for key, _ in selector.select(left_s):
                data = os.read(key.fd, _PIPE_BYTES)
                if data:
                    key.data(data)
                else:
                    selector.unregister(key.fileobj)
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:  # not waited for, so the number is still its own, and that of its group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_S)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


class _Start:
    """The first bytes of a stream."""

    def __init__(self, most: int | None) -> None:
        self.data, self.most = bytearray(), most

    def add(self, data: bytes) -> None:
        self.data += data if self.most is None else data[: max(0, self.most - len(self.data))]


class _Ends:
    """First and last 64 KiB of a log: a broken file can make a decoder complain without end."""

    def __init__(self) -> None:
        self.head, self.tail, self.is_cut = b"", b"", False

    def add(self, data: bytes) -> None:
        room = _LOG_LIMIT_BYTES - len(self.head)
        self.head, self.tail = self.head + data[:room], self.tail + data[room:]
        self.is_cut |= len(self.tail) > _LOG_LIMIT_BYTES
        self.tail = self.tail[-_LOG_LIMIT_BYTES:]

    def text(self) -> str:
        middle = b"\n...\n" if self.is_cut else b""
        return (self.head + middle + self.tail).decode("utf-8", "replace")


__all__ = ["CRASHES", "MEMORY_BYTES", "Finished", "die_with_parent", "execute", "has_less_memory"]
