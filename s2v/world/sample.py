"""One new scene of the world, its sound and its picture: something to try a model with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from s2v.config import WorldConfig
from s2v.errors import UserError
from s2v.files import atomic_path, write_bytes
from s2v.media.picture import encode_png
from s2v.world.recipe import Clip, clip_seed, story
from s2v.world.render import WEAK, paint, soundtrack
from s2v.world.sound import RATE
from s2v.world.thing import things

SPLIT = "sample"
"""No data set has a split of this name, so no training has seen its scenes."""


def find(name: str) -> str:
    """The class whose name holds `name`, as a whole or in part.

    Raises:
        UserError: there is none, or more than one.
    """
    known = list(things())
    if name.lower() in known:
        return name.lower()
    found = [one for one in known if name.lower() in one]
    if len(found) == 1:
        return found[0]
    which = f"is in several: {', '.join(found)}" if found else "is in none; `s2v world classes` names them"
    raise UserError(f"class {name!r} {which}")


def sample(label: str, number: int = 0, px: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """A scene of a class: its picture [px, px, 3] while the source sounds, and its sound [N] at 16 kHz.

    Args:
        label: name of the class.
        number: which scene.
        px: side of the picture.
    """
    config = WorldConfig(classes=list(things()), clips={SPLIT: 1}, size_px=px)
    told = story(Clip(SPLIT, label, number, clip_seed(config.seed, SPLIT, label, number)), config)
    thing = things()[label]
    start, end = max(told.intervals, key=lambda pair: pair[1] - pair[0])
    strength = max(WEAK, told.scene.strength) if thing.kind == "scape" else 1.0
    return paint(told.scene, [(thing, told.scene, strength)], (start + end) / 2, px), soundtrack(told, config)


def write_sample(output: Path, label: str, number: int = 0, px: int = 256) -> list[Path]:
    """Write both as `output`.wav and `output`.png."""
    picture, wave = sample(label, number, px)
    sound = output.with_name(f"{output.name}.wav")
    with atomic_path(sound) as temporary:
        soundfile.write(temporary, wave, RATE)
    shown = output.with_name(f"{output.name}.png")
    write_bytes(shown, encode_png(picture))
    return [sound, shown]


__all__ = ["find", "sample", "write_sample"]
