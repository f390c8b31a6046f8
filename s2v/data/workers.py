"""A pool of worker programs. Unlike multiprocessing's it never runs the caller's main script again (that of
a workflow must not run twice), shares no memory with it, and survives a job that kills its worker.

Started as ``python -m s2v.data.workers module:function``; one JSON line says that it is ready, then one JSON line in is
one call, one JSON line out its result. What the machine did to a worker is told from what a job did.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from s2v.errors import AGAIN, MachineError, machine_fault
from s2v.media.process import CRASHES, die_with_parent

_START_S = 300.0


class WorkerError(Exception):
    """The function raised, or its worker died or was `timed_out`; the message is one line."""

    def __init__(self, message: str, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


def map_jobs(
    function: Callable[..., Any], jobs: list[dict[str, Any]], *, workers: int, timeout_s: float
) -> Iterator[tuple[int, Any | WorkerError]]:
    """Call a function with each job's keyword arguments, in `workers` programs; yield results as they come.

    Args:
        function: of a module that can be imported; arguments and result are what JSON can hold.
        jobs: keyword arguments of each call.
        workers: programs at work at once (at least one).
        timeout_s: a call that takes longer ends its worker.

    Yields:
        (index of the job, result or WorkerError), in order of completion. A job that crashes its worker is tried twice.

    Raises:
        MachineError: a worker cannot start, was killed from outside, or met a fault of the machine.
    """
    target = f"{function.__module__}:{function.__qualname__}"
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(jobs)):
        todo.put(index)
    done: queue.SimpleQueue[tuple[int, Any | WorkerError | BaseException]] = queue.SimpleQueue()
    stop = threading.Event()
    pool = [_Worker(target) for _ in range(max(1, min(workers, len(jobs))))]

    def serve(worker: _Worker) -> None:
        index = -1
        try:
            while not stop.is_set():
                index = todo.get_nowait()
                done.put((index, worker.call(jobs[index], timeout_s)))
        except queue.Empty:
            return
        except BaseException as error:
            done.put((index, error))
        finally:
            worker.end(at_once=stop.is_set())

    threads = [threading.Thread(target=serve, args=(worker,), daemon=True) for worker in pool]
    for thread in threads:
        thread.start()
    try:
        for _ in jobs:
            index, outcome = done.get()
            if isinstance(outcome, BaseException) and not isinstance(outcome, WorkerError):
                stop.set()
                for worker in pool:
                    worker.kill()
                raise machine_fault(outcome) or outcome
            yield index, outcome
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=timeout_s)


class _Worker:
    """A worker program, started when it is first called, and anew when it has died."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.process: subprocess.Popen[bytes] | None = None

    def call(self, job: dict[str, Any], timeout_s: float) -> Any | WorkerError:
        """The result of a job; one that crashes its worker is given to a fresh one before it is blamed.

        Raises:
            MachineError: it is the machine's fault.
        """
        for _ in range(2):
            answer, timed_out = self._ask(job, timeout_s)
            if answer is not None:
                if "machine" in answer:
                    raise MachineError(answer["machine"])
                return WorkerError(answer["error"]) if "error" in answer else answer["result"]
            if timed_out:
                return WorkerError(f"took longer than {timeout_s:g} s", timed_out=True)
            assert self.process is not None
            status = self.process.returncode
            if status < 0 and -status not in CRASHES:
                raise MachineError(
                    f"a worker program was ended by {_name(status)}, as when memory runs out; see who sent it, give "
                    f"the job more memory, and {AGAIN}"
                )
        return WorkerError(f"died ({_name(status)})")

    def end(self, at_once: bool) -> None:
        """End the program, after the job that it is at unless `at_once`."""
        if self.process is not None and self.process.stdin is not None:
            if at_once:
                self.process.kill()
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            self.process.wait()

    def kill(self) -> None:
        """End the program from another thread."""
        if self.process is not None:
            self.process.kill()

    def _ask(self, job: dict[str, Any], timeout_s: float) -> tuple[Any | None, bool]:
        """A job's answer, None where the program died over it; and whether it took too long."""
        if self.process is None or self.process.poll() is not None:
            self._start()
        assert self.process is not None and self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
        return self._answer(timeout_s)

    def _start(self) -> None:
        arguments = [sys.executable, "-m", "s2v.data.workers", self.target]
        # One thread a worker: the pool is the parallelism.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        answer, _ = self._answer(_START_S)
        if answer != "ready":
            raise MachineError(
                f"a worker program cannot start ({answer or _name(self.process.returncode)}); see to memory and the "
                f"environment, and {AGAIN}"
            )

    def _answer(self, timeout_s: float) -> tuple[Any | None, bool]:
        assert self.process is not None and self.process.stdout is not None
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self.kill()

        timer = threading.Timer(timeout_s, expire)
        timer.start()
        try:
            line = self.process.stdout.readline()
        finally:
            timer.cancel()
        if line.endswith(b"\n"):
            return json.loads(line), False
        self.process.stdout.close()
        self.kill()
        self.process.wait()
        return None, expired.is_set()


def _name(status: int) -> str:
    return signal.Signals(-status).name if status < 0 and -status in set(signal.Signals) else str(status)


def main(target: str) -> None:
    """Serve calls from standard input until it ends. Whatever the function prints goes to standard error."""
    die_with_parent()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    module, _, name = target.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        answer: Any = "ready"
    except Exception as error:
        traceback.print_exc()
        answer = _line(error)
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()
    for line in sys.stdin.buffer:
        try:
            answer = {"result": function(**json.loads(line))}
        except Exception as error:
            fault = machine_fault(error)
            if fault is None:
                traceback.print_exc()
            answer = {"error": _line(error)} if fault is None else {"machine": str(fault)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


if __name__ == "__main__":
    main(sys.argv[1])
