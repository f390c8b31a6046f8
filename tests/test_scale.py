"""A large data set costs Snakemake no more than a small one: shards are the unit of work."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

from workflow_runs import Checkout

ROWS = 200_000
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
CONFIG = ("--configfile", "configs/vggsound50.yaml", "scale.yaml")


def _write_list(path: Path, rows: int) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        for i in range(rows):
            video = hashlib.sha256(str(i).encode()).hexdigest()[:11]
            stream.write(f'{video},{i % 300},"class {i % 309}, quoted",{"test" if i % 10 == 0 else "train"}\n')


def test_a_dry_run_over_200000_rows_is_quick_small_and_of_few_jobs(tmp_path: Path) -> None:
    """The bars are 10 s and 500 MB on an idle machine; benchmarks/scale.py measures, this guards against growth."""
    checkout = Checkout.of_repository(tmp_path / "checkout")
    overlay = "output: results/scale\ndata: {vggsound: {csv: list.csv, n_classes: null}}\n"
    (checkout.root / "scale.yaml").write_text(overlay)
    _write_list(checkout.root / "list.csv", 2000)
    few = checkout.planned(config=CONFIG)
    _write_list(checkout.root / "list.csv", ROWS)
    many = checkout.planned(config=CONFIG)
    assert many == few and 500 < sum(many.values()) < 2000
    started = time.monotonic()
    command = checkout.command("--dry-run", "--quiet", "rules", config=CONFIG)
    # The system counts a parent's memory as its child's, so the parent must be a small one.
    measured = [sys.executable, "-S", "-c", MEASURE, *command]
    done = subprocess.run(measured, cwd=checkout.root, env=checkout.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.splitlines()[-1]) / 1024 < 500
    assert time.monotonic() - started < 40
