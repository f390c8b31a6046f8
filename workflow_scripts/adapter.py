"""What every script of the workflow shares: the log, progress on the screen, one-line errors, the run's settings.

A script gets its files and values from Snakemake and hands them to one function of `s2v`; nothing else happens here.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from s2v.config import RuntimeConfig
from s2v.errors import UserError, machine_fault
from s2v.extras import advice


@dataclass(frozen=True)
class Job:
    """The settings that change nothing about results, and so are no params of a rule."""

    runtime: RuntimeConfig
    threads: int

    def ffmpeg(self) -> str:
        """The ffmpeg executable that `runtime.ffmpeg` names."""
        from s2v.media.ffmpeg import ffmpeg_path

        return ffmpeg_path(self.runtime.ffmpeg)


@contextmanager
def job(snakemake: Any, shared: bool = False) -> Iterator[Job]:
    """Send all output to the rule's log; end with one line instead of a traceback where the user can act on it.

    A `shared` job is a training: with `runtime.processes` above 1 its script is started anew by torchrun, in as many
    processes, a part of them on each of `runtime.nodes`. The first of them writes the files, and the log; the others'
    logs lie beside it.
    """
    runtime = RuntimeConfig.model_validate(snakemake.config.get("runtime", {}))
    rank = os.environ.get("RANK")
    if shared and runtime.processes > 1 and rank is None:
        command = _in_processes(runtime, snakemake)
        os.execvp(command[0], command)
    log = Path(snakemake.log[0])
    log = log.with_suffix(f".{rank}.log") if rank not in (None, "0") else log
    terminal = os.dup(2)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w", encoding="utf-8") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
    except OSError as error:
        _fail(terminal, f"{snakemake.rule}: {machine_fault(error) or error}")
    screen = logging.StreamHandler(os.fdopen(os.dup(terminal), "w"))
    screen.addFilter(_Seldom())
    handlers = [logging.StreamHandler(sys.stderr), screen]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", handlers=handlers)
    try:
        made = folder(snakemake.output)
        runtime = runtime.of(made.name if made.parent.name != "judges" else "judge")
        on_node = runtime.processes // runtime.nodes if shared else 1
        yield Job(runtime, max(1, snakemake.threads // on_node))
    except UserError as error:
        _fail(terminal, f"{snakemake.rule}: {error}")
    except Exception as error:
        # A full disk takes the log, too; the line on the screen must still come.
        with suppress(OSError):
            traceback.print_exc()
        what = advice(error) if isinstance(error, ModuleNotFoundError) else machine_fault(error)
        what = what or f"{type(error).__name__}: {error}; the traceback is in {log}"
        _fail(terminal, f"{snakemake.rule}: {what}")


def _in_processes(runtime: RuntimeConfig, snakemake: Any) -> list[str]:
    """The command that starts this script in all processes that share a training."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={runtime.processes // runtime.nodes}"]
    if runtime.nodes == 1:
        return [*torchrun, "--standalone", sys.argv[0]]
    number = os.environ.get("SLURM_JOB_ID")
    if number is None:
        _fail(2, f"{snakemake.rule}: runtime.nodes is {runtime.nodes}, which is for jobs of SLURM; here it is 1")
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    meeting = ["--rdzv-backend=c10d", f"--rdzv-endpoint={socket.gethostname()}:{port}", f"--rdzv-id={number}"]
    each = [f"--nodes={runtime.nodes}", f"--ntasks={runtime.nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
    cpus = [f"--cpus-per-task={snakemake.threads}", "--cpu-bind=none"]
    return ["srun", *each, *cpus, *torchrun, f"--nnodes={runtime.nodes}", *meeting, sys.argv[0]]


class _Seldom(logging.Filter):
    """Lets a line through every few seconds: enough to see on the screen that a training moves."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self.seconds, self.last = seconds, time.monotonic()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the screen shows `record`."""
        now = time.monotonic()
        if record.levelno < logging.WARNING and now - self.last < self.seconds:
            return False
        self.last = now
        return True


def _fail(terminal: int, line: str) -> NoReturn:
    os.write(terminal, f"{' '.join(line.split())}\n".encode())
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
    sys.exit(1)


def paths(files: Any) -> list[Path]:
    """Files of an input or output that may be one or many."""
    return [Path(files)] if isinstance(files, str) else [Path(file) for file in files]


def optional(files: Any) -> Path | None:
    """The file of an input or output that may be left out."""
    return paths(files)[0] if files else None


def table_job(snakemake: Any) -> Any:
    """What the stages of all tables take alike (`s2v.report.tables.TableJob`)."""
    from s2v.report.tables import TableJob

    return TableJob(
        coverage=Path(snakemake.input.coverage),
        splits=snakemake.params.splits,
        dataset=snakemake.params.dataset,
        deviations=snakemake.params.deviations,
        bootstrap=snakemake.params.bootstrap,
        output=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
        similar=[(first, second) for first, second in snakemake.params.get("similar", [])],
    )


def folders(files: Any) -> list[Path]:
    """The folders that the files of an input lie in, in their order."""
    return list(dict.fromkeys(path.parent for path in paths(files)))


def folder(files: Any) -> Path:
    """The folder that the files of an output or input lie in; an empty path where there are none."""
    return paths(files)[0].parent if files else Path()
