"""Which runs of which trainings the tables take: what `seeds` and `ablation` mean, for the rules and for `s2v plan`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from s2v.config.methods import METHODS
from s2v.stages import STAGES

if TYPE_CHECKING:
    from s2v.config import Config


def made_anew(config: Config, stage: str) -> bool:
    """Whether another training seed has a stage of its own; what it shares lies in the output's root."""
    return stage in config.seeds.of or any(made_anew(config, source) for source in STAGES[stage].made_from)


def folder_of(training: int) -> str:
    """Folder of a training seed, under the output; the first has none of its own."""
    return f"seeds/{training}/" if training else ""


def drawn_again(config: Config, methods: Iterable[str], trainings: Sequence[int]) -> list[tuple[str, str]]:
    """(folder of the training seed, method) of what some methods draw; one without a part of its own is drawn once."""
    return [
        (folder_of(n), method)
        for method in methods
        for n in (trainings if any(made_anew(config, part) for part in METHODS[method].parts.values()) else [0])
    ]


def ablation_runs(config: Config) -> list[tuple[str, int, str, int]]:
    """Table 2's trainings: (row, training, folder, generation seed).

    A row that changes nothing is the alignment of all tables. Each training draws with a generation seed of its own.
    """
    seeds = config.generate.seeds
    return [
        (name, n, folder_of(n) + (f"ablation/{name}/" if row.changes else ""), seeds[i % len(seeds)])
        for name, row in config.ablation.wanted().items()
        for i, n in enumerate(config.seeds.table2)
    ]


__all__ = ["ablation_runs", "drawn_again", "folder_of", "made_anew"]
