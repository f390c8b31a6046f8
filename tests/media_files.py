"""Small real media files made by ffmpeg on the fly: good ones, and every kind of bad one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from s2v.media.ffmpeg import ffmpeg_path

FFMPEG = ffmpeg_path("bundled")


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg; a failure shows its message."""
    done = subprocess.run([FFMPEG, "-v", "error", "-nostdin", "-y", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def make_video(
    path: Path,
    *,
    seconds: float = 2.0,
    size: str = "96x64",
    fps: int = 20,
    picture: str | None = None,
    sound: str | None = "sine=frequency=440:sample_rate=44100",
    sound_delay_s: float = 0.0,
    options: tuple[str, ...] = (),
) -> Path:
    """A test-card video with a tone; `picture` and `sound` are lavfi sources, None leaves that stream out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arguments: list[str] = []
    if picture != "":
        source = picture or f"testsrc2=size={size}:rate={fps}"
        arguments += ["-f", "lavfi", "-t", str(seconds), "-i", source]
    if sound is not None:
        arguments += [
            "-itsoffset",
            str(sound_delay_s),
            "-f",
            "lavfi",
            "-t",
            str(seconds - sound_delay_s),
            "-i",
            sound,
        ]
    codecs = ["-pix_fmt", "yuv420p", "-shortest"] if picture != "" and not options else []
    ffmpeg(*arguments, *codecs, *options, "-fflags", "+bitexact", f"file:{path}")
    return path


def make_no_video(path: Path, seconds: float = 2.0) -> Path:
    """An mp4 that holds sound alone."""
    return make_video(path, seconds=seconds, picture="")


def make_truncated(path: Path, *, faststart: bool, share: float = 0.5) -> Path:
    """A video cut off after `share` of its bytes; its index at the start (faststart) or lost at the end."""
    flags = "+faststart" if faststart else "0"
    make_video(path, seconds=4.0, options=("-pix_fmt", "yuv420p", "-movflags", flags))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def make_bad_files(folder: Path) -> dict[str, str]:
    """Put one file of every bad kind into `folder`; returns each name and the reason it must be given."""
    folder.mkdir(parents=True, exist_ok=True)
    make_truncated(folder / "cut at the end.mp4", faststart=False)
    make_truncated(folder / "cut in the middle.mp4", faststart=True)
    make_truncated(folder / "cut in its index.mp4", faststart=True, share=0.01)
    make_video(folder / "no-audio.mp4", sound=None)
    make_no_video(folder / "no-video.mp4")
    (folder / "zero.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("This is no film. " * 40)
    (folder / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")
    (folder / "concat.mp4").write_text("ffconcat version 1.0\nfile 'no-audio.mp4'\n")
    make_video(folder / "silent.mp4", sound="anullsrc=sample_rate=44100:channel_layout=mono")
    make_video(folder / "short.mp4", seconds=0.3)
    make_video(folder / "black.mp4", seconds=5.0, picture="color=black:size=96x64:rate=20")
    return {
        "cut at the end.mp4": "truncated",
        "cut in the middle.mp4": "truncated",
        "cut in its index.mp4": "truncated",
        "no-audio.mp4": "no_audio",
        "no-video.mp4": "no_video",
        "zero.mp4": "empty",
        "text.mp4": "not_a_video",
        "playlist.mp4": "not_a_video",
        "concat.mp4": "not_a_video",
        "silent.mp4": "silent",
        "short.mp4": "too_short",
        "black.mp4": "black",
    }


HOSTILE_NAMES = (
    "two words.mp4",
    'it\'s "quoted".mp4',
    "-y.mp4",
    "hund—犬—🐕.mp4",
    "line\nbreak.mp4",
    "=cmd()|'calc'!A1.mp4",
    "concat:a|b.mp4",
    "%03d.mp4",
    "$(touch pwned);`id`.MP4",
)


def make_hostile_names(folder: Path) -> list[str]:
    """Good videos whose names are traps, one of them not valid UTF-8; returns the names."""
    template = make_video(folder / "template.mp4")
    names = [*HOSTILE_NAMES, os.fsdecode(b"latin-\xe9.mp4")]
    for name in names:
        (folder / name).write_bytes(template.read_bytes())
    template.unlink()
    return names
