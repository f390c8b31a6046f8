"""A circuit breaker: where most clips of a shard fail alike, the machine is likelier at fault than they are."""

from __future__ import annotations

from collections import Counter, defaultdict

from s2v.data.status import Row
from s2v.errors import AGAIN, MachineError, Reason

SUSPECT = frozenset([Reason.DECODE_ERROR, Reason.TIMEOUT, Reason.RENDER_ERROR, Reason.MISSING])
"""Reasons that a fault of the machine may look like; others say what a clip is."""

LIMIT = 0.5
LEAST = 4
"""So few failures may always be the clips' own."""


class Breaker:
    """Counts the suspect failures of a shard.

    Args:
        shard: its name, for the message.
        clips: how many are tried.
        limit: share of them above which failures of one reason stop the stage.
        advice: what to do where the clips are to blame.
    """

    def __init__(self, shard: str, clips: int, limit: float = LIMIT, advice: str = "") -> None:
        self.shard, self.clips, self.limit, self.advice = shard, clips, limit, advice
        self.details: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, row: Row) -> None:
        """Take note of a clip's outcome.

        Raises:
            MachineError: too many have failed alike.
        """
        if row["status"] == "ok" or row["reason"] not in SUSPECT:
            return
        details = self.details[row["reason"]]
        details[row["detail"]] += 1
        lost = details.total()
        if lost >= LEAST and lost > self.limit * self.clips:
            ((commonest, _),) = details.most_common(1)
            raise MachineError(
                f"{lost} of {self.clips} clips of shard {self.shard} failed alike, more than a share of {self.limit:g} "
                f"({row['reason']}: {commonest}); see to disks, memory and ffmpeg, and {AGAIN}{self.advice}"
            )


__all__ = ["LEAST", "LIMIT", "SUSPECT", "Breaker"]
