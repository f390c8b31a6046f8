"""Clips of YouTube videos under the names that data sets, mirrors and tools give them.

| style | example (second 30 to 40 of video -aBcDeFgHi_) |
|---|---|
| s2v | `y-aBcDeFgHi__30000_40000` |
| AudioSet, in ms | `-aBcDeFgHi__30000_40000` |
| VGGSound, six digits | `-aBcDeFgHi__000030` |
| seconds | `-aBcDeFgHi__30` |
| whole video | `-aBcDeFgHi_` |

A video's id has 11 characters of A-Z a-z 0-9 _ and -, may begin with - and tells case apart, so every name can be read
back in one way only. The s2v style begins with a letter: no program takes such a name for an option. On a file system
that does not tell case apart two ids could meet; stage `manifest` says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_ID = r"(?P<video>[A-Za-z0-9_-]{11})"
_STYLES = [
    (re.compile(rf"y{_ID}_(?P<start>[0-9]{{1,8}})_(?P<end>[0-9]{{1,8}})"), 1),
    (re.compile(rf"{_ID}_(?P<start>[0-9]{{1,8}})_(?P<end>[0-9]{{1,8}})"), 1),
    (re.compile(rf"{_ID}_(?P<start>[0-9]{{1,6}})"), 1000),
    (re.compile(_ID), 1000),
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
    def stems(self) -> list[str]:
        """Names, without suffix, under which a mirror may keep just this section; the most exact first."""
        if self.start_ms is None:
            return []
        stems = []
        if self.end_ms is not None:
            stems = [self.clip_id, self.clip_id[1:]]
        if self.start_ms % 1000 == 0:
            seconds = self.start_ms // 1000
            stems += [f"{self.video_id}_{seconds:06d}", f"{self.video_id}_{seconds}"]
        return list(dict.fromkeys(stems))


def section(video_id: str, start_s: float, end_s: float) -> Section:
    """The section from `start_s` to `end_s` of a video.

    Raises:
        ValueError: no such id can be, or no such times.
    """
    if not VIDEO_ID.fullmatch(video_id):
        raise ValueError(f"{video_id[:40]!r} is no YouTube id (11 characters of A-Z a-z 0-9 _ -)")
    if not 0 <= start_s < end_s <= 99_999:
        raise ValueError(f"no section from {start_s:g} s to {end_s:g} s can be")
    return Section(video_id, round(1000 * start_s), round(1000 * end_s))


def parse(stem: str) -> Section | None:
    """What a file's name, without suffix, says; None where it is of no known style."""
    for style, scale in _STYLES:
        match = style.fullmatch(stem)
        if match:
            times = match.groupdict()
            start, end = times.get("start"), times.get("end")
            return Section(times["video"], *(None if t is None else scale * int(t) for t in (start, end)))
    return None


__all__ = ["VIDEO_ID", "Section", "parse", "section"]
