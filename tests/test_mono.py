"""Several channels become one without falling silent."""

from __future__ import annotations

import numpy as np
import pytest

from s2v.media.mono import mono

TONE = 0.3 * np.sin(np.arange(8000) * 0.3)
OTHER = 0.2 * np.sin(np.arange(8000) * 0.7)


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_channels_are_averaged_in_their_own_type(kind: type) -> None:
    channels = (np.stack([TONE, OTHER, TONE]) * (32767 if kind is np.int16 else 1)).astype(kind)
    mixed = mono(channels)
    assert mixed.dtype == kind
    np.testing.assert_allclose(mixed, channels.astype(float).mean(0), atol=0.5 if kind is np.int16 else 1e-6)


@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_channels_that_cancel_give_the_loudest_of_them(offset: float) -> None:
    opposed = np.stack([0.5 * TONE, -0.52 * TONE]) + offset
    assert np.array_equal(mono(opposed), opposed[1])
    assert np.array_equal(mono(np.stack([TONE, -TONE])), TONE)


def test_a_channel_that_is_silent_or_only_out_of_step_is_no_reason_to_drop_one() -> None:
    for other in (np.zeros_like(TONE), np.roll(TONE, 3), -0.7 * TONE):
        channels = np.stack([TONE, other])
        np.testing.assert_allclose(mono(channels), channels.mean(0))


def test_silence_stays_silence_and_one_channel_stays_as_it_is() -> None:
    assert not mono(np.zeros((2, 100), np.int16)).any()
    assert np.array_equal(mono(TONE[None]), TONE)
    assert mono(np.zeros((2, 0), np.float32)).shape == (0,)
