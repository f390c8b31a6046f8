"""Clips of YouTube videos under the names that data sets, mirrors and tools give them.

| style | example (second 30 to 40 of video -aBcDeFgHi_) |
|---|---|
| s2v | `y-aBcDeFgHi__30000_40000` |
| AudioSet, in ms | `-aBcDeFgHi__30000_40000` |
| seconds | `-aBcDeFgHi__30_40`, `-aBcDeFgHi__30-40`, `-aBcDeFgHi__30.0_40.0` |
| VGGSound, six digits | `-aBcDeFgHi__000030` |
| start | `-aBcDeFgHi__30` |
| whole video | `-aBcDeFgHi_` |
| yt-dlp | `any title [-aBcDeFgHi_]`; a section with its times behind it, `[-aBcDeFgHi_]-[30-40]` |
| youtube-dl | `any title--aBcDeFgHi_` |

A video's id has 11 characters of A-Z a-z 0-9 _ and -, may begin with - and tells case apart. A name is read in the
first style of the table that it fits. Two numbers that lie less than 1000 apart, or have a point, are seconds: no clip
of a data set is shorter than a second. The s2v style alone always has ms. A chapter that yt-dlp cut out (`title - 001
its name [-aBcDeFgHi_]`) does not say its times, and is none of these. The s2v style begins with a letter: no program
takes such a name for an option. On a file system that does not tell case apart two ids could meet; stage `manifest`
says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
LAST_S = 99_999
"""No video is longer."""

_ID = r"(?P<video>[A-Za-z0-9_-]{11})"
_TIME = r"[0-9]{1,8}(?:\.[0-9]{1,3})?"
_TIMES = rf"(?P<start>{_TIME})[_-](?P<end>{_TIME})"
_OWN = re.compile(rf"y{_ID}_(?P<start>[0-9]{{1,8}})_(?P<end>[0-9]{{1,8}})")
_STYLES = [
    re.compile(style, re.DOTALL)
    for style in (
        rf"{_ID}[_-]{_TIMES}",
        rf"{_ID}_(?P<start>[0-9]{{1,6}}(?:\.[0-9]{{1,3}})?)",
        _ID,
        rf"(?!\.|.* - [0-9]{{3}} ).*\[{_ID}\](?:[ _-]*\[?{_TIMES}\]?)?",
        rf"(?!\.).+-{_ID}",
    )
]


@dataclass(frozen=True, order=True)
class Section:
    """Part of a video; times in ms, null where a name does not say them."""

    video_id: str
    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def clip_id(self) -> str:
        """The manifest's id. Both times must be known."""
        assert self.start_ms is not None and self.end_ms is not None
        return f"y{self.video_id}_{self.start_ms}_{self.end_ms}"

    @property
    def names(self) -> list[str]:
        """What a file that holds this section may be, each in one writing, the most exact first: just this section, the
        video from its start on, the whole video."""
        known = [self.clip_id] if self.end_ms is not None else []
        return [*known, *([f"{self.video_id}_{self.start_ms}"] if self.start_ms is not None else []), self.video_id]


def section(video_id: str, start_s: float, end_s: float) -> Section:
    """The section from `start_s` to `end_s` of a video.

    Raises:
        ValueError: no such id can be, or no such times.
    """
    if not VIDEO_ID.fullmatch(video_id):
        raise ValueError(f"{video_id[:40]!r} is no YouTube id (11 characters of A-Z a-z 0-9 _ -)")
    if not 0 <= start_s < end_s <= LAST_S:
        raise ValueError(f"no section from {start_s:g} s to {end_s:g} s can be")
    return Section(video_id, round(1000 * start_s), round(1000 * end_s))


def parse(stem: str) -> Section | None:
    """What a file's name, without suffix, says; None where it is of no known style."""
    own = _OWN.fullmatch(stem)
    if own:
        return Section(own["video"], int(own["start"]), int(own["end"]))
    for style in _STYLES:
        match = style.fullmatch(stem)
        if match:
            found = match.groupdict()
            times = [text for text in (found.get("start"), found.get("end")) if text is not None]
            ms = len(times) == 2 and "." not in "".join(times) and int(times[1]) - int(times[0]) >= 1000
            return Section(found["video"], *(round(float(text) * (1 if ms else 1000)) for text in times))
    return None


__all__ = ["LAST_S", "VIDEO_ID", "Section", "parse", "section"]
