"""Pictures of any system, from folders and tars, each given to the clip that its name says. What is odd is said."""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from s2v.data.lists import read_rows
from s2v.data.reader import decode_record
from s2v.data.tars import tar_of
from s2v.errors import UserError, machine_fault
from s2v.evaluate.result import Drawn
from s2v.media.picture import decode_image, resize, to_tensor
from s2v.media.picture_file import MAX_BYTES
from s2v.media.picture_kinds import oddities

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")
"""Endings of pictures. Of two files that differ in it alone, the first of these is taken."""

TWIN = "there a second time or with another ending, and not used (PNG goes before WebP before JPEG)"

MAX_HELD_BYTES = 2**33
"""Of all decoded pictures together, which are in memory at once."""

MAX_RECORD_BYTES = 2**20

_NUMBER = re.compile(r"_(\d{1,9})$")
_DIGITS = re.compile(r"(\d{1,18})")
Picture = NDArray[np.uint8]


@dataclass
class Said:
    """Lines about what was odd, one of each kind, with how often and where first."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)

    def about(self, kind: str, name: str) -> None:
        """One more of a kind: a phrase that follows "is"."""
        self.counts[kind] += 1
        self.first.setdefault(kind, name)

    def lines(self) -> list[str]:
        """All of it."""
        found = []
        for kind, n in self.counts.items():
            name = readable(self.first[kind])
            found.append(f"{name} is {kind}" if n == 1 else f"{name} and {n - 1} more: each is {kind}")
        return [*found, *self.more]


@dataclass(frozen=True)
class Pictures:
    """Pictures of clips, equally many of each.

    Attributes:
        clips: names, sorted.
        images: for each number of a picture, uint8 [N, 3, px, px] of the clips.
        files: their names behind that of their folder or tar, printable, likewise [S][N].
        records: what stage `generate` noted of the first picture of each number, as far as it is in `Drawn`; None of
            pictures from elsewhere.
    """

    clips: list[str]
    images: list[Tensor]
    files: list[list[str]]
    records: list[dict[str, Any] | None]


@dataclass(frozen=True)
class _One:
    """A picture of a clip; `order` sorts those of one clip, `twin` is alike for files of which one is to be taken."""

    order: tuple[Any, ...]
    twin: str
    name: str
    source: int
    file: str
    size: tuple[int, ...]
    picture: Picture


def read(
    paths: Sequence[Path],
    clips: Sequence[str],
    said: Said,
    *,
    listed: Path | None = None,
    draws: int | None = None,
    px: int | None = None,
    skip_broken: bool = False,
) -> Pictures:
    """The pictures of some clips.

    A picture belongs to the clip that its path without suffix is called as; or to that of the nearest folder above it
    that is called as a clip; or to its name's; or to its name's without an ending `_{number}`. With `listed` the list
    alone decides. Those of one clip are numbered by that number, then by name.

    Args:
        paths: folders and tars; a folder of nothing but tars stands for these.
        clips: names of all clips.
        said: gets what was odd.
        listed: CSV `picture,clip` of paths as they are below `paths`.
        draws: pictures of each clip; clips with fewer are left out. None is the most that each clip with any has.
        px: side that all pictures are brought to; None is their own, or the most frequent.
        skip_broken: leave out pictures that cannot be read, where otherwise the first is an error.

    Raises:
        UserError: there is no picture of any clip, one cannot be read, or the list is wrong.
    """
    names, held = _Names(clips, listed), _Held()
    records: dict[int, dict[str, Any] | None] = {}
    found: dict[str, list[_One]] = {}
    for number, source in enumerate(_sources(paths)):
        for name, data in _members(source, said):
            if name.lower().endswith(".json"):
                if number not in records:
                    records[number] = _record(data)
                continue
            place = names.place(name)
            if place is None:
                said.about("of no clip that is asked for, and not used", name)
                continue
            try:
                picture = decode_image(data)
            except UserError as error:
                if not skip_broken:
                    raise UserError(
                        f"{source}: {readable(name)}: {error}; mend it, or leave such out with --skip-broken"
                    ) from error
                said.about("broken, and left out", name)
                continue
            for kind in oddities(data):
                said.about(kind, name)
            size = picture.shape[:2]
            if px is not None:
                picture = _squared(picture, px)
            held.add(picture, source)
            clip, order = place
            twin = f"{number}/{name if listed else name.rpartition('.')[0]}"
            file = printable(str(PurePosixPath(source.name, name)))
            found.setdefault(clip, []).append(_One((number, *order), twin, name, number, file, size, picture))
    names.check()
    if not found:
        raise UserError(
            f"{paths[0]}: no picture is called as a clip is (such as {readable(clips[0])}.png); "
            "see docs/evaluate.md, or give a list with --names"
        )
    return _numbered(
        {clip: _without_twins(ones, said) for clip, ones in found.items()}, clips, said, draws, px, records
    )


def read_all(paths: Sequence[Path], said: Said, px: int) -> tuple[Tensor, list[str], str]:
    """Pictures of any names, uint8 [N, 3, px, px], their paths without suffix, and a digest of their bytes."""
    images, names, digest, held, odd = [], [], hashlib.sha256(), _Held(), 0
    for source in _sources(paths):
        found: list[tuple[str, bytes, Picture]] = []
        for name, data in _members(source, said):
            if name.lower().endswith(".json"):
                continue
            try:
                picture = decode_image(data)
            except UserError as error:
                raise UserError(f"{source}: {readable(name)}: {error}; mend or remove it") from error
            for kind in oddities(data):
                said.about(kind, name)
            odd += picture.shape[:2] != (px, px)
            found.append((name, hashlib.sha256(data).digest(), _squared(picture, px)))
            held.add(found[-1][2], source)
        for name, own, picture in sorted(found, key=lambda one: one[:2]):
            images.append(picture)
            names.append(unicodedata.normalize("NFC", name.rpartition(".")[0]))
            digest.update(own)
    if not images:
        raise UserError(f"{paths[0]}: no picture ({', '.join(SUFFIXES)})")
    if odd:
        said.more.append(f"real, of another size or shape, and squashed to {px}x{px} pixels: {_pictures(odd)}")
    return to_tensor(images), names, digest.hexdigest()[:16]


def printable(text: str) -> str:
    """A stranger's words as one line without control characters."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def readable(name: str) -> str:
    """A name of a file, printable and not too long for a line."""
    return printable(name)[:200]


