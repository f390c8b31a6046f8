"""The judge: it learns from the judge split, is robust to soft pictures, and reads names letter by letter."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from tiny_run import CLASSES, pack

from s2v.config import JudgeConfig, RuntimeConfig
from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.evaluate.evaluators import JudgeEvaluator
from s2v.evaluate.pictures import write_pictures
from s2v.evaluate.retrieval import ranks, recall_at
from s2v.files import read_json
from s2v.losses.judge import contrastive_loss
from s2v.media.picture import from_unit, resize, to_unit
from s2v.models.efficientnet import EfficientNetLite0
from s2v.models.image_encoder import PUBLISHED, ImageEncoder
from s2v.models.judge import Judge, TextTower, edges
from s2v.train.augment import degrade
from s2v.train.broken import KINDS, break_as
from s2v.train.judge import run
from s2v.weights.layouts import efficientnet_lite0

CONFIG = JudgeConfig(image_px=16, width=8, dim=16, steps=50, batch_size=32, learning_rate=3e-3)
RUNTIME = RuntimeConfig(device="cpu")


@pytest.fixture(scope="module")
def judge_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("judge")
    shard = pack(root / "judge-0.tar", 40, seed=5, sound=False)
    run(config=CONFIG, packs=[shard], output_dir=root / "judge", runtime=RUNTIME, threads=1)
    return root / "judge"


def test_it_writes_what_every_trained_thing_has(judge_dir: Path) -> None:
    names = {path.name for path in judge_dir.iterdir()}
    assert {
        "model.safetensors",
        "config.json",
        "train.jsonl",
        "README.md",
    } <= names and "checkpoints" not in names
    config = read_json(judge_dir / "config.json")
    assert config["class_names"] == sorted(CLASSES)
    held_out = config["about"]["trained_on"]["held_out"]
    assert config["about"]["trained_on"]["pictures"] + held_out == 120 and 2 <= held_out <= 30
    assert config["about"]["validation"]["val_R@1"] > 0.9
    assert "split `judge`" in config["about"]["label"]


def test_new_pictures_are_ranked_right_sharp_soft_or_small(judge_dir: Path, tmp_path: Path) -> None:
    evaluator = JudgeEvaluator(judge_dir)
    images, _, labels = read_images([pack(tmp_path / "new.tar", 20, seed=9)], 24)
    names = sorted(CLASSES)
    truth = torch.tensor([names.index(label or "") for label in labels])
    for seen in (images, resize(resize(images, 10), 24), resize(images, 64)):
        scores = evaluator.rank(seen, names)
        assert scores.shape == (60, 3)
        assert recall_at(ranks(scores, truth), 1) > 0.9
    features, probabilities = evaluator.describe(images)
    assert torch.allclose(probabilities.sum(1), torch.ones(60), atol=1e-5)
    assert features.shape == (60, CONFIG.dim) and torch.equal(features, evaluator.features(images))
    with pytest.raises(TypeError, match="not uint8"):
        evaluator.features(images.float())
    assert (probabilities.argmax(1) == truth).float().mean() > 0.9


def test_a_rerun_gives_the_same_judge(judge_dir: Path, tmp_path: Path) -> None:
    shard = pack(tmp_path / "judge-0.tar", 40, seed=5, sound=False)
    run(config=CONFIG, packs=[shard], output_dir=tmp_path / "judge", runtime=RUNTIME, threads=1)
    assert (tmp_path / "judge/model.safetensors").read_bytes() == (judge_dir / "model.safetensors").read_bytes()


def test_a_class_is_not_held_out_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clip in ten is held out by its name, and a class may have no other."""
    monkeypatch.setattr("s2v.train.judge._held_out", lambda key: key.endswith(("c000x", "c001x", "c004x")))
    shard = pack(tmp_path / "judge-0.tar", 2, sound=False)  # clips 0 to 5 of three classes, in turn
    run(config=CONFIG, packs=[shard], output_dir=tmp_path / "judge", runtime=RUNTIME, threads=1)
    assert read_json(tmp_path / "judge/config.json")["about"]["trained_on"] == {
        "split": "judge", "pictures": 5, "held_out": 1,
    }  # fmt: skip


