"""What claims share: differences of two rows of a table, and how little is no difference."""

from __future__ import annotations

from typing import Any, Literal

from s2v.report.claim import Claim

_ROWS = {"gan": "GAN", "ldm": "LDM", "s2i": "S2I", "audiotoken": "AudioToken"}
METRICS = {"r1": "R@1", "r5": "R@5", "fid": "FID", "is": "IS"}
MARGINS = {"r1": 0.02, "r5": 0.02, "fid": 1.0, "is": 0.25}
"""Differences that are too little to speak of: less than the least that the paper speaks of (2.39 points of R@1)."""
SHARE, RHO = 0.02, 0.1
"""The same of other shares, and of correlations."""
SOME = "above 0, no number"


def difference(source: str, where: str, key: str, paper: str, statement: str, **more: Any) -> Claim:
    """Of two rows of a table in a metric, as the key says: `r1_b_minus_a`. FID is better below, the others above."""
    metric, _, rows = key.partition("_")
    first, second = (_ROWS.get(row, row.capitalize()) for row in rows.split("_minus_"))
    shares = metric in ("r1", "r5")
    quantity = f"{METRICS[metric]}, {first} minus {second}{' (points)' if shares else ''}"
    test: Literal["above", "below"] = "below" if metric == "fid" else "above"
    return Claim(
        source,
        key,
        statement,
        where,
        quantity,
        paper,
        **{"test": test, "percent": shares, "margin": MARGINS[metric]} | more,
    )


def table(number: int, where: str) -> tuple[str, str]:
    """Source and place in the paper of a table's claims."""
    return f"table{number}", f"{where}, Table {number}"


__all__ = ["MARGINS", "METRICS", "RHO", "SHARE", "SOME", "difference", "table"]
