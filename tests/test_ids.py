"""Ids map both ways between the names in use, and a name that is none of them is told from those that are."""

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import assume, given
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
    assert parse(part.clip_id) == part and parse(video) == Section(video)
    if length >= 1000:
        assert parse(part.clip_id[1:]) == part, "AudioSet's, in ms"
    seconds, end = start / 1000, (start + length) / 1000
    for name in (
        f"{video}_{seconds:.3f}_{end:.3f}",
        f"{video}-{seconds:.3f}-{end:.3f}",
        f"[{video}]-[{seconds}-{end}]",
    ):
        assert parse(name) == part, name
    assert parse(f"{video}_{seconds:.3f}") == Section(video, start)


@given(VIDEO, st.integers(0, 9_999), st.integers(1, 999))
def test_whole_seconds_are_told_from_ms_by_how_far_they_lie_apart(video: str, start: int, length: int) -> None:
    """30_40 is no clip of a hundredth of a second, and 30000_40000 none of almost three hours."""
    end = start + length
    for name in (f"{video}_{start}_{end}", f"{video}_{start:06d}_{end:06d}", f"{video}_{start}-{end}"):
        assert parse(name) == section(video, start, end), name
    assert parse(f"{video}_{start}000_{end}000") == section(video, start, end)
    assert parse(f"y{video}_{start}_{end}") == Section(video, start, end), "our own always has ms"
    assert parse(f"{video}_{start}") == parse(f"{video}_{start:06d}") == Section(video, 1000 * start)


@given(st.text().filter(lambda title: not title.startswith(".")), VIDEO)
def test_names_that_yt_dlp_and_youtube_dl_give_by_default_are_those_of_a_whole_video(title: str, video: str) -> None:
    # A chapter says `- 001 `, and a bare id with `_`, digits and such is of another style.
    assume(not re.search(r" - [0-9]{3} ", f"{title} ") and not re.match(r"y?[A-Za-z0-9_-]{11}", title))
    assert parse(f"{title} [{video}]") == parse(f"{title}_[{video}]") == Section(video)
    if title:
        assert parse(f"{title}-{video}") == Section(video)
    assert parse(f"{title} [{video}] 30-40") == parse(f"{title} [{video}]-[30.0-40.0]") == section(video, 30, 40)


@given(VIDEO, START, VIDEO, START)
def test_two_sections_are_looked_for_under_names_of_their_own(video: str, start: int, other: str, second: int) -> None:
    one, two = section(video, start / 1000, start / 1000 + 10), section(other, second / 1000, second / 1000 + 10)
    assert one == two or not set(one.names[:2]) & set(two.names[:2])
    assert (one.names[-1] == two.names[-1]) == (video == other)


@given(st.one_of(st.text(), st.from_regex(r"y?[\w./-]{9,12}(_\d*){0,3}", fullmatch=True)))
def test_whatever_is_read_is_a_plain_name(text: str) -> None:
    found = parse(text)
    if found is not None:
        assert PurePosixPath(found.video_id).name == found.video_id and not text.startswith(".")
        assert len(found.video_id) == 11 and found.video_id.isascii()


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
        "My film - 001 Beginning [aBcDeFgHiJk]",
        "._My film [aBcDeFgHiJk]",
        "My film [aBcDeFgHiJk].f137",
        "My film [aBcDeFgHiJk].temp",
        "My film (aBcDeFgHiJk)",
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
