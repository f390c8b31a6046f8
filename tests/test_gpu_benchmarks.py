"""The benchmarks that are meant for a GPU, in a small form on the CPU and on a GPU that is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from gpu_memory import counted

SMALL = ["config.yaml", "configs/tiny.yaml"]


@pytest.mark.slow
def test_steps_and_samplers_are_timed(tmp_path: Path) -> None:
    what = ["align", "generator, sampling", "diffusion, usual loop"]
    command = [sys.executable, "benchmarks/gpu.py", "--config", *SMALL, "--batch", "2", "--steps", "1", "--only", *what]
    done = subprocess.run([*command, "--json", str(tmp_path / "out")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "out").read_text())
    assert [row["training"] for row in rows] == ["align at most", *what[1:]]
    assert all(row["step, s"] > 0 and row["batch"] == 2 for row in rows)


def test_memory_of_pieces_is_less_than_that_of_the_whole() -> None:
    whole, pieces = (counted(SMALL, "encoder", n, 24e9)["GB"] for n in (None, 4))
    assert 0 < pieces < 0.7 * whole
