"""Which f_A a folder of stage `align` holds: the paper's ResNet, or a frozen backbone with a head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from s2v.files import read_json
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.frozen_audio_encoder import FrozenAudioEncoder, of_speaker
from s2v.models.store import MAX_CONFIG_BYTES, config_of, load


def builder_of(folder: Path) -> Callable[..., AudioEncoder | FrozenAudioEncoder]:
    """What builds the network in a folder.

    Raises:
        UserError: config.json is missing or damaged.
    """
    told = read_json(folder / "config.json", MAX_CONFIG_BYTES)
    if isinstance(told, dict) and "speaker" in told:
        return of_speaker
    return FrozenAudioEncoder if isinstance(told, dict) and "backbone" in told else AudioEncoder


def audio_of(folder: Path) -> dict[str, Any]:
    """How the network of a folder hears: window_s and the values of its spectrogram.

    Raises:
        UserError: config.json is missing, damaged, or of neither.
    """
    return dict(config_of(builder_of(folder), folder)["audio"])


def load_hearing(folder: Path, device: torch.device | str = "cpu") -> AudioEncoder | FrozenAudioEncoder:
    """f_A of a folder, frozen.

    Raises:
        UserError: the folder is incomplete, damaged, or of neither.
    """
    return load(builder_of(folder), folder, device)


__all__ = ["audio_of", "builder_of", "load_hearing"]
