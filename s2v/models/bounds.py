"""Bounds of what a network's config.json says and its weights do not show. They stand in the signatures of networks,
and `s2v.models.store` holds a config to them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from s2v.media.spectrogram import SAMPLE_RATE_HZ

Side = Annotated[int, Field(le=4096)]
"""Of a picture, in px."""


class _Hearing(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    window_s: Annotated[float, Field(gt=0, le=3600)]
    n_fft: Annotated[int, Field(ge=16, le=65536)]
    hop: Annotated[int, Field(ge=1, le=65536)]
    log_floor: Annotated[float, Field(gt=0, le=1)]
    sample_rate_hz: Literal[16000]


def _heard(value: dict[str, Any]) -> dict[str, Any]:
    checked = _Hearing.model_validate(value)
    if checked.window_s * checked.sample_rate_hz < checked.n_fft:
        raise ValueError(f"a window of {checked.window_s:g} s is shorter than a frame of n_fft")
    return value


Hearing = Annotated[dict[str, Any], AfterValidator(_heard)]
"""Values of a log-spectrogram (`s2v.media.spectrogram.encoder_input`)."""


class _Mel(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    window_s: Annotated[float, Field(gt=0, le=3600)]
    n_fft: Annotated[int, Field(ge=16, le=65536)]
    hop: Annotated[int, Field(ge=1, le=65536)]
    bands: Annotated[int, Field(ge=1, le=1024)]
    columns: Annotated[int, Field(ge=1, le=4096)]
    range_db: Annotated[float, Field(gt=0, le=200)]


def _pictured(value: dict[str, Any]) -> dict[str, Any]:
    checked = _Mel.model_validate(value)
    if checked.window_s * SAMPLE_RATE_HZ < checked.n_fft:
        raise ValueError(f"a window of {checked.window_s:g} s is shorter than a frame of n_fft")
    return value


Mel = Annotated[dict[str, Any], AfterValidator(_pictured)]
"""Values of a mel spectrogram (`s2v.media.mel.mel_picture`)."""

__all__ = ["Hearing", "Mel", "Side"]
