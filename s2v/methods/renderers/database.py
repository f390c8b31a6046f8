"""The training image whose feature is nearest, from a database of the generator's memory size (paper 4.3)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from s2v.data.reader import Only, read_images, samples
from s2v.errors import UserError
from s2v.media.picture import to_unit
from s2v.methods.base import Sources
from s2v.methods.renderers.base import Renderer
from s2v.models.biggan import Generator
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.store import load


def choose(sizes: dict[str, int], budget: int | None) -> set[str]:
    """Keys of the images that fit in `budget` bytes (None: all), taken in the order of the SHA-1 of their
    keys.

    That order is as good as random, the same on every run, and does not depend on labels. At least one is
    taken.
    """
    order = sorted(sizes, key=lambda key: hashlib.sha1(key.encode()).hexdigest())
    chosen: set[str] = set()
    used = 0
    for key in order:
        used += sizes[key]
        if budget is not None and chosen and used > budget:
            break
        chosen.add(key)
    return chosen


def stored_sizes(pack: Path) -> dict[str, int]:
    """Bytes of each sample's chosen frame (`{clip_id}.jpg`) as it is stored in a packed shard."""
    return {sample["__key__"]: len(sample["jpg"]) for sample in samples(pack, Only("jpg")) if "jpg" in sample}


class Database(Renderer):
    """Nearest f_V of the database, by the L2 distance of unit vectors.

    The generator's memory is the bytes of its parameters; the database is as many training images as their
    stored JPEG bytes fit in it, which is the paper's "same memory-sized database" made exact.
    """

    def __init__(self, method: str, sources: Sources) -> None:
        super().__init__(method, sources)
        f_v = load(ImageEncoder, sources.part("encoder"), sources.device)
        g = load(Generator, sources.part("generator"))
        self.f_v, self.resolution = f_v, g.resolution
        memory = sum(p.numel() * p.element_size() for p in g.parameters())
        shards = {path: stored_sizes(path) for path in sources.train_packs}
        sizes = {key: size for shard in shards.values() for key, size in shard.items()}
        if not sizes:
            raise UserError(f"{method}: the train split has no packed picture to search; see coverage.csv")
        self.budget = memory if sources.config.retrieval.database == "generator_memory" else None
        chosen = choose(sizes, self.budget)
        pictures, features = [], []
        # Shard by shard, so that no more than one shard is held at the encoder's size.
        for path, shard in shards.items():
            if chosen.isdisjoint(shard):
                continue
            seen, keys, _ = read_images([path], f_v.image_px)
            mask = torch.tensor([key in chosen for key in keys], dtype=torch.bool)
            shown, _, _ = read_images([path], self.resolution)
            features.append(unit(f_v.encode(seen[mask])))
            pictures.append(shown[mask])
        self.pictures, self.features = torch.cat(pictures), torch.cat(features)
        self.size = len(self.pictures)

    def draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        """z [B, D] of unit norm -> nearest database pictures [B, 3, R, R]; seeds change nothing."""
        nearest = torch.cdist(z.cpu(), self.features).argmin(1)
        return to_unit(self.pictures[nearest])


__all__ = ["Database", "choose", "stored_sizes"]
