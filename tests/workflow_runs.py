"""Copies of the repository in which tests run Snakemake, edit files and kill things."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
PARTS = ("Snakefile", "rules", "report", "workflow_scripts", "profiles", "s2v", "envs", "config.yaml")
PARTS += ("config.schema.json", "configs")
TINY = ("--configfile", "configs/tiny.yaml")


@dataclass(frozen=True)
class Checkout:
    """A folder with a copy of the workflow."""

    root: Path

    @classmethod
    def of_repository(cls, root: Path) -> Checkout:
        """Copy what the workflow needs, times included, since Snakemake compares them."""
        root.mkdir(parents=True)
        ignore = shutil.ignore_patterns("__pycache__")
        for part in PARTS:
            source = REPOSITORY / part
            if source.is_dir():
                shutil.copytree(source, root / part, ignore=ignore)
            else:
                shutil.copy2(source, root / part)
        return cls(root)

    def copy(self, root: Path) -> Checkout:
        """This checkout with its results and Snakemake's notes about them."""
        shutil.copytree(self.root, root, symlinks=True)
        return Checkout(root)

    @property
    def results(self) -> Path:
        """Output of the tiny configuration."""
        return self.root / "results" / "tiny"

    def command(self, *arguments: str, config: tuple[str, ...] = TINY) -> list[str]:
        """A Snakemake command line; targets and flags go before --configfile, which takes all that follows."""
        return [sys.executable, "-m", "snakemake", *arguments, *config]

    def environment(self) -> dict[str, str]:
        """This checkout's package, and no one else's; no user's profile."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST"))}
        return {**kept, "PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"}

    def snakemake(
        self, *arguments: str, config: tuple[str, ...] = TINY, timeout_s: float = 900, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake here to its end, with more environment variables; standard error is in stdout too."""
        return subprocess.run(
            self.command(*arguments, config=config),
            cwd=self.root,
            env=self.environment() | variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
        )

    def planned(self, *arguments: str, config: tuple[str, ...] = TINY) -> dict[str, int]:
        """What a dry run would do: jobs per rule."""
        done = self.snakemake("--dry-run", *arguments, config=config)
        assert done.returncode == 0, done.stdout[-4000:]
        if "Nothing to be done" in done.stdout:
            return {}
        table = done.stdout.split("Job stats:")[1].split("\n\n")[0]
        jobs = {name: int(n) for name, n in re.findall(r"^(\w+)\s+(\d+)$", table, re.M)}
        jobs.pop("total")
        jobs.pop("all", None)
        return jobs

    def kill_when(self, ready: Callable[[], bool], *arguments: str, timeout_s: float = 300) -> None:
        """Start a run, and kill -9 its whole process group as soon as `ready`."""
        with open(self.root / "killed.log", "ab") as log:
            process = subprocess.Popen(
                self.command(*arguments),
                cwd=self.root,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout_s
        try:
            while not ready():
                assert process.poll() is None, (self.root / "killed.log").read_text()[-4000:]
                assert time.monotonic() < deadline, "the moment to kill never came"
                time.sleep(0.005)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the one place of a file that says `old`."""
        text = (self.root / path).read_text()
        assert text.count(old) == 1, f"{path}: {old!r} is there {text.count(old)} times"
        (self.root / path).write_text(text.replace(old, new))
