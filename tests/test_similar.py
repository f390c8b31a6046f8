"""Table 1 shows how often classes that are alike are taken for each other."""

from __future__ import annotations

from pathlib import Path

from made_results import made_result

from s2v.evaluate.quantities import Missing
from s2v.report.rows import Row, load_rows
from s2v.report.similar import similar_section, told_apart

LABELS = ["sea"] * 4 + ["fall"] * 4 + ["dog"] * 4


def row(tmp_path: Path, *answers: list[str]) -> Row:
    """Of two evaluators and a training for each of `answers`, the classes that both name."""
    paths = [
        made_result(
            tmp_path / f"{n}.json", "sound2vision", [1] * 12, LABELS, named=[[name, name] for name in named], training=n
        )
        for n, named in enumerate(answers)
    ]
    return load_rows(paths, 20)["sound2vision"]


def test_a_pair_is_told_apart_as_often_as_its_own_class_is_named_less_the_other(tmp_path: Path) -> None:
    some = ["sea", "sea", "sea", "fall", "fall", "fall", "sea", "dog", "sea", "sea", "sea", "sea"]
    every = ["sea"] * 4 + ["fall"] * 4 + ["dog"] * 4
    found = told_apart(row(tmp_path, some, every), [("sea", "fall"), ("cat", "dog")])
    # Of eight clips five are right and two are taken for the other; in the second training all are right.
    assert not isinstance(found, Missing)
    assert found.value == (3 / 8 + 1) / 2 and found.by_training == [3 / 8, 1.0] and found.clips == 8
    assert "sea and fall" in found.about and "cat" not in found.about
    page = similar_section([("B", row(tmp_path, some))], [("sea", "fall"), ("cat", "dog")])
    assert "62.5 / 25.0" in page and "cat" not in page


def test_pairs_without_clips_are_not_measured(tmp_path: Path) -> None:
    unanswered = load_rows([made_result(tmp_path / "0.json", "sound2vision", [1] * 12, LABELS)], 20)["sound2vision"]
    for one in (None, unanswered, row(tmp_path, LABELS)):
        assert isinstance(told_apart(one, [("cat", "dog")]), Missing)
    assert similar_section([("B", unanswered)], [("sea", "fall")]) == ""
