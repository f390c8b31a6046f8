"""How long from nothing to the first picture, and to the second: `s2v generate` and `s2v.load()` in fresh programs.

    python benchmarks/cold_start.py [--model results] [--times 5] [--json cold.json]

Each number is the median of several programs, each started anew; files are in the system's cache, as from the second
start on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from s2v.files import write_json
from s2v.world.sample import write_sample

IMPORT = "import time; a = time.perf_counter(); import {}; print(time.perf_counter() - a)"
WITHIN = """
import json, sys, time
marks = [time.perf_counter()]
import torch
marks.append(time.perf_counter())
from s2v.control.sheets import write
from s2v.model import Model
from pathlib import Path
marks.append(time.perf_counter())
model = Model(*sys.argv[3:])
marks.append(time.perf_counter())
for sound in sys.argv[1:3]:
    write(model.generate(model.encode_audio(sound)), Path(sound).with_suffix(".out.png"))
    marks.append(time.perf_counter())
print(json.dumps([b - a for a, b in zip(marks, marks[1:])]))
"""
PARTS = ("import torch", "import the rest", "load the model", "first sound", "second sound")


def run(*command: str) -> tuple[str, float]:
    """A program's output and its seconds on the clock."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    return done.stdout, time.perf_counter() - begun


def measure(folder: Path, model: Path | None, times: int) -> dict[str, float]:
    """Medians, in seconds."""
    sounds = [str(write_sample(folder / name, name)[0]) for name in ("campfire crackling", "waterfall")]
    chosen = ["--model", str(model)] if model else []
    rows: list[dict[str, float]] = []
    for turn in range(times + 1):
        row: dict[str, float] = {"import s2v": float(run("-c", IMPORT.format("s2v"))[0])}
        out = str(folder / "picture.png")
        _, row["s2v generate"] = run("-m", "s2v.cli", "generate", sounds[0], "-o", out, *chosen)
        parts: list[float] = json.loads(run("-c", WITHIN, *sounds, *chosen[1:])[0])
        row |= dict(zip(PARTS, parts, strict=True))
        row["s2v generate beyond importing torch"] = row["s2v generate"] - row["import torch"]
        if turn:  # the first fills the system's cache
            rows.append(row)
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="by default that of `s2v generate`")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        numbers: dict[str, Any] = measure(Path(name), arguments.model, arguments.times)
    for what, seconds in numbers.items():
        print(f"{what:40} {seconds:6.3f} s")
    if arguments.json:
        write_json(arguments.json, numbers)


if __name__ == "__main__":
    main()
