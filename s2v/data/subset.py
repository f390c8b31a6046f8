"""Stage `classes`: nested sets of classes, for how pictures bear more of them (paper 6.1, Fig. 16)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s2v.data.vggsound_classes import PAPER_50
from s2v.errors import UserError
from s2v.files import read_json, read_parquet, write_json

if TYPE_CHECKING:
    from s2v.config import DataConfig


def known_order(config: DataConfig) -> list[str]:
    """Classes that come first, in their order: the world's as they are configured, VGGSound's 50 of the paper."""
    if config.source == "world" and config.world is not None:
        return list(config.world.classes)
    return list(PAPER_50) if config.source == "vggsound" else []


def nested(labels: Sequence[str | None], first: Sequence[str], size: int) -> list[str]:
    """The set of `size` classes; a larger set holds every smaller one.

    Args:
        labels: class of every clip, None where unknown.
        first: classes that come first, as far as clips have them; the others follow by number of clips, equal ones by
            name.
        size: of the set.

    Raises:
        UserError: there are fewer classes.
    """
    counts = Counter(label for label in labels if label)
    ranked = [name for name in first if name in counts]
    ranked += sorted(counts.keys() - set(ranked), key=lambda name: (-counts[name], name))
    if size > len(ranked):
        raise UserError(f"scaling.sizes: {size} classes are asked for, and the data have {len(ranked)}")
    return ranked[:size]


def run(*, manifest: list[Path], first: list[str], size: int, output: Path) -> None:
    """Write the names of the set of `size` classes of some manifests as JSON.

    Raises:
        UserError: there are fewer classes.
    """
    labels = [row["label"] for path in manifest for row in read_parquet(path)]
    write_json(output, nested(labels, first, size))


def read_classes(path: Path | None, named: Sequence[str] | None = None) -> frozenset[str] | None:
    """The names that `run` wrote; without a file those that are `named`, and None, which is all clips, without them."""
    if path is None:
        return None if named is None else frozenset(named)
    names = read_json(path)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{path}: no list of classes; remove it and run stage classes again")
    return frozenset(names)


def indices(labels: Sequence[str | None], classes: frozenset[str] | None) -> list[int]:
    """Positions of the clips of some classes, in their order; of all clips for None."""
    return [i for i, label in enumerate(labels) if classes is None or label in classes]


__all__ = ["indices", "known_order", "nested", "read_classes", "run"]
