"""What is measured of control: pairs, correlations, the size estimator against the world's truth."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from shards import write_tar
from tiny_run import pack
from torch import Tensor

from s2v.config import WorldConfig
from s2v.errors import UserError
from s2v.evaluate import staged
from s2v.evaluate.background import background, distance
from s2v.evaluate.size import learn
from s2v.files import write_json
from s2v.media.picture import encode_jpeg
from s2v.report.clips import TestSet
from s2v.report.control import by_class, columns
from s2v.report.steered import identity, rho
from s2v.report.tabular import to_csv
from s2v.world.recipe import Clip, clip_seed, photos, story
from s2v.world.render import paint


def test_rank_correlation_of_a_sweep() -> None:
    assert rho([0, 1, 2], np.array([5.0, 6.0, 9.0])) == pytest.approx(1)
    assert rho([0, 1, 2], np.array([3.0, 2.0, 1.0])) == pytest.approx(-1)
    assert rho([0, 1, 2], np.array([4.0, 4.0, 4.0])) == 0


def test_a_clip_is_mixed_with_one_of_another_class_and_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    clips = TestSet.read([pack(tmp_path / "test.tar", 4)], 24)
    assert all(clips.labels[clips.partner(i)] != label for i, label in enumerate(clips.labels))
    again = TestSet.read([pack(tmp_path / "test.tar", 4)], 24)
    assert again.keys == clips.keys and clips.frames.shape == (12, 3, 24, 24)
    with pytest.raises(UserError, match="at least two classes"):
        TestSet.read([pack(tmp_path / "no.tar", 2, labelled=False)], 24)


def _csv(found: dict[str, np.ndarray], labels: list[str]) -> str:
    return to_csv(columns(), by_class(found, labels))


def test_means_are_by_class_and_over_all() -> None:
    text = _csv({"x": np.array([1.0, 0.0, 1.0, 1.0])}, ["a", "a", "b", "b"])
    rows = {row["class"]: row for row in csv.DictReader(text.splitlines())}
    assert (rows["all"]["mean"], rows["a"]["mean"], rows["b"]["mean"]) == ("0.7500", "0.5000", "1.0000")
    assert rows["b"]["mean low"] == rows["b"]["mean high"] == "1.0000" and rows["all"]["clips"] == "4"


class _Seen:
    """An evaluator whose features are the share of bright pixels, and noise."""

    label = "a test"

    def features(self, images: Tensor) -> Tensor:
        bright = (images > 191).float().mean((1, 2, 3))
        return torch.stack([bright, torch.randn(len(images), generator=torch.Generator().manual_seed(0))], 1)


def test_the_estimator_finds_the_size_that_the_recipe_drew(tmp_path: Path) -> None:
    """Squares as high as the recipe says: what is estimated must follow it, on reels that were not learned from."""
    names = ["dog barking", "owl hooting"]
    world = WorldConfig(classes=names, clips={"judge": 6}, photos_per_reel=8, size_px=64, seed=3)
    members: dict[str, bytes] = {}
    for index in range(6):
        clip = Clip("judge", "dog barking", index, clip_seed(3, "judge", "dog barking", index))
        for number, scene in enumerate(photos(clip, 8)):
            frame = np.zeros((64, 64, 3), np.uint8)
            side = round(64 * scene.height)
            frame[:side, :side] = 255
            key = f"{clip.clip_id}-{number:06d}"
            members[f"{key}.jpg"] = encode_jpeg(frame)
            members[f"{key}.json"] = b'{"label": "dog barking"}'
    shard = write_tar(tmp_path / "judge.tar", members)
    write_json(shard.with_suffix(".json"), {"samples": 48})
    size = learn(_Seen(), [shard], world, "judge", 64)  # type: ignore[arg-type]
    assert size.agreement["dog barking"] > 0.95
    squares = torch.zeros(3, 3, 64, 64, dtype=torch.uint8)
    for i, side in enumerate((20, 35, 50)):
        squares[i, :, :side, :side] = 255
    assert list(np.argsort(size(squares, "dog barking"))) == [0, 1, 2]


def test_a_clip_that_says_nothing_is_left_out_of_the_mean() -> None:
    text = _csv({"x": np.array([1.0, np.nan, np.nan])}, ["a", "a", "b"])
    rows = {row["class"]: row for row in csv.DictReader(text.splitlines())}
    assert rows.keys() == {"all", "a"} and rows["a"]["clips"] == "1" and rows["all"]["mean"] == "1.0000"


def test_identity_is_one_for_the_same_picture_and_none_for_any_of_the_class() -> None:
    before = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0], [9.0, 9.0]]).double()
    after = before.clone()
    after[1] = torch.tensor([2.0, 0.0])  # half way to the first of its class
    kept = identity(torch.stack([before, after], 1), ["a", "a", "b", "c"])
    assert kept[0] == 1 and kept[1] == pytest.approx(0)
    assert np.isnan(kept[2:]).all(), "classes of one have no others"


def test_the_background_is_what_is_the_same_without_the_source() -> None:
    world = WorldConfig(classes=["dog barking", "rain falling"], clips={"test": 8}, size_px=64, seed=1)
    masks = [background(f"test-dog-barking-{i:04d}", "dog barking", world, "test", 32) for i in range(8)]
    known = [mask for mask in masks if mask is not None]
    assert len(known) >= 4 and all(0.2 <= float(mask.float().mean()) < 1 for mask in known)
    assert all(bool(mask[0, 0] or mask[0, -1]) for mask in known), "a dog does not fill the sky"
    assert background("test-rain-falling-0000", "rain falling", world, "test", 32) is None, "rain is everywhere"
    frame, mask = torch.zeros(3, 32, 32, dtype=torch.uint8), known[0]
    inside = torch.where(mask, 0, 255).to(torch.uint8).expand(1, 3, -1, -1)
    assert distance(torch.cat([inside, 255 - inside]), frame, mask).tolist() == [0.0, 1.0]


def test_a_source_is_staged_from_far_to_near() -> None:
    world = WorldConfig(classes=["dog barking", "rain falling"], clips={"test": 4}, size_px=64, seed=1)
    dog, rain = (
        staged.told(f"test-{name}-0002", name.replace("-", " "), world, "test")
        for name in ("dog-barking", "rain-falling")
    )
    again = story(Clip("test", "dog barking", 2, clip_seed(1, "test", "dog barking", 2)), world)
    assert dog == again, "the clip of that name"
    for one in (dog, rain):
        pictures, sounds = staged.sweep(one, world, 32)
        assert pictures.shape == (len(staged.DISTANCES), 3, 32, 32) and pictures.dtype == torch.uint8
        levels = [float(sound.square().mean()) for sound in sounds]
        assert levels == sorted(levels) and len(set(levels)) == len(levels), "nearer is louder"
    bare = torch.from_numpy(paint(dog.scene, [], 0.0, 64)).permute(2, 0, 1)
    pictures, _ = staged.sweep(dog, world, 64)
    covered = [int(((picture.int() - bare.int()).abs().amax(0) > 8).sum()) for picture in pictures]
    assert covered == sorted(covered) and covered[-1] > 2 * covered[0], "nearer is larger, in the same place"


def test_two_sources_are_staged_side_by_side() -> None:
    world = WorldConfig(classes=["dog barking", "owl hooting"], clips={"test": 4}, size_px=64, seed=1)
    dog, owl = (
        staged.told(f"test-{name}-0000", name.replace("-", " "), world, "test")
        for name in ("dog-barking", "owl-hooting")
    )
    both = staged.duet(dog, owl, world, 64).int()
    bare = torch.from_numpy(paint(dog.scene, [], 0.0, 64)).permute(2, 0, 1).int()
    changed = (both - bare).abs().amax(0) > 8
    assert changed[:, :32].any() and changed[:, 32:].any() and 0.02 < changed.float().mean() < 0.7
