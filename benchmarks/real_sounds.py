"""A model on real recordings, none of which it learned from: does it name those of its classes, and say of the others
that they are unlike all that it knows? (docs/control.md)

    apt-get download tuxpaint-stamps-default        # Debian: 161 MB, photographs, drawings and sounds; GPL-2
    dpkg-deb -x tuxpaint-stamps-default_*.deb stamps
    python benchmarks/real_sounds.py --stamps stamps

A sound's name is the class of most of the 20 sounds that lie nearest among those that were learned. Spoken
descriptions are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import s2v
from s2v.errors import UserError
from s2v.files import write_json

KNOWN = {
    "cow mooing": ["animals/mammals/bovines/cow", "animals/mammals/bovines/cow_white", "animals/mammals/bovines/bull"],
    "dog barking": ["animals/mammals/dogs/dog"],
    "frog croaking": ["animals/amphibians/frog"],
    "owl hooting": ["animals/birds/owl"],
    "songbird singing": ["animals/birds/blackbird", "animals/birds/lark"],
    "siren truck": ["vehicles/emergency/firetruck"],
}
"""Stamps of the shipped model's classes."""
NEITHER = {"animals/birds/cuckoo", "animals/birds/quetzal", "seasonal/halloween/blackcat", "animals/mammals/dogs/fox"}
"""Too like a class to be counted as unknown."""
UNKNOWN = ("animals", "household", "hobbies", "space", "naturalforces", "vehicles", "seasonal/newyears", "military")
"""Folders whose other stamps are of no class."""


def recordings(stamps: Path) -> tuple[dict[Path, str], list[Path]]:
    """Recordings of known classes with their class, and those of none."""
    root = stamps / "usr/share/tuxpaint/stamps"
    known = {root / f"{name}.ogg": label for label, names in KNOWN.items() for name in names}
    lost = [path for path in known if not path.is_file()]
    if lost:
        raise typer.BadParameter(f"{lost[0]}: not there; unpack tuxpaint-stamps-default into {stamps}")
    rest = (path for folder in UNKNOWN for path in sorted((root / folder).rglob("*.ogg")))
    plain = [path for path in rest if "_desc" not in path.name and path not in known]
    return known, [path for path in plain if str(path.relative_to(root).with_suffix("")) not in NEITHER]


def main(
    stamps: Annotated[Path, typer.Option(help="folder into which tuxpaint-stamps-default was unpacked")],
    run: Annotated[str | None, typer.Option("--model", help="as for `s2v generate`")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="write what was found here as JSON")] = None,
) -> None:
    """Print a line for each recording, then the shares."""
    model = s2v.load(run)
    known, unknown = recordings(stamps)
    found = []
    for path, label in [*known.items(), *((path, None) for path in unknown)]:
        try:
            (one,) = model.familiarity(path)
        except UserError as error:
            typer.echo(f"{error}", err=True)
            continue
        found.append({"name": path.stem, "class": label, "unlike": one.unlike, "said": one.said(path.stem)})
        found[-1]["right"] = bool(one.classes) and one.classes[0][0] == label
        typer.echo(f"{label or '-':20} {found[-1]['said']}")
    own, other = ([one for one in found if (one["class"] is not None) == is_known] for is_known in (True, False))
    typer.echo(f"{model.about}")
    typer.echo(f"of {len(own)} recordings of its classes named right: {sum(bool(one['right']) for one in own)}")
    typer.echo(f"of these said to be unlike what it learned: {sum(bool(one['unlike']) for one in own)}")
    typer.echo(f"of {len(other)} others said to be so: {sum(bool(one['unlike']) for one in other)}")
    if output is not None:
        write_json(output, {"recordings": found})


if __name__ == "__main__":
    typer.run(main)
