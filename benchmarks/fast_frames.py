"""What `extract.frames: fast` does to the chosen moment, on clips of the embedded world at 30 frames a second.

    python benchmarks/fast_frames.py results [--clips 8] [--json fast.json]

`results` is a finished run, whose localisation model scores both. The clips are new ones (another seed of the world),
rendered at 30 frames a second, since at 10 every frame is kept and fast would leave out what was to be kept.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from selection import precision

from s2v.config import DataConfig, DownloadConfig, ExtractConfig, RuntimeConfig, SelectConfig, WorldConfig
from s2v.data.extract import run as extract
from s2v.data.fetch import run as fetch
from s2v.data.manifest import run as manifest
from s2v.data.select import run as select
from s2v.files import read_parquet, write_json, write_parquet
from s2v.media.ffmpeg import ffmpeg_path
from s2v.world import TRUTH, class_names

CLASSES = 12
FPS = 30


def measure(results: Path, folder: Path, clips: int) -> dict[str, Any]:
    """Render, extract and select in both ways; compare."""
    ffmpeg, workers = ffmpeg_path("bundled"), os.cpu_count() or 1
    world = WorldConfig(classes=class_names()[:CLASSES], clips={"test": clips}, fps=FPS, seed=1)
    data = DataConfig(source="world", shards=1, world=world)
    rows = folder / "manifest" / "000.parquet"
    manifest(config=data, output_dir=rows.parent, truth=folder / "truth.parquet")
    truth = read_parquet(folder / "truth.parquet")
    kept = [{**row, **{name: row[name][:: FPS // 10] for name in ("visible", "sounding")}} for row in truth]
    fetched = folder / "fetched.parquet"
    fetch(config=data, manifest=rows, status=fetched, video_dir=folder / "videos", ffmpeg=ffmpeg, workers=workers,
          download=DownloadConfig())  # fmt: skip
    chosen: dict[str, dict[str, Any]] = {}
    numbers: dict[str, Any] = {}
    for way in ("exact", "fast"):
        place = folder / way
        (place / "world").mkdir(parents=True)
        write_parquet(place / "world" / "truth.parquet", kept, TRUTH)
        tar = place / "000.tar"
        extract(config=ExtractConfig(frames=way, short_side_px=128), manifest=rows, fetched=fetched, tar=tar,
                status=place / "000.parquet", ffmpeg=ffmpeg, workers=workers)  # fmt: skip
        select(config=SelectConfig(), tar=tar, model_dir=results / "localise", output=place / "select" / "000.parquet",
               runtime=RuntimeConfig(), threads=1)  # fmt: skip
        chosen[way] = {row["clip_id"]: row["chosen"] for row in read_parquet(place / "select" / "000.parquet")}
        numbers[way] = precision(place)["test"]["all"]
    off = np.array([abs(chosen["fast"][clip] - frame) / 10 for clip, frame in chosen["exact"].items()])
    numbers["same moment"] = float((off == 0).mean())
    numbers["within 0.2 s"] = float((off <= 0.2 + 1e-9).mean())
    return numbers


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="output folder of a finished run of the world")
    parser.add_argument("--clips", type=int, default=8, help="of each class")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        numbers = measure(arguments.results, Path(name), arguments.clips)
    for way in ("exact", "fast"):
        row = numbers[way]
        bounds = f"[{row['top1_low']:.3f}, {row['top1_high']:.3f}]"
        print(f"{way}: the chosen frame shows the source in {row['top1']:.3f} {bounds} of {row['clips']} clips")
    print(f"the same moment: {numbers['same moment']:.3f}, within 0.2 s: {numbers['within 0.2 s']:.3f}")
    if arguments.json:
        write_json(arguments.json, numbers)


if __name__ == "__main__":
    main()
