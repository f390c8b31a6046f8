"""What jobs ask of a machine: threads, GPUs, memory and time."""

from __future__ import annotations

from collections.abc import Callable

from s2v.config import Config
from s2v.config.methods import METHODS
from s2v.planning import resources
from s2v.planning.wildcards import Amount, StageOf, Wildcards, stage_name, stage_of_method
from s2v.stages import STAGES


class Asks:
    """What the jobs of a configuration ask for.

    Args:
        config: the configuration.
        cores: that all jobs share on this machine; None on a cluster, whose profile says the threads.
    """

    def __init__(self, config: Config, cores: int | None = None) -> None:
        self.config = config
        # Half of the cores: alignment and the generator, the two long trainings, then run side by side. Two small nets
        # on a thread each were measured to finish sooner than one after the other on two.
        self._training_threads = max(1, min(8, (cores or 16) // 2))

    def threads(self, stage: StageOf) -> int | Callable[[Wildcards], int]:
        """Threads of a job."""
        if isinstance(stage, str):
            return self._threads(stage)
        return lambda wildcards: self._threads(stage(wildcards))

    def _threads(self, stage: str) -> int:
        if STAGES[stage].threads != "training":
            return 1
        own = [threads for name, threads in self.config.runtime.threads.items() if name == stage]
        return own[0] if own else self._training_threads

    def gpus(self, stage: str) -> int:
        """GPUs of a job; none where the configuration computes on the CPU."""
        runtime = self.config.runtime
        here = {"none": 0, "job": 1, "process": runtime.processes}[STAGES[stage].gpus]
        return 0 if runtime.device == "cpu" else here

    def memory(self, stage: StageOf) -> Amount:
        """Memory (MB) of a job: twice as much when it is tried again, since one that overran it was killed."""
        return lambda wildcards, attempt: self._memory_mb(stage_name(stage, wildcards)) * min(attempt, 2)

    def minutes(self, stage: StageOf) -> Amount:
        """Time (minutes) of a job, doubled likewise, unless it goes on where it was stopped."""

        def asked(wildcards: Wildcards, attempt: int) -> int:
            name = stage_name(stage, wildcards)
            return self._minutes(name) * (1 if STAGES[name].resumes else min(attempt, 2))

        return asked

    def memory_of_method(self, stage: str) -> Amount:
        """Memory of a job of a method: what its sizes ask for, and no less than the method is known to need."""

        def asked(wildcards: Wildcards, attempt: int) -> int:
            least = METHODS[wildcards.method].renders.memory_mb
            return max(least, self._memory_mb(stage_of_method(stage, wildcards))) * min(attempt, 2)

        return asked

    def minutes_of_method(self, stage: str) -> Amount:
        """Time of a job of a method; what the method is known to take is for drawing."""
        return lambda wildcards, attempt: (
            max(
                METHODS[wildcards.method].renders.minutes if stage == "generate" else 0,
                self._minutes(stage_of_method(stage, wildcards)),
            )
            * min(attempt, 2)
        )

    def _memory_mb(self, stage: str) -> int:
        return resources.memory_mb(self.config, STAGES[stage].sizes)

    def _minutes(self, stage: str) -> int:
        found = STAGES[stage]
        # A figure may hold the nets of another stage, and takes its own time.
        return found.minutes if found.minutes and not found.memory_mb else resources.minutes(self.config, found.sizes)


__all__ = ["Asks"]
