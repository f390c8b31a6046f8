"""What stage `evaluate` writes, made up: ranks, features and posteriors of a method and seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2v.evaluate.evaluate import RANKS
from s2v.evaluate.result import Result, write_result
from s2v.files import write_parquet
from s2v.tensors import save_tensors


def made_result(
    path: Path,
    method: str,
    ranks: list[int | None],
    labels: list[str] | None = None,
    shift: float = 0.0,
    noise: float = 0.0,
    named: list[list[str]] | None = None,
    **more: Any,
) -> Path:
    """Write one, with clips c000, c001, ...

    Args:
        path: the JSON file.
        method: its name.
        ranks: of the clips.
        labels: of the clips.
        shift: of the features from the real ones.
        noise: on them, by the seed.
        named: of each clip, the class that each evaluator takes its picture for.
        more: fields of the result that are to be other than here.
    """
    n, g = len(ranks), torch.Generator().manual_seed(1)
    reference = torch.randn(n, 4, generator=g)
    fields: dict[str, Any] = {
        "seed": int(path.stem), "letter": "B", "title": method, "encoder": "A", "generator": "G", "main": True,
        "input": "sound", "n": n, "n_reference": n, "evaluator": "made up", "tie_rule": "ties lose", "classes": 10,
        "inception_splits": 2, "fid": 1.0, "inception": 1.0, "kid": 0.1,
    }  # fmt: skip
    write_result(path, Result(method=method, **(fields | more)))
    names = labels or ["x"] * n
    rows = [
        {
            "clip_id": f"c{i:03d}",
            "label": names[i],
            "rank": rank,
            "further": [],
            "accepted": [],
            "named": named[i] if named else [],
        }
        for i, rank in enumerate(ranks)
    ]
    write_parquet(path.with_suffix(".parquet"), rows, RANKS)
    own = torch.randn(n, 4, generator=torch.Generator().manual_seed(fields["seed"]))
    save_tensors(path.with_suffix(".safetensors"), {
        "features": reference + shift + noise * own,
        "reference": reference,
        "probabilities": torch.rand(n, 10, generator=g).softmax(1),
    })  # fmt: skip
    return path


def some_right(share: float, n: int = 200, seed: int = 0) -> list[int | None]:
    """Ranks of which a share is 1 and the others 7."""
    order = np.random.default_rng(seed).permutation(n)
    return [1 if place < share * n else 7 for place in order.tolist()]
