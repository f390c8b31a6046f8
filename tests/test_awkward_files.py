"""Files that play well and yet were read wrongly without a word: each is read rightly now, or says what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from media_files import FFMPEG, ffmpeg, make_video
from numpy.typing import NDArray
from shards import blinking_clip, clip_members, write_tar

from s2v import doctor
from s2v.data.moments import read_moments
from s2v.errors import Reason, UserError
from s2v.media.checks import loudest_dbfs
from s2v.media.decode import ClipError, Decoded, decode, decode_audio
from s2v.media.mono import loudest_of_opposed, mono
from s2v.media.sounds import read_sound
from s2v.models.localiser import Ear

READERS = ("ffmpeg", "decord")
GREY = "color=black:size=96x64:rate=20,geq=lum='25*floor(T)+40':cb=128:cr=128"
TONES = "aevalsrc='0.5*sin(2*PI*(400+100*floor(t))*t)':s=48000"


def second_heard(wave: NDArray[np.int16], at_s: float) -> int:
    """Of a file of TONES, the second of its source whose tone sounds at a time."""
    part = wave[int(16000 * at_s) - 1600 : int(16000 * at_s) + 1600].astype(float)
    return round((np.argmax(np.abs(np.fft.rfft(part * np.hanning(3200), 16000))) - 400) / 100)


def second_seen(decoded: Decoded, at_s: float) -> int:
    """Of a file of GREY, the second of its source whose grey is seen at a time."""
    level = decoded.pictures.thumbnail(int(at_s * decoded.fps)).mean()
    return round((level * 219 / 255 + 16 - 40) / 25)


def in_step(decoded: Decoded, seconds: list[int]) -> None:
    assert decoded.wave is not None
    for at, second in enumerate(seconds):
        assert (second_seen(decoded, at + 0.5), second_heard(decoded.wave, at + 0.5)) == (second, second)


def clock(path: Path, start: int, seconds: int, *options: str) -> Path:
    """`seconds` of GREY and TONES from second `start` on."""
    grey, tones = GREY.replace("floor(T)", f"(floor(T)+{start})"), TONES.replace("floor(t)", f"(floor(t)+{start})")
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", grey, "-f", "lavfi", "-t", str(seconds), "-i", tones]
    ffmpeg(*inputs, "-pix_fmt", "yuv420p", *options, str(path))
    return path


def joined(path: Path, *parts: Path) -> Path:
    """Bytes one after the other, as recorders leave them."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("first", "then"),
    [(("-ac", "1"), ("-ac", "2")), (("-ac", "2"), ("-ac", "1")), (("-ar", "44100"), ("-ar", "48000")),
     (("-ac", "2"), ("-ac", "6"))],
)  # fmt: skip
def test_sound_that_changes_its_form_stays_in_step(
    tmp_path: Path, reader: str, first: tuple[str, ...], then: tuple[str, ...]
) -> None:
    one = clock(tmp_path / "1.ts", 0, 3, "-c:a", "aac", *first)
    two = clock(tmp_path / "2.ts", 3, 3, "-c:a", "aac", *then, "-output_ts_offset", "3")
    got = decode(joined(tmp_path / "both.ts", one, two), reader=reader, ffmpeg=FFMPEG)  # type: ignore[arg-type]
    assert got.wave is not None and len(got.wave) / 16000 == pytest.approx(6, abs=0.1)
    in_step(got, list(range(6)))
    assert any("changes its rate or channels" in note for note in got.notes)


def test_an_mp3_of_two_rates_is_as_long_as_it_sounds(tmp_path: Path) -> None:
    for name, rate in (("1.mp3", "44100"), ("2.mp3", "48000")):
        ffmpeg("-f", "lavfi", "-t", "3", "-i", TONES, "-ar", rate, "-write_xing", "0", str(tmp_path / name))
    wave = decode_audio(joined(tmp_path / "both.mp3", tmp_path / "1.mp3", tmp_path / "2.mp3"), ffmpeg=FFMPEG)
    assert len(wave) / 16000 == pytest.approx(6, abs=0.15)
    assert [second_heard(wave, at + 0.5) for at in range(6)] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(("name", "then"), [("a.aac", ("-ar", "24000")), ("a.flac", ("-ac", "2"))])
def test_a_recording_without_a_clock_that_changes_its_form_is_whole(
    tmp_path: Path, name: str, then: tuple[str, ...]
) -> None:
    for part, options in (("1" + name, ()), ("2" + name, then)):
        ffmpeg("-f", "lavfi", "-t", "3", "-i", TONES, *options, str(tmp_path / part))
    wave = decode_audio(joined(tmp_path / name, tmp_path / ("1" + name), tmp_path / ("2" + name)), ffmpeg=FFMPEG)
    assert len(wave) / 16000 == pytest.approx(6, abs=0.15)
    assert [second_heard(wave, at + 0.6) for at in range(6)] == [0, 1, 2, 0, 1, 2]


