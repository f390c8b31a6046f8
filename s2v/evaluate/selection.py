"""Whether chosen moments show the sounding source, against the world's truth (paper 3.3)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s2v.errors import UserError
from s2v.files import read_parquet


@dataclass(frozen=True)
class Judged:
    """The moments of one clip. `right` says of each frame whether its source is seen and heard."""

    clip_id: str
    split: str
    label: str
    right: list[bool]
    scores: list[float]
    top: list[int]
    mid: int
    loudest: int | None = None
    """Frame in the loudest second; None where the sound is not there."""

    @property
    def measures(self) -> dict[str, float]:
        """Of the best moment, the share of the best three, of the middle frame, of a uniformly drawn frame (its
        expectation), of the frame in the loudest second (not a number without the sound), and `order`: the share of
        pairs of a right and a wrong frame whose scores are in that order."""
        good = [score for score, ok in zip(self.scores, self.right, strict=True) if ok]
        bad = [score for score, ok in zip(self.scores, self.right, strict=True) if not ok]
        three = self.top[:3]
        return {
            "top1": float(self.right[self.top[0]]),
            "top3": sum(self.right[t] for t in three) / len(three),
            "mid": float(self.right[self.mid]),
            "random": sum(self.right) / len(self.right),
            "loudest": math.nan if self.loudest is None else float(self.right[self.loudest]),
            "order": sum(g > b for g in good for b in bad) / (len(good) * len(bad)) if bad else 1.0,
        }


def loudest_frame(wave: NDArray[np.int16], rate_hz: int, fps: float, frames: int) -> int:
    """The frame in the middle of the loudest second of a sound [N]."""
    power = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
    middles = (np.arange(frames) + 0.5) / fps * rate_hz
    start = np.clip(middles - rate_hz / 2, 0, max(0, len(wave) - rate_hz)).astype(int)
    end = np.minimum(start + rate_hz, len(wave))
    loud = power[end] - power[start]
    # The first frames share the first second, as the last ones the last: of those, the one in its middle.
    best = np.flatnonzero(loud == loud.max())
    return int(best[np.argmin(np.abs(middles[best] - (start[best] + end[best]) / 2))])


def judged(
    selection: Iterable[dict[str, Any]], truth: dict[str, dict[str, Any]], loudest: Mapping[str, int] | None = None
) -> list[Judged]:
    """Clips with sound of which some frame is right; in the others nothing can be chosen rightly.

    Args:
        selection: rows of `s2v.data.select.SELECTION`.
        truth: rows of `s2v.world.TRUTH` by clip id.
        loudest: `loudest_frame` by clip id, as far as sounds are there.

    Raises:
        UserError: the truth lacks a clip.
    """
    found = []
    for row in selection:
        if not row["scores"]:
            continue
        fact = truth.get(row["clip_id"])
        if fact is None:
            raise UserError(f"the world's truth has no clip {row['clip_id']}; it is that of another world")
        right = [seen and heard for seen, heard in zip(fact["visible"], fact["sounding"], strict=True)]
        # The encoder may add or drop a frame at the end.
        right = (right + right[-1:] * row["n_frames"])[: row["n_frames"]]
        if any(right):
            found.append(
                Judged(
                    row["clip_id"], row["split"], fact["class"], right, row["scores"], row["top"], row["mid"],
                    (loudest or {}).get(row["clip_id"]),
                )
            )  # fmt: skip
    return found


def showing(selection: Iterable[Path], truth: Path) -> frozenset[str]:
    """Ids of the clips whose selected moment shows the source that is heard.

    Args:
        selection: Parquet files of stage select.
        truth: Parquet file of the world's truth.

    Raises:
        UserError: the truth lacks a clip.
    """
    facts = {row["clip_id"]: row for row in read_parquet(truth)}
    found = (one for path in selection for one in judged(read_parquet(path), facts))
    return frozenset(one.clip_id for one in found if one.right[one.top[0]])


__all__ = ["Judged", "judged", "loudest_frame", "showing"]
