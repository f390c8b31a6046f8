"""Ways from a sound to a picture, behind one interface. A new one is one file, a line of `METHODS`, and one of
`s2v.config.methods.NEEDS`."""

from __future__ import annotations

from s2v.errors import UserError
from s2v.methods.base import Method, Sources, Unsupported, clip_seed, noise
from s2v.methods.icgan import IcGan
from s2v.methods.ldm import Ldm, Sound2VisionLdm
from s2v.methods.retrieval import Retrieval
from s2v.methods.sound2vision import Sound2Vision
from s2v.methods.unclip import Sound2VisionUnclip, Unclip
from s2v.methods.upper_bound import UpperBound

METHODS: dict[str, type[Method]] = {
    "icgan": IcGan,
    "sound2vision": Sound2Vision,
    "retrieval": Retrieval,
    "upper_bound": UpperBound,
    "ldm": Ldm,
    "sound2vision_ldm": Sound2VisionLdm,
    "unclip": Unclip,
    "sound2vision_unclip": Sound2VisionUnclip,
}


def method_class(name: str) -> type[Method]:
    """The class of a method.

    Raises:
        UserError: there is no such method; the message names those there are.
    """
    if name not in METHODS:
        raise UserError(f"method {name!r} is not one of {', '.join(METHODS)}")
    return METHODS[name]


def load_method(name: str, sources: Sources) -> Method:
    """A method, its models loaded and frozen."""
    build = method_class(name)
    return build(sources)  # type: ignore[call-arg]


__all__ = ["METHODS", "Method", "Sources", "Unsupported", "clip_seed", "load_method", "method_class", "noise"]