def test_what_cannot_be_read_to_its_end_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part, channels in (("1.ogg", "1"), ("2.ogg", "2")):
        ffmpeg("-f", "lavfi", "-t", "2", "-i", TONES, "-ac", channels, "-c:a", "libvorbis", str(tmp_path / part))
    path = joined(tmp_path / "a.ogg", tmp_path / "1.ogg", tmp_path / "2.ogg")
    assert len(read_sound(path, ffmpeg=FFMPEG, limit_s=9)) == pytest.approx(32000, abs=800)
    assert f"{path}: could not be read to its end (" in capsys.readouterr().err


def test_a_transport_stream_whose_clock_leaps_is_read_on(tmp_path: Path) -> None:
    one, two = clock(tmp_path / "1.ts", 0, 3), clock(tmp_path / "2.ts", 3, 3, "-output_ts_offset", "100")
    in_step(decode(joined(tmp_path / "a.ts", one, two), ffmpeg=FFMPEG), list(range(6)))


@pytest.mark.parametrize("fps", [10, 20])
def test_a_picture_that_changes_its_size_keeps_its_times_and_its_shape(tmp_path: Path, fps: int) -> None:
    one = clock(tmp_path / "1.ts", 5, 3)
    two = clock(tmp_path / "2.ts", 0, 3, "-output_ts_offset", "3", "-vf", "scale=64:96,setsar=1")
    got = decode(joined(tmp_path / "both.ts", one, two), ffmpeg=FFMPEG, fps=fps)
    frames = got.frames.mean(-1)
    assert frames.shape[1:] == (64, 96) and abs(len(frames) - 6 * fps) <= 1
    middle = frames[:, 24:40, 40:56].mean((1, 2))
    dark = np.flatnonzero(middle < 100)
    assert abs(dark[0] - 3 * fps) <= 1 and len(dark) == len(frames) - dark[0]
    assert frames[dark[0] + 1 :, :, :20].max() < 8 and frames[dark[0] + 1 :, :, -20:].max() < 8, "black beside it"
    assert any("changes its size" in note for note in got.notes)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_copied_cut_stays_in_step(tmp_path: Path, reader: str, container: str) -> None:
    whole = clock(tmp_path / "whole.mp4", 0, 7, "-g", "300" if container == "mp4" else "20")
    cut = tmp_path / f"cut.{container}"
    ffmpeg("-ss", "3", "-i", str(whole), "-c", "copy", str(cut))
    in_step(decode(cut, reader=reader, ffmpeg=FFMPEG), [3, 4, 5, 6])  # type: ignore[arg-type]


@pytest.mark.parametrize("reader", READERS)
def test_a_turned_picture_of_wide_pixels_has_its_shape(tmp_path: Path, reader: str) -> None:
    plain = clock(tmp_path / "plain.mp4", 0, 2, "-vf", "setsar=4/3")
    ffmpeg("-display_rotation", "90", "-i", str(plain), "-c", "copy", str(tmp_path / "turned.mp4"))
    assert decode(tmp_path / "turned.mp4", reader=reader, ffmpeg=FFMPEG).frames.shape[1:3] == (96, 48)  # type: ignore[arg-type]


def test_what_decord_cannot_place_is_read_by_ffmpeg_and_said(tmp_path: Path) -> None:
    got = decode(clock(tmp_path / "a.ts", 0, 2), reader="decord", ffmpeg=FFMPEG)
    assert "ffmpeg read its pictures, since decord loses its place in mpegts" in got.notes
    assert decode(clock(tmp_path / "a.mp4", 0, 2), reader="decord", ffmpeg=FFMPEG).notes == ()


