"""What the table of stages says, as text in other files: the SLURM profile and docs/architecture.md.

Each text stands between two comments there. `python -m s2v.stage_texts` writes all of them anew; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from s2v.stages import STAGES, Stage

FILES = ("profiles/slurm/config.yaml", "docs/architecture.md")
THREADS = 8
"""CPUs of a training on a cluster, for all of its processes together."""

_BETWEEN = re.compile(
    r"(?P<head>^(?:#|<!--) from stages: (?P<name>\w+)[^\n]*\n).*?(?P<tail>^(?:#|<!--) end\b)", re.M | re.S
)


def _rules() -> list[Stage]:
    return [stage for stage in STAGES.values() if not stage.is_variant]


def _resources() -> str:
    first, *others = [stage.name for stage in _rules() if stage.gpus != "none"]
    choices = ["nodes: 1", '# slurm_partition: "gpu"', '# gpu_model: "a100"']
    lines = [f"  {first}: &gpu", *(f"    {choice}" for choice in choices), *(f"  {name}: *gpu" for name in others)]
    return "\n".join(["set-resources:", *lines])


def _threads() -> str:
    names = [stage.name for stage in _rules() if stage.threads == "training"]
    return "\n".join(["set-threads:", *(f"  {name}: {THREADS}" for name in names)])


def _groups() -> str:
    return "\n".join(["groups:", *(f"  {stage.name}: {stage.group}" for stage in _rules() if stage.group)])


def _table() -> str:
    lines = ["| stage | module | takes | gives, under `<output>` |", "|---|---|---|---|"]
    for stage in _rules():
        variants = [other for other in STAGES.values() if other.rule == stage.name and other.gives]
        modules = ", ".join(f"`{name.replace('.', '/')}.py`" for name in stage.modules)
        names, gives = ", ".join(variant.name for variant in variants), "; ".join(map(_gives, variants))
        lines.append(f"| {names} | {modules} | {stage.takes} | {gives} |")
    return "\n".join(lines)


def _gives(stage: Stage) -> str:
    file = f"`{stage.gives.removesuffix('model.safetensors')}`"
    between = ", " if stage.what.startswith("`") else ": "
    return f"{file}{between}{stage.what}" if stage.what else file


_TEXTS: dict[str, Callable[[], str]] = {
    "resources": _resources,
    "threads": _threads,
    "groups": _groups,
    "table": _table,
}


def renewed(text: str) -> str:
    """A file's text, with what follows from the stages as they are now."""
    return _BETWEEN.sub(lambda found: f"{found['head']}{_TEXTS[found['name']]()}\n{found['tail']}", text)


def main() -> None:
    """Write the texts into their files."""
    root = Path(__file__).parent.parent
    for name in FILES:
        path = root / name
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

__all__ = ["FILES", "renewed"]
