"""How often the chosen moment shows the sounding source: best, middle and random frame against the world's truth.

    python benchmarks/selection.py results [--json selection.json]

Reads `select/*.parquet` and `world/truth.parquet` of a finished run. Nothing that trains may read the truth.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from s2v.errors import UserError
from s2v.evaluate.selection import judged
from s2v.files import read_parquet, write_json


def precision(results: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """By split, and within it for `all` and for each class: share of clips in which the frame shows and sounds.

    Returns:
        {split: {class: {"clips", "top1", "top1_low", "top1_high", "mid", "random", "order"}}}. `random` is what a
        uniformly drawn frame would reach, the bounds are Wilson's for 95 %, `order` is the share of pairs of one
        right and one wrong frame that the scores put in the right order.

    Raises:
        UserError: the folder has no selection or no truth.
    """
    truth_path = results / "world" / "truth.parquet"
    shards = sorted((results / "select").glob("*.parquet"))
    if not truth_path.is_file() or not shards:
        raise UserError(f"{results}: needs select/*.parquet and world/truth.parquet of a run of the embedded world")
    truth = {row["clip_id"]: row for row in read_parquet(truth_path)}
    found: dict[str, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for clip in judged((row for shard in shards for row in read_parquet(shard)), truth):
        for group in ("all", clip.label):
            found[clip.split][group].append({k: v for k, v in clip.measures.items() if not math.isnan(v)})
    return {
        split: {group: _summary(clips) for group, clips in groups.items()} for split, groups in sorted(found.items())
    }


def _summary(clips: list[dict[str, float]]) -> dict[str, Any]:
    n = len(clips)
    means = {name: round(sum(clip[name] for clip in clips) / n, 4) for name in clips[0]}
    bounds = binomtest(round(sum(clip["top1"] for clip in clips)), n).proportion_ci(0.95, "wilson")
    return {"clips": n, **means, "top1_low": round(float(bounds.low), 4), "top1_high": round(float(bounds.high), 4)}


def main() -> None:
    """Print the table, and write it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="output folder of a run")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    arguments = parser.parse_args()
    try:
        numbers = precision(arguments.results)
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    print(f"{'split':8}{'class':20}{'clips':>6}{'top1':>8}{'95 %':>16}{'mid':>8}{'random':>8}{'order':>8}")
    for split, groups in numbers.items():
        for group, row in groups.items():
            bounds = f"{row['top1_low']:.3f}-{row['top1_high']:.3f}"
            print(
                f"{split:8}{group:20}{row['clips']:6}{row['top1']:8.3f}{bounds:>16}"
                f"{row['mid']:8.3f}{row['random']:8.3f}{row['order']:8.3f}"
            )
    if arguments.json:
        write_json(arguments.json, numbers)


if __name__ == "__main__":
    main()