def test_no_moment_after_the_end_of_the_sound_has_a_sound(tmp_path: Path) -> None:
    frames, wave, _ = blinking_clip(0)  # 12 frames
    tar = write_tar(tmp_path / "000.tar", clip_members("a", frames, wave[: len(wave) // 4]))
    ear = Ear(window_s=0.2)
    (clip,) = read_moments([tar], image_px=16, ear=ear)
    assert clip.spectrogram is not None
    end_s = len(wave) / 4 / 16000
    outside = clip.times_s - 0.1 >= end_s
    assert outside.any() and torch.equal(clip.heard, ~outside)
    windows = ear.windows(clip.spectrogram, clip.times_s[outside][1:])
    assert torch.allclose(windows, windows.flatten()[0], atol=1e-2), "silence, nothing mirrored"


def test_a_sound_that_ends_long_before_the_picture_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    ffmpeg(
        "-f", "lavfi", "-t", "5", "-i", GREY, "-f", "lavfi", "-t", "1", "-i", TONES, "-pix_fmt", "yuv420p", str(path)
    )
    (note,) = decode(path, ffmpeg=FFMPEG).notes
    assert note.startswith("its sound ends at 1.0") and note.endswith("its picture at 5.00 s")


def test_channels_that_cancel_are_heard(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-t", "2", "-i", TONES, "-af", "pan=stereo|c0=c0|c1=-0.99*c0", str(tmp_path / "a.flac"))
    wave = decode_audio(tmp_path / "a.flac", ffmpeg=FFMPEG)
    assert np.sqrt(np.square(wave / 32768.0).mean()) == pytest.approx(0.5 / 2**0.5, abs=0.02)
    video = tmp_path / "a.mkv"
    ffmpeg("-f", "lavfi", "-t", "2", "-i", GREY, "-i", str(tmp_path / "a.flac"), "-c:a", "flac", str(video))
    assert decode(video, ffmpeg=FFMPEG).notes == ("its channels cancel each other; the loudest one is heard",)


def test_other_channels_are_mixed_as_their_mean() -> None:
    left, right = np.random.default_rng(0).standard_normal((2, 999))
    assert np.allclose(mono(np.stack([left, right])), (left + right) / 2)
    assert loudest_of_opposed(np.stack([left, -1.1 * left])) == 1
    assert loudest_of_opposed(np.stack([left, right])) is None
    assert loudest_of_opposed(np.zeros((2, 9))) is None and len(mono(np.zeros((2, 0)))) == 0


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_the_default_tracks_are_taken(tmp_path: Path, container: str) -> None:
    path = tmp_path / f"a.{container}"
    pick = ["-map", "0", "-map", "1", "-map", "2", "-disposition:a:0", "0", "-disposition:a:1", "default"]
    ffmpeg("-f", "lavfi", "-t", "2", "-i", GREY, "-f", "lavfi", "-t", "2", "-i", "sine=frequency=3000",
           "-f", "lavfi", "-t", "2", "-i", TONES, *pick, "-pix_fmt", "yuv420p", str(path))  # fmt: skip
    for reader in READERS:
        got = decode(path, reader=reader, ffmpeg=FFMPEG)  # type: ignore[arg-type]
        in_step(got, [0, 1])
        assert "sound is its audio stream 2 of 2, which it marks as default" in got.notes


def test_a_constant_is_silence() -> None:
    constant = np.full(16000, 3277, np.int16)
    assert loudest_dbfs(constant, 16000) == float("-inf")
    steps = constant + np.random.default_rng(0).integers(-1, 2, 16000).astype(np.int16)
    assert loudest_dbfs(steps, 16000) < -85


@pytest.mark.parametrize(("name", "kind"), [("a.wav", "FLOAT"), ("a.aiff", "DOUBLE"), ("a.w64", "FLOAT")])
def test_samples_that_are_no_numbers_are_silence(tmp_path: Path, name: str, kind: str) -> None:
    wave = 0.05 * np.sin(np.arange(24000) / 8).astype(np.float64)
    wave[8000:8400], wave[12000] = np.nan, np.inf
    soundfile.write(tmp_path / name, wave, 16000, subtype=kind)
    got = decode_audio(tmp_path / name, ffmpeg=FFMPEG)
    assert (got[8000:8400] == 0).all() and np.abs(np.delete(got, 12000)).max() < 2000
    assert np.abs(got[:8000]).max() > 1000


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_white_is_white_in_hdr(tmp_path: Path, transfer: str) -> None:
    code = {"smpte2084": 573, "arib-std-b67": 721}[transfer]  # of 203 cd/m2 (ITU-R BT.2408), 10 bits, narrow range
    colour = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"]
    x265 = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    white = f"color=gray:s=96x64:r=10,format=yuv420p10le,geq=lum='if(lt(T,1),{code},64)':cb=512:cr=512"
    path = tmp_path / "a.mp4"
    ffmpeg("-f", "lavfi", "-t", "2", "-i", white, "-f", "lavfi", "-t", "2", "-i", TONES, "-c:v", "libx265",
           "-x265-params", x265, *colour, str(path))  # fmt: skip
    got = decode(path, ffmpeg=FFMPEG)
    level = got.frames.mean((1, 2, 3))
    assert level[:9].min() >= 235 and level[11:].max() < 8
    assert got.notes == (f"HDR ({transfer}), tone-mapped to SDR; what is brighter than white is white",)


def test_one_picture_to_a_sound_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    ffmpeg("-f", "lavfi", "-t", "1", "-i", "color=red:s=64x64:r=1", "-f", "lavfi", "-t", "3", "-i", TONES,
           "-pix_fmt", "yuv420p", str(path))  # fmt: skip
    assert decode(path, ffmpeg=FFMPEG).notes == ("its picture never changes",)


def test_subtitles_that_go_on_are_no_missing_sound(tmp_path: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:50,000 --> 00:00:55,000\nstill here\n")
    video = clock(tmp_path / "a.mp4", 0, 3)
    for name in ("a.mkv", "b.mp4"):
        codec = "srt" if name.endswith("mkv") else "mov_text"
        ffmpeg("-i", str(video), "-i", str(words), "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec,
               str(tmp_path / name))  # fmt: skip
        assert len(decode(tmp_path / name, ffmpeg=FFMPEG).pictures) == 30
    cut = tmp_path / "cut.mkv"
    cut.write_bytes((tmp_path / "a.mkv").read_bytes()[: (tmp_path / "a.mkv").stat().st_size // 2])
    with pytest.raises(ClipError, match="truncated"):
        decode(cut, ffmpeg=FFMPEG)


@pytest.mark.parametrize("share", [0.999, 0.99, 0.97, 0.9])
def test_an_mp4_that_lacks_its_last_bytes_is_truncated(tmp_path: Path, share: float) -> None:
    data = clock(tmp_path / "a.mp4", 0, 3).read_bytes()
    (tmp_path / "b.mp4").write_bytes(data[: int(len(data) * share)])
    for need_audio in (True, False):
        with pytest.raises(ClipError, match="truncated"):
            decode(tmp_path / "b.mp4", ffmpeg=FFMPEG, need_audio=need_audio)


def test_a_live_recording_that_ends_before_the_window_is_too_short(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.webm", options=("-c:v", "libvpx", "-c:a", "libvorbis", "-live", "1"))
    for read in (decode, decode_audio):
        with pytest.raises(ClipError) as caught:
            read(path, ffmpeg=FFMPEG, start_s=30.0)  # type: ignore[operator]
        assert caught.value.reason is Reason.TOO_SHORT and "before 30 s" in caught.value.detail


def test_a_clock_that_jumps_is_named(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.ogv", tmp_path / "cut.ogv"
    clock(whole, 0, 6, "-c:v", "libtheora", "-c:a", "libvorbis")
    ffmpeg("-ss", "1.3", "-i", str(whole), "-c", "copy", str(cut))
    with pytest.raises(ClipError, match="decode_error: its clock jumps"):
        decode(cut, ffmpeg=FFMPEG)


def test_a_wrong_header_that_sound_and_picture_outlast_alike_is_said(tmp_path: Path) -> None:
    path = clock(tmp_path / "a.flv", 0, 4)
    data = path.read_bytes()
    at = data.index(b"duration") + len(b"duration") + 1
    path.write_bytes(data[:at] + np.array(1.5, ">f8").tobytes() + data[at + 8 :])
    got = decode(path, ffmpeg=FFMPEG)
    in_step(got, [0, 1, 2, 3])
    assert [note.split(":")[0] for note in got.notes] == ["sound", "picture"]


@pytest.mark.parametrize("make", [decode_audio, read_sound])
def test_a_long_file_is_heard_from_any_second_on(tmp_path: Path, make: Callable[..., object]) -> None:
    path = tmp_path / "long.mp3"
    beep = "aevalsrc='0.5*sin(2*PI*if(between(t,3898,3903),700,300)*t)':s=16000"
    ffmpeg("-f", "lavfi", "-t", "4200", "-i", beep, "-b:a", "24k", str(path))
    limit = {"limit_s" if make is read_sound else "max_duration_s": 5.0}
    wave = np.asarray(make(path, ffmpeg=FFMPEG, start_s=3898.0, **limit))
    assert len(wave) == 80000
    spectrum = np.abs(np.fft.rfft(wave[1600:-1600].astype(float)))
    assert np.argmax(spectrum) / 4.8 == pytest.approx(700, abs=1)
    with pytest.raises((ClipError, UserError), match="4200"):
        make(path, ffmpeg=FFMPEG, start_s=4300.0, **limit)


def test_doctor_says_that_an_ffmpeg_is_too_old_to_tell_changes_of_form(tmp_path: Path) -> None:
    for version, said in (("5.1.9-0+deb12u1", True), ("n9.0.2-17-g2a571b6068", False), ("7.1", False)):
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\necho 'ffmpeg version {version} Copyright'\n")
        program.chmod(0o755)
        assert ("older than 7" in doctor.ffmpeg_line(str(program))) is said
