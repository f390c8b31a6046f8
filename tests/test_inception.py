"""Stage `inception`: FID and IS by an Inception-V3 of the data's own classes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from test_audiovisual import _clip_inception
from tiny_run import CLASSES, pack

from s2v.config import EvaluateConfig, InceptionConfig, RuntimeConfig
from s2v.configfile import load as load_config
from s2v.errors import UserError
from s2v.evaluate.evaluators import ClipInceptionEvaluator, _Own
from s2v.evaluate.sounds import Sounds
from s2v.files import read_json, write_json
from s2v.media.picture import to_unit
from s2v.models.inception import Inception
from s2v.models.store import load
from s2v.planning import needs
from s2v.report.deviations import deviations
from s2v.report.evaluation import Asked, _evaluator
from s2v.runtime import Runtime
from s2v.train.inception import begin, run
from s2v.weights.convert import convert
from s2v.workflow import Plan

SMALL = {"image_px": 75, "batch_size": 4, "steps": 2}


def _published(path: Path, classes: int = 1000) -> Path:
    """A file as torchvision's, of random weights."""
    torch.manual_seed(1)
    net = torchvision.models.inception_v3(weights=None, init_weights=False, aux_logits=True, num_classes=classes)
    torch.save(net.state_dict(), path)
    return path


def test_it_is_torchvisions_inception(tmp_path: Path) -> None:
    path = _published(tmp_path / "i.pth")
    theirs = torchvision.models.inception_v3(weights=None, init_weights=False, aux_logits=True)
    theirs.load_state_dict(torch.load(path))
    theirs.fc = torch.nn.Identity()
    ours = Inception(["cow", "owl"], 299)
    begin(ours, path)
    image = torch.rand(1, 3, 299, 299) * 2 - 1
    with torch.no_grad():
        features, logits = ours.eval()(image)
        assert torch.allclose(features, theirs.eval()(image), atol=1e-4)
    assert logits.shape == (1, 2)


def test_weights_of_another_network_are_one_line(tmp_path: Path) -> None:
    state = torch.load(_published(tmp_path / "i.pth"))
    del state["Mixed_5b.branch1x1.conv.weight"]
    torch.save(state, tmp_path / "i.pth")
    with pytest.raises(UserError, match="not torchvision's Inception-V3 .1 names or sizes differ, as Mixed_5b"):
        begin(Inception(["cow", "owl"], 75), tmp_path / "i.pth")


def test_it_is_trained_on_labelled_frames_and_gives_features_and_posteriors(tmp_path: Path) -> None:
    pack(tmp_path / "train.tar", 4)
    config = InceptionConfig(**SMALL)
    arguments = {
        "config": config,
        "packs": [tmp_path / "train.tar"],
        "runtime": RuntimeConfig(device="cpu"),
        "threads": 1,
    }
    run(start=_published(tmp_path / "i.pth"), output_dir=tmp_path / "own", **arguments)  # type: ignore[arg-type]
    net = load(Inception, tmp_path / "own")
    assert net.class_names == sorted(CLASSES)
    own = _Own(tmp_path / "own", "cpu")
    assert own.label.startswith("Inception-V3 at 75 px, trained with labels on ") and "seed 0" in own.label
    features, logits = own.see(torch.randint(256, (3, 3, 40, 30), dtype=torch.uint8))
    assert features.shape == (3, 2048) and logits.shape == (3, len(CLASSES))
    evaluator = _clip_inception()
    evaluator.inception = own
    features, posteriors = evaluator.describe(torch.randint(256, (3, 3, 32, 32), dtype=torch.uint8))
    assert features.shape == (3, 2048) and torch.allclose(posteriors.sum(1), torch.ones(3))
    described = read_json(tmp_path / "own/config.json")
    write_json(tmp_path / "own/config.json", described | {"about": {}})
    with pytest.raises(UserError, match="own: config.json names no `about.label`; run stage inception again"):
        _Own(tmp_path / "own", "cpu")
    pack(tmp_path / "one.tar", 0)
    with pytest.raises(UserError, match="inception: the split `train` has labelled pictures of 0 class"):
        run(start=None, output_dir=tmp_path / "none", **arguments | {"packs": [tmp_path / "one.tar"]})  # type: ignore[arg-type]


