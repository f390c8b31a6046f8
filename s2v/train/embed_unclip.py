"""Stage `embed_unclip`: z^V of Stable unCLIP, the embeddings of its CLIP image encoder, which is not trained here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s2v.models.stable_unclip import load_encoder, published_folder
from s2v.runtime import Runtime
from s2v.train.embed import write_features

if TYPE_CHECKING:
    from s2v.config import EmbedUnclipConfig, RuntimeConfig


def run(
    *, config: EmbedUnclipConfig, packs: list[Path], output: Path, keys: Path, runtime: RuntimeConfig, threads: int
) -> None:
    """Write `output` and `keys` as stage `embed` does, embeddings not normalised.

    Raises:
        UserError: $S2V_WEIGHTS is not set, or has no Stable unCLIP (the message names the file).
    """
    place = Runtime.from_config(runtime, threads)
    write_features(packs, load_encoder(published_folder(), config.input, place.device), output, keys)
