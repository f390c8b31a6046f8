"""Published weights in the place of a training: the same files, made by conversion."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from s2v.train.runtime import Runtime


def publish(name: str, output_dir: Path, runtime: Runtime) -> None:
    """Write the published weights `name` (`s2v weights list`) to `output_dir`; only the main process does.

    Raises:
        UserError: as `s2v.weights.convert.convert`.
    """
    if runtime.is_main:
        # By name: a training must not rerun because a converter changed. Rules that convert digest its code themselves.
        import_module("s2v.weights.convert").convert(name, output_dir)
    runtime.barrier()


__all__ = ["publish"]
