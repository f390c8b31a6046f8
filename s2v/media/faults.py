"""What of a decoder's end is the machine's doing, and not its clip's: a clip may fail only for what the clip is."""

from __future__ import annotations

import errno
import mmap
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from s2v.errors import AGAIN, MachineError, machine_fault
from s2v.media.process import CRASHES, MEMORY_BYTES, Finished, execute, has_less_memory

PROBE_S = 30.0
_ROOM_BYTES = 2**30  # of addresses, which an ordinary clip takes
_ENDED = re.compile(r"^Exiting normally, received signal (\d+)\.$", re.MULTILINE)
_NUMBERS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "Quota exceeded": errno.EDQUOT,
    "Read-only file system": errno.EROFS,
    "File too large": errno.EFBIG,
    "Permission denied": errno.EACCES,
    "Input/output error": errno.EIO,
    "I/O error": errno.EIO,
    "Stale file handle": errno.ESTALE,
    "Too many open files": errno.EMFILE,
    "No file descriptors available": errno.EMFILE,
}
"""Of what C libraries say; programs do not pass the number on. ("Operation not permitted" is what ffmpeg itself calls a
stream that it cannot write.)"""

# In all versions of ffmpeg a complaint about its output begins in one of these ways, once the output's name is out. An
# input/output error may be what a decoder makes of a damaged file, but not where something is written.
_OUTPUT = re.compile(
    rf"^(?:\[out#|av_interleaved_write_frame|Error (?:writing|closing|opening output)|: ).*: ({'|'.join(_NUMBERS)})$",
    re.MULTILINE,
)
_WRITES = re.compile(r"writ|clos|muxer|trailer")
_MEMORY = re.compile(
    r"std::bad_alloc|^MemoryError|Unable to allocate|failed to map segment|: (?:Cannot allocate memory|Out of memory)$",
    re.MULTILINE,
)
_NO_MEMORY = frozenset(256 - number for number in (errno.ENOMEM, errno.EAGAIN))  # as ffmpeg's exit status
_UNREAD = re.compile(r"Input/output error|I/O error|Stale file handle|not connected|Permission denied|partial file")
# Options and formats that every clip needs. A filter that is missing may be one that few clips need, as HDR does.
_OTHER_BUILD = re.compile(
    r"^(Unrecognized option .*|Error splitting the argument list: .*|Unknown (?:en|de)coder .*"
    r"|.*Requested output format .*)$",
    re.MULTILINE,
)


def check_ffmpeg(executable: str) -> None:
    """See that a program is ffmpeg, and runs.

    Raises:
        MachineError: it is missing, something else, damaged, or does not answer.
    """
    finished, said = execute([executable, "-version"], timeout_s=PROBE_S, most_bytes=4096)
    if finished.timed_out:
        what = f"does not answer within {PROBE_S:g} s"
    elif said.startswith(b"ffmpeg version") and finished.returncode == 0:
        return
    else:
        what = f"does not run as ffmpeg ({(finished.log.strip().splitlines() or ['it says nothing'])[-1][:200]})"
    raise MachineError(f"runtime.ffmpeg: {executable} {what}; repair it or name another, and {AGAIN}")


def check_end(finished: Finished, arguments: list[str]) -> Finished:
    """How a decoder ended, where that is its clip's doing; `asks_too_much` is known from here on.

    Raises:
        MachineError: it is the machine's.
    """
    program, source = arguments[0], _source(arguments)
    at = f"{program}, at {source}," if source else program
    is_ffmpeg = "-nostdin" in arguments
    if finished.timed_out:
        return finished
    log = "\n".join(_own_words(finished.log, arguments))
    number = _signal(finished.returncode, log)
    if number is not None and number not in CRASHES:
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        why = ", as when memory runs out" if number == signal.SIGKILL else ""
        raise MachineError(f"{at} was ended by {name}{why}; see who sent it, and {AGAIN}")
    if finished.returncode in (126, 127):  # so a shell, or the loader of libraries, says that it cannot start a program
        said = (log.strip().splitlines() or ["it does not say why"])[-1][:200]
        raise MachineError(f"{program} cannot start ({said}); repair or replace it, and {AGAIN}")
    for unwritten in _OUTPUT.finditer(log):
        error = OSError(_NUMBERS[unwritten[1]], unwritten[1], str(_target(arguments)))
        if error.errno != errno.EIO or _WRITES.search(unwritten[0]):
            raise machine_fault(error) or error
    asks_too_much = finished.returncode in _NO_MEMORY or finished.returncode != 0 and bool(_MEMORY.search(log))
    if asks_too_much:
        _check_memory(at)
    if finished.returncode and is_ffmpeg:
        other = _OTHER_BUILD.search(log)
        if other:
            raise MachineError(
                f"runtime.ffmpeg: {program} cannot do what is needed ({other[1][:200]}); name another, and {AGAIN}"
            )
    if is_ffmpeg and (finished.returncode or "info" in arguments and "Input #" not in log):
        check_ffmpeg(program)
    if source and (finished.returncode or _UNREAD.search(log)):
        _read_through(source)
    return replace(finished, asks_too_much=asks_too_much)


