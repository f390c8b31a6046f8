"""ImageBind's audio encoder in front of a renderer of CLIP ViT-H's embeddings. Nothing of it is trained in the run.

Its embeddings go on as ImageBind gives them, as in Anything2Image, the first public use: a piece of sound has the
published scale's length, 20, a sound the mean of its three pieces. Stable unCLIP then brings them to its statistics.
`generate.unclip.unit_norm` makes them unit vectors instead.
"""

from __future__ import annotations

from s2v.methods.base import Sources
from s2v.models.imagebind import ImageBindAudio
from s2v.weights.convert import published


def imagebind(sources: Sources) -> ImageBindAudio:
    """The published audio encoder under $S2V_WEIGHTS.

    Raises:
        UserError: its file is not there, or not what it should be.
    """
    net: ImageBindAudio = published("imagebind", device=sources.device)
    return net


__all__ = ["imagebind"]
