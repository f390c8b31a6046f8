"""Packed shards: the right bytes under the right names, reproducible, and damage is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shards import RATE, extract_tar

from s2v.config import PackConfig
from s2v.data.pack import run, verify
from s2v.data.reader import read_captioned, read_images, read_waves, samples
from s2v.data.select import SELECTION
from s2v.data.status import STATUS, ClipError, failed_row, ok_row
from s2v.errors import Reason, UserError
from s2v.files import read_json, sha256, write_parquet


def _inputs(
    folder: Path, silent: tuple[int, ...] = (), sentences: dict[int, list[str]] | None = None
) -> dict[str, Path]:
    """One shard with three clips of split train and two of split images, not in the order of their ids."""
    import pyarrow as pa

    seeds = range(5)
    tar = extract_tar(folder / "extract" / "000.tar", seeds, silent=silent)
    rows, chosen = [], []
    for seed in seeds:
        split = "train" if seed < 3 else "images"
        rows.append(
            {"clip_id": f"clip-{seed:03d}", "source": "folder", "source_id": f"é {seed}.mp4", "start_s": None,
             "end_s": 1.2, "split": split, "label": "dog" if seed else None, "shard": 0, "extra": '{"note": 1}',
             "captions": sentences and sentences.get(seed)}
        )  # fmt: skip
        quiet = seed in silent
        chosen.append(
            {"clip_id": f"clip-{seed:03d}", "split": split, "n_frames": 12, "scores": [] if quiet else [0.5] * 12,
             "top": [] if quiet else [seed, 1, 2], "mid": 6, "chosen": 6 if quiet else seed}
        )  # fmt: skip
    kinds = {"start_s": pa.float64(), "end_s": pa.float64(), "shard": pa.int32(), "captions": pa.list_(pa.string())}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in rows[0]])
    write_parquet(folder / "manifest.parquet", rows[::-1], schema)
    write_parquet(folder / "select.parquet", chosen, SELECTION)
    return {"manifest": folder / "manifest.parquet", "tar": tar, "selection": folder / "select.parquet"}


def _pack(folder: Path, inputs: dict[str, Path | None], split: str) -> tuple[Path, Path]:
    output, index = folder / "pack" / split / "000.tar", folder / "pack" / split / "000.json"
    run(config=PackConfig(), outputs={split: output}, **inputs)
    return output, index


def test_a_pair_has_its_sound_its_frames_and_its_facts(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path)
    tar, _ = _pack(tmp_path, inputs, "train")
    extracted = {sample["__key__"]: sample for sample in samples(inputs["tar"])}
    packed = list(samples(tar))
    assert [sample["__key__"] for sample in packed] == ["clip-000", "clip-001", "clip-002"]
    for seed, sample in enumerate(packed):
        source = extracted[sample["__key__"]]
        assert set(sample) == {"__key__", "flac", "jpg", "mid.jpg", "top1.jpg", "json"}
        assert sample["flac"] == source["flac"]
        assert sample["jpg"] == sample["top1.jpg"] == source[f"{seed:03d}.jpg"]
        assert sample["mid.jpg"] == source["006.jpg"]
        record = json.loads(sample["json"])
        assert record["label"] == ("dog" if seed else None)
        assert record["source_id"] == f"é {seed}.mp4" and record["fps"] == 10
        assert "note" not in sample["json"].decode()  # the source's own note, which may name a class
        assert (record["chosen"], record["mid"], record["top"][0], len(record["scores"])) == (seed, 6, seed, 12)
    assert read_images([tar], 8)[2] == [None, "dog", "dog"]
    assert len(read_waves([tar], RATE)[0]) == 3


def test_a_clip_without_sound_is_packed_without_it(tmp_path: Path) -> None:
    tar, _ = _pack(tmp_path, _inputs(tmp_path, silent=(1,)), "train")
    packed = {sample["__key__"]: set(sample) for sample in samples(tar)}
    assert packed["clip-001"] == {"__key__", "jpg", "mid.jpg", "json"}


def test_every_frame_of_an_image_split_is_a_sample_and_needs_no_selection(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path)
    tar, index = _pack(tmp_path, {**inputs, "selection": None}, "images")
    packed = list(samples(tar))
    assert [sample["__key__"] for sample in packed] == [f"clip-{c:03d}-{t:03d}" for c in (3, 4) for t in range(12)]
    assert all(set(sample) == {"__key__", "jpg", "json"} for sample in packed)
    assert json.loads(packed[13]["json"])["frame"] == 1
    assert read_json(index)["samples"] == 24


def test_a_frame_is_packed_with_its_sentence_where_the_manifest_has_one(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, sentences={4: [f"a dög, frame {t}" for t in range(12)]})
    tar, _ = _pack(tmp_path, {**inputs, "selection": None}, "images")
    texts = {sample["__key__"]: sample.get("txt") for sample in samples(tar)}
    assert texts["clip-003-000"] is None and texts["clip-004-011"] == "a dög, frame 11".encode()
    images, captions = read_captioned([tar], 8)
    assert images.shape == (12, 3, 8, 8) and captions == [f"a dög, frame {t}" for t in range(12)]


def test_too_few_sentences_are_an_error(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, sentences={4: ["one"]})
    with pytest.raises(UserError, match="clip-004 has 12 frames and 1 captions; give one for each"):
        _pack(tmp_path, {**inputs, "selection": None}, "images")


def test_of_a_split_of_sounds_the_sound_alone_is_packed(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, silent=(1,))
    output = tmp_path / "tagged.tar"
    run(config=PackConfig(keep={"train": "sound"}), outputs={"train": output}, **{**inputs, "selection": None})
    packed = list(samples(output))
    assert [sample["__key__"] for sample in packed] == ["clip-000", "clip-002"]
    assert all(set(sample) == {"__key__", "flac", "json"} for sample in packed)


def test_the_same_input_gives_the_same_bytes_and_the_index_describes_them(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path)
    tar, index = _pack(tmp_path, inputs, "train")
    again, other = _pack(tmp_path / "again", inputs, "train")
    assert tar.read_bytes() == again.read_bytes() and index.read_bytes() == other.read_bytes()
    record = read_json(index)
    assert record == {
        "split": "train", "samples": 3, "keys": ["clip-000", "clip-001", "clip-002"],
        "bytes": tar.stat().st_size, "sha256": sha256(tar),
    }  # fmt: skip
    assert verify(tar, index) == 3


def test_a_shard_without_clips_of_the_split_is_empty_and_whole(tmp_path: Path) -> None:
    tar, index = _pack(tmp_path, _inputs(tmp_path), "val")
    assert verify(tar, index) == 0
    assert list(samples(tar)) == []


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    tar, index = _pack(tmp_path, _inputs(tmp_path), "train")
    whole = tar.read_bytes()
    for damage in (whole[:-512], whole + b"\0", whole[:3000] + b"!" + whole[3001:], b""):
        tar.write_bytes(damage)
        with pytest.raises(UserError, match=r"000\.tar: damaged") as error:
            verify(tar, index)
        assert "\n" not in str(error.value)
    tar.unlink()
    with pytest.raises(UserError, match=r"000\.tar: the shard is missing"):
        verify(tar, index)
    for text in ("", "[]", "{}", '"x"', '{"samples": 1}'):
        index.write_text(text)
        with pytest.raises(UserError, match=r"000\.json"):
            verify(tar, index)


def test_inputs_that_do_not_belong_together_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path)
    write_parquet(tmp_path / "none.parquet", [], SELECTION)
    with pytest.raises(UserError, match="clip-000 was never scored"):
        _pack(tmp_path, {**inputs, "selection": tmp_path / "none.parquet"}, "train")
    rows = [{"clip_id": f"clip-{i:03d}", "split": "train", "n_frames": 12, "scores": [], "top": [], "mid": 6,
             "chosen": 99} for i in range(3)]  # fmt: skip
    write_parquet(tmp_path / "other.parquet", rows, SELECTION)
    with pytest.raises(UserError, match="no frame 99"):
        _pack(tmp_path, {**inputs, "selection": tmp_path / "other.parquet"}, "train")
    inputs["tar"].write_bytes(inputs["tar"].read_bytes()[:20000])
    with pytest.raises(UserError, match=r"extract/000\.tar"):
        _pack(tmp_path, inputs, "train")
    assert not (tmp_path / "pack" / "train" / "000.tar").exists()


def test_splits_share_one_reading_and_duplicates_are_left_out(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path)
    rows = [failed_row("clip-001", "duplicates", ClipError(Reason.DUPLICATE, "")), ok_row("clip-000", "duplicates")]
    write_parquet(tmp_path / "duplicates.parquet", rows, STATUS)
    outputs = {split: tmp_path / split / "000.tar" for split in ("train", "images", "val")}
    run(config=PackConfig(), outputs=outputs, left_out=[tmp_path / "duplicates.parquet"], **inputs)
    keys = {split: [sample["__key__"][:8] for sample in samples(tar)] for split, tar in outputs.items()}
    assert keys == {"train": ["clip-000", "clip-002"], "images": ["clip-003"] * 12 + ["clip-004"] * 12, "val": []}
    assert [verify(tar, tar.with_suffix(".json")) for tar in outputs.values()] == [2, 24, 0]
