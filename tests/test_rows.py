"""What the rows of a table compute once, and that this changes no number."""

from pathlib import Path

import pytest
import torch
from made_results import made_result

from s2v.evaluate.fidelity import FrechetDistances, Reference, frechet_distance
from s2v.report import rows
from s2v.report.rows import load_rows


def test_equal_pictures_and_equal_references_are_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method that draws no noise has the same pictures for every seed; the real ones are those of all methods."""
    paths = [
        made_result(tmp_path / f"{method}/{seed}.json", method, [1] * 20, shift=shift, noise=noise)
        for method, shift, noise in (("quiet", 0.5, 0.0), ("noisy", 0.2, 1.0))
        for seed in (0, 1, 2)
    ]
    looked_at, references = list[torch.Tensor](), list[torch.Tensor]()

    class Counted(FrechetDistances):
        def __init__(self, features: torch.Tensor, reference: Reference) -> None:
            looked_at.append(features)
            super().__init__(features, reference)

    class CountedReference(Reference):
        @classmethod
        def of(cls, features: torch.Tensor) -> Reference:
            references.append(features)
            return super().of(features)

    monkeypatch.setattr(rows, "FrechetDistances", Counted)
    monkeypatch.setattr(rows, "Reference", CountedReference)
    found = load_rows(paths, 200)
    assert len(looked_at) == 1 + 3 and len(references) == 1
    for row in found.values():
        values = [frechet_distance(features, row.frames) for features in row.features]
        assert row.fid is not None and row.fid.value == pytest.approx(sum(values) / 3, rel=1e-9)
    assert [found["quiet"].same(run) for run in range(3)] == [0, 0, 0]
    assert [found["noisy"].same(run) for run in range(3)] == [0, 1, 2]
