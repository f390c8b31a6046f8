"""Precision, recall, density, coverage against the package prdc; diversity against its words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from prdc import compute_prdc

from s2v.errors import UserError
from s2v.evaluate import neighbours
from s2v.evaluate.diversity import Spread
from s2v.evaluate.neighbours import NAMES, Neighbourhoods, radii


def _features(n: int, dim: int, seed: int, shift: float = 0.0, spread: float = 1.0) -> torch.Tensor:
    return shift + spread * torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("n", "m", "dim", "shift", "spread", "k"),
    [(80, 120, 16, 0.3, 1.0, 5), (200, 60, 3, 0.0, 0.4, 5), (50, 50, 64, 0.1, 1.5, 3), (9, 30, 2, 5.0, 1.0, 5)],
)
def test_all_four_equal_prdc_on_the_same_features(
    n: int, m: int, dim: int, shift: float, spread: float, k: int
) -> None:
    made, real = _features(n, dim, 0, shift, spread), _features(m, dim, 1)
    expected = compute_prdc(real_features=real.numpy(), fake_features=made.numpy(), nearest_k=k)
    found = Neighbourhoods(made, real, k)
    assert {name: found.of(name) for name in NAMES} == pytest.approx(expected, abs=1e-12)
    every = np.arange(n)
    assert {name: found.of(name, every) for name in NAMES} == pytest.approx(expected, abs=1e-12)


def test_blocks_and_known_radii_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = _features(40, 4, 0), _features(50, 4, 1)
    whole = Neighbourhoods(made, real)
    monkeypatch.setattr(neighbours, "_BLOCK", 7)
    for found in (Neighbourhoods(made, real), Neighbourhoods(made, real, reach=radii(real))):
        assert (found.in_real == whole.in_real).all() and (found.in_made == whole.in_made).all()


def test_at_their_ends() -> None:
    real = _features(300, 2, 0)
    like = Neighbourhoods(_features(300, 2, 1), real)
    assert like.of("density") == pytest.approx(1, abs=0.15) and like.of("coverage") == pytest.approx(
        1 - 2**-5, abs=0.05
    )
    far = Neighbourhoods(real + 100, real)
    assert [far.of(name) for name in NAMES] == [0, 0, 0, 0]
    one = Neighbourhoods(real[:1].repeat(50, 1) + 1e-9 * _features(50, 2, 2), real)
    assert one.of("precision") == 1 and one.of("coverage") < 0.1 and one.of("recall") < 0.1, (
        "one picture again and again"
    )


def test_some_clips_have_their_own_part() -> None:
    made, real = torch.cat([_features(20, 2, 0), _features(20, 2, 1, 100)]), _features(40, 2, 2)
    found = Neighbourhoods(made, real)
    assert found.of("precision", np.arange(20)) > 0.9 and found.of("precision", np.arange(20, 40)) == 0
    assert found.of("coverage", np.arange(20, 40)) == 0 < found.of("coverage", np.array([3, 3, 3]))


def test_too_few_or_damaged_features_are_refused() -> None:
    with pytest.raises(ValueError, match="neighbour 5 of 5 made"):
        Neighbourhoods(_features(5, 2, 0), _features(9, 2, 1))
    with pytest.raises(UserError, match="not finite"):
        Neighbourhoods(_features(9, 2, 0) * torch.nan, _features(9, 2, 1))


def test_diversity_is_what_it_says() -> None:
    sounds = _features(40, 8, 0)
    same = sounds.expand(3, -1, -1)
    assert Spread(same).of() == pytest.approx(0, abs=1e-6)
    assert Spread(_features(4 * 40, 8, 1).reshape(4, 40, 8)).of() == pytest.approx(1, abs=0.05), (
        "the sound says nothing"
    )
    some = same + 0.2 * _features(3 * 40, 8, 2).reshape(3, 40, 8)
    x = some.numpy()
    within = np.mean([[np.linalg.norm(x[a, i] - x[b, i]) for a, b in ((0, 1), (0, 2), (1, 2))] for i in range(40)])
    apart = np.mean(
        [[np.linalg.norm(x[s, i] - x[s, j]) for j in range(40) if j != i] for s in range(3) for i in range(40)]
    )
    assert Spread(some).of() == pytest.approx(within / apart, rel=1e-9)
    own = lambda i: np.mean([np.linalg.norm(x[a, i] - x[b, i]) for a, b in ((0, 1), (0, 2), (1, 2))])  # noqa: E731
    other = np.mean([np.linalg.norm(x[s, 0] - x[s, 1]) for s in range(3)])
    twice = (2 * own(0) + own(1)) / 3 / other
    assert Spread(some).of(np.array([0, 0, 1])) == pytest.approx(twice, rel=1e-9), "a clip twice is no other clip"
    assert Spread(some).of(np.array([2, 2, 2])) == 0
    with pytest.raises(ValueError, match=r"1 picture\(s\)"):
        Spread(sounds[None])
