"""A model says how far a sound lies from all that it learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from s2v.control.familiarity import FOLDER, KnownSounds
from s2v.errors import UserError
from s2v.tensors import load_tensors, save_tensors


def _clusters(per_class: int, seed: int) -> tuple[torch.Tensor, list[str | None]]:
    g = torch.Generator().manual_seed(seed)
    centres = F.normalize(torch.randn(3, 16, generator=torch.Generator().manual_seed(0)))
    rows = [centre + 0.05 * torch.randn(per_class, 16, generator=g) for centre in centres]
    labels: list[str | None] = [name for name in ("dog", "owl", "rain") for _ in range(per_class)]
    return torch.cat(rows), labels


@pytest.fixture
def known() -> KnownSounds:
    learned, labels = _clusters(40, 1)
    return KnownSounds.measured(learned, labels, _clusters(40, 2)[0])


def test_what_was_learned_is_like_its_class_and_what_was_not_is_told(known: KnownSounds) -> None:
    fresh, labels = _clusters(30, 3)
    found = [known.familiarity(z) for z in fresh]
    assert [one.classes[0][0] for one in found] == labels
    assert 0.0 <= sum(one.unlike for one in found) / len(found) < 0.15, "about one in twenty, as among held-out ones"
    assert found[0].said("dog.wav") == "dog.wav sounds like dog 100%"
    strange = known.familiarity(torch.randn(16, generator=torch.Generator().manual_seed(9)))
    assert strange.unlike and strange.share == 0
    assert strange.said("drill.wav").startswith("drill.wav is unlike anything this model learned, so the picture says")
    assert "; nearest: " in strange.said("drill.wav")


def test_shares_are_of_the_nearest_sounds_and_sum_to_one_at_most(known: KnownSounds) -> None:
    between = known.familiarity(known.features[:40].mean(0) + known.features[40:80].mean(0))
    assert {name for name, _ in between.classes} <= {"dog", "owl", "rain"}
    assert 0 < sum(share for _, share in between.classes) <= 1.0001


def test_without_names_it_says_so_in_general(known: KnownSounds) -> None:
    plain = KnownSounds.measured(known.features, [None] * len(known.features), _clusters(40, 2)[0])
    found = plain.familiarity(known.features[0])
    assert found.classes == () and found.said("a.wav") == "a.wav sounds like what this model learned"


def test_it_is_kept_in_half_precision_and_comes_back(known: KnownSounds, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    known.write(tmp_path / FOLDER / "align.safetensors")
    again = KnownSounds.of(tmp_path, "align")
    assert again is not None and again.names == known.names
    one, other = (each.familiarity(known.features[3]) for each in (known, again))
    assert one.classes == other.classes and other.share == pytest.approx(one.share, abs=0.05)
    assert KnownSounds.of(tmp_path, "align_ldm") is None


@pytest.mark.parametrize(
    "spoilt",
    [
        {"features": torch.randn(5, 16)},
        {"labels": torch.full((120,), 3, dtype=torch.int32)},
        {"names": torch.frombuffer(bytearray(b'{"a": 1}'), dtype=torch.uint8)},
        {"names": torch.frombuffer(bytearray(b"\xff["), dtype=torch.uint8)},
        {"held_out": torch.empty(0)},
    ],
)
def test_a_file_of_something_else_is_refused(
    known: KnownSounds, tmp_path: Path, spoilt: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / FOLDER / "align.safetensors"
    path.parent.mkdir()
    known.write(path)
    save_tensors(path, load_tensors(path) | spoilt)
    with pytest.raises(UserError, match="no features of known sounds"):
        KnownSounds.of(tmp_path, "align")


def test_a_feature_of_another_size_is_refused(known: KnownSounds) -> None:
    with pytest.raises(UserError, match=r"\[16\], not \[8\]"):
        known.familiarity(torch.ones(8))
