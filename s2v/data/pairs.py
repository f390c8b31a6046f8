"""Pictures and sounds of the same clips, for trainings from a sound to a picture."""

from __future__ import annotations

from pathlib import Path

from s2v.data.table import MelPictures, Pictures, Store, Table
from s2v.errors import UserError


def load_pairs(
    tables: Store, packs: list[Path], pictures: Pictures, sounds: MelPictures, stage: str
) -> tuple[Table, Table]:
    """Both tables, row i of each of the same clip.

    Raises:
        UserError: there are fewer than two pairs.
    """
    seen, heard = tables.load(packs, pictures), tables.load(packs, sounds)
    if len(seen.keys) < 2 or seen.keys != heard.keys:
        raise UserError(
            f"{stage}: the train split has {len(heard.keys)} sound(s) and {len(seen.keys)} picture(s); it needs the "
            "same, at least 2. See coverage.csv for clips that were left out"
        )
    return seen, heard


__all__ = ["load_pairs"]
