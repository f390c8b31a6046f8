"""p of several tests, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence


def holm(values: Sequence[float], tests: int = 0) -> list[float]:
    """Each as large as it has to be for all to be read together: the chance that any is wrongly small is 5 % at most.

    Args:
        values: p of those that were made.
        tests: how many were announced, where that is more; those that were not made count as if they said nothing.
    """
    return _corrected([*values, *[1.0] * (tests - len(values))], "holm")[: len(values)]


def false_discovery(values: Sequence[float]) -> list[float]:
    """Each as large as it has to be for 5 % of those that are small to be wrongly so (Benjamini and Hochberg 1995)."""
    return _corrected(values, "fdr_bh")


def _corrected(values: Sequence[float], method: str) -> list[float]:
    from statsmodels.stats.multitest import multipletests

    return [float(one) for one in multipletests(values, method=method)[1]] if len(values) else []


__all__ = ["false_discovery", "holm"]
