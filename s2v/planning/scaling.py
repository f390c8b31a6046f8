"""The files of a run in which alignments see more and more classes, and its packed shards."""

from __future__ import annotations

from collections.abc import Iterable

from s2v.config import Config
from s2v.config.repeats import drawn_again


def shards(config: Config, *splits: str) -> list[str]:
    """Names of the shards of the clips, or of those of some splits."""
    every = [config.data.shards_of(split) for split in splits] or [range(config.data.shards)]
    return [f"{shard:03d}" for shard in sorted({shard for some in every for shard in some})]


def packed(root: str, splits: Iterable[str], config: Config) -> list[str]:
    """The packed shards of some splits, below a folder of results."""
    return [f"{root}/pack/{split}/{shard}.tar" for split in splits for shard in shards(config, split)]


class Scaling:
    """Alignments that saw more and more classes (`scaling`), for fig16 and fig17.

    Args:
        config: the configuration that has so many classes.
        root: the folder of its results.
    """

    def __init__(self, config: Config, root: str = "<results>") -> None:
        self.config, self.root = config, root

    def classes(self, size: int) -> str:
        """Names of the first `size` classes."""
        return f"{self.root}/classes/{size}/classes.json"

    def packs(self, split: str) -> list[str]:
        """The packed shards of a split."""
        return packed(self.root, [split], self.config)

    def drawn(self, method: str) -> list[str]:
        """Pictures of a method that saw the most classes."""
        return self._of("generate", method, self.config.scaling.sizes[-1], "tar")

    def results(self) -> dict[str, list[str]]:
        """What stage `evaluate` writes of each generator, and of the real frames, at each number of classes."""
        table3 = self.config.generate.table3
        suffixes = {"": "json", "_ranks": "parquet", "_tensors": "safetensors"}
        return {
            f"{name}_{size}{which}": self._of("evaluate", method, size, suffix)
            for size in self.config.scaling.sizes
            for name, method in {"gan": table3.A, "ldm": table3.B, "real": "upper_bound"}.items()
            for which, suffix in suffixes.items()
        }

    def _of(self, stage: str, method: str, size: int, suffix: str) -> list[str]:
        """For all seeds; real frames are the same for each."""
        once = method == "upper_bound"
        return [
            f"{self.root}/{seeds}classes/{size}/{stage}/{method}/{seed}.{suffix}"
            for seeds, _ in drawn_again(self.config, [method], [0] if once else self.config.seeds.scaling)
            for seed in self.config.generate.seeds[: 1 if once else None]
        ]


__all__ = ["Scaling", "packed", "shards"]
