"""A data set of ids through the workflow: its list, videos in a tar, published moments, duplicates, packed shards."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

from media_files import make_video
from workflow_runs import TINY, Checkout

from s2v.data.reader import samples

OVERLAY = """
name: mini
output: results/mini
data:
  source: vggsound
  vggsound: {csv: list.csv, n_classes: null, val_share: 0.3}
  videos: {source: tar_urls, tars: [videos.tar]}
extract: {soundless_splits: []}
select: {mode: published, moments: moments.json}
duplicates: {max_distance: 4}
encoder: {splits: [train]}
generator: {splits: [train]}
evaluate: {evaluator: none}
"""


def test_a_list_becomes_packed_shards_and_every_loss_has_its_reason(tmp_path: Path) -> None:
    checkout = Checkout.of_repository(tmp_path / "checkout")
    root = checkout.root
    moments, lines = {}, []
    with tarfile.open(root / "videos.tar", "w") as tar:
        for n in range(12):
            video = f"{'-' if n == 0 else '_'}id{n:08d}"
            # Clip 11 is a copy of the test clip 0, and 10 is in no tar.
            look = 0 if n == 11 else n
            if n != 10:
                picture = f"mandelbrot=size=160x120:rate=10:start_scale={3 / (1 + look)}:end_scale={2 / (1 + look)}"
                path = make_video(tmp_path / "clip.mp4", picture=picture)
                tar.add(path, f"vgg/{video}_{n:06d}.mp4")
            lines.append(f"{video},{n},hail,{'test' if n < 3 else 'train'}")
            if n != 9:
                moments[f"{video}_{1000 * n}_{1000 * n + 10000}"] = [7, 3]
    (root / "list.csv").write_text("\n".join(lines))
    (root / "moments.json").write_text(json.dumps(moments))
    (root / "mini.yaml").write_text(OVERLAY)
    config = (*TINY, "mini.yaml")
    splits = ("train", "val", "test")
    shards = [f"results/mini/pack/{split}/{shard}.tar" for split in splits for shard in ("000", "001")]
    targets = (*shards, "results/mini/coverage.csv")
    done = checkout.snakemake("--cores", "1", *targets, config=config)
    assert done.returncode == 0, done.stdout[-4000:]
    with open(root / "results/mini/coverage.csv", newline="") as stream:
        lost = {row["source_id"].lstrip("'"): row["reason"] for row in csv.DictReader(stream) if row["status"] != "ok"}
    assert lost == {
        "_id00000009_000009": "no_moment", "_id00000010_000010": "missing", "_id00000011_000011": "duplicate",
    }  # fmt: skip
    packed = {sample["__key__"]: sample for shard in shards for sample in samples(root / shard)}
    assert len(packed) == 9 and "y-id00000000_0_10000" in packed
    assert all(json.loads(sample["json"])["chosen"] == 6 and "flac" in sample for sample in packed.values())
    assert checkout.planned(*targets, config=config) == {}
    # What a damaged shard takes is that shard.
    shard = root / next(shard for shard in shards if (root / shard).stat().st_size > 20_000)
    whole = shard.read_bytes()
    shard.unlink()
    assert checkout.planned(*targets, config=config) == {"pack": 1}
    assert checkout.snakemake("--cores", "1", *targets, config=config).returncode == 0 and shard.read_bytes() == whole
