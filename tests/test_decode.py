"""s2v.media.decode on real files: what comes out, what is refused and why, what a hostile file can't do."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import (
    FFMPEG,
    ffmpeg,
    make_bad_files,
    make_hostile_names,
    make_no_video,
    make_truncated,
    make_video,
)
from PIL import Image

from s2v.errors import Reason, UserError
from s2v.media.checks import brightest_mean, check_content, largest_change, loudest_dbfs
from s2v.media.decode import ClipError, decode, decode_audio
from s2v.media.decord_reader import frame_indices, frame_size
from s2v.media.diagnosis import one_line
from s2v.media.ffmpeg import ffmpeg_path
from s2v.media.frames import Pictures
from s2v.media.picture import encode_jpeg

READERS = ("ffmpeg", "decord")


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("bad")
    return folder, make_bad_files(folder)


def reason_of(path: Path, **options: object) -> Reason:
    with pytest.raises(ClipError) as caught:
        decoded = decode(path, ffmpeg=FFMPEG, **options)  # type: ignore[arg-type]
        check_content(decoded, min_duration_s=1.0, silence_dbfs=-60, black_level=0.04, need_audio=True)
    assert caught.value.detail.isprintable()
    return caught.value.reason


def test_sound_and_frames_of_a_video(tmp_path: Path) -> None:
    got = decode(make_video(tmp_path / "a.mp4", seconds=2, size="96x64", fps=20), ffmpeg=FFMPEG)
    assert got.frames.shape == (20, 64, 96, 3) and got.frames.dtype == np.uint8
    assert got.wave is not None and got.wave.dtype == np.int16 and len(got.wave) == 32000
    spectrum = np.abs(np.fft.rfft(got.wave[8000:24000].astype(float)))
    assert np.argmax(spectrum) == 440  # one second: bin = Hz
    assert got.duration_s == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ("640x360", 256, (256, 454)),
        ("360x640", 256, (454, 256)),
        ("96x64", 256, (64, 96)),
        ("98x66", 50, (50, 74)),
    ],
)
def test_frames_shrink_to_even_sizes_and_never_grow(tmp_path: Path, size: str, side: int, expected: object) -> None:
    video = make_video(tmp_path / "a.mp4", seconds=1, size=size)
    for reader in READERS:
        frames = decode(video, reader=reader, ffmpeg=FFMPEG, short_side_px=side).frames  # type: ignore[arg-type]
        assert frames.shape[1:3] == expected


def test_a_very_wide_video_stays_small(tmp_path: Path) -> None:
    frames = decode(make_video(tmp_path / "a.mp4", seconds=1, size="2048x64"), ffmpeg=FFMPEG, short_side_px=64).frames
    assert frames.shape[2] == 256 and frames.shape[1] == 8


def test_a_box_is_cut_out(tmp_path: Path) -> None:
    """A red square on blue; the box has shares of height and width, of the picture as it is shown."""
    square = "color=blue:size=120x80:rate=20,drawbox=x=60:y=20:w=30:h=30:color=red:t=fill"
    upright = make_video(tmp_path / "a.mp4", picture=square)
    turned = tmp_path / "b.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(upright), "-c", "copy", f"file:{turned}")
    for path, box, shape in (
        (upright, (0.25, 0.625, 0.5, 0.75), (30, 30)),
        (turned, (0.25, 0.5, 0.25, 0.625), (30, 30)),
    ):
        frames = decode(path, ffmpeg=FFMPEG, crop=box).frames
        assert frames.shape[1:3] == shape
        inside = frames[:, 4:-4, 4:-4].astype(int)
        assert (inside[..., 0] - inside[..., 2]).min() > 100, "red alone"
    smallest = decode(upright, ffmpeg=FFMPEG, crop=(0.5, 0.5001, 0.5, 0.5001)).frames
    assert smallest.shape[1:] == (2, 2, 3)


@pytest.mark.parametrize("reader", READERS)
def test_rotation_is_honoured(tmp_path: Path, reader: str) -> None:
    flat = make_video(tmp_path / "flat.mp4", picture="color=red:size=96x64:rate=10,drawbox=0:0:20:64:white:fill")
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned))
    frame = decode(turned, reader=reader, ffmpeg=FFMPEG).frames[0].astype(int)  # type: ignore[arg-type]
    assert frame.shape == (96, 64, 3)
    # A quarter turn against the clock carries the white left edge to the bottom.
    assert frame[-10:, :, 1].mean() > 200 and frame[:60, :, 1].mean() < 60


@pytest.mark.parametrize("reader", READERS)
def test_pixels_that_are_not_square_are(tmp_path: Path, reader: str) -> None:
    video = make_video(tmp_path / "a.mp4", options=("-vf", "setsar=2/1", "-pix_fmt", "yuv420p"))
    assert decode(video, reader=reader, ffmpeg=FFMPEG).frames.shape[1:3] == (64, 192)  # type: ignore[arg-type]


def test_a_late_sound_starts_with_silence(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mkv", seconds=2, sound_delay_s=0.75)
    wave = decode(video, ffmpeg=FFMPEG).wave
    assert wave is not None
    loud = np.flatnonzero(np.abs(wave) > 500)
    assert loud[0] / 16000 == pytest.approx(0.75, abs=0.06)


def test_a_late_picture_is_filled_from_its_first_frame(tmp_path: Path) -> None:
    tone = "sine=frequency=440:sample_rate=44100"
    late = tmp_path / "late.mkv"
    ffmpeg("-f", "lavfi", "-t", "2", "-i", tone, "-itsoffset", "0.5", "-f", "lavfi", "-t", "1.5",
           "-i", "testsrc2=96x64:10", "-pix_fmt", "yuv420p", str(late))  # fmt: skip
    got = decode(late, ffmpeg=FFMPEG)
    assert len(got.frames) == 20
    assert (got.frames[0] == got.frames[4]).all() and (got.frames[0] != got.frames[12]).any()


@pytest.mark.parametrize("reader", READERS)
def test_a_window_of_a_video(tmp_path: Path, reader: str) -> None:
    levels = "color=black:size=64x64:rate=20,geq=lum='60*floor(T)+20':cb=128:cr=128"
    video = make_video(tmp_path / "a.mp4", seconds=4, picture=levels)
    got = decode(video, reader=reader, ffmpeg=FFMPEG, start_s=1.0, end_s=3.0)  # type: ignore[arg-type]
    assert len(got.frames) == 20 and got.wave is not None and len(got.wave) == 32000
    level = got.frames.mean(axis=(1, 2, 3))
    assert level[9] == pytest.approx(level[0], abs=3) and level[10] - level[9] > 40


@pytest.mark.parametrize("reader", READERS)
def test_frames_of_uneven_times_are_taken_by_their_time(tmp_path: Path, reader: str) -> None:
    """Variable frame rate: grey levels that tell the second in which a frame is shown, sent at uneven times."""
    levels = "color=black:size=64x64:rate=20,geq=lum='40*floor(T)+40':cb=128:cr=128"
    uneven = f"{levels},select='not(mod(n\\,3))+not(mod(n\\,7))'"
    options = ("-fps_mode", "vfr", "-pix_fmt", "yuv420p")
    video = make_video(tmp_path / "a.mkv", seconds=4, picture=uneven, options=options)
    frames = decode(video, reader=reader, ffmpeg=FFMPEG).frames  # type: ignore[arg-type]
    assert abs(len(frames) - 40) <= 2
    level = frames.mean(axis=(1, 2, 3))
    assert [level[10 * second + 5] - level[5] for second in range(4)] == pytest.approx(
        [(level[35] - level[5]) * second / 3 for second in range(4)], abs=6
    )
    assert level[35] - level[5] > 90


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", ("-pix_fmt", "yuv444p")),
        ("a.mp4", ("-pix_fmt", "yuv422p10le")),
        ("a.mkv", ("-c:v", "ffv1", "-pix_fmt", "gray")),
        ("a.mkv", ("-c:v", "ffv1", "-pix_fmt", "bgra")),
        ("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
        ("a.mp4", ("-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-pix_fmt", "yuv420p")),
    ],
)
def test_colours_survive_whatever_form_they_come_in(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    color = (200, 60, 30)
    video = make_video(tmp_path / name, seconds=1, picture="color=0xC83C1E:size=96x64:rate=10", options=options)
    frame = decode(video, ffmpeg=FFMPEG).frames[5].astype(int)
    expected = (round(0.299 * 200 + 0.587 * 60 + 0.114 * 30),) * 3 if "gray" in options else color
    assert np.abs(frame.mean(axis=(0, 1)) - expected).max() < 8, "with the matrix of another standard it would be 16"


@pytest.mark.parametrize(("rate", "layout"), [(8000, "mono"), (22050, "stereo"), (48000, "5.1"), (96000, "mono")])
def test_sound_of_any_rate_and_number_of_channels_is_heard(tmp_path: Path, rate: int, layout: str) -> None:
    sound = f"sine=frequency=440:sample_rate={rate},aformat=channel_layouts={layout}"
    video = make_video(tmp_path / "a.mkv", sound=sound, options=("-c:a", "flac", "-ar", str(rate)))
    wave = decode(video, ffmpeg=FFMPEG).wave
    assert wave is not None and abs(len(wave) - 32000) < 400
    assert np.argmax(np.abs(np.fft.rfft(wave[8000:24000].astype(float)))) == 440


def test_memory_is_bounded_by_the_longest_duration(tmp_path: Path) -> None:
    got = decode(make_video(tmp_path / "a.mp4", seconds=4), ffmpeg=FFMPEG, max_duration_s=1.5)
    assert len(got.frames) == 15 and got.wave is not None and len(got.wave) == 24000


def test_a_window_after_the_end_is_too_short(tmp_path: Path) -> None:
    assert reason_of(make_video(tmp_path / "a.mp4"), start_s=30.0, end_s=40.0) is Reason.TOO_SHORT


def test_the_readers_agree(tmp_path: Path) -> None:
    for name, fps in (("a.mp4", 25), ("b.webm", 30), ("c.mp4", 10), ("d.mp4", 8)):
        options = ("-c:v", "libvpx", "-c:a", "libvorbis", "-b:v", "1M") if name.endswith("webm") else ()
        video = make_video(tmp_path / name, size="192x128", fps=fps, options=options)
        one, two = (decode(video, reader=reader, ffmpeg=FFMPEG, short_side_px=64) for reader in READERS)  # type: ignore[arg-type]
        assert one.frames.shape == two.frames.shape
        assert np.array_equal(one.wave, two.wave)  # type: ignore[arg-type]
        assert np.abs(one.frames.astype(int) - two.frames).mean() < 4.0
        # The same moment, not a neighbouring one: no other frame is nearer to frame t than frame t.
        far = np.abs(one.frames[:, None].astype(int) - two.frames[None]).mean(axis=(2, 3, 4))
        assert (far.diagonal() <= far.min(axis=1) + 0.5).mean() > 0.85


@pytest.mark.parametrize("reader", READERS)
def test_every_bad_file_has_its_reason(bad: tuple[Path, dict[str, str]], reader: str) -> None:
    folder, expected = bad
    assert {name: str(reason_of(folder / name, reader=reader)) for name in expected} == expected


def test_cut_files_of_other_formats_are_truncated(tmp_path: Path) -> None:
    for suffix, options in (
        ("mkv", ()),
        ("avi", ()),
        ("flv", ()),
        ("webm", ("-c:v", "libvpx", "-c:a", "libvorbis")),
    ):
        whole = make_video(tmp_path / f"a.{suffix}", seconds=4, options=options)
        decode(whole, ffmpeg=FFMPEG)
        cut = tmp_path / f"cut.{suffix}"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        assert reason_of(cut) is Reason.TRUNCATED, suffix


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert reason_of(tmp_path / "none.mp4") is Reason.MISSING
    assert reason_of(tmp_path / "pipe.mp4") is Reason.NOT_A_VIDEO
    assert reason_of(tmp_path / "folder.mp4") is Reason.NOT_A_VIDEO


def test_sound_is_optional_where_it_is_not_needed(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", sound=None)
    for reader in READERS:
        got = decode(video, reader=reader, ffmpeg=FFMPEG, need_audio=False)  # type: ignore[arg-type]
        assert got.wave is None and len(got.frames) == 20


@pytest.mark.parametrize("reader", READERS)
def test_a_name_is_only_a_name(tmp_path: Path, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = make_hostile_names(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in names:
        assert len(decode(name, reader=reader, ffmpeg=FFMPEG).frames) == 20, ascii(name)  # type: ignore[arg-type]
        assert len(decode_audio(name, ffmpeg=FFMPEG)) == 32000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_a_playlist_reads_no_other_file(tmp_path: Path) -> None:
    """Even where the other file is a fine video beside it, for sound as for pictures."""
    make_video(tmp_path / "good.ts")
    make_video(tmp_path / "good.mp4")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ngood.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile good.mp4\n")
    for name in ("list.m3u8", "list.ffconcat"):
        assert reason_of(tmp_path / name) is Reason.NOT_A_VIDEO
        with pytest.raises(ClipError, match="not_a_video"):
            decode_audio(tmp_path / name, ffmpeg=FFMPEG)


@pytest.mark.parametrize("reader", READERS)
def test_a_decoder_that_takes_too_long_is_killed(tmp_path: Path, reader: str) -> None:
    video = make_video(tmp_path / "a.mp4", seconds=1)
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    started = time.monotonic()
    with pytest.raises(ClipError) as caught:
        decode(video, reader=reader, ffmpeg=str(slow), timeout_s=0.5)  # type: ignore[arg-type]
    assert caught.value.reason is Reason.TIMEOUT and time.monotonic() - started < 10


def test_noise_inside_a_file_is_survived_or_named(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", seconds=3, size="192x128")
    data = bytearray(video.read_bytes())
    rng = np.random.default_rng(0)
    middle = slice(len(data) // 4, 3 * len(data) // 4)
    data[middle] = rng.integers(0, 256, len(data[middle]), np.uint8).tobytes()
    video.write_bytes(data)
    try:
        assert len(decode(video, ffmpeg=FFMPEG).frames) > 0
    except ClipError as error:
        assert error.reason in (Reason.DECODE_ERROR, Reason.TRUNCATED, Reason.NOT_A_VIDEO)


def test_any_audio_file_is_heard(tmp_path: Path) -> None:
    for name in ("a.wav", "a.mp3", "a.ogg", "a.flac", "a.m4a", "a.aiff"):
        path = tmp_path / name
        ffmpeg("-f", "lavfi", "-t", "1.5", "-i", "sine=frequency=440:sample_rate=22050", "-ac", "2", str(path))
        wave = decode_audio(path, ffmpeg=FFMPEG)
        assert wave.dtype == np.int16 and len(wave) == pytest.approx(24000, abs=2000)
    assert len(decode_audio(tmp_path / "a.wav", ffmpeg=FFMPEG, max_duration_s=0.5)) == 8000
    assert len(decode_audio(make_no_video(tmp_path / "n.mp4"), ffmpeg=FFMPEG)) == 32000
    with pytest.raises(ClipError, match="no_audio"):
        decode_audio(make_video(tmp_path / "v.mp4", sound=None), ffmpeg=FFMPEG)
    with pytest.raises(ClipError, match="truncated"):
        decode_audio(make_truncated(tmp_path / "t.mp4", faststart=False), ffmpeg=FFMPEG)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "cover.png")
    ffmpeg("-f", "lavfi", "-t", "1", "-i", "sine", "-i", str(tmp_path / "cover.png"),
           "-map", "0", "-map", "1", "-c:v", "png", "-disposition:v", "attached_pic",
           str(tmp_path / "song.m4a"))  # fmt: skip
    assert reason_of(tmp_path / "song.m4a") is Reason.NO_VIDEO


def test_loudness_and_brightness() -> None:
    square = np.tile(np.array([32767, -32768], np.int16), 8000)
    assert loudest_dbfs(square, 16000) == pytest.approx(0.0, abs=0.01)
    assert loudest_dbfs((square // 10).astype(np.int16), 16000) == pytest.approx(-20.0, abs=0.1)
    short_click = np.zeros(16000, np.int16)
    short_click[9000:9800] = square[:800]
    assert loudest_dbfs(short_click, 16000) > -7  # 50 ms may straddle two windows
    assert loudest_dbfs(np.zeros(16000, np.int16), 16000) == float("-inf")
    black, grey, white = (encode_jpeg(np.full((64, 96, 3), level, np.uint8)) for level in (0, 128, 255))
    pictures = Pictures([black, grey, white])
    assert brightest_mean(pictures) == 1.0
    assert brightest_mean(pictures, enough=0.2) == pytest.approx(128 / 255, abs=0.01), "the rest is not looked at"
    assert largest_change(Pictures([grey, grey, black])) == pytest.approx(128 / 255, abs=0.01)
    assert largest_change(Pictures([grey])) == 0.0


def test_ffmpeg_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(ffmpeg_path("bundled")).is_file()
    assert ffmpeg_path(FFMPEG) == FFMPEG
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="PATH"):
        ffmpeg_path("system")
    with pytest.raises(UserError, match="no executable"):
        ffmpeg_path(str(tmp_path / "nothing"))
    (tmp_path / "ffmpeg").symlink_to(FFMPEG)
    assert ffmpeg_path("system") == str(tmp_path / "ffmpeg")


@given(st.integers(2, 5000), st.integers(2, 5000), st.integers(2, 512))
def test_frame_sizes_are_even_bounded_and_keep_the_shape(width: int, height: int, side: int) -> None:
    new_width, new_height = frame_size(width, height, side)
    assert new_width % 2 == 0 and new_height % 2 == 0 and min(new_width, new_height) >= 2
    assert new_width <= max(2, width) and new_height <= max(2, height)
    assert min(new_width, new_height) <= max(2, side) and max(new_width, new_height) <= 4 * max(2, side)


@given(st.lists(st.floats(0.005, 0.5), min_size=1, max_size=50), st.sampled_from([1.0, 5.0, 10.0, 25.0]))
def test_frame_choice_never_runs_backwards_or_ahead(steps: list[float], fps: float) -> None:
    times = np.cumsum([0.0, *steps])
    indices = frame_indices(times, fps, 60.0)
    assert indices[0] >= 0 and indices == sorted(indices) and indices[-1] < len(times)
    for slot, index in enumerate(indices):
        assert index == 0 or times[index] <= (slot + 0.5) / fps + 1e-9


@given(st.text())
def test_details_are_one_printable_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable() and len(line) <= 300
