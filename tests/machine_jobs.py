"""What a worker of a test does, in a module that is imported in no time."""

from __future__ import annotations

import errno
import os
import signal


def misbehave(how: str, once: str | None = None) -> str:
    """Fail in the given way; with the file `once`, only where it is not there yet."""
    if once is not None:
        try:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return how
    if how == "memory":
        raise MemoryError
    if how == "nowhere":
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    if how in errno.errorcode.values():
        number = getattr(errno, how)
        raise OSError(number, os.strerror(number), "/a/file")
    if how.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, how))
    return how
