"""Published models: which published weights make one, and the folder that it is, of the form of a run's.

A part is converted once (`s2v.weights.convert`), and again where its file or the conversion's code is another.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s2v.config.methods import METHODS, Entry
from s2v.errors import UserError
from s2v.files import hold_lock, read_json, write_json
from s2v.weights import catalogue
from s2v.weights.catalogue import WEIGHTS_VARIABLE, weights_folder
from s2v.weights.checksums import expected, there

MADE = "models"
"""Folder under the weights folder in which the models lie."""
RECORD = "converted.json"


@dataclass(frozen=True)
class PublishedModel:
    """A model that nobody has to train.

    Attributes:
        name: as it is typed.
        method: by which it draws.
        parts: published weights of its trained things, {folder: name in the catalogue}.
        beside: those that are read where they lie.
    """

    name: str
    method: str
    parts: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()

    @property
    def weights(self) -> list[catalogue.Entry]:
        """All that it takes."""
        return [catalogue.entry(name) for name in (*self.parts.values(), *self.beside)]

    @property
    def entry(self) -> Entry:
        """Its method's."""
        return METHODS[self.method]

    def checksums(self) -> dict[str, dict[str, str | None]]:
        """SHA-256 of the files that it takes, as published or as first fetched: {weights: {file: hex}}."""
        root = weights_folder()
        return {one.name: {file.path: expected(root, file) for file in one.files} for one in self.weights}


PUBLISHED_MODELS = {
    one.name: one
    for one in (
        PublishedModel(
            "paper",
            "sound2vision",
            {"align": "sound2scene-audio", "encoder": "swav-resnet50", "generator": "icgan-biggan128"},
        ),
        PublishedModel("paper-ldm", "sound2vision_unclip", {"align_unclip": "sound2vision-audio"}, ("stable-unclip",)),
        PublishedModel("imagebind-ldm", "imagebind_unclip", {}, ("imagebind", "stable-unclip")),
    )
}


def made(model: PublishedModel, root: Path | None = None) -> Path:
    """The folder of a model, its parts converted where they are not yet.

    Args:
        model: which.
        root: the weights folder; by default $S2V_WEIGHTS.

    Raises:
        UserError: weights are not there (the message says how they are fetched), are not what they should be, or
            the folder cannot be written.
    """
    try:
        root = weights_folder(root)
    except UserError as error:
        first = f"`export {WEIGHTS_VARIABLE}=~/weights`, then `s2v weights fetch {model.name}`"
        raise UserError(f"{model.name}: published weights lie in a folder: {first}") from error
    absent = [one.name for one in model.weights if not there(root, one)]
    if absent:
        raise UserError(
            f"{model.name}: {root} lacks {', '.join(absent)}: run `s2v weights fetch {model.name}` (licences are said "
            "there)"
        )
    folder = root / MADE / model.name
    if all(_is_made(folder / part, name, root) for part, name in model.parts.items()):
        return folder
    try:
        with hold_lock(folder / ".lock"):
            for part, name in model.parts.items():
                if not _is_made(folder / part, name, root):
                    _make(folder / part, name, root)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror or error}); make it writable once") from error
    return folder


def _is_made(folder: Path, name: str, root: Path) -> bool:
    if not (folder / RECORD).is_file() or not (folder / "model.safetensors").is_file():
        return False
    try:
        return bool(read_json(folder / RECORD) == _record(name, root))
    except UserError:
        return False


def _make(folder: Path, name: str, root: Path) -> None:
    from s2v.weights.convert import convert  # it knows all nets that there are

    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        convert(name, part, root)
        write_json(part / RECORD, _record(name, root))
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _record(name: str, root: Path) -> dict[str, Any]:
    """What a converted part follows from. A file's bytes were compared with their checksum when it was converted."""
    stat = (root / catalogue.entry(name).files[0].path).stat()
    code = hashlib.sha256()
    for module in ("convert.py", "layouts.py", "checkpoint.py"):
        code.update(Path(__file__).with_name(module).read_bytes())
    return {"weights": name, "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "code": code.hexdigest()[:16]}


__all__ = ["PUBLISHED_MODELS", "PublishedModel", "made"]
