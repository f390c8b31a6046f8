"""How diverse pictures are: of a sound, of a class, of all; and what the tables say of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from s2v.evaluate.diversity import Spread, vendi, within_class
from s2v.evaluate.result import Result
from s2v.report.diversity import diversity, of_one_class, of_one_sound, over_real
from s2v.report.rows import Row


def test_the_vendi_score_counts_what_has_nothing_in_common() -> None:
    assert vendi(torch.eye(7)) == pytest.approx(7)
    assert vendi(torch.ones(5, 3)) == pytest.approx(1)
    assert vendi(torch.eye(3).repeat(4, 1)) == pytest.approx(3), "copies add nothing"
    wide, narrow = torch.randn(20, 50, generator=torch.Generator().manual_seed(0)), torch.eye(2).repeat(10, 1)
    assert 1 < vendi(narrow) < vendi(wide) <= 20


def test_distances_within_a_class_are_to_others_of_it() -> None:
    found = within_class(torch.tensor([[0.0], [1.0], [3.0], [9.0], [4.0]]), ["a", "a", "a", "b", None])
    assert found[:3].tolist() == [2.0, 1.5, 2.5] and np.isnan(found[3:]).all()


def _row(seen: list[torch.Tensor], trainings: list[int], letter: str = "B") -> Row:
    n = len(seen[0])
    row = Row(Result(method=letter, seed=0, n=n, letter=letter), list(range(len(seen))), trainings,
              [f"c{i}" for i in range(n)], [f"class {i % 4}" for i in range(n)])  # fmt: skip
    row.seen = row.features = seen
    row.frames = torch.randn(n, 3, generator=torch.Generator().manual_seed(9))
    return row


def test_pictures_of_a_sound_are_compared_with_real_frames_of_a_class() -> None:
    g = torch.Generator().manual_seed(0)
    real = torch.randn(80, 3, generator=g)
    frames = _row([real], [0], "D")
    made = _row([real + 0.5 * torch.randn(80, 3, generator=g) for _ in range(4)], [0, 0, 1, 1])
    within, apart = of_one_sound(made), of_one_class(frames)
    assert within is not None and apart is not None and within.shape == (2, 80) and apart.shape == (1, 80)
    assert within[0].tolist() == pytest.approx(Spread(torch.stack(made.seen[:2])).within.tolist())
    found = over_real(made, frames, 200)
    assert found is not None and found.value == pytest.approx(within.mean() / apart.mean())
    assert found.low < 0.5 < found.high, "half the spread of the real ones"
    assert over_real(_row(made.seen[:2], [0, 1]), frames, 200) is None, "one picture of a sound in each training"
    text = diversity([("B", made), ("D", frames)])
    assert "| B " in text and f"{within.mean():.2f}" in text and "Vendi" in text
    assert diversity([("D", frames)]) == ""
