"""What hears where a method brings it along (`hears=OWN`). Each is imported where it is asked for."""

from __future__ import annotations

from s2v.config.methods import OWN, Entry
from s2v.methods.base import Sources
from s2v.methods.ears.base import Ear
from s2v.models.hearing import load_hearing


def ear(entry: Entry, sources: Sources) -> Ear | None:
    """The audio encoder of a method, loaded and frozen: one that the run trained, one of its own, or none."""
    if entry.hears != OWN:
        return load_hearing(sources.part("align"), sources.device) if entry.hears else None
    match entry.ear:
        case "imagebind":
            from s2v.methods.ears.imagebind import imagebind

            return imagebind(sources)
        case "linear":
            from s2v.methods.ears.linear import linear

            return linear(entry.name, sources)
    raise ValueError(f"{entry.ear!r} is no ear")


__all__ = ["Ear", "ear"]
