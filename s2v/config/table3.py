"""Which methods Table 3 compares on a configuration: those that text taught need splits that not every data set has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from s2v.config.methods import METHODS
from s2v.stages import STAGES

if TYPE_CHECKING:
    from s2v.config import Config

LEARNED = ("text_diffusion", "tagger")
"""Stages whose split (`text_diffusion.split`) a data set may lack."""


def table3_methods(config: Config) -> dict[str, str]:
    """Row -> method of all that table3 is made of; rows without a letter have their method's name."""
    named, left_out = _named(config), table3_left_out(config)
    return {row: method for row, method in named.items() if method not in left_out}


def table3_left_out(config: Config) -> dict[str, str]:
    """Method -> why it is not run, of those that the configuration names."""
    return untaught(config, _named(config).values())


def untaught(config: Config, methods: Iterable[str]) -> dict[str, str]:
    """Those of some methods that the data lack a split for, each with the reason."""
    section = config.data.section()
    known = section.split_names() if section else []
    found: dict[str, str] = {}
    for method in methods:
        stages = _needed(METHODS[method].parts.values())
        lacking = [
            split for stage in LEARNED if stage in stages and (split := getattr(config, stage).split) not in known
        ]
        if lacking:
            found[method] = f"the data have no split {' and no split '.join(f'`{split}`' for split in lacking)}"
    return found


def _named(config: Config) -> dict[str, str]:
    table = config.generate.table3
    letters = {"A": table.A, "B": table.B} | ({"C": table.C} if table.C else {})
    return letters | {method: method for method in (*table.further, *table.controls)}


def _needed(stages: Iterable[str]) -> set[str]:
    """Some stages, and all that they are made from."""
    found: set[str] = set()
    todo = list(stages)
    while todo:
        stage = todo.pop()
        found.add(stage)
        todo += STAGES[stage].made_from
    return found


__all__ = ["table3_left_out", "table3_methods", "untaught"]
