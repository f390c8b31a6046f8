"""s2v.data.splits: every class has its share in every split, and files that come or go move few others."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from s2v.data.splits import assign, counts

FOLDER = {"train": 0.6, "val": 0.15, "test": 0.15, "judge": 0.1}
SHARES = st.dictionaries(st.sampled_from(["train", "val", "test", "judge", "images", "more"]),
                         st.floats(1e-3, 1.0), min_size=1)  # fmt: skip


@given(st.integers(0, 500), SHARES)
def test_a_split_has_its_share_of_each_class_to_within_one_file(n: int, shares: dict[str, float]) -> None:
    found, total = counts(n, shares), sum(shares.values())
    assert sum(found.values()) == n and found.keys() == shares.keys() and min(found.values()) >= 0
    if n * min(shares.values()) / total >= 1:
        assert all(abs(found[split] - n * share / total) <= 1 + 1e-9 for split, share in shares.items())


@given(st.integers(0, 500), SHARES)
def test_no_split_is_empty_where_a_class_has_a_file_for_each(n: int, shares: dict[str, float]) -> None:
    assert sum(k > 0 for k in counts(n, shares).values()) == min(n, len(shares))


@given(st.integers(0, 500), SHARES)
def test_one_file_more_shifts_each_edge_by_one_place_at_most(n: int, shares: dict[str, float]) -> None:
    before, after, shift = counts(n, shares), counts(n + 1, shares), 0
    for split in sorted(shares)[:-1]:
        shift += after[split] - before[split]
        assert shift in (0, 1)


@given(st.sets(st.text(min_size=1), max_size=60), st.sets(st.text(min_size=1), min_size=1, max_size=8), SHARES)
def test_files_that_come_or_go_move_no_more_others_than_there_are_edges(
    some: set[str], more: set[str], shares: dict[str, float]
) -> None:
    few, many = (assign(dict.fromkeys(files), shares) for files in (some - more, some | more))
    assert sum(few[path] != many[path] for path in few) <= (len(shares) - 1) * len(many.keys() - few.keys())


def test_about_one_file_moves_for_one_that_comes() -> None:
    moved = []
    for n in range(20, 120):
        files = dict.fromkeys(f"{n}/{i}.mp4" for i in range(n))
        before, after = assign(files, FOLDER), assign({**files, "new.mp4": None}, FOLDER)
        moved.append(sum(before[path] != after[path] for path in before))
    assert sum(moved) / len(moved) < 1.0 and max(moved) <= 3


@given(st.dictionaries(st.text(min_size=1), st.sampled_from(["dog", "cat", None]), max_size=60))
def test_classes_are_shared_out_apart_and_order_does_not_matter(files: dict[str, str | None]) -> None:
    whole = assign(files, FOLDER)
    assert whole == assign(dict(reversed(files.items())), dict(reversed(FOLDER.items())))
    for label in {"dog", "cat", None}:
        own = {path: known for path, known in files.items() if known == label}
        assert {path: whole[path] for path in own} == assign(own, FOLDER)
        found = Counter(whole[path] for path in own)
        assert {split: n for split, n in counts(len(own), FOLDER).items() if n} == found


def test_a_class_of_few_files_is_in_the_largest_splits_first() -> None:
    assert [sorted(split for split, k in counts(n, FOLDER).items() if k) for n in (1, 2, 3, 4)] == [
        ["train"], ["test", "train"], ["test", "train", "val"], ["judge", "test", "train", "val"],
    ]  # fmt: skip
    assert counts(12, FOLDER) == {"judge": 1, "test": 2, "train": 7, "val": 2}
