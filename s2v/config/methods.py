"""The ways from a sound to a picture that a configuration may name, and what each is made of.

Rules read this table, so it imports nothing heavy. A new method is its file in `s2v/methods`, a line of
`s2v.methods.METHODS`, and a line here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MethodName = Literal[
    "icgan",
    "sound2vision",
    "retrieval",
    "upper_bound",
    "ldm",
    "sound2vision_ldm",
    "unclip",
    "sound2vision_unclip",
    "icgan_top1",
    "icgan_mid",
    "upper_bound_top1",
    "upper_bound_mid",
    "sound2vision_shuffled",
    "sound2vision_scrambled",
]
"""`s2v.evaluate.generate.known_methods()`, spelled out so that a wrong name is told before anything runs."""


@dataclass(frozen=True)
class Needs:
    """What a job that makes pictures with a method needs.

    Args:
        parts: trained things, {part: folder under the output}.
        settings: keys of `generate` that matter to it and not to the methods that do not name them.
        memory_mb: of the job.
        minutes: of the job, on a cluster.
    """

    parts: dict[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    memory_mb: int = 3000
    minutes: int = 120


_GAN = Needs({"encoder": "encoder", "generator": "generator", "align": "align"})
_PICTURES = Needs({"encoder": "encoder", "generator": "generator"})
_REAL = Needs({"generator": "generator"})  # whose resolution they are shown at
_LDM = Needs(
    {"encoder": "encoder_vit", "generator": "diffusion", "align": "align_ldm", "vae": "vae"}, settings=("ldm",)
)
# Stable unCLIP's nets are files of the user. All of its pictures are in memory at once: 2,500 of 768 px are 4.4 GB.
_UNCLIP_MB, _UNCLIP_MINUTES = 24000, 720

NEEDS: dict[MethodName, Needs] = {
    "icgan": _PICTURES,
    "sound2vision": _GAN,
    "retrieval": _GAN,
    "upper_bound": _REAL,
    "ldm": _LDM,
    "sound2vision_ldm": _LDM,
    "unclip": Needs({}, ("unclip",), _UNCLIP_MB, _UNCLIP_MINUTES),
    "sound2vision_unclip": Needs({"align": "align_unclip"}, ("unclip",), _UNCLIP_MB, _UNCLIP_MINUTES),
    "icgan_top1": _PICTURES,
    "icgan_mid": _PICTURES,
    "upper_bound_top1": _REAL,
    "upper_bound_mid": _REAL,
    "sound2vision_shuffled": _GAN,
    "sound2vision_scrambled": _GAN,
}

OWN_SETTINGS = frozenset(name for needs in NEEDS.values() for name in needs.settings)
"""Keys of `generate` that are some methods' alone."""

__all__ = ["NEEDS", "OWN_SETTINGS", "MethodName", "Needs"]
