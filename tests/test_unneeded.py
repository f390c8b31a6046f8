"""Packets that are not needed are left out, and every picture that is kept is the same to the byte."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import ffmpeg, make_video

from s2v.media import passes, unneeded
from s2v.media.decode import Decoded, decode
from s2v.media.ffmpeg import ffmpeg_path
from s2v.media.unneeded import Packet, left_out, units

FFMPEG = ffmpeg_path("bundled")
X264, X265 = ("-c:v", "libx264", "-threads", "1"), ("-c:v", "libx265", "-x265-params")
QUIET = "log-level=error:pools=1:frame-threads=1"


@pytest.fixture(autouse=True)
def small_files_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unneeded, "LEAST_BYTES", 0)


def noisy(rate: str) -> str:
    return f"testsrc2=size=128x72:rate={rate},noise=alls=12:allf=t,format=yuv420p"


def film(path: Path, rate: str, *options: str) -> Path:
    return make_video(path, seconds=3.0, picture=noisy(rate), options=("-shortest", *options))


def both_ways(path: Path, monkeypatch: pytest.MonkeyPatch, **how: float) -> tuple[Decoded, Decoded]:
    spared = decode(path, ffmpeg=FFMPEG, short_side_px=64, **how)  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(passes, "left_out", lambda *_, **__: None)
        return spared, decode(path, ffmpeg=FFMPEG, short_side_px=64, **how)  # type: ignore[arg-type]


def names(path: Path) -> int:
    """How many packets are left out."""
    found = left_out(path, executable=FFMPEG, fps=10, limit_s=60.0, picture=0, timeout_s=60.0)
    return found.count("eq(") if found else 0


@pytest.mark.parametrize(
    ("name", "rate", "options"),
    [
        ("film.mp4", "24", X264),
        ("film.mkv", "25", X264),
        ("ntsc.mp4", "30000/1001", X264),
        ("fast.mp4", "60", X264),
        ("pyramid.mp4", "30", (*X264, "-bf", "8", "-x264-params", "b-pyramid=strict:ref=4")),
        ("no_pyramid.mp4", "30", (*X264, "-x264-params", "b-pyramid=none")),
        ("open_gop.mp4", "30", (*X264, "-x264-params", "open-gop=1:keyint=20")),
        ("interlaced.mp4", "30", (*X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1")),
        ("stream.ts", "30", X264),
        ("hevc.mp4", "30", (*X265, QUIET)),
        ("hevc.ts", "30", (*X265, f"{QUIET}:open-gop=1:keyint=20")),
        ("layers.mp4", "30", (*X265, f"{QUIET}:temporal-layers=3")),
    ],
)
def test_pictures_are_the_same_and_packets_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, rate: str, options: tuple[str, ...]
) -> None:
    path = film(tmp_path / name, rate, *options)
    read: list[dict[str, str]] = []
    once = passes._once
    monkeypatch.setattr(passes, "_once", lambda *given: read.append(given[3]) or once(*given))
    spared, whole = both_ways(path, monkeypatch)
    assert [bool(bsf) for bsf in read] == [True, False], "and none had to be decoded again as a whole"
    assert spared.pictures.jpegs == whole.pictures.jpegs and len(whole.pictures) >= 29
    assert spared.wave is not None and np.array_equal(spared.wave, whole.wave) and spared.notes == whole.notes  # type: ignore[arg-type]
    assert names(path) > 10


def test_so_it_is_of_clips_that_begin_late_jump_or_are_cut_without_coding_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(tmp_path / "film.mp4", "30", *X264)
    source = f"file:{tmp_path / 'film.mp4'}"
    ffmpeg("-ss", "0.73", "-i", source, "-c", "copy", f"file:{tmp_path / 'edit_list.mp4'}")
    ffmpeg("-itsoffset", "0.4", "-i", source, "-c", "copy", f"file:{tmp_path / 'late.mp4'}")
    ffmpeg("-i", source, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", f"file:{tmp_path / 'fragments.mp4'}")
    uneven = f"{noisy('60')},select='not(mod(n\\,3)*mod(n\\,7))'"
    make_video(tmp_path / "uneven.mp4", seconds=3.0, picture=uneven, options=("-fps_mode", "vfr", *X264))
    for name in ("edit_list", "late", "fragments", "uneven"):
        path = tmp_path / f"{name}.mp4"
        spared, whole = both_ways(path, monkeypatch)
        assert spared.pictures.jpegs == whole.pictures.jpegs and names(path) > 10, name
    spared, whole = both_ways(tmp_path / "film.mp4", monkeypatch, end_s=1.37)
    assert spared.pictures.jpegs == whole.pictures.jpegs and len(whole.pictures) == 14


def test_a_damaged_file_gives_what_it_gives_when_all_of_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "film.mp4", "30", *X264)
    data = bytearray(path.read_bytes())
    for place in np.random.default_rng(1).integers(3000, len(data) - 8000, 12):
        data[place] ^= 0xFF
    path.write_bytes(data)
    spared, whole = both_ways(path, monkeypatch)
    assert spared.pictures.jpegs == whole.pictures.jpegs


@pytest.mark.parametrize(
    ("name", "rate", "options"),
    [
        ("slow.mp4", "10", X264),
        ("no_b.mp4", "30", (*X264, "-bf", "0")),
        ("vp9.mkv", "30", ("-c:v", "libvpx-vp9", "-b:v", "200k", "-cpu-used", "8", "-deadline", "realtime")),
        ("mpeg4.avi", "30", ("-c:v", "mpeg4", "-bf", "2")),
    ],
)
def test_where_nothing_can_be_left_out_all_is_decoded(
    tmp_path: Path, name: str, rate: str, options: tuple[str, ...]
) -> None:
    assert names(film(tmp_path / name, rate, *options)) == 0


def test_an_older_ffmpeg_that_cannot_filter_packets_decodes_all(tmp_path: Path) -> None:
    old = tmp_path / "ffmpeg"
    old.write_text(f'#!/bin/sh\ncase "$*" in *bsf:v*) exit 1;; esac\nexec {FFMPEG} "$@"\n')
    old.chmod(0o755)
    path = film(tmp_path / "film.mp4", "30", *X264)
    assert left_out(path, executable=str(old), fps=10, limit_s=60.0, picture=0, timeout_s=60.0) is None
    assert len(decode(path, ffmpeg=str(old)).pictures) == 30


def _packets(times: list[int | None], spare: list[bool]) -> list[Packet]:
    return [
        Packet(time, True, b"\0\0\0\2" + (b"\x01x" if free else b"\x41x"))
        for time, free in zip(times, spare, strict=True)
    ]


def test_times_that_are_missing_or_twice_there_leave_nothing_out() -> None:
    third, ten = Fraction(1, 30), Fraction(10)
    times: list[int | None] = list(range(30))
    assert unneeded.unneeded(_packets(times, [True] * 30), "h264", third, ten) == [
        time for time in range(2, 28) if (2 * time + 3) // 6 == (2 * time + 5) // 6
    ]
    assert unneeded.unneeded(_packets(times, [False] * 30), "h264", third, ten) == []
    assert unneeded.unneeded(_packets([None, *times[1:]], [True] * 30), "h264", third, ten) == []
    assert unneeded.unneeded(_packets([1, *times[1:]], [True] * 30), "h264", third, ten) == []


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8))
def test_units_come_out_as_they_went_in(given_units: list[bytes]) -> None:
    assert units(b"".join(len(unit).to_bytes(4, "big") + unit for unit in given_units)) == given_units


@given(st.binary(max_size=200))
def test_whatever_a_packet_holds_it_is_read_or_refused(data: bytes) -> None:
    try:
        found = units(data)
    except ValueError:
        return
    assert sum(map(len, found)) <= len(data)
    for codec in ("h264", "hevc"):
        unneeded.unneeded([Packet(0, True, data), Packet(1, True, data)], codec, Fraction(1, 30), Fraction(10))
