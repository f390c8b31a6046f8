"""Kinds of clips that the world's truth tells apart: what is harder about some of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from s2v.files import read_parquet

FAR = 2.4
"""Distance beyond which a source is far: its picture is less than three eighths as high as that of one at 1."""

KINDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "no other source is heard": lambda fact: fact["interference"] is None,
    "another source is heard": lambda fact: fact["interference"] is not None,
    "looks as in training": lambda fact: not fact["out_of_range"],
    "looks outside what training sees": lambda fact: bool(fact["out_of_range"]),
    "the source is near": lambda fact: fact["distance"] <= FAR,
    f"the source is far (over {FAR:g})": lambda fact: fact["distance"] > FAR,
}
"""Pairs of opposites, each by a row of `s2v.world.TRUTH`."""


def kinds(truth: Path, split: str) -> dict[str, frozenset[str]]:
    """Ids of the clips of each kind, of a split; those kinds are left out of which all its clips are, or none.

    Args:
        truth: Parquet file of the world's truth.
        split: name of the split.
    """
    facts = [row for row in read_parquet(truth) if row["split"] == split and row.get("distance") is not None]
    found = {name: frozenset(row["clip_id"] for row in facts if of(row)) for name, of in KINDS.items()}
    return {name: clips for name, clips in found.items() if 0 < len(clips) < len(facts)}


__all__ = ["kinds"]
