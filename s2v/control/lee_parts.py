"""What Lee et al. edit with: the run's own generator and joint space, or what they published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.control.lee import Paint, See, Variables, inverted, of_biggan, styles_of
from s2v.errors import UserError
from s2v.media.picture import resize, to_unit
from s2v.models.clip import CLIP_FILES, load_clip
from s2v.models.joint import Joint
from s2v.models.lee_audio import shown_to_clip
from s2v.models.store import load
from s2v.weights.catalogue import weights_folder
from s2v.weights.convert import published

if TYPE_CHECKING:
    from s2v.config import LeeConfig
    from s2v.methods.renderers import Inversion
    from s2v.models.biggan import Generator


@dataclass(frozen=True)
class Parts:
    """A generator, and a space that pictures and sounds share.

    Attributes:
        name: of both, in words.
        paint: the generator.
        see: pictures [B, 3, R, R] to features [B, D] of unit norm.
        hear: a waveform [1, N] at 16 kHz to the same [1, D], on the CPU.
        start: variables of pictures uint8 [B, 3, H, W], of which the run's generator has the inversions.
        most: pictures that are edited at once at most, for the memory that their gradients take.
    """

    name: str
    paint: Paint
    see: See
    hear: Callable[[Tensor], Tensor]
    start: Callable[[Tensor, Sequence[Inversion]], Variables]
    most: int


def of_run(g: Generator, joint_dir: Path, device: torch.device) -> Parts:
    """The run's G, of (z^V, z^N), and its joint space.

    Raises:
        UserError: the folder is no trained joint space.
    """
    joint = load(Joint, joint_dir, device)

    def start(_: Tensor, found: Sequence[Inversion]) -> Variables:
        return tuple(one.to(device) for one in inverted(list(found)))

    return Parts("our generator and joint space", of_biggan(g), joint.see, joint.encode_audio, start, most=1024)


def of_publication(config: LeeConfig, device: torch.device) -> Parts:
    """Their StyleGAN2 of landscapes, of w+, their audio encoder, and CLIP ViT-B/32 as they use it.

    Raises:
        UserError: weights are not there, or are not what they should be.
    """
    folder = weights_folder(None)
    file = next((folder / name for name in CLIP_FILES if (folder / name).is_file()), None)
    if file is None:
        raise UserError(f"{folder}: no {CLIP_FILES[0]}, in which Lee et al. edit; `s2v weights fetch clip-vit-b32`")
    clip = load_clip(file, device)[0].requires_grad_(False)
    g, audio = published("lee-stylegan2", device=device), published("lee-audio", device=device)

    def see(pictures: Tensor) -> Tensor:
        return F.normalize(clip.encode_image(shown_to_clip(pictures)).float(), dim=1)

    def hear(wave: Tensor) -> Tensor:
        return F.normalize(audio.encode(wave), dim=1)

    def start(pictures: Tensor, _: Sequence[Inversion]) -> Variables:
        given = to_unit(resize(pictures, g.resolution)).to(device)
        return styles_of(g, given, config.inversion_steps, config.learning_rate)

    # A step at 256 px takes 0.7 GB for each picture, beside the nets.
    name = "StyleGAN2 of landscapes and CLIP ViT-B/32"
    return Parts(name, lambda variables: g(variables[0]), see, hear, start, most=2)


__all__ = ["Parts", "of_publication", "of_run"]
