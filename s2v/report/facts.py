"""How the numbers of a table were made, in words: what stands above each table of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2v.data.coverage import read_shares
from s2v.evaluate.fidelity import IS_SHUFFLE_SEED
from s2v.report.rows import Row


@dataclass(frozen=True)
class Facts:
    """One line each; an empty one is left out."""

    data: str
    coverage: str
    evaluator: str
    ours: str
    ranking: str
    fidelity: str
    database: str
    paper: str

    def lines(self) -> list[str]:
        """Those that there are, in this order."""
        return [line for line in vars(self).values() if line]


def facts(rows: list[Row], dataset: str, coverage: str, bootstrap: int) -> Facts:
    """Of a table's rows; `coverage` is that of `coverage_line`."""
    first = rows[0].result
    ranking = fidelity = ""
    if first.classes:
        chance = f"chance {100 / first.classes:.1f} at R@1"
        ranking = f"R@k in percent over {first.classes} class names, {chance}; ties: {first.tie_rule}."
    if first.n_reference:
        fidelity = (
            f"FID against {first.n_reference} real frames at the pictures' own size; it falls with the number of "
            f"pictures, so it compares rows of this table only. IS over {first.inception_splits} parts after a shuffle "
            f"with seed {IS_SHUFFLE_SEED}."
        )
    return Facts(
        data=f"Data set: {dataset}; {len(rows[0].clips)} test clips, one picture a clip and seed.",
        coverage=coverage,
        evaluator=f"Evaluator: {first.evaluator}.",
        ours=f"Ours: mean over generation seeds {rows[0].drawn} [95 % bootstrap interval over test clips, {bootstrap} "
        "resamples; for FID and IS +- 1.96 standard deviations of resampled clips].",
        ranking=ranking,
        fidelity=fidelity,
        database="",
        paper="Paper: VGGSound (50 classes) / VEGAS, CLIP ViT-B/32 and the authors' own Inception. Where data and "
        "networks are not those, its numbers stand beside ours for the order of the rows, not for their level.",
    )


def coverage_line(path: Path, splits: list[str]) -> str:
    """How many clips of some splits were wanted, used and left out, in one line.

    Args:
        path: coverage_by_class.csv.
        splits: names; one without clips has none wanted.
    """
    shares = read_shares(path)
    counts = []
    for split in dict.fromkeys(splits):
        own = [share for share in shares if share.split == split]
        wanted, lost = sum(share.wanted for share in own), sum(share.lost for share in own)
        counts.append(f"{split}: {wanted:,} clips wanted, {wanted - lost:,} used, {lost:,} left out")
    return f"Coverage: {'; '.join(counts)}. Why, and which: coverage.md."


def left_out(rows: list[Row]) -> list[str]:
    """Which metrics are left out, and why, a line for each reason."""
    reasons: dict[str, dict[str, None]] = {}
    for row in rows:
        for metric, reason in row.result.missing.items():
            reasons.setdefault(reason, {})[metric] = None
    return [f"Left out: {', '.join(metrics)}, since {reason}." for reason, metrics in reasons.items()]


__all__ = ["Facts", "coverage_line", "facts", "left_out"]