def reading_fault(path: Path, error: OSError) -> MachineError | None:
    """The machine's fault behind an error of reading `path`; None where it is the file's own, as its rights are."""
    if isinstance(error, PermissionError):
        try:
            path.stat()
        except OSError as inner:
            return machine_fault(inner)
        return None
    error.filename = error.filename or str(path)
    return machine_fault(error)


def check_reachable(path: Path) -> None:
    """See that a file is there, or is not there; that its folder and disk can be asked.

    Raises:
        MachineError: they cannot.
    """
    try:
        path.stat()
    except OSError as error:
        fault = reading_fault(path, error)
        if fault:
            raise fault from error
    except ValueError:
        return  # no file has such a name


def check_gone(path: Path) -> None:
    """See that a file that was there before is gone alone, and not with its disk.

    Raises:
        MachineError: its folder is gone or empty, or cannot be looked into.
    """
    check_reachable(path)
    if not path.exists():
        check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """See that a folder in which there must be files can be looked into, and has some.

    Raises:
        MachineError: it is gone, empty, or cannot be looked into.
    """
    try:
        with os.scandir(folder) as entries:
            if next(entries, None) is not None:
                return
        what = "is empty"
    except (FileNotFoundError, NotADirectoryError):
        what = "is gone"
    except OSError as error:
        raise machine_fault(error) or error from None
    raise MachineError(
        f"{folder}: {what}, though videos must lie there; mount its disk (where they are gone for good, run the stages "
        f"before this one anew), and {AGAIN}"
    )


def _own_words(log: str, arguments: list[str]) -> Iterator[str]:
    """Lines in which a program speaks for itself: what a file says of itself is indented, and names are taken out."""
    names = [argument.removeprefix("file:") for argument in arguments if argument.startswith("file:")]
    for name in (*names, str(_source(arguments) or "")):
        log = log.replace(f"file:{name}", "").replace(name, "") if name else log
    return (line for line in log.splitlines() if line and not line[0].isspace())


def _signal(returncode: int, log: str) -> int | None:
    """The signal that ended a program, also where ffmpeg caught it, or the shell of a wrapper script saw it."""
    said = _ENDED.search(log)
    if said:
        return int(said[1])
    if returncode < 0:
        return -returncode
    return returncode - 128 if 128 < returncode <= 128 + signal.SIGSYS else None


def _check_memory(at: str) -> None:
    """See that memory ran out at the limit that a decoder is given, and not before."""
    if has_less_memory():
        raise MachineError(
            f"{at} ran out of the memory that this job may use; allow more (ulimit -v; a decoder may take "
            f"{MEMORY_BYTES / 2**30:g} GiB), and {AGAIN}"
        )
    try:
        mmap.mmap(-1, _ROOM_BYTES).close()
    except OSError as error:
        raise MachineError(f"{at} ran out of memory; free some, or let less run at once, and {AGAIN}") from error


def _read_through(path: Path) -> None:
    """Read a file to its end, so that what a decoder could not do with it is known not to be its disk's fault."""
    try:
        with open(path, "rb", buffering=0) as stream:
            while stream.read(2**24):
                pass
    except OSError as error:
        fault = reading_fault(path, error)
        if fault:
            raise fault from error


def _source(arguments: list[str]) -> Path | None:
    """The file that a decoder reads: ffmpeg's first input, or what comes last, behind `--`."""
    if "-i" in arguments:
        name = arguments[arguments.index("-i") + 1]
    else:
        name = arguments[-1] if "--" in arguments else ""
    return Path(name.removeprefix("file:")) if name.startswith(("file:", "/")) else None


def _target(arguments: list[str]) -> Path:
    """The folder that a decoder writes into."""
    names = [last for first, last in zip(arguments, arguments[1:], strict=False) if first != "-i"]
    return next((Path(name.removeprefix("file:")).parent for name in names if name.startswith("file:")), Path("/"))


__all__ = ["check_end", "check_ffmpeg", "check_folder", "check_gone", "check_reachable", "reading_fault"]