def test_where_it_is_asked_for_the_plan_trains_it_and_tables_say_so(tmp_path: Path) -> None:
    overlay = tmp_path / "own.yaml"
    overlay.write_text("evaluate: {inception: own}\n")
    with pytest.raises(
        UserError, match="evaluate.inception: own is of clip_inception, and evaluate.evaluator is judge"
    ):
        load_config(["config.yaml", overlay])
    overlay.write_text(
        "evaluate: {evaluator: clip_inception, inception: own}\ninception: {start: inception-v3-torchvision}\n"
    )
    config = load_config(["config.yaml", overlay])
    assert Plan(config).evaluators == ["<results>/inception/model.safetensors", "<results>/inception/config.json"]
    planned = needs.default(config)
    assert "inception" in planned.stages and "judge" not in planned.stages
    assert needs.weights(config, planned).keys() == {"clip-vit-b32", "inception-v3-torchvision"}
    assert any("trains on the labelled frames of the split `train`" in line for line in deviations(config))
    overlay.write_text("evaluate: {evaluator: clip_inception}\n")
    assert Plan(load_config(["config.yaml", overlay])).evaluators == []


def test_pictures_of_no_stage_are_measured_by_the_inception_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Path | None]] = []

    def loading(kind: str, *, folder: Path | None, **_: object) -> ClipInceptionEvaluator:
        asked.append((kind, folder))
        return _clip_inception()

    monkeypatch.setattr("s2v.report.evaluation.load_evaluator", loading)
    heard, config, place = Sounds(tmp_path, {}, run=tmp_path), EvaluateConfig(), Runtime.from_config(RuntimeConfig(), 1)
    (tmp_path / "inception").mkdir()
    with pytest.raises(UserError, match="has no trained judge; `snakemake --cores all "):
        _evaluator(Asked([], tmp_path), heard, config, place)
    (tmp_path / "inception/model.safetensors").write_bytes(b"weights")
    _, digest, judged_by = _evaluator(Asked([], tmp_path), heard, config, place)
    assert len(digest) == 16 and judged_by is None
    _evaluator(Asked([], tmp_path, evaluator="clip_inception"), heard, config, place)
    (tmp_path / "judge").mkdir()
    (tmp_path / "judge/model.safetensors").write_bytes(b"weights")
    assert _evaluator(Asked([], tmp_path), heard, config, place)[2] == tmp_path
    assert asked == [
        ("clip_inception", tmp_path / "inception"), ("clip_inception", None), ("judge", tmp_path / "judge"),
    ]  # fmt: skip


def test_that_of_the_papers_authors_takes_the_place_of_the_stage(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    (folder / "sound2scene").mkdir(parents=True)
    path = _published(folder / "sound2scene/inception.pth", classes=50)
    theirs = torchvision.models.inception_v3(weights=None, init_weights=False, aux_logits=True, num_classes=50)
    theirs.load_state_dict(torch.load(path))
    # As a parallel training of an old version stores it.
    state = {f"module.{k}": v for k, v in torch.load(path).items() if not k.endswith("num_batches_tracked")}
    torch.save({"state_dict": state}, path)
    convert("sound2scene-inception", tmp_path / "inception", folder)
    own = _Own(tmp_path / "inception", "cpu")
    assert own.label.startswith("Inception-V3 of the paper's authors") and "50 classes" in own.label
    image = torch.randint(256, (1, 3, 299, 299), dtype=torch.uint8)
    with torch.no_grad():
        features, logits = own.see(image)
        assert torch.allclose(logits, theirs.eval()(to_unit(image)), atol=1e-4)
    assert features.shape == (1, 2048)
    del state["module.fc.weight"]
    torch.save(state, path)
    with pytest.raises(UserError, match=r"inception.pth: not the published layout: there is no fc.weight"):
        convert("sound2scene-inception", tmp_path / "none", folder)


def test_where_it_is_asked_for_nothing_is_trained_and_tables_say_so(tmp_path: Path) -> None:
    overlay = tmp_path / "theirs.yaml"
    asked = "evaluate: {evaluator: clip_inception, inception: own}\ninception: {weights: sound2scene-inception%s}\n"
    overlay.write_text(asked % ", split: nowhere")
    config = load_config(["config.yaml", overlay])
    plan = Plan(config)
    assert plan.is_published("inception") and plan.unless_published("inception", ["packs"]) == []
    assert needs.weights(config, needs.default(config)).keys() == {"clip-vit-b32", "sound2scene-inception"}
    assert any("Inception-V3 of the paper's authors" in line for line in deviations(config))
    overlay.write_text(asked % ", start: inception-v3-torchvision")
    with pytest.raises(UserError, match="start is where a training begins, and weights takes its place"):
        load_config(["config.yaml", overlay])