BREAKS = CONFIG.model_copy(update={"broken": 0.5, "steps": 150})


@pytest.fixture(scope="module")
def rejecting(tmp_path_factory: pytest.TempPathFactory) -> JudgeEvaluator:
    root = tmp_path_factory.mktemp("rejecting")
    shard = pack(root / "judge-0.tar", 40, seed=5, sound=False)
    run(config=BREAKS, packs=[shard], output_dir=root / "judge", runtime=RUNTIME, threads=1)
    return JudgeEvaluator(root / "judge")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "blurred"])  # these have no more to lose
def test_broken_pictures_are_none_of_the_classes(rejecting: JudgeEvaluator, tmp_path: Path, kind: str) -> None:
    images, _, _ = read_images([pack(tmp_path / "new.tar", 30, seed=9)], 16)
    whole, drawn = to_unit(images), torch.rand(len(images), 2, generator=torch.Generator().manual_seed(1))
    made = break_as(kind, whole, whole.roll(1, 0), drawn)
    assert made.shape == whole.shape and made.abs().max() <= 1
    accepted = rejecting.accepts(images)
    rejected = rejecting.accepts(from_unit(made))
    assert accepted is not None and rejected is not None
    assert accepted.float().mean() > 0.8 and rejected.float().mean() < accepted.float().mean() - 0.3


def test_a_judge_that_was_not_taught_to_does_not_answer_none(judge_dir: Path, rejecting: JudgeEvaluator) -> None:
    assert JudgeEvaluator(judge_dir).accepts(torch.zeros(2, 3, 16, 16, dtype=torch.uint8)) is None
    assert "answers none of these to" in rejecting.label and "5 % of real ones" in rejecting.label


def test_it_may_see_edges_alone(tmp_path: Path) -> None:
    flat = torch.ones(1, 3, 4, 4) * torch.tensor([0.2, -0.5, 0.9])[:, None, None]
    assert torch.allclose(edges(flat)[:, 1:], torch.zeros(1, 2, 4, 4), atol=1e-6)
    step = torch.cat([-torch.ones(1, 3, 4, 2), torch.ones(1, 3, 4, 2)], 3)
    assert torch.allclose(edges(step)[0, 1, 0], torch.tensor([0.0, 2, 2, 0])) and edges(step)[0, 2].abs().max() == 0
    shard = pack(tmp_path / "judge-0.tar", 4, sound=False)
    config = CONFIG.model_copy(update={"sees": "edges", "steps": 3})
    run(config=config, packs=[shard], output_dir=tmp_path / "judge", runtime=RUNTIME, threads=1)
    evaluator = JudgeEvaluator(tmp_path / "judge")
    assert evaluator.judge.sees == "edges" and "edges in grey pictures" in evaluator.label


def test_it_learns_from_what_generators_paint_of_its_own_pictures_but_of_none_that_is_held_out(tmp_path: Path) -> None:
    shard = pack(tmp_path / "judge-0.tar", 20, seed=5, sound=False)
    images, keys, labels = read_images([shard], 12)
    records = [{"clip_id": key, "label": label} for key, label in zip(keys, labels, strict=True)]
    write_pictures(tmp_path / "painted.tar", images, records)
    config = CONFIG.model_copy(update={"steps": 3})
    run(config=config, packs=[shard], painted=[tmp_path / "painted.tar"], output_dir=tmp_path / "judge",
        runtime=RUNTIME, threads=1)  # fmt: skip
    about = read_json(tmp_path / "judge/config.json")["about"]
    assert about["trained_on"]["pictures"] == 2 * (60 - about["trained_on"]["held_out"])
    assert "1 times as many that generators of no table painted" in about["label"]


def test_without_labels_it_says_what_to_do(tmp_path: Path) -> None:
    shard = pack(tmp_path / "none.tar", 2, labelled=False)
    with pytest.raises(UserError, match="evaluate.evaluator"):
        run(config=CONFIG, packs=[shard], output_dir=tmp_path / "judge", runtime=RUNTIME, threads=1)


