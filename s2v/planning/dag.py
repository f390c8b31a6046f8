"""The jobs of a run: the graph that Snakemake itself draws of the workflow in this folder."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path

from s2v.errors import UserError

_ROUTINE = re.compile(r"Using .*profile|Config file .* is extended|Building DAG of jobs")


def planned(files: Sequence[Path], *runs: Sequence[str]) -> list[Counter[str]]:
    """Jobs by rule of runs from nothing.

    Args:
        files: the configuration's, the default first.
        runs: targets of each: rules, or files whose rule has the file's name without its ending.

    Returns:
        {rule: jobs} of each run; a target that is a rule is no job of its own.

    Raises:
        UserError: this is not the workflow's folder, or Snakemake cannot plan it.
    """
    if not Path("Snakefile").is_file():
        raise UserError(f"there is no Snakefile in {Path.cwd()}; run `s2v plan` in the repository's folder")
    overlays = [str(path) for path in files[1:]]
    targets = list(dict.fromkeys(target for run in runs for target in run))
    command = [sys.executable, "-m", "snakemake", *targets, "--dag", "dot", "--forceall", "--nocolor"]
    command += ["--configfile", *overlays] if overlays else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if not _ROUTINE.match(line)]
        raise UserError(f"snakemake says: {' '.join(filter(None, lines))[:300]}")
    rules = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)', done.stdout, re.M))
    made_from: dict[str, list[str]] = {job: [] for job in rules}
    for source, job in re.findall(r"^\s*(\d+) -> (\d+)$", done.stdout, re.M):
        made_from[job].append(source)
    return [_upstream(rules, made_from, run) for run in runs]


def _upstream(rules: dict[str, str], made_from: dict[str, list[str]], targets: Sequence[str]) -> Counter[str]:
    todo = [job for job, rule in rules.items() if rule in {Path(target).stem for target in targets}]
    needed: set[str] = set()
    while todo:
        job = todo.pop()
        if job not in needed:
            needed.add(job)
            todo += made_from[job]
    in_order = TopologicalSorter(made_from).static_order()
    return Counter(rules[job] for job in in_order if job in needed and rules[job] not in targets)


__all__ = ["planned"]
