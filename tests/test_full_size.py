"""The full-size configurations from lists and mirrors to their tables, with synthetic files of the published layouts.

What is planned, and what is said before anything begins, is tested each time, and so is `paper.yaml` from a mirror to
pictures. The chains to the tables, in which all else is trained at full size, two steps each, are marked `full_size`
and run by `make test-full-size` alone.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import published_files
import pytest
from media_files import make_video
from test_heads import PROGRAM, points_of
from tiny_unclip import unclip_folder
from workflow_runs import Checkout

from s2v.files import read_csv
from s2v.weights.catalogue import CATALOGUE

IDS = [f"-{i:02d}aBcDeFg_"[:11].ljust(11, "x") for i in range(24)]
"""Of YouTube, each with a leading dash."""
CLASSES = ("railroad car, train wagon", "dog barking", "sea waves")
START_S = 30


def _split(i: int) -> str:
    return "test" if i % 4 == 3 else "train"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 clips of ten seconds under the mirror's names: 18 to train on, 6 for test."""
    folder = tmp_path_factory.mktemp("videos")
    for i, video in enumerate(IDS):
        hertz = 200 + 90 * (i % 3) + 7 * i
        picture = f"gradients=size=128x96:rate=10:seed={i}:nb_colors=6:speed=0.05"  # no clip is a near copy of another
        sound = f"sine=frequency={hertz}:sample_rate=16000,tremolo=f={2 + i % 3}"
        make_video(folder / f"{video}_{START_S:06d}.mp4", seconds=10, picture=picture, sound=sound)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with what paper.yaml takes; evaluators and Stable unCLIP are names of files alone."""
    root = tmp_path_factory.mktemp("weights")
    published_files.paper(root)
    for name in ("clip-vit-b32", "inception-v3", "stable-unclip"):
        for file in CATALOGUE[name].files:
            (root / file.path).parent.mkdir(parents=True, exist_ok=True)
            (root / file.path).touch()
    return root


@pytest.fixture(scope="module")
def all_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, whole; Stable unCLIP tiny but for the feature."""
    root = tmp_path_factory.mktemp("all_weights")
    published_files.paper(root)
    published_files.evaluators(root)
    unclip_folder(root, dim=1024)
    return root


def _checkout(root: Path, overlay: str) -> Checkout:
    """A copy of the workflow in which list and moments lie, and `mine.yaml`."""
    checkout = Checkout.of_repository(root)
    rows = [f'{video},{START_S},"{CLASSES[i % 3]}",{_split(i)}' for i, video in enumerate(IDS)]
    (root / "vggsound.csv").write_text("\n".join(rows) + "\n")
    moments = {f"{video}_{1000 * START_S}_{1000 * START_S + 10000}": [7, 30, 55] for video in IDS}
    (root / "top1_boxes_top10_moments.json").write_text(json.dumps([{}, moments]))
    (root / "mine.yaml").write_text(overlay)
    return checkout


def _config(name: str) -> tuple[str, ...]:
    return ("--configfile", f"configs/{name}.yaml", "mine.yaml")


FEW = f"data: {{shards: 2, vggsound: {{classes: {json.dumps(list(CLASSES))}, val_share: 0.3}}}}\n"


def test_the_papers_set_up_trains_nothing_but_audio_encoders(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = _checkout(tmp_path / "s2v", FEW)
    (checkout.root / "videos/vggsound").mkdir(parents=True)
    monkeypatch.setenv("S2V_WEIGHTS", str(weights))
    jobs = checkout.planned("all", "results/paper/table3.csv", config=_config("paper"))
    trained = {"localise", "encoder_vit", "vae", "diffusion", "judge", "inception", "latents"}
    assert not trained & jobs.keys()
    assert (jobs["encoder"], jobs["generator"], jobs["align"]) == (1, 1, 2), (
        "two are converted, align and align_unclip learn"
    )
    authors = "align={weights: sound2scene-audio}", "align_unclip={weights: sound2vision-audio}"
    own = checkout.planned("all", "results/paper/table3.csv", config=(*_config("paper"), "--config", *authors))
    assert own["align"] == 2 and "embed" not in own, "both are converted, and no feature is taken to learn from"


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("vggsound.csv", "data.vggsound.csv: vggsound.csv is not there; put VGGSound's published list"),
        ("top1_boxes_top10_moments.json", "select.moments: top1_boxes_top10_moments.json is not there"),
        ("videos/vggsound", "data.videos.path: 'videos/vggsound' is no folder"),
        ("S2V_WEIGHTS", "s2v weights fetch swav-resnet50 icgan-biggan128"),
    ],
)
def test_what_is_lacking_is_one_line_before_the_first_job(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, lacks: str, said: str
) -> None:
    checkout = _checkout(tmp_path / "s2v", FEW)
    (checkout.root / "videos/vggsound").mkdir(parents=True)
    monkeypatch.setenv("S2V_WEIGHTS", str(weights))
    if lacks == "S2V_WEIGHTS":
        monkeypatch.delenv(lacks)
    elif lacks == "videos/vggsound":
        (checkout.root / lacks).rmdir()
    else:
        (checkout.root / lacks).unlink()
    done = checkout.snakemake("--cores", "1", config=_config("paper"))
    lines = [line for line in done.stdout.splitlines() if line.startswith("s2v: ")]
    assert done.returncode != 0 and sum(said in line for line in lines) == 1, done.stdout[-2000:]
    assert not (checkout.root / "results").exists() or not list((checkout.root / "results").rglob("*.parquet"))


