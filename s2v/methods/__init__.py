"""Ways from a sound to a picture, behind one interface. `s2v.config.methods` is the table of them."""

from __future__ import annotations

from s2v.config.foreign import find, foreign_class
from s2v.methods.base import Method, Sources, ToldMethod, Unsupported, clip_seed, noise
from s2v.methods.composed import Composed


def load_method(named: str, sources: Sources) -> Method:
    """A method, its models loaded and frozen.

    Raises:
        UserError: there is no such method, or its parts are not what they should be.
    """
    entry = find(named)
    if entry.source or entry.own:
        made_by = foreign_class(entry.source or entry.own)
        method: Method = made_by(sources) if entry.source else made_by(entry, sources)
        return method
    return Composed(entry, sources)


__all__ = ["Composed", "Method", "Sources", "ToldMethod", "Unsupported", "clip_seed", "load_method", "noise"]
