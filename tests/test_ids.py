"""Ids map both ways between the names in use, and a name that is none of them is told from those that are."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2v.data.ids import Section, parse, section
from s2v.data.manifest import CLIP_ID

VIDEO = st.text("ABCXYZabcxyz0123456789_-", min_size=11, max_size=11)
START = st.integers(0, 9_999_999)


@given(VIDEO, START, st.integers(1, 600_000))
def test_every_name_of_a_section_is_read_back_as_that_section(video: str, start: int, length: int) -> None:
    part = section(video, start / 1000, (start + length) / 1000)
    assert part == Section(video, start, start + length)
    assert CLIP_ID.fullmatch(part.clip_id), "it names files and tar members"
    assert part.stems[0] == part.clip_id and parse(part.clip_id) == part == parse(part.clip_id[1:])
    for stem in part.stems:
        found = parse(stem)
        assert found is not None and (found.video_id, found.start_ms) == (video, start)
    assert parse(video) == Section(video)
    assert len(part.stems) == (4 if start % 1000 == 0 else 2)


@given(VIDEO, START, VIDEO, START)
def test_two_sections_share_no_name(video: str, start: int, other: str, second: int) -> None:
    one, two = section(video, start / 1000, start / 1000 + 10), section(other, second / 1000, second / 1000 + 10)
    assert one == two or not set(one.stems) & set(two.stems)


@given(st.one_of(st.text(), st.from_regex(r"y?[\w./-]{9,12}(_\d*){0,3}", fullmatch=True)))
def test_whatever_is_read_is_a_plain_name(text: str) -> None:
    found = parse(text)
    if found is not None:
        assert PurePosixPath(found.video_id).name == found.video_id and "/" not in text and "." not in text
        assert len(found.video_id) == 11 and text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../../x",
        "abc_30",
        "aBcDeFgHiJk_30.mp4",
        "aBcDeFgHiJk_",
        "aBcDeFgHiJk_-3",
        "aBcDeFgHiJk_1_2_3",
        "aBcDeFgHiJk_\u0663",
        "a" * 9999,
    ],
)
def test_other_names_are_not_ids(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("video", "start", "end"),
    [("short", 0, 1), ("a/../../bcde", 0, 1), ("aBcDeFgHiJ\0", 0, 1), ("aBcDeFgHiJk", 5, 5), ("aBcDeFgHiJk", -1, 5),
     ("aBcDeFgHiJk", 0, 1e9), ("aBcDeFgHiJk", float("nan"), 3)],
)  # fmt: skip
def test_sections_that_cannot_be_are_refused(video: str, start: float, end: float) -> None:
    with pytest.raises(ValueError):
        section(video, start, end)
