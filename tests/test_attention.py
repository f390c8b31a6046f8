"""Grad-CAM of the audio encoder: closed forms, independence of the batch, and the stage on a tiny run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_run import models, pack
from torch import nn
from torch.testing import assert_close

from s2v.config import RuntimeConfig
from s2v.evaluate.attention import SCORES, column_times_s, grad_cam, share, sounding
from s2v.evaluate.quantities import Missing, read_quantities
from s2v.files import write_parquet
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.store import load
from s2v.report.fig05 import run
from s2v.world import TRUTH


def _toy() -> Any:
    """Two channels: a constant, and the spectrogram, whose mean must be 0; the head passes both means on."""
    backbone = SimpleNamespace(features=lambda x: torch.cat([torch.ones_like(x), x], 1))
    return SimpleNamespace(backbone=backbone, head=nn.Identity(), final_relu=False)


def test_channels_are_weighted_by_their_gradient_and_only_what_speaks_for_the_picture_stays() -> None:
    spectrogram = torch.tensor([[[0.5, 2.0], [-1.0, -1.5]]])
    # z is (1, 0): of z2 / ||z|| the gradient is (0, 1), so the second channel alone counts.
    cam = grad_cam(_toy(), lambda z: z[:, 1:, None, None], spectrogram, torch.zeros(1, 1, 1, 1), "sum")
    assert_close(cam, spectrogram.relu() / 2)
    cam = grad_cam(_toy(), lambda z: -z[:, 1:, None, None], spectrogram, torch.zeros(1, 1, 1, 1), "sum")
    assert_close(cam, (-spectrogram).relu() / 1.5)
    # Half the squared norm of a picture of 3 + z2 has the gradient 3 + z2 = 3; of its change from 5 it is -2.
    seen = (lambda z: 3 + z[:, 1:, None, None]), spectrogram, torch.full((1, 1, 1, 1), 5.0)
    assert_close(grad_cam(_toy(), *seen, "energy"), spectrogram.relu() / 2)
    assert_close(grad_cam(_toy(), *seen, "change"), (-spectrogram).relu() / 1.5)


def test_nothing_speaks_for_a_picture_that_does_not_depend_on_the_sound() -> None:
    cam = grad_cam(_toy(), lambda z: 0 * z[:, :1, None, None], torch.randn(2, 3, 3), torch.zeros(1, 1, 1, 1), "sum")
    assert_close(cam, torch.zeros(2, 3, 3))


@pytest.mark.parametrize("score", SCORES)
def test_a_map_does_not_depend_on_its_batch(tmp_path: Path, score: str) -> None:
    f_a = load(AudioEncoder, models(tmp_path).align)
    spectrogram = torch.randn(3, 257, 98, generator=torch.Generator().manual_seed(0))
    paint = torch.randn(32, 12, generator=torch.Generator().manual_seed(1))
    reference = torch.zeros(1, 3, 2, 2)

    def decode(z: torch.Tensor) -> torch.Tensor:
        return (z @ paint).tanh().view(-1, 3, 2, 2)

    together = grad_cam(f_a, decode, spectrogram, reference, score)
    alone = torch.cat([grad_cam(f_a, decode, one[None], reference, score) for one in spectrogram])
    assert_close(together, alone, rtol=1e-3, atol=1e-4)
    assert together.shape == spectrogram.shape and float(together.max()) <= 1 + 1e-6 and float(together.min()) >= 0


def test_the_truth_of_a_short_clip_is_repeated_as_its_sound_is() -> None:
    times = column_times_s(10, 512, 3744, 16000)  # every 0.234 s from 0.016 s on
    assert times[0] == pytest.approx(0.016) and times[1] - times[0] == pytest.approx(0.234)
    where = sounding(np.array([0.1, 0.6, 1.1, 1.6]), [(0.5, 1.0)], 1.0)
    assert where.tolist() == [False, True, False, True]


def test_a_flat_curve_has_the_share_of_chance() -> None:
    where = np.array([True, False, False, False])
    assert share(np.ones(4), where) == 0.25 == share(np.zeros(4), where)
    assert share(np.array([3.0, 1.0, 0.0, 0.0]), where) == 0.75


def test_the_stage_draws_and_measures_against_the_truth(tmp_path: Path) -> None:
    made, shard = models(tmp_path / "models"), pack(tmp_path / "test-0.tar", clips=3)
    keys = [f"test-0-c{i:03d}x" for i in range(9)]
    facts = {field.name: None for field in TRUTH}
    # The last one sounds all the time and says nothing.
    rows = [
        {**facts, "clip_id": key, "duration_s": 1.0, "intervals": [[0.0, 1.0 if i == 8 else 0.5]]}
        for i, key in enumerate(keys)
    ]
    write_parquet(tmp_path / "truth.parquet", rows, TRUTH)
    settings = {
        "packs": [shard],
        "align_dir": made.align,
        "generator_dir": made.generator,
        "window_s": 1.0,
        "seed": 0,
        "score": "change",
        "runtime": RuntimeConfig(device="cpu"),
        "threads": 1,
    }
    run(truth=tmp_path / "truth.parquet", output=tmp_path / "a.png", quantities=tmp_path / "a.json", **settings)
    found = read_quantities(tmp_path / "a.json")
    assert found["share"].clips == 8 and found["chance"].value == pytest.approx(0.5, abs=0.02)
    assert found["share_minus_chance"].value == pytest.approx(found["share"].value - found["chance"].value)
    run(truth=None, output=tmp_path / "b.png", quantities=tmp_path / "b.json", **settings)
    assert isinstance(read_quantities(tmp_path / "b.json")["share_minus_chance"], Missing)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("a.png", "b.png"))
