"""s2v: an open reproduction of Sound2Vision. Sound in, picture out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2v.model import Model, load

__version__ = "0.1.0"
__all__ = ["Model", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """`s2v.load` and `s2v.Model`, found when they are asked for: importing s2v alone imports no torch."""
    if name in ("Model", "load"):
        from s2v import model

        return getattr(model, name)
    raise AttributeError(f"module 's2v' has no attribute {name!r}")
