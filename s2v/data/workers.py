"""A pool of worker programs. Unlike multiprocessing's it never runs the caller's main script again (that of
a workflow must not run twice), shares no memory with it, and survives a job that kills its worker.

Started as ``python -m s2v.data.workers module:function``; one JSON line in is one call, one JSON line out its
result.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any


class WorkerError(Exception):
    """The function raised, or its worker died; the message is one line."""


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
        (index of the job, result or WorkerError), in order of completion.
    """
    target = f"{function.__module__}:{function.__qualname__}"
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(jobs)):
        todo.put(index)
    done: queue.SimpleQueue[tuple[int, Any | WorkerError]] = queue.SimpleQueue()
    stop = threading.Event()

    def serve() -> None:
        worker: subprocess.Popen[bytes] | None = None
        try:
            while not stop.is_set():
                try:
                    index = todo.get_nowait()
                except queue.Empty:
                    return
                if worker is None or worker.poll() is not None:
                    worker = _start(target)
                done.put((index, _call(worker, jobs[index], timeout_s)))
        finally:
            if worker is not None:
                worker.kill() if stop.is_set() else worker.stdin and worker.stdin.close()
                worker.wait()

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(max(1, min(workers, len(jobs))))]
    for thread in threads:
        thread.start()
    try:
        for _ in jobs:
            yield done.get()
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=timeout_s)


def _start(target: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-m", "s2v.data.workers", target]
    # One thread a worker: the pool is the parallelism.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def _call(worker: subprocess.Popen[bytes], job: dict[str, Any], timeout_s: float) -> Any | WorkerError:
    assert worker.stdin is not None and worker.stdout is not None
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        worker.kill()

    timer = threading.Timer(timeout_s, expire)
    timer.start()
    try:
        worker.stdin.write(json.dumps(job).encode() + b"\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except OSError:
        line = b""
    finally:
        timer.cancel()
    if not line.endswith(b"\n"):
        worker.kill()
        worker.wait()
        return WorkerError(f"took longer than {timeout_s:g} s" if expired.is_set() else f"died ({worker.returncode})")
    answer = json.loads(line)
    return WorkerError(answer["error"]) if "error" in answer else answer["result"]


def main(target: str) -> None:
    """Serve calls from standard input until it ends. Whatever the function prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    for line in sys.stdin.buffer:
        try:
            answer = {"result": function(**json.loads(line))}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
