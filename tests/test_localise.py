"""The localisation model: what it hears at a moment, what its loss rewards, and that it finds the moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shards import RATE, blinking_clip, clip_members, extract_tar, write_tar

from s2v.config import AudioConfig, LocaliseConfig, RuntimeConfig
from s2v.data.moments import evenly, read_moments
from s2v.errors import UserError
from s2v.losses.localisation import moment_loss
from s2v.models.localiser import Ear, Localiser
from s2v.models.store import load
from s2v.train.localise import run

CONFIG = LocaliseConfig(
    batch_size=16, steps=6, checkpoint_every=3, image_px=16, width=8, dim=8, frames_per_clip=4, frames_per_step=2
)


def _train(tars: list[Path], folder: Path, config: LocaliseConfig = CONFIG) -> Path:
    run(
        config=config, audio=AudioConfig(), tars=tars, output_dir=folder, runtime=RuntimeConfig(device="cpu"), threads=1
    )
    return folder


def test_window_lies_around_its_moment_and_keeps_relative_loudness() -> None:
    ear = Ear()
    time = np.arange(5 * RATE) / RATE
    loud = (np.abs(time - 3.0) < 0.4) * 0.3 + 0.001
    wave = torch.from_numpy((np.sin(2 * np.pi * 1000 * time) * loud * 32767).astype(np.int16))
    windows = ear.windows(ear.hear(wave), torch.tensor([0.05, 1.0, 3.0, 4.95]))
    assert windows.shape == (4, *ear.shape) == (4, 64, 50)
    level = windows.mean((1, 2))
    assert level.argmax() == 2
    assert level[2] > level[1] + 0.3
    column = windows[2].mean(0)
    assert column.argsort(descending=True)[:30].float().mean() == pytest.approx(24.5, abs=1.5)


def test_every_moment_of_a_short_clip_has_a_whole_window() -> None:
    ear = Ear(window_s=1.0)
    for n in (100, 3000, 12000):
        windows = ear.windows(ear.hear(torch.randint(-999, 999, (n,), dtype=torch.int16)), torch.tensor([0.0, 0.7]))
        assert windows.shape == (2, *ear.shape) and windows.isfinite().all()


def test_frames_are_taken_evenly() -> None:
    assert evenly(50, 5) == [5, 15, 25, 35, 45]
    assert evenly(3, 8) == [0, 1, 2]
    assert evenly(9, 9) == list(range(9))
    assert len(evenly(10, 7)) == 7


def test_score_is_the_plain_inner_product() -> None:
    torch.manual_seed(0)
    model = Localiser(4, 8, 16, Ear()).eval()
    images, windows = torch.rand(3, 3, 32, 32) * 2 - 1, torch.randn(3, 64, 50)
    seen, heard = model.see(images), model.hear(windows)
    assert seen.shape == heard.shape == (3, 8)
    with torch.no_grad():
        naive = [sum(float(a) * float(b) for a, b in zip(seen[i], heard[i], strict=True)) for i in range(3)]
    assert torch.allclose(model(images, windows), torch.tensor(naive), atol=1e-4)
    assert model.response(images, windows).shape == (3, 4, 4)


def test_loss_equals_its_naive_twin() -> None:
    torch.manual_seed(1)
    seen, heard = torch.randn(4, 3, 5), torch.randn(4, 3, 5)
    score = torch.zeros(4, 4)
    for i in range(4):
        for j in range(4):
            products = torch.stack([(seen[i, m] * heard[j, m]).sum() / 5**0.5 for m in range(3)])
            score[i, j] = (products * 2.0).exp().sum().log() / 2.0
    rows = -torch.stack([score[i].softmax(0)[i].log() for i in range(4)]).mean()
    columns = -torch.stack([score[:, i].softmax(0)[i].log() for i in range(4)]).mean()
    assert moment_loss(seen, heard, 2.0) == pytest.approx(float((rows + columns) / 2), abs=1e-5)


def test_one_informative_moment_is_enough_for_the_loss() -> None:
    """Clips that agree at one moment only, and are alike at all others, are told apart."""
    marks = torch.eye(4) * 6
    seen = torch.zeros(4, 5, 4)
    seen[:, 2] = marks
    assert moment_loss(seen, seen, 4.0) < 0.01
    assert moment_loss(torch.zeros(4, 5, 4), seen, 4.0) == pytest.approx(float(torch.tensor(4.0).log()), abs=1e-5)


def test_finds_the_moment_without_labels(tmp_path: Path) -> None:
    """Where 4 of 12 frames are right, the top one is right in nearly all clips, also of clips never seen."""
    tar = extract_tar(tmp_path / "000.tar", range(64))
    config = CONFIG.model_copy(update={"steps": 120, "checkpoint_every": 200, "frames_per_clip": 12})
    trained = load(Localiser, _train([tar], tmp_path / "localise", config))
    unseen = extract_tar(tmp_path / "test.tar", range(1000, 1030), split="test")
    right = 0
    for seed, clip in zip(range(1000, 1030), read_moments([unseen], image_px=16, ear=trained.ear), strict=True):
        assert clip.spectrogram is not None
        windows = trained.ear.windows(clip.spectrogram, clip.times_s)
        score = trained(clip.images.float() / 127.5 - 1, windows)
        right += int(score.argmax()) in blinking_clip(seed)[2]
    assert right >= 26


def test_run_publishes_a_model_and_repeats_itself(tmp_path: Path) -> None:
    tar = extract_tar(tmp_path / "000.tar", range(8))
    first, second = _train([tar], tmp_path / "a"), _train([tar], tmp_path / "b")
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()
    names = {path.name for path in first.iterdir()} - {"tensorboard"}
    assert names == {"model.safetensors", "config.json", "README.md", "train.jsonl"}
    assert "without labels" in (first / "README.md").read_text()
    assert json.loads((first / "train.jsonl").read_text().splitlines()[-1])["step"] == 6


def test_a_killed_training_goes_on_to_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tar = extract_tar(tmp_path / "000.tar", range(8))
    undisturbed = _train([tar], tmp_path / "a")
    calls = 0

    def die(*args: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 5:  # after the checkpoint of step 3
            raise KeyboardInterrupt
        return moment_loss(*args)

    monkeypatch.setattr("s2v.train.localise.moment_loss", die)
    with pytest.raises(KeyboardInterrupt):
        _train([tar], tmp_path / "b")
    assert not (tmp_path / "b" / "model.safetensors").exists()
    resumed = _train([tar], tmp_path / "b")
    assert calls == 5 + 3
    assert (resumed / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()


def test_other_splits_change_nothing(tmp_path: Path) -> None:
    """Clips of other splits and clips without sound are not learned from: the model is the same byte for byte."""
    train = extract_tar(tmp_path / "000.tar", range(8))
    test = extract_tar(tmp_path / "001.tar", range(20, 24), split="test")
    soundless = extract_tar(tmp_path / "002.tar", range(30, 33), silent=(30, 31, 32))
    alone, among = _train([train], tmp_path / "a"), _train([train, test, soundless], tmp_path / "b")
    assert (alone / "model.safetensors").read_bytes() == (among / "model.safetensors").read_bytes()


def test_no_more_clips_than_memory_has_room_for(tmp_path: Path) -> None:
    tar = extract_tar(tmp_path / "000.tar", range(8))
    few = _train([tar], tmp_path / "few", CONFIG.model_copy(update={"max_clips": 3}))
    assert "contrasting 3 clips" in (few / "README.md").read_text()


def test_nothing_to_learn_from_is_one_line(tmp_path: Path) -> None:
    tar = extract_tar(tmp_path / "000.tar", range(5), split="test")
    with pytest.raises(UserError, match="0 clips of split train") as error:
        _train([tar], tmp_path / "localise")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("field", "value"), [("fps", 0), ("fps", "ten"), ("split", None), ("n_frames", "many"), ("clip_id", 3)]
)
def test_records_without_what_is_needed_are_named(tmp_path: Path, field: str, value: object) -> None:
    frames, wave, _ = blinking_clip(0)
    members = clip_members("good", frames, wave) | clip_members("odd", frames, wave)
    members["odd.json"] = json.dumps(json.loads(members["odd.json"]) | {field: value}).encode()
    tar = write_tar(tmp_path / "000.tar", members)
    with pytest.raises(UserError, match=r"000\.tar: clip odd"):
        list(read_moments([tar], image_px=8, ear=Ear()))


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    folder = _train([extract_tar(tmp_path / "000.tar", range(4))], tmp_path / "localise")
    shape = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(shape | {"dim": 9}))
    with pytest.raises(UserError, match="not a trained Localiser"):
        load(Localiser, folder)
    (folder / "config.json").write_text(json.dumps({}))
    with pytest.raises(UserError, match="not a trained Localiser"):
        load(Localiser, folder)
