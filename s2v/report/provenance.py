"""Stage `provenance`: what made the results of a run, as a table of names and values."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from s2v.provenance import versions
from s2v.report.tables import coverage_line
from s2v.report.tabular import Column, write_csv

PACKAGES = (
    "snakemake", "torch", "torchvision", "torchaudio", "diffusers", "transformers", "webdataset", "decord",
    "imageio-ffmpeg", "torchmetrics", "torch-fidelity", "open_clip_torch", "scikit-learn", "numpy", "pandas", "pyarrow",
)  # fmt: skip


def run(*, config: dict[str, Any], files: list[str], revision: str, coverage: Path, output: Path) -> None:
    """Write the table.

    Args:
        config: the whole configuration as plain values.
        files: those it came from, the last on top.
        revision: of the code.
        coverage: coverage_by_class.csv.
        output: CSV.
    """
    rows = [
        ("data set", config["name"]),
        ("configuration", ", ".join(files)),
        ("code", f"revision {revision} (+: tracked files were changed)"),
        ("evaluator", config["evaluate"]["evaluator"]),
        ("seeds of generation", ", ".join(map(str, config["generate"]["seeds"]))),
        *((f"trainings, {key}", ", ".join(map(str, value))) for key, value in config["seeds"].items()),
        ("clips", coverage_line(coverage, sorted({config["generate"]["split"], "train", "val"}))),
        ("machine", platform.platform()),
        *((f"version, {name}", version) for name, version in versions(*PACKAGES).items()),
        *((f"config, {key}", str(value)) for key, value in _flat(config)),
    ]
    columns: list[Column[tuple[str, str]]] = [Column("what", lambda row: row[0]), Column("value", lambda row: row[1])]
    write_csv(output, columns, rows)


def _flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner


__all__ = ["run"]