def _run(checkout: Checkout, weights: Path, name: str, *targets: str) -> None:
    done = checkout.snakemake(
        "--cores", "2", *targets, config=_config(name), timeout_s=3000, S2V_WEIGHTS=str(weights),
        OMP_NUM_THREADS=str(max(1, (os.cpu_count() or 2) // 2)),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]


SHORT_ALIGN = "align: {epochs: 1, batch_size: 6}\n"
SHORT = (
    "generate: {seeds: [0], unclip: {steps: 2, px: null}}\nevaluate: {bootstrap: 2, inception_splits: 2, similar: []}\n"
)


def _paper(root: Path, videos: list[Path]) -> Checkout:
    """paper.yaml over a tar as the mirror has them."""
    data = FEW.replace("data: {", "data: {videos: {source: tar_urls, tars: [vggsound_00.tar.gz]}, ")
    checkout = _checkout(root / "s2v", "output: results/small\n" + data + SHORT_ALIGN + SHORT)
    with tarfile.open(checkout.root / "vggsound_00.tar.gz", "w:gz", compresslevel=1) as tar:
        for video in videos:
            tar.add(video, arcname=f"scratch/vggsound_00/{video.name}")
    return checkout


@pytest.mark.slow
def test_paper_yaml_goes_from_the_mirrors_tar_to_pictures(tmp_path: Path, videos: Path, weights: Path) -> None:
    """SwAV's ResNet-50, IC-GAN at 128 px and the authors' ResNet-18 at full size, half of the clips of the list."""
    checkout = _paper(tmp_path, sorted(videos.iterdir())[:12])
    checkout.edit("mine.yaml", SHORT_ALIGN, "align: {weights: sound2scene-audio}\n")
    checkout.edit("mine.yaml", "shards: 2", "shards: 1")
    _run(checkout, weights, "paper", "results/small/generate/sound2vision/0.tar", "results/small/coverage.csv")
    results = checkout.root / "results/small"
    with tarfile.open(results / "generate/sound2vision/0.tar") as tar:
        pictures = [member for member in tar if member.name.endswith(".png")]
    assert len(pictures) == 3, "of the twelve clips every fourth is for test"
    assert "12 of 24" in (results / "coverage.md").read_text()
    assert not (results / "localise").exists() and "not trained here" in (results / "generator/README.md").read_text()


@pytest.mark.full_size
def test_paper_yaml_goes_from_the_mirrors_tar_to_its_tables(tmp_path: Path, videos: Path, all_weights: Path) -> None:
    """With CLIP and Inception at full size, and a tiny Stable unCLIP."""
    checkout = _paper(tmp_path, sorted(videos.iterdir()))
    tables = [f"results/small/{name}.csv" for name in ("table1", "table3", "coverage")]
    _run(checkout, all_weights, "paper", *tables)
    results = checkout.root / "results/small"
    rows = read_csv(results / "table1.csv", ("row", "R@1", "FID", "n clips", "evaluator"))
    assert [row["row"] for row in rows] == ["A", "B", "C", "D"]
    assert all(row["n clips"] == "6" and row["R@1"] for row in rows) and rows[0]["FID"]
    assert "CLIP ViT-B/32" in rows[0]["evaluator"]
    text = (results / "table1.md").read_text()
    assert "here none is trained" in text and "moments: those that the paper's authors chose" in text
    assert "published weights `icgan-biggan128`" in text
    latent = (results / "table3.md").read_text()
    assert "Stable unCLIP 2.1 (published weights) through diffusers" in latent


TWO_STEPS: dict[str, dict[str, Any]] = {
    "localise": {"steps": 2, "batch_size": 2},
    "encoder": {"steps": 2, "batch_size": 2},
    "generator": {"steps": 2, "batch_size": 2, "neighbours": 3},
}
LATENT: dict[str, dict[str, Any]] = {
    "encoder_vit": {"steps": 2, "batch_size": 2},
    "vae": {"steps": 2, "batch_size": 1},
    # At its own widths the U-Net and its optimiser take 14 GB, and each checkpoint as much disk.
    "diffusion": {"steps": 2, "batch_size": 1, "channels": [64, 128, 256, 256]},
}


def _overlay(*sections: dict[str, dict[str, Any]]) -> str:
    return "".join(f"{name}: {json.dumps(keys)}\n" for section in sections for name, keys in section.items())


@pytest.mark.full_size
def test_vggsound50_trains_all_of_it(tmp_path: Path, videos: Path, all_weights: Path) -> None:
    checkout = _checkout(tmp_path / "s2v", "output: results/small\n" + FEW + SHORT_ALIGN + SHORT + _overlay(TWO_STEPS))
    (checkout.root / "videos").mkdir()
    (checkout.root / "videos/vggsound").symlink_to(videos)
    _run(checkout, all_weights, "vggsound50", "results/small/table1.csv", "results/small/fig04.png")
    rows = read_csv(checkout.root / "results/small/table1.csv", ("row", "n clips"))
    assert [row["row"] for row in rows] == ["A", "B", "C", "D"]
    text = (checkout.root / "results/small/table1.md").read_text()
    assert "`encoder` beside SwAV's recipe" in text and "localiser: train" in text


@pytest.mark.full_size
def test_vegas5_compares_the_systems_of_figure_15(tmp_path: Path, videos: Path, all_weights: Path) -> None:
    few = {
        "s2i_autoencoder": {"steps": 2, "batch_size": 4},
        "s2i_generator": {"steps": 2, "batch_size": 4},
        "pedersoli_vqvae": {"steps": 2, "batch_size": 2},
        "pedersoli_audio": {"steps": 2, "batch_size": 4},
        "scaling": {"sizes": []},
    }
    data = "data: {shards: 2, vegas: {train: 4, test: 2, val_share: 0.3}}\n"
    checkout = _checkout(
        tmp_path / "s2v", "output: results/small\n" + data + SHORT_ALIGN + SHORT + _overlay(TWO_STEPS, few, LATENT)
    )
    names = ("baby_cry", "dog", "rail_transport", "fireworks", "water_flowing")
    files = sorted(videos.iterdir())
    for i in range(30):
        folder = checkout.root / "videos/vegas" / names[i % 5] / "videos"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[i % len(files)], folder / f"video_{i:05d}.mp4")  # links that lead out are not followed
    _run(checkout, all_weights, "vegas5", "results/small/table_vegas5.csv", "results/small/fig15.png")
    rows = read_csv(checkout.root / "results/small/table_vegas5.csv", ("method",))
    assert {"S2I", "Pedersoli et al."} <= {row["method"] for row in rows}


@pytest.mark.full_size
def test_celebvhq_finds_its_clips_under_the_lists_own_names(tmp_path: Path, videos: Path, all_weights: Path) -> None:
    people = [points_of(group, 0).tolist() for group in ("girl", "old man", "young woman")]
    (tmp_path / "points.json").write_text(json.dumps(people))
    (tmp_path / "program.py").write_text(PROGRAM)
    program = f"{sys.executable} {tmp_path}/program.py {tmp_path}/points.json {{pictures}} {{output}}"
    heads = {"heads": {"command": program, "method": "sound2vision_ldm"}}
    data = "data: {shards: 2, celebvhq: {train: 16, val_share: 0.3}}\nextract: {crop: null}\n"
    overlay = "output: results/small\n" + data + SHORT_ALIGN + SHORT + _overlay(TWO_STEPS, LATENT, heads)
    checkout = _checkout(tmp_path / "s2v", overlay)
    box = {"top": 0.1, "bottom": 0.9, "left": 0.2, "right": 0.8}
    span = {"start_sec": 12.5, "end_sec": 22.5}
    clips = {f"{video}_0": {"ytb_id": video, "duration": span, "bbox": box} for video in IDS}
    folder = checkout.root / "videos/celebvhq/35666"
    folder.mkdir(parents=True)
    for video in IDS:
        shutil.copyfile(videos / f"{video}_{START_S:06d}.mp4", folder / f"{video}_0.mp4")
    (checkout.root / "celebvhq_info.json").write_text(json.dumps({"clips": clips}))
    _run(checkout, all_weights, "celebvhq", "results/small/fig20.png", "results/small/coverage.csv")
    text = (checkout.root / "results/small/coverage.md").read_text()
    assert "24 of 24" in text, text