def test_contrastive_loss_is_clips_when_no_name_comes_twice() -> None:
    similarity, labels = torch.randn(4, 4), torch.arange(4)
    clip = 0.5 * sum(torch.nn.functional.cross_entropy(s, labels) for s in (similarity, similarity.T))
    assert contrastive_loss(similarity, labels) == pytest.approx(float(clip), rel=1e-5)


def test_pictures_of_one_name_are_not_each_others_negatives() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    perfect = 50 * torch.nn.functional.one_hot(labels, 3).float()
    assert contrastive_loss(perfect, labels) == pytest.approx(0.5 * torch.log(torch.tensor(2.0)).item(), abs=1e-4)


def test_names_of_any_kind_are_read() -> None:
    tower = TextTower(8).eval()
    names = ["Dog", "dog", "", "犬" * 500, "train, wagon"]
    vectors = tower(names)
    assert vectors.shape == (5, 8) and torch.allclose(vectors.norm(dim=1), torch.ones(5), atol=1e-5)
    assert torch.allclose(vectors[0], vectors[1]), "case does not count"
    assert torch.allclose(tower(["dog"]), vectors[1:2], atol=1e-6), "padding does not count"


def test_degrading_keeps_shape_and_range() -> None:
    images = torch.rand(3, 3, 16, 16) * 2 - 1
    for seed in range(12):
        torch.manual_seed(seed)
        out = degrade(images, *torch.rand(2).tolist())
        assert out.shape == images.shape and out.abs().max() <= 1.01


def test_full_size_judge_takes_any_picture_size() -> None:
    assert Judge(list("abcde"), 128, 8, 16)(torch.zeros(1, 3, 128, 128))[2].shape == (1, 5)


def test_a_judge_on_what_imagenet_taught_trains_its_heads_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = EfficientNetLite0()
    config = JudgeConfig(backbone="efficientnet-lite0", image_px=64, dim=8, steps=30, batch_size=16, learning_rate=1e-2)
    packs = [pack(tmp_path / "judge.tar", clips=20)]
    run(config=config, packs=packs, backbone=backbone, output_dir=tmp_path / "judge", runtime=RUNTIME, threads=1)
    judge = JudgeEvaluator(tmp_path / "judge")
    assert "efficientnet-lite0 of ImageNet's weights, frozen, at 64 px" in judge.label
    kept = judge.judge.backbone.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in backbone.state_dict().items())
    images, _, labels = read_images(packs, 64)
    classes = sorted({label for label in labels if label})
    right = judge.rank(images, classes).argmax(1) == torch.tensor([classes.index(label or "") for label in labels])
    assert right.float().mean() > 0.5, "random features tell some of three colours apart"


@pytest.mark.parametrize("wrong", [{"sees": "edges"}, {"image_px": 32}])
def test_imagenets_eye_wants_pictures_as_it_knows_them(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="in colour, of 64 px at least"):
        JudgeConfig.model_validate({"backbone": "efficientnet-lite0", "image_px": 128} | wrong)


def test_published_names_of_efficientnet_are_ours() -> None:
    names = list(ImageEncoder(**PUBLISHED["efficientnet-lite0"]).state_dict())
    theirs = [published_name(name.removeprefix("backbone.net.")) for name in names]
    assert len(set(theirs)) == len(names) and "_blocks.1._expand_conv.weight" in theirs
    state = dict(zip(theirs, map(torch.tensor, range(len(names))), strict=True)) | {"_fc.bias": torch.zeros(1)}
    assert [int(efficientnet_lite0(state)[name]) for name in names] == list(range(len(names)))


def published_name(name: str) -> str:
    """A name of timm's as EfficientNet-PyTorch has it, by the order of layers."""
    outside = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
    first, _, rest = name.partition(".")
    if first != "blocks":
        return f"{outside[first]}.{rest}"
    stage, block, part, value = rest.split(".")
    number = sum((1, 2, 2, 3, 3, 4, 1)[: int(stage)]) + int(block)
    order = ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"]
    wide = ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
    if number == 0:
        order, wide = ["conv_dw", "bn1", "conv_pw", "bn2"], wide[2:]
    return f"_blocks.{number}.{wide[order.index(part)]}.{value}"
