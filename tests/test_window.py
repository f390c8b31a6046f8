"""The part of a clip that is heard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tiny_run import pack

from s2v.config import AblationRow
from s2v.data.reader import read_waves
from s2v.data.table import Spectrograms, Store
from s2v.data.window import Window
from s2v.errors import UserError
from s2v.media.spectrogram import encoder_input

RATE = 16000
RAMP = np.arange(10 * RATE, dtype=np.int32).astype(np.int16)


def _sample(**record: object) -> dict[str, object]:
    return {"__key__": "a", "json": json.dumps(record).encode()}


@pytest.mark.parametrize(
    ("chosen", "first_s"),
    [(0, 0.0), (1, 0.25), (10, 4.75), (19, 9.0)],  # frames are two a second, in the middle of their half seconds
)
def test_a_second_around_the_chosen_frame(chosen: int, first_s: float) -> None:
    part = Window("moment", 1.0, RATE).of("a.tar", _sample(chosen=chosen, fps=2), RAMP)
    assert np.array_equal(part[:RATE], RAMP[round(first_s * RATE) :][:RATE])
    assert np.array_equal(Window("start", 1.0, RATE).of("a.tar", _sample(chosen=chosen, fps=2), RAMP), RAMP)


@given(st.integers(0, 2**31 - 1), st.floats(0.1, 60), st.floats(0.1, 30))
def test_it_is_as_long_as_the_clip_has_it(chosen: int, fps: float, seconds: float) -> None:
    part = Window("moment", seconds, RATE).of("a.tar", _sample(chosen=chosen, fps=fps), RAMP)
    assert len(part) >= min(len(RAMP), round(seconds * RATE))
    assert np.array_equal(part, RAMP[len(RAMP) - len(part) :])


@pytest.mark.parametrize(
    "record", [{}, {"chosen": 1}, {"chosen": 1, "fps": 0}, {"chosen": "1", "fps": 2}, {"chosen": -1, "fps": 2}]
)
def test_a_clip_without_a_moment_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(UserError, match="clip a names no chosen frame"):
        Window("moment", 1.0, RATE).of("a.tar", _sample(**record), RAMP)


def test_training_and_drawing_hear_the_same_part(tmp_path: Path) -> None:
    shard = pack(tmp_path / "a.tar", clips=3)
    heard = Spectrograms(0.3, 512, 160, 1e-7, RATE, at="moment")
    table = Store(tmp_path, 1e9).load([shard], heard)
    waves, keys, _ = read_waves([shard], RATE, Window("moment", 0.3, RATE).of)
    whole, _, _ = read_waves([shard], RATE)
    assert table.keys == keys and any(len(one) < len(other) for one, other in zip(waves, whole, strict=True))
    for row, wave in zip(table.rows, waves, strict=True):
        again = encoder_input(
            torch.from_numpy(wave)[None], window_s=0.3, n_fft=512, hop=160, log_floor=1e-7, sample_rate_hz=RATE
        )[0]
        assert torch.equal(row, again.half())


def test_a_gap_is_closed_over_sounds_from_their_start() -> None:
    with pytest.raises(ValidationError, match="take window_at: start"):
        AblationRow(window_at="moment", closed=True)
    assert AblationRow(window_at="moment").changes