class _Held:
    """What decoded pictures take of the memory."""

    def __init__(self) -> None:
        self.held = 0

    def add(self, picture: Picture, source: Path) -> None:
        """Refuse more than `MAX_HELD_BYTES`."""
        self.held += picture.nbytes
        if self.held > MAX_HELD_BYTES:
            raise UserError(f"{source}: more than {MAX_HELD_BYTES // 2**30} GB of pictures; give a smaller --px")


def _squared(picture: Picture, px: int) -> Picture:
    return resize(to_tensor([picture]), px)[0].permute(1, 2, 0).contiguous().numpy()


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key in which a2 comes before a10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name) if part]


class _Names:
    """Which clip a picture's name means."""

    def __init__(self, clips: Sequence[str], listed: Path | None) -> None:
        self.known = {unicodedata.normalize("NFC", clip): clip for clip in clips}
        self.listed, self.rows = listed, {} if listed is None else _read_list(listed)
        self.seen: set[str] = set()

    def place(self, name: str) -> tuple[str, tuple[Any, ...]] | None:
        """The clip, and the order of the picture among the clip's own; None where it is of no clip."""
        name = unicodedata.normalize("NFC", name)
        if self.listed is not None:
            row = self.rows.get(name)
            self.seen.add(name)
            return (self.known[row[1]], (row[0],)) if row and row[1] in self.known else None
        path = PurePosixPath(name).with_suffix("")
        folders = [one for above in path.parents if above.name for one in (str(above), above.name)]
        for form in (str(path), *folders, path.name):
            if form in self.known:
                return self.known[form], (-1, natural(name))
        for form in (str(path), path.name):
            number = _NUMBER.search(form)
            if number and form[: number.start()] in self.known:
                return self.known[form[: number.start()]], (int(number[1]), natural(name))
        return None

    def check(self) -> None:
        """Refuse a list of pictures that are not there."""
        for name in self.rows.keys() - self.seen:
            raise UserError(f"{self.listed}, line {self.rows[name][0]}: {readable(name)} is not among the pictures")


def _read_list(path: Path) -> dict[str, tuple[int, str]]:
    """{picture: (line, clip)}."""
    rows: dict[str, tuple[int, str]] = {}
    for line, (picture, clip) in columns(path, "picture", "clip"):
        name = PurePosixPath(unicodedata.normalize("NFC", picture))
        if str(name) in rows:
            raise UserError(f"{path}, line {line}: {readable(picture)} is named a second time")
        rows[str(name)] = line, unicodedata.normalize("NFC", clip)
    return rows


