"""Faces from voices through the whole workflow, as small as it goes: to faces.csv and Figures 20 and 21."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image
from workflow_runs import Checkout

from s2v.evaluate.quantities import read_quantities
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.frozen_audio_encoder import FrozenAudioEncoder
from s2v.models.hearing import load_hearing
from s2v.report.claim_list import CLAIMS

SMALL = """
output: results/tinyfaces
data:
  shards: 1
  speakers:
    people: {images: 1, judge: 2, train: 2, val: 1, test: 2, tagged: 2}
    takes: {train: 1, test: 1, tagged: 2}
    photos_per_reel: 6
    size_px: 64
    duration_s: [1.5, 2.0]
    vintage: 0.4
    scenes: [sea waves, hail falling]
    scene_clips: {images: 1, judge: 1, train: 2, val: 1, scenes: 2}
encoder: {image_px: 32, crops: [[2, 32], [1, 16]], prototypes: 16}
encoder_vit: {steps: 4}
generator: {resolution: 32}
vae: {resolution: 32, batch_size: 8, steps: 4}
diffusion: {steps: 4}
tagger: {steps: 8}
align: {audio: {window_s: 1.5}, epochs: 2}
face_reader: {batch_size: 16, steps: 8, checkpoint_every: 4, image_px: 32, width: 8}
generate: {window_s: 1.5, seeds: [0, 1]}
runtime: {threads: {diffusion: 1}}
"""
TARGETS = ("results/tinyfaces/faces.csv", "results/tinyfaces/fig20.png", "results/tinyfaces/fig21.png")


@pytest.mark.slow
def test_from_voices_to_faces(tmp_path: Path) -> None:
    checkout = Checkout.of_repository(tmp_path / "checkout")
    (checkout.root / "small.yaml").write_text(SMALL)
    config = ("--configfile", "configs/tiny.yaml", "configs/faces.yaml", "small.yaml")
    done = checkout.snakemake("--cores", "2", *TARGETS, config=config)
    assert done.returncode == 0, done.stdout[-6000:]
    run = checkout.root / "results/tinyfaces"
    rows = {row["quantity"]: row for row in csv.DictReader((run / "faces.csv").read_text().splitlines())}
    assert set(rows) == {
        "sex", "age", "skin", "hair", "african", "asian", "vintage", "R@1", "R@5", "R@1_alike", "R@5_alike", "mesh",
        "mesh_alike",
    }  # fmt: skip
    for row in rows.values():
        assert float(row["own low"]) <= float(row["own high"])
    claims = read_quantities(run / "claims/faces.json")
    assert {claim.key for claim in CLAIMS if claim.source == "faces"} <= set(claims) == set(rows)
    assert "## What was found of the claims" in (run / "faces.md").read_text()
    assert "does not identify a face" in (run / "faces.md").read_text()
    assert Image.open(run / "fig20.png").width > 600
    assert Image.open(run / "fig21.png").width > 600 and set(read_quantities(run / "claims/fig21.json")) == {"both"}
    weights = list(csv.DictReader((run / "fig21.csv").read_text().splitlines()))
    assert [row["lambda"] for row in weights][::6] == ["0.0", "1.0"] and len({row["pairs"] for row in weights}) == 1
    assert not (run / "encoder").exists() and not (run / "generator").exists(), "the paper draws faces with the LDM"
    scenes = load_hearing(run / "scenes/align_ldm")
    assert isinstance(scenes, AudioEncoder), "what stands beside speech has an audio encoder of its own"
    f_a = load_hearing(run / "align_ldm")
    told = json.loads((run / "align_ldm/config.json").read_text())
    assert isinstance(f_a, FrozenAudioEncoder) and told["backbone"] == "tagger"
    assert f_a.encode(f_a.head.weight.new_zeros(1, 16000)).shape == (1, f_a.dim)
    assert checkout.planned(*TARGETS, config=config) == {}
    # Another backbone is another alignment, and nothing before it; its weights are asked for beforehand.
    (checkout.root / "other.yaml").write_text("align: {backbone: resemblyzer}")
    refused = checkout.snakemake("--cores", "2", *TARGETS, config=(*config, "other.yaml"))
    assert refused.returncode != 0 and "resemblyzer" in refused.stdout and "align_ldm.backbone" in refused.stdout
