"""What one clip costs on this machine, at the sizes of a configuration: seconds of CPU, bytes of files."""

from __future__ import annotations

import resource
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2v.errors import UserError

if TYPE_CHECKING:
    from s2v.config import Config

SAMPLE = 8
"""Clips of a folder that are tried."""
_FPS = 30
_BITS = 0.13
"""Bits a pixel of the generated video, which at 640x360 and 30 frames a second are 0.9 Mbit/s."""


@dataclass(frozen=True)
class ClipCost:
    """Costs of one clip. Bytes are of files, CPU is user and system time with that of ffmpeg."""

    what: str
    seconds: float
    render_cpu_s: float
    extract_cpu_s: float
    video_bytes: int
    extract_bytes: int
    pair_bytes: int
    frames_bytes: int


def clip_cost(config: Config, ffmpeg: str, seconds: float, row: dict[str, Any] | None = None) -> ClipCost:
    """Generate one clip, a moving and noisy picture with a tone, and take it through stage `extract`.

    Args:
        config: the configuration.
        ffmpeg: the executable.
        seconds: length of the clip.
        row: of a manifest whose clips are rendered here; it is rendered instead.

    Raises:
        UserError: this machine cannot do it, or the configuration leaves such a clip out.
    """
    with tempfile.TemporaryDirectory(prefix="s2v-plan.") as folder:
        video, part = Path(folder, "clip.mp4"), Path(folder, "clip.tar")
        started = _cpu_s()
        made = config.data.rendered()
        if row is not None and made is not None:
            what = f"a clip of the {config.data.source} of {made.size_px} px"
            from s2v.data.manifest import source

            source(config.data.source).render(row, video, config=made, ffmpeg=ffmpeg)
        else:
            width, height = _frame_size(config)
            what = f"a generated clip of {width}x{height} px and {seconds:.3g} s"
            _generate(video, width, height, seconds, ffmpeg)
        render_cpu_s = _cpu_s() - started
        clip = {"clip_id": "clip", "split": "train", "path": str(video), "start_s": None, "end_s": None}
        # The second time: the first also imports the decoder.
        for _ in range(2):
            cost = _extracted(config, clip, ffmpeg, part, what)
        if isinstance(cost, str):
            raise UserError(f"plan: stage extract leaves {what} out ({cost})")
        return replace(cost, render_cpu_s=render_cpu_s, video_bytes=video.stat().st_size)


def own_clips_cost(config: Config, ffmpeg: str, rows: list[dict[str, Any]]) -> ClipCost | str:
    """Take some clips of a user's own through stage `extract`, and give the mean of those that pass.

    Args:
        config: the configuration.
        ffmpeg: the executable.
        rows: of a manifest, with the path of each. `SAMPLE` of them are tried, from all over it.

    Returns:
        The mean, or why the last of them was left out, where all were.
    """
    tried = [rows[i * len(rows) // SAMPLE] for i in range(SAMPLE)] if len(rows) > SAMPLE else rows
    passed, why = [], "there are none"
    with tempfile.TemporaryDirectory(prefix="s2v-plan.") as folder:
        for row in tried[:1] + tried:  # the first time also imports the decoder
            cost = _extracted(config, row, ffmpeg, Path(folder, "clip.tar"), "")
            if isinstance(cost, str):
                why = cost
            else:
                passed.append(cost)
    passed = passed[1:] or passed
    if not passed:
        return why
    n = len(passed)
    sums = {name: sum(getattr(cost, name) for cost in passed) / n for name in ("seconds", "extract_cpu_s")}
    sizes = ("extract_bytes", "pair_bytes", "frames_bytes")
    mean = {name: sum(getattr(cost, name) for cost in passed) // n for name in sizes}
    what = f"the mean of {n} of the clips, of {sums['seconds']:.3g} s"
    return ClipCost(what=what, render_cpu_s=0.0, video_bytes=0, **sums, **mean)


def _extracted(config: Config, clip: dict[str, Any], ffmpeg: str, part: Path, what: str) -> ClipCost | str:
    """What a clip costs stage `extract`, or why it is left out."""
    from s2v.data.extract import extract_clip

    settings = config.extract.model_dump(mode="json")
    started = _cpu_s()
    status = extract_clip(clip=clip, settings=settings, ffmpeg=ffmpeg, part=str(part))
    spent = _cpu_s() - started
    if status["status"] != "ok":
        return f"{status['reason']}: {status['detail']}"
    with tarfile.open(part) as tar:
        sizes = {member.name: member.size for member in tar}
    frames = [size for name, size in sizes.items() if name.endswith(".jpg")]
    sound = sum(size for name, size in sizes.items() if name.endswith(".flac"))
    return ClipCost(
        what=what, seconds=len(frames) / config.extract.fps, render_cpu_s=0.0, extract_cpu_s=spent, video_bytes=0,
        extract_bytes=part.stat().st_size, pair_bytes=sound + sum(frames) // len(frames), frames_bytes=sum(frames),
    )  # fmt: skip


def _frame_size(config: Config) -> tuple[int, int]:
    height = config.data.videos.height // 2 * 2
    return round(height * 16 / 9 / 2) * 2, height


def _generate(video: Path, width: int, height: int, seconds: float, ffmpeg: str) -> None:
    """Encode with H.264, about as strongly as videos of that size on the web are."""
    picture = f"mandelbrot=size={width}x{height}:rate={_FPS},noise=alls=8:allf=t+u"
    inputs = ["-f", "lavfi", "-t", f"{seconds:.3f}", "-i", picture]
    inputs += ["-f", "lavfi", "-t", f"{seconds:.3f}", "-i", "sine=frequency=440:sample_rate=44100,tremolo"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", str(round(width * height * _FPS * _BITS))]
    coding += ["-pix_fmt", "yuv420p", "-c:a", "aac", "-threads", "1", f"file:{video}"]
    try:
        command = [ffmpeg, "-v", "error", "-nostdin", "-y", *inputs, *coding]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join((getattr(error, "stderr", None) or str(error)).split())
        raise UserError(f"runtime.ffmpeg: could not make a clip to measure with ({said[:200]})") from error


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


__all__ = ["ClipCost", "clip_cost", "own_clips_cost"]
