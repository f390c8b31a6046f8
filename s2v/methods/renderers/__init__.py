"""What makes pictures of features. Each is imported where it is asked for: some of them take seconds to import."""

from __future__ import annotations

from s2v.config.methods import Entry
from s2v.methods.base import Sources
from s2v.methods.renderers.base import Eye, Inversion, Renderer


def renderer(entry: Entry, sources: Sources) -> Renderer:
    """The renderer of a method, its nets loaded and frozen."""
    match entry.renders.kind:
        case "biggan":
            from s2v.methods.renderers.biggan import BigGan

            return BigGan(entry.name, sources)
        case "latent_diffusion":
            from s2v.methods.renderers.latent_diffusion import LatentDiffusionRenderer

            return LatentDiffusionRenderer(entry.name, sources)
        case "stable_unclip":
            from s2v.methods.renderers.stable_unclip import StableUnclip

            return StableUnclip(entry.name, sources)
        case "database":
            from s2v.methods.renderers.database import Database

            return Database(entry.name, sources)
        case "identity":
            from s2v.methods.renderers.identity import Identity

            return Identity(entry.name, sources)
    raise ValueError(f"{entry.renders.kind!r} is no renderer")


__all__ = ["Eye", "Inversion", "Renderer", "renderer"]
