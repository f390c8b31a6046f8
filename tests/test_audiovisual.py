"""Which networks score sounds and frames, what is said where one is not there, and what they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F

from s2v.errors import UserError
from s2v.evaluate.audiovisual import AvJudge, Networks, Wav2ClipB32, check, networks, score
from s2v.evaluate.evaluators import Clip, ClipInceptionEvaluator
from s2v.media.picture import to_unit
from s2v.models.localiser import Ear, Localiser
from s2v.models.store import save
from s2v.models.wav2clip import Wav2Clip


class Colours:
    """In place of CLIP: a picture's mean colour, among 512 numbers."""

    def see(self, images: torch.Tensor) -> torch.Tensor:
        return F.normalize(F.pad(images.float().mean((2, 3)), (0, 509)) + 1e-3, dim=1)


def _clip_inception() -> ClipInceptionEvaluator:
    evaluator = object.__new__(ClipInceptionEvaluator)
    evaluator.clip = cast(Clip, Colours())
    return evaluator


def test_published_networks_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    found = networks(_clip_inception(), None, "{}", "cpu")
    assert not found.hears and found.sees is None and found.names is None and found.missing is not None
    assert found.missing["AIS"].endswith("wav2clip/ResNet_CX.ckpt is not there; `s2v weights fetch wav2clip` brings it")
    assert "clip/ViT-L-14.safetensors is not there; `s2v weights fetch clip-vit-l14`" in found.missing["IIS"]
    assert found.missing["AIC"] == found.missing["IIS"]


def test_wav2clip_meets_clip_in_a_cosine() -> None:
    net = object.__new__(Wav2ClipB32)
    torch.manual_seed(0)
    net.net, net.clip, net.device, net.label = (
        Wav2Clip().eval().requires_grad_(False),
        cast(Clip, Colours()),
        "cpu",
        "x",
    )
    waves = [0.1 * torch.randn(n) for n in (4_000, 16_000, 400_000)]
    heard = [net.hear(wave) for wave in waves]
    assert all(one.shape == (1, 512) and one.norm().item() == pytest.approx(1, abs=1e-5) for one in heard)
    torch.testing.assert_close(heard[2], net.hear(waves[2][:160_000]), msg="ten seconds are heard")
    torch.testing.assert_close(heard[0], net.hear(waves[0].repeat(4)), msg="less than a second is repeated")
    images = torch.randint(0, 255, (3, 3, 8, 8), dtype=torch.uint8)
    found = score(Networks(hears=(net,)), images, [heard], None, [None] * 3, [])
    assert list(found) == [f"AIS-{kind}" for kind in (
        "percentile/Wav2CLIP+B32/sounds", "zscore/Wav2CLIP+B32/pictures", "cosine/Wav2CLIP+B32")]  # fmt: skip
    assert found["AIS-cosine/Wav2CLIP+B32"][0].abs().max() <= 1


def test_the_stand_in_takes_the_best_moment_of_a_sound(tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape: dict[str, Any] = {"width": 4, "dim": 8, "image_px": 16, "ear": {**vars(Ear(window_s=0.5))}}
    save(tmp_path, Localiser(**shape).state_dict(), shape)
    judge = AvJudge(tmp_path)
    heard = [judge.hear(0.1 * torch.randn(n)) for n in (100, 16_000, 40_000)]
    assert [len(one) for one in heard] == [1, 4, 10]
    images = torch.randint(0, 256, (2, 3, 24, 24), dtype=torch.uint8)
    fits = judge.fit(images, heard)
    assert fits.shape == (2, 3)
    seen = judge.net.see(F.interpolate(to_unit(images), (16, 16), mode="bicubic", antialias=True))
    torch.testing.assert_close(fits[:, 1], (seen @ heard[1].T).amax(1), atol=0.05, rtol=0.05)


def test_aic_is_the_share_whose_own_name_is_best() -> None:
    def rank(images: torch.Tensor, names: list[str]) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]])

    nets = Networks(names=("CLIP-L14", "it", rank))
    images = torch.zeros(3, 3, 4, 4, dtype=torch.uint8)
    found = score(nets, images, [], None, ["a", "b", "a"], ["a", "b"])
    assert found["AIC/CLIP-L14"][0].tolist() == [1, 0, 0], "ties count against"
    assert score(nets, images, [], None, ["a", None, "a"], ["a", "b"]) == {}


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UserError, match="AIS-x is not finite"):
        check(torch.tensor([torch.nan]), "AIS-x")
