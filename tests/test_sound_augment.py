"""Sounds are augmented in alignment as was drawn, and their level is left alone."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from training_tasks import align

from s2v.config import AlignConfig, SoundAugmentConfig
from s2v.media.spectrogram import encoder_input
from s2v.runtime import Runtime
from s2v.train.sound_augment import draw_sound_augment, sound_augment

CPU = torch.device("cpu")
ALL = SoundAugmentConfig(shift=True, filter=0.3, masks=2, bed=1.0, loop=1.0, gate=1.0, warp=0.2)


def _spectrograms() -> torch.Tensor:
    g = torch.Generator().manual_seed(0)
    waves = 0.1 * torch.randn(4, 32000, generator=g) * (torch.arange(32000) % 8000 < 3000)
    heard = {"window_s": 2.0, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": 16000}
    return encoder_input(waves, **heard)  # type: ignore[arg-type]


def test_nothing_is_drawn_and_nothing_changes_where_nothing_is_asked_for() -> None:
    drawn = draw_sound_augment(4, SoundAugmentConfig(), CPU)
    heard = _spectrograms()
    assert drawn == {} and sound_augment(heard, drawn) is heard


def test_each_sound_is_changed_by_its_own_row_alone() -> None:
    torch.manual_seed(1)
    heard, drawn = _spectrograms(), draw_sound_augment(4, ALL, CPU)
    whole = sound_augment(heard, drawn)
    parts = [sound_augment(heard[i : i + 1], {name: rows[i : i + 1] for name, rows in drawn.items()}) for i in range(4)]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-5) and not torch.allclose(whole, heard, atol=0.1)
    assert torch.allclose(whole.mean((1, 2)), torch.zeros(4), atol=1e-4)
    assert torch.allclose(whole.std((1, 2), correction=0), torch.ones(4), atol=1e-3)


def test_a_shift_goes_round_and_a_filter_is_the_same_at_all_times() -> None:
    heard = _spectrograms()
    moved = sound_augment(heard, {"shift": torch.full((4,), 0.5)})
    half = heard.shape[2] // 2
    assert torch.allclose(moved, torch.roll(heard, -half, 2), atol=1e-5)
    shaped = sound_augment(heard, {"filter": torch.linspace(-1, 1, 8).repeat(4, 1)})
    between = (shaped[0, :, 10] - shaped[0, :, 90]) / (heard[0, :, 10] - heard[0, :, 90])
    assert between.std() < 1e-3 * between.mean().abs(), "what differs between two moments is only scaled"


def test_a_bed_fills_what_was_silent_and_leaves_what_was_loud() -> None:
    heard = _spectrograms()
    laid = sound_augment(heard, {"bed": torch.tensor([[1.0, 0.2, 0.0, 0.3]] * 3 + [[0.0, 0.2, 0.0, 0.3]])})
    loud, quiet = heard[0] > 0.8, heard[0] < -0.5
    assert (laid[0][loud].mean() - laid[0][quiet].mean()) < (heard[0][loud].mean() - heard[0][quiet].mean())
    assert torch.allclose(laid[3], heard[3], atol=1e-5), "under this one none is laid"


def test_a_loop_repeats_a_loud_stretch_and_leaves_other_sounds() -> None:
    heard = _spectrograms()
    looped = sound_augment(heard, {"loop": torch.tensor([[1.0, 0.5, 0.0]] * 3 + [[0.0, 0.5, 0.0]])})
    length = int(heard.shape[2] * 0.1)
    assert torch.allclose(looped[0, :, length:], looped[0, :, :-length], atol=1e-5)
    distance = torch.cdist(looped[0, :, :length].T, heard[0].T)
    assert heard[0].mean(0)[distance.argmin(1)].mean() > heard[0].mean(), "it is one of the loud ones"
    assert torch.allclose(looped[3], heard[3], atol=1e-5), "this one is heard whole"


def test_a_warp_moves_a_band_by_its_factor() -> None:
    heard = torch.zeros(2, 100, 8)
    heard[:, 60] = 1.0
    higher, lower = sound_augment(heard, {"warp": torch.tensor([0.2, -0.2])})
    assert higher.mean(1).argmax() == 50, "bin 50 now shows what bin 60 did"
    assert 74 <= lower.mean(1).argmax() <= 76


def test_a_gate_makes_what_is_quiet_quieter_and_leaves_the_rest() -> None:
    heard = torch.randn(2, 60, 80, generator=torch.Generator().manual_seed(0))
    gated = sound_augment(heard, {"gate": torch.tensor([[1.0, 0.4, 1.0], [0.0, 0.4, 1.0]])})
    assert torch.allclose(gated[1], (heard[1] - heard[1].mean()) / heard[1].std(correction=0), atol=1e-4), "as it was"
    levels = torch.tensor([0.05, 0.5, 0.9])
    (low, middle, high), (low_now, middle_now, high_now) = heard[0].quantile(levels), gated[0].quantile(levels)
    assert (middle_now - low_now) / (high_now - middle_now) > 1.5 * (middle - low) / (high - middle)
    assert gated[0].flatten()[heard[0].flatten().argsort()].diff().min() >= 0, "what is louder stays louder"


def test_training_is_augmented_and_validation_is_not() -> None:
    task = align(Runtime(CPU, bf16=False), augment=ALL)
    assert set(task.draw(5)) == {"shift", "filter", "mask", "bed", "loop", "gate", "warp"}
    assert task.validate(0) == task.validate(1)


def test_a_frozen_backbone_hears_a_sound_once() -> None:
    with pytest.raises(ValidationError, match="hears each sound once"):
        AlignConfig(backbone="resemblyzer", augment=ALL)
