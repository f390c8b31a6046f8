"""What ran: versions of packages, and the revision of the source tree. `s2v.identity` says what decides a result."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGE = __package__ or "s2v"


def versions(*packages: str) -> dict[str, str]:
    """Versions of installed distributions, of Python and of this package; "not installed" where that is so."""
    found = {PACKAGE: _version(PACKAGE), "python": platform.python_version()}
    return found | {name: _version(name) for name in packages}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def revision() -> str:
    """Git revision of the source tree, with `+` where tracked files were changed; "unknown" without git."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=12"]
        done = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip() or "unknown"


__all__ = ["revision", "versions"]
