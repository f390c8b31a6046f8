"""Selection: every clip leaves a row, and what it says is what the model scored."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from shards import blinking_clip, clip_members, extract_tar, write_tar

from s2v.config import AudioConfig, LocaliseConfig, RuntimeConfig, SelectConfig
from s2v.data import select
from s2v.data.moments import read_moments
from s2v.errors import UserError
from s2v.files import read_parquet, write_parquet
from s2v.models.localiser import Localiser
from s2v.models.store import load
from s2v.train.localise import run as localise

RUNTIME = RuntimeConfig(device="cpu")


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("localise")
    config = LocaliseConfig(batch_size=8, steps=4, image_px=16, width=8, dim=8, frames_per_clip=4, frames_per_step=2)
    tar = extract_tar(folder / "000.tar", range(8))
    localise(config=config, audio=AudioConfig(), tars=[tar], output_dir=folder / "out", runtime=RUNTIME, threads=1)
    return folder / "out"


def _select(tar: Path, model_dir: Path, output: Path, **values: object) -> list[dict]:
    select.run(config=SelectConfig(**values), tar=tar, model_dir=model_dir, output=output, runtime=RUNTIME, threads=1)
    return read_parquet(output)


def test_rows_hold_the_scores_of_every_frame(tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "_BATCH", 20)  # batches end inside clips
    tar = extract_tar(tmp_path / "000.tar", range(6), split="val")
    rows = _select(tar, model_dir, tmp_path / "000.parquet", top_k=5)
    trained = load(Localiser, model_dir)
    clips = list(read_moments([tar], image_px=16, ear=trained.ear))
    assert [row["clip_id"] for row in rows] == [clip.clip_id for clip in clips]
    for row, clip in zip(rows, clips, strict=True):
        assert clip.spectrogram is not None
        naive = [
            trained(clip.images[t : t + 1].float() / 127.5 - 1, trained.ear.windows(clip.spectrogram, when[None]))
            for t, when in enumerate(clip.times_s)
        ]
        assert np.allclose(row["scores"], torch.cat(naive).numpy(), atol=1e-4)
        assert row["top"] == sorted(range(12), key=lambda t: -row["scores"][t])[:5]
        assert (row["chosen"], row["mid"], row["n_frames"], row["split"]) == (row["top"][0], 6, 12, "val")


def test_mid_mode_chooses_the_middle_and_still_scores(tmp_path: Path, model_dir: Path) -> None:
    tar = extract_tar(tmp_path / "000.tar", range(3))
    for row in _select(tar, model_dir, tmp_path / "000.parquet", mode="mid"):
        assert row["chosen"] == row["mid"] == 6
        assert len(row["scores"]) == 12 and len(row["top"]) == 10


def test_clips_without_sound_get_their_middle_frame(tmp_path: Path, model_dir: Path) -> None:
    tar = extract_tar(tmp_path / "000.tar", range(4), silent=(1, 3))
    rows = _select(tar, model_dir, tmp_path / "000.parquet")
    for i in (1, 3):
        assert (rows[i]["scores"], rows[i]["top"], rows[i]["chosen"], rows[i]["mid"]) == ([], [], 6, 6)
    assert rows[0]["scores"] and rows[2]["scores"]


def test_one_frame_and_pictures_of_different_sizes(tmp_path: Path, model_dir: Path) -> None:
    frames, wave, _ = blinking_clip(0)
    wide = [np.zeros((20, 50, 3), np.uint8)] * 3
    tar = write_tar(tmp_path / "000.tar", clip_members("a", frames[:1], wave) | clip_members("b-1", wide, wave[:900]))
    rows = _select(tar, model_dir, tmp_path / "000.parquet")
    assert [(row["chosen"], len(row["scores"])) for row in rows][0] == (0, 1)
    assert len(rows[1]["scores"]) == 3 and np.isfinite(rows[1]["scores"]).all()


def test_an_empty_shard_gives_an_empty_table_and_the_same_input_the_same_bytes(tmp_path: Path, model_dir: Path) -> None:
    assert _select(write_tar(tmp_path / "empty.tar", {}), model_dir, tmp_path / "empty.parquet") == []
    tar = extract_tar(tmp_path / "000.tar", range(3))
    _select(tar, model_dir, tmp_path / "a.parquet")
    _select(tar, model_dir, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_shard_with_missing_frames_or_a_cut_end_is_named_and_nothing_is_written(
    tmp_path: Path, model_dir: Path
) -> None:
    frames, wave, _ = blinking_clip(0)
    members = clip_members("a", frames, wave)
    del members["a.004.jpg"]
    with pytest.raises(UserError, match=r"000\.tar: clip a has 11 frames instead of 12"):
        _select(write_tar(tmp_path / "000.tar", members), model_dir, tmp_path / "out.parquet")
    tar = extract_tar(tmp_path / "001.tar", range(3))
    tar.write_bytes(tar.read_bytes()[:9000])
    with pytest.raises(UserError, match=r"001\.tar"):
        _select(tar, model_dir, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_benchmark_counts_what_the_truth_says(tmp_path: Path) -> None:
    bench = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "selection.py"))
    with pytest.raises(UserError, match="needs select"):
        bench["precision"](tmp_path)
    rows, truth = [], []
    for clip, (scores, right) in {
        "a": ([0.1, 0.9, 0.2, 0.3], [False, True, False, False]),  # best right, middle wrong
        "b": ([0.9, 0.1, 0.2, 0.3], [False, False, True, True]),  # best wrong, middle right
        "c": ([0.5, 0.1, 0.2, 0.3], [False] * 4),  # nothing to find
        "d": ([], [True] * 4),  # no sound
    }.items():
        top = sorted(range(len(scores)), key=lambda t: -scores[t])
        rows.append({"clip_id": clip, "split": "train", "n_frames": 4, "scores": scores, "top": top, "mid": 2})
        truth.append({"clip_id": clip, "class": "owl hooting", "visible": [True] * 3 + right[3:], "sounding": right})
    write_parquet(tmp_path / "select" / "000.parquet", rows, select.SELECTION)
    flags = pa.list_(pa.bool_())
    schema = pa.schema([("clip_id", pa.string()), ("class", pa.string()), ("visible", flags), ("sounding", flags)])
    write_parquet(tmp_path / "world" / "truth.parquet", truth, schema)
    found = bench["precision"](tmp_path)["train"]
    assert found["all"] == found["owl hooting"]
    row = found["all"]
    assert (row["clips"], row["top1"], row["mid"], row["random"]) == (2, 0.5, 0.5, 0.375)
    assert row["order"] == pytest.approx((1 + 2 / 4) / 2)
    assert row["top1_low"] < 0.5 < row["top1_high"]