def columns(path: Path, *wanted: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of some columns of a CSV whose first line names them.

    Raises:
        UserError: it cannot be read, lacks one of them, or a line is shorter than the first.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    lines = read_rows(path)
    _, header = next(lines, (1, []))
    heads = [name.strip().casefold() for name in header]
    for name in wanted:
        if name not in heads:
            raise UserError(f"{path}: no column {name} in line 1; needed: {','.join(wanted)}")
    at = [heads.index(name) for name in wanted]
    for line, cells in lines:
        if len(cells) != len(heads):
            raise UserError(f"{path}, line {line}: has {len(cells)} cells, and the first line {len(heads)}")
        yield line, [cells[i].strip() for i in at]


def _sources(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = [one for one in path.iterdir() if not one.name.startswith(".")]
            if inside and all(one.suffix.lower() == ".tar" and one.is_file() for one in inside):
                yield from sorted(inside, key=lambda one: natural(one.name))
                continue
        elif not path.is_file():
            raise UserError(f"{path}: there is no such folder or tar of pictures")
        yield path


def _members(source: Path, said: Said) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of the pictures of a folder or a tar, and of records beside them."""
    for name, data in _in_folder(source, said) if source.is_dir() else _in_tar(source, said):
        if len(data) > MAX_BYTES:
            data = b""  # no picture: decoding it says so
        yield name, data


def _is_wanted(name: str, said: Said) -> bool:
    """Whether a name is a picture's, or a record's."""
    if any(part.startswith(".") for part in PurePosixPath(name).parts):
        said.about("hidden, and not used", name)
        return False
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in (*SUFFIXES, ".json"):
        return True
    said.about("no picture by its name (.png, .webp, .jpg, .jpeg), and not used", name)
    return False


def files_below(root: Path, said: Said) -> Iterator[str]:
    """Paths below a folder of what lies in it and is no folder. Links to folders are said, and not followed.

    Raises:
        UserError: a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise machine_fault(error) or UserError(
            f"{printable(str(error.filename))}: cannot be read ({error.strerror}); mend or move it"
        ) from error

    for folder, inner, files in os.walk(root, onerror=refuse):
        inner.sort()
        below = PurePosixPath(Path(folder).relative_to(root).as_posix())
        for name in inner:
            if os.path.islink(os.path.join(folder, name)):
                said.about("a link to a folder, and not followed", str(below / name))
        yield from (str(below / name) for name in sorted(files))


def _in_folder(root: Path, said: Said) -> Iterator[tuple[str, bytes]]:
    for name in files_below(root, said):
        if name.lower().endswith(".json") or not _is_wanted(name, said):
            continue
        if not (root / name).is_file():
            said.about("no plain file, and not used", name)
            continue
        with open(root / name, "rb") as stream:
            yield name, stream.read(MAX_BYTES + 1)


def _in_tar(path: Path, said: Said) -> Iterator[tuple[str, bytes]]:
    try:
        with open(path, "rb") as stream:
            tar = tar_of(stream, path.name.lower())
            for member in tar:
                name = member.name.removeprefix("./")
                if member.isdir() or not _is_wanted(name, said):
                    continue
                if not member.isreg():
                    said.about("no plain file, and not used", name)
                    continue
                yield name, b"" if member.size > MAX_BYTES else b"".join(tar.content(member))
    except (OSError, tarfile.TarError) as error:
        raise machine_fault(error) or UserError(
            f"{path}: not a readable tar ({' '.join(str(error).split())})"
        ) from error


def _record(data: bytes) -> dict[str, Any] | None:
    """What stage `generate` notes of a picture; None for a record of something else, or one that is not believed."""
    try:
        record = decode_record(data if len(data) <= MAX_RECORD_BYTES else b"")
        known = {one.name: record[one.name] for one in fields(Drawn) if one.name in record}
        read = asdict(TypeAdapter(Drawn).validate_python(known))
    except (UserError, ValidationError):
        return None
    return {name: printable(read[name]) if isinstance(read[name], str) else read[name] for name in known}


def _without_twins(ones: list[_One], said: Said) -> list[_One]:
    kept: dict[str, _One] = {}
    for one in sorted(ones, key=lambda one: SUFFIXES.index(PurePosixPath(one.name).suffix.lower())):
        if one.twin in kept:
            said.about(TWIN, one.name)
        else:
            kept[one.twin] = one
    return sorted(kept.values(), key=lambda one: one.order)


def _numbered(
    found: dict[str, list[_One]],
    clips: Sequence[str],
    said: Said,
    draws: int | None,
    px: int | None,
    records: dict[int, dict[str, Any] | None],
) -> Pictures:
    lacking = [clip for clip in clips if clip not in found]
    if lacking:
        said.more.append(f"without a picture, and left out: {len(lacking)} of {len(clips)} clips ({_some(lacking)})")
    count = draws or min(len(ones) for ones in found.values())
    few = sorted(clip for clip, ones in found.items() if len(ones) < count)
    if few:
        said.more.append(
            f"with fewer than {count} pictures, and left out: {len(few)} of {len(clips)} clips ({_some(few)})"
        )
    kept = sorted(clip for clip, ones in found.items() if len(ones) >= count)
    if not kept:
        raise UserError(f"--draws {count}: no clip has so many pictures")
    beyond = sum(len(found[clip]) - count for clip in kept)
    if beyond:
        said.more.append(f"beyond the first {count} of a clip, and not used: {_pictures(beyond)}")
    sizes = Counter(one.size for clip in kept for one in found[clip][:count])
    side = px or min(sizes.most_common(1)[0][0])
    odd = sum(n for size, n in sizes.items() if size != (side, side))
    if odd:
        said.more.append(f"of another size or shape, and squashed to {side}x{side} pixels: {_pictures(odd)}")
    chosen = [[found[clip][n] for clip in kept] for n in range(count)]
    images = [torch.cat([resize(to_tensor([one.picture]), side) for one in some]) for some in chosen]
    files = [[one.file for one in some] for some in chosen]
    return Pictures(kept, images, files, [records.get(some[0].source) for some in chosen])


def _pictures(n: int) -> str:
    return "1 picture" if n == 1 else f"{n} pictures"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(readable(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} ..."


__all__ = [
    "SUFFIXES",
    "Pictures",
    "Said",
    "columns",
    "files_below",
    "natural",
    "printable",
    "read",
    "read_all",
    "readable",
]
