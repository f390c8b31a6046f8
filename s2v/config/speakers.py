"""The embedded speakers."""

from __future__ import annotations

from pydantic import Field

from s2v.config.base import Fraction, NonNegative, Positive, Slice


class SpeakersConfig(Slice):
    """People who speak, with known truth (docs/faces.md); classes are the groups of `s2v.speakers.person`."""

    people: dict[str, NonNegative] = Field(
        description="people of each of the eight groups in each split, of images and judge reels; none is in two splits"
    )
    takes: dict[str, Positive] = Field({}, description="clips of each of them, where not one")
    vintage: Fraction = Field(0.15, description="share of clips that are old film with an old sound track")
    photos_per_reel: Positive = Field(16, description="portraits in one clip of the splits images and judge")
    size_px: Positive = Field(128, description="side of the videos")
    fps: Positive = Field(10, description="frames a second of the videos")
    duration_s: tuple[float, float] = Field((3.0, 4.5), description="shortest and longest clip")
    seed: int = Field(0, description="another seed is other people")
