"""Which f_A a folder of stage `align` holds: the paper's ResNet, or a speaker encoder with a linear layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch

from s2v.files import read_json
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.speaker_encoder import SpeakerEncoder
from s2v.models.store import MAX_CONFIG_BYTES, config_of, load


def kind_of(folder: Path) -> type[AudioEncoder] | type[SpeakerEncoder]:
    """The class of the network in a folder.

    Raises:
        UserError: config.json is missing or damaged.
    """
    told = read_json(folder / "config.json", MAX_CONFIG_BYTES)
    return SpeakerEncoder if isinstance(told, dict) and "speaker" in told else AudioEncoder


def audio_of(folder: Path) -> dict[str, Any]:
    """How the network of a folder hears: window_s and the values of its spectrogram.

    Raises:
        UserError: config.json is missing, damaged, or of neither.
    """
    return dict(config_of(kind_of(folder), folder)["audio"])


def load_hearing(folder: Path, device: torch.device | str = "cpu") -> AudioEncoder | SpeakerEncoder:
    """f_A of a folder, frozen.

    Raises:
        UserError: the folder is incomplete, damaged, or of neither.
    """
    return cast(AudioEncoder | SpeakerEncoder, load(kind_of(folder), folder, device))


__all__ = ["audio_of", "kind_of", "load_hearing"]
