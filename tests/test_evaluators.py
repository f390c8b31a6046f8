"""Evaluators: what they say when weights are missing, and both networks of the paper on random weights."""

from __future__ import annotations

from pathlib import Path

import published_files
import pytest
import torch
from safetensors.torch import save_file

from s2v.errors import UserError
from s2v.evaluate.evaluators import CLIP_FILES, INCEPTION_FILE, ClipInceptionEvaluator, load_evaluator


def test_none_is_no_evaluator() -> None:
    assert load_evaluator("none") is None


def test_mistakes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="run stage judge"):
        load_evaluator("judge")
    with pytest.raises(UserError, match="not one of judge, clip_inception, none"):
        load_evaluator("clip")
    with pytest.raises(UserError, match="evaluate.prompt"):
        load_evaluator("judge", prompt="a photo")
    for prompt in ("{} {a}", "{} or {}", "{}}"):
        with pytest.raises(UserError, match="needs {} once, where the class name goes, and no other brace"):
            load_evaluator("judge", prompt=prompt)
    monkeypatch.delenv("S2V_WEIGHTS", raising=False)
    with pytest.raises(UserError, match="S2V_WEIGHTS.*ViT-B-32"):
        load_evaluator("clip_inception")


def test_each_missing_file_is_named_and_nothing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("tried to download")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", forbidden)
    monkeypatch.setattr("urllib.request.urlopen", forbidden)
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match=r"clip/ViT-B-32\.safetensors"):
        load_evaluator("clip_inception")
    (tmp_path / "clip").mkdir()
    (tmp_path / CLIP_FILES[0]).write_bytes(b"nonsense")
    with pytest.raises(UserError, match="weights-inception-2015-12-05"):
        load_evaluator("clip_inception")
    (tmp_path / "inception").mkdir()
    (tmp_path / INCEPTION_FILE).write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"ViT-B-32\.safetensors: not readable"):
        load_evaluator("clip_inception")


def test_inception_weights_that_run_code_are_refused(tmp_path: Path) -> None:
    from s2v.evaluate.evaluators import _load_inception

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    torch.save(Payload(), tmp_path / "weights.pth")
    with pytest.raises(UserError, match="not readable as weights"):
        _load_inception(tmp_path / "weights.pth", "cpu")
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_clip_and_inception_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, network = published_files.evaluators(tmp_path)
    evaluator = ClipInceptionEvaluator(tmp_path, prompt="a photo of {}")
    images = torch.randint(0, 256, (2, 3, 40, 32), dtype=torch.uint8)
    scores = evaluator.rank(images, ["dog barking", "ice cream truck, ice cream van", "sea waves"])
    assert scores.shape == (2, 3) and scores.abs().max() <= 1.001
    features, probabilities = evaluator.describe(images)
    assert features.shape == (2, 2048) and probabilities.shape == (2, 1008)
    assert torch.allclose(probabilities.sum(1), torch.ones(2), atol=1e-4)
    expected = network(images)[0]
    assert torch.allclose(features, expected, atol=1e-4)
    assert "a photo of {}" in evaluator.label and "ImageNet" in evaluator.label

    state = network.state_dict()
    torch.save({**state, "fc.weight": state["fc.weight"] * torch.nan}, tmp_path / INCEPTION_FILE)
    with pytest.raises(UserError, match=r"fc\.weight holds NaN or infinity; .*fetch inception-v3"):
        ClipInceptionEvaluator(tmp_path)
    save_file({**clip.state_dict(), "logit_scale": torch.tensor(torch.inf)}, tmp_path / CLIP_FILES[0])
    with pytest.raises(UserError, match=r"logit_scale holds NaN or infinity; .*fetch clip-vit-b32"):
        ClipInceptionEvaluator(tmp_path)
