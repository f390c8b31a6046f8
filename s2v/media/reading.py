"""How one file is to be read: most need nothing special, and what the others need shows in the decoder's log.

A file is read plainly first. Where its log says that this was not enough, it is read once more: `needed` says how.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from s2v.media.diagnosis import Header, Stream

_CHANGED = re.compile(r"Reconfiguring filter graph because (audio|video) parameters changed")
_GIVEN_UP = re.compile(r"Error during demuxing: (.*)")
_FLOAT = re.compile(r"\bpcm_f\d|\bwavpack\b.*\bflt|\bdsd_")
_HDR = re.compile(r"\b(smpte2084|arib-std-b67)\b")
_WITHOUT_CLOCK = ("aac", "ac3", "dts", "eac3", "flac", "loas", "mp3", "truehd")
_WIDE = re.compile(r"\bbt2020")


@dataclass(frozen=True)
class Reading:
    """What reading one file takes beyond the usual.

    Attributes:
        picture: which of its video streams, covers not counted.
        sound: which of its audio streams.
        sound_changes: the sound changes its rate or channels on the way.
        has_clock: its container says when a sound sounds; of the others, all samples follow each other.
        picture_changes: the picture changes its size or form on the way.
        any_number: samples are floats, and may be no numbers.
        hdr: the transfer of the picture (smpte2084 or arib-std-b67) where it is HDR.
    """

    picture: int = 0
    sound: int = 0
    sound_changes: bool = False
    has_clock: bool = True
    picture_changes: bool = False
    any_number: bool = False
    hdr: str | None = None


def needed(reading: Reading, header: Header, log: str, *, pictures: bool, sound: bool) -> Reading:
    """How a file must be read for its `pictures` and its `sound`, given the log of a first `reading`."""
    changed = set(_CHANGED.findall(log))
    shown_at = _default(header.pictures) if pictures else 0
    heard_at = _default(header.sounds) if sound else 0
    shown = header.pictures[shown_at].about if pictures and header.pictures else ""
    heard = header.sounds[heard_at].about if sound and header.sounds else ""
    hdr = _HDR.search(shown)
    sound_changes = reading.sound_changes or "audio" in changed
    return replace(
        reading,
        picture=shown_at,
        sound=heard_at,
        sound_changes=sound_changes,
        has_clock=not sound_changes or header.container not in _WITHOUT_CLOCK,
        picture_changes=reading.picture_changes or "video" in changed,
        any_number=bool(_FLOAT.search(heard)),
        hdr=hdr[1] if hdr else None,
    )


def _default(streams: tuple[Stream, ...]) -> int:
    """The stream that a player would take: the first that is marked as default, else the first."""
    return next((number for number, stream in enumerate(streams) if stream.is_default), 0)


def remarks(reading: Reading, header: Header, log: str) -> list[str]:
    """What people should know of a file that could be read."""
    given_up = _GIVEN_UP.findall(log)
    found = [f"could not be read to its end ({given_up[-1]})"] if given_up else []
    if reading.sound:
        which = f"{reading.sound + 1} of {len(header.sounds)}"
        found.append(f"sound is its audio stream {which}, which it marks as default")
    if reading.picture:
        found.append(f"picture is its video stream {reading.picture + 1}, which it marks as default")
    if reading.sound_changes:
        found.append("its sound changes its rate or channels on the way")
    if reading.picture_changes:
        found.append("its picture changes its size or form on the way; all is fitted into the first size")
    if reading.hdr:
        found.append(f"HDR ({reading.hdr}), tone-mapped to SDR; what is brighter than white is white")
    elif header.pictures and _WIDE.search(header.pictures[reading.picture].about):
        found.append("its colours are BT.2020 of an unknown transfer; if they are HDR, they look washed out")
    return found
