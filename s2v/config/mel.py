"""A sound as a picture, for systems that see a spectrogram as one."""

from __future__ import annotations

from pydantic import Field

from s2v.config.base import Positive, Seconds, Slice


class MelConfig(Slice):
    """A sound as a grey picture: mel bands in decibels below the loudest (`s2v.media.mel`)."""

    window_s: Seconds = Field(10.0, description="shorter clips are tiled, longer ones cut")
    n_fft: Positive = 2048
    hop: Positive = 256
    bands: Positive = 256
    columns: Positive = Field(256, description="frames are resized to as many")
    range_db: float = Field(80.0, gt=0, le=200, description="what lies as far below the loudest (1) is -1")


__all__ = ["MelConfig"]
