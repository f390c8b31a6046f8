"""Which split each file of a folder is in: every class is shared out alike, and files that come or go move few others.

The files of a class stand in a row, in the order of a hash of their paths. The splits, in the order of their names,
take one stretch of the row each, as long as their shares say (`counts`). A file that is added or removed shifts each of
the edges between two splits by one place at most, so it moves at most one other file over each edge, all of its own
class: with four splits three at the most, less than one on average. The shares' order in the configuration does not
matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate, pairwise

from s2v.data.lists import point


def assign(files: Mapping[str, str | None], shares: Mapping[str, float]) -> dict[str, str]:
    """The split of each file.

    Args:
        files: class of each file by its path; those without one are shared out as a class of their own.
        shares: of each split, above 0; they need not add up to 1.
    """
    classes: dict[str | None, list[str]] = {}
    for path in sorted(files, key=lambda path: (point("split", path), path)):
        classes.setdefault(files[path], []).append(path)
    found: dict[str, str] = {}
    for row in classes.values():
        stretches = [split for split, n in counts(len(row), shares).items() for _ in range(n)]
        found |= zip(row, stretches, strict=True)
    return found


def counts(n: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many of a class's `n` files each split gets: its share to within one file, and at least one.

    Where there are fewer files than splits, those of the largest shares get one each, equal ones by name.
    """
    names = sorted(shares)
    if n < len(names):
        largest = sorted(names, key=lambda name: (-shares[name], name))[:n]
        return {name: int(name in largest) for name in names}
    total = sum(shares.values())
    edges = [math.floor(n * reached / total + 0.5) for reached in accumulate(shares[name] for name in names)]
    # Room for one file on the left of each edge, then on the right.
    edges = list(accumulate(edges, lambda left, edge: max(edge, left + 1), initial=0))
    edges = list(accumulate(reversed(edges[:-1]), lambda right, edge: min(edge, right - 1), initial=n))[::-1]
    return {name: high - low for name, (low, high) in zip(names, pairwise(edges), strict=True)}


__all__ = ["assign", "counts"]
