"""Stage `fig15_classes`: the classes that a table is about, as a configuration names them."""

from __future__ import annotations

from pathlib import Path

from s2v.errors import UserError
from s2v.files import read_parquet, write_json


def run(*, manifest: list[Path], names: list[str], split: str, output: Path) -> None:
    """Write some classes of some manifests as JSON, as they are named.

    Raises:
        UserError: no clip of the split, whose clips are drawn for, is of one of them.
    """
    labels = {row["label"] for path in manifest for row in read_parquet(path) if row["split"] == split}
    absent = sorted(set(names) - labels)
    if absent:
        have = ", ".join(sorted(filter(None, labels)))
        raise UserError(
            f"fig15.classes: no clip of the split `{split}` is of {', '.join(absent)}; it has {have or 'none'}"
        )
    write_json(output, names)


__all__ = ["run"]
