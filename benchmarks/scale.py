"""What Snakemake costs as a data set grows: 2,000 to 200,000 rows through the real Snakefile, the work stubbed.

    python benchmarks/scale.py [--rows 2000 20000 200000] [--shards 256] [--json scale.json]

For each number of rows a list in VGGSound's format is written, and measured are: the dry run of everything from
nothing; the manifest, which is real; coverage over all statuses, which is real; and a dry and a true run with nothing
to do. In between every other output is a stub: statuses say that all went well, and the rest are empty files.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parent.parent
PARTS = ("Snakefile", "rules", "workflow_scripts", "profiles", "s2v", "envs", "configs", "config.yaml")
PARTS += ("config.schema.json",)
CLASSES = 309


def copy_of_repository(root: Path) -> None:
    """The workflow in a folder of its own, so that Snakemake's notes do not land in this one."""
    for part in PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / part)


def write_list(path: Path, rows: int) -> None:
    """A list in VGGSound's format: ids that differ, 309 classes, one row in ten for test."""
    with open(path, "w", encoding="utf-8") as stream:
        for i in range(rows):
            video = hashlib.sha256(str(i).encode()).hexdigest()[:11]
            stream.write(f'{video},{i % 300},"class {i % CLASSES}, of a list",{"test" if i % 10 == 0 else "train"}\n')


def overlay(root: Path, shards: int) -> Path:
    """The configuration of the measurement."""
    values = {
        "output": "results/scale",
        "data": {"shards": shards, "vggsound": {"csv": "list.csv", "n_classes": None}},
    }
    path = root / "scale.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def snakemake(root: Path, *arguments: str) -> dict[str, Any]:
    """Run Snakemake; seconds, peak memory of it and its children in MB, jobs of its plan, and its last line."""
    # The system counts a parent's memory as its child's, so this one is small: what is large is imported by a child.
    command = [sys.executable, "-m", "snakemake", *arguments]
    command += ["--configfile", "configs/vggsound50.yaml", "scale.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    started = time.monotonic()
    with open(root / "run.log", "wb") as log:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    text = (root / "run.log").read_text(errors="replace")
    if status:
        raise SystemExit(f"snakemake {' '.join(arguments)} failed:\n{text[-4000:]}")
    total = re.search(r"^total\s+(\d+)$", text, re.M)
    return {
        "seconds": round(seconds, 2),
        "megabytes": round(usage.ru_maxrss / 1024),
        "jobs": int(total[1]) if total else 0,
        "says": text.strip().splitlines()[-1],
    }


def stub_statuses(results: Path) -> None:
    """Statuses that say that every clip went well."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from s2v.data.extract import STAGE as EXTRACT
    from s2v.data.status import FETCHED, STATUS

    for manifest in sorted((results / "manifest").glob("*.parquet")):
        ids = pq.read_table(manifest, columns=["clip_id"])["clip_id"]
        for stage, schema in (("fetch", FETCHED), (EXTRACT, STATUS), ("duplicates", STATUS)):
            columns: dict[str, Any] = {name: pa.nulls(len(ids), schema.field(name).type) for name in schema.names}
            zero, text = pa.array([0.0] * len(ids)), pa.array
            columns |= {"clip_id": ids, "stage": text([stage] * len(ids)), "status": text(["ok"] * len(ids))}
            columns |= {"seconds": zero} | ({"offset_s": zero} if "offset_s" in columns else {})
            path = results / stage / manifest.name
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(columns, schema=schema), path)


def stub_outputs(root: Path) -> None:
    """Statuses, and empty files for all other outputs that are still missing."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    stub = [sys.executable, __file__, "--stub", str(root / "results" / "scale")]
    subprocess.run(stub, env=environment, check=True)
    command = [sys.executable, "-m", "snakemake", "--summary", "--cores", "1"]
    command += ["--configfile", "configs/vggsound50.yaml", "scale.yaml"]
    listing = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines()[1:]:
        path = root / line.split("\t")[0]
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def measure(rows: int, shards: int) -> dict[str, Any]:
    """All measurements for one number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_of_repository(root)
        write_list(root / "list.csv", rows)
        overlay(root, shards)
        found = {"rows": rows, "shards": shards, "plan": snakemake(root, "--dry-run", "--quiet", "rules")}
        found["plan"]["jobs"] = snakemake(root, "--dry-run")["jobs"]
        found["manifest"] = snakemake(root, "--cores", "1", "--until", "manifest")
        stub_outputs(root)
        snakemake(root, "--cores", "1", "--touch")
        found["coverage"] = snakemake(root, "--cores", "1", "--forcerun", "coverage", "--until", "coverage")
        snakemake(root, "--cores", "1", "--touch")
        found["nothing to do, dry"] = snakemake(root, "--dry-run")
        found["nothing to do"] = snakemake(root, "--cores", "1")
        return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[2000, 20000, 200000])
    parser.add_argument("--shards", type=int, default=256)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--stub", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stub:
        return stub_statuses(arguments.stub)
    results = [measure(rows, arguments.shards) for rows in arguments.rows]
    print("| rows | shards | run | seconds | peak MB | jobs |\n|---|---|---|---|---|---|")
    for result in results:
        for name, numbers in result.items():
            if isinstance(numbers, dict):
                measured = (numbers[key] for key in ("seconds", "megabytes", "jobs"))
                cells = (result["rows"], result["shards"], name, *measured)
                print("| " + " | ".join(str(cell) for cell in cells) + " |")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
