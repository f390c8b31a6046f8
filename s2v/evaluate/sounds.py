"""The sounds that pictures were made of: clips with their classes, from a run or from a folder of files."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from s2v.data.folder import label_of_folder
from s2v.data.lists import clean_label
from s2v.data.reader import Only, decode_wave, decoded, label_of, picture, samples
from s2v.data.subset import read_classes
from s2v.data.tree import SUFFIXES as VIDEOS
from s2v.errors import UserError
from s2v.evaluate.outside import Said, columns, files_below, readable
from s2v.media.ffmpeg import ffmpeg_path
from s2v.media.sounds import read_sound
from s2v.media.spectrogram import SAMPLE_RATE_HZ, to_float

SUFFIXES = VIDEOS | {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma", ".mka"}
"""Endings of files that are taken for sounds; videos have one, too."""

LONGEST_S = 60.0


@dataclass(frozen=True)
class Sounds:
    """Clips.

    Attributes:
        where: they come from.
        labels: clip -> its class; None where it has none.
        run: output folder of the run that they are of.
        packs: packed shards that hold them.
        files: clip -> file, where they are of no run.
    """

    where: Path
    labels: dict[str, str | None]
    run: Path | None = None
    packs: list[Path] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def clips(self) -> list[str]:
        """Names, sorted."""
        return sorted(self.labels)

    def waves(self, clips: Container[str]) -> Iterator[tuple[str, Tensor]]:
        """(clip, float [N] at 16 kHz) of those of some clips that can be heard; of a file, `LONGEST_S` at most.

        Raises:
            UserError: one is damaged.
        """
        decode = partial(decode_wave, sample_rate_hz=SAMPLE_RATE_HZ)
        for tar in self.packs:
            for sample in samples(tar, Only("flac")):
                if "flac" in sample and sample["__key__"] in clips:
                    yield sample["__key__"], to_float(torch.from_numpy(decoded(tar, sample, "flac", decode)))
        for clip, file in self.files.items():
            if clip in clips:
                yield clip, read_sound(file, ffmpeg=ffmpeg_path("bundled"), limit_s=LONGEST_S)

    def real(self, px: int) -> tuple[Tensor, list[str], str]:
        """The frames of a run, as stage `evaluate` takes them: pictures, clips, and a digest of their bytes."""
        images, clips, digest = [], [], hashlib.sha256()
        for tar in self.packs:
            for sample in samples(tar, Only("jpg")):
                if "jpg" in sample and sample["__key__"] in self.labels:
                    images.append(picture(tar, sample, "jpg", px, "squash"))
                    clips.append(sample["__key__"])
                    digest.update(hashlib.sha256(sample["jpg"]).digest())
        found = torch.stack(images) if images else torch.empty(0, 3, px, px, dtype=torch.uint8)
        return found, clips, digest.hexdigest()[:16]

    def of_classes(self, file: Path | None) -> Sounds:
        """The clips of the classes that a JSON names, as stages `classes` and `fig15_classes` write it; None is all.

        Raises:
            UserError: it is no such file, or there is no clip of them.
        """
        names = read_classes(file)
        labels = {clip: label for clip, label in self.labels.items() if names is None or label in names}
        if not labels:
            raise UserError(f"{self.where}: holds no clip of a class of {file}")
        return replace(self, labels=labels)


def read(where: Path, said: Said, *, split: str | None = None, labels: Path | None = None) -> Sounds:
    """Clips of a run (its output folder, or `manifest` or `pack/{split}` in it), or of a folder of sounds.

    A sound's clip is called as the file without its ending, or as its path without it, where several are called alike;
    its class is the first folder of the path. `labels`, a CSV `clip,label`, says the classes of clips that it names.
    `split` is by default that of the folder, or `test`.

    Raises:
        UserError: it is neither, the run has no such split, or the CSV is wrong.
    """
    found = of_run(where, split) or _of_folder(where, said)
    if labels is None:
        return found
    told: dict[str, str | None] = {}
    known = {unicodedata.normalize("NFC", clip): clip for clip in found.labels}
    for line, (clip, label) in columns(labels, "clip", "label"):
        name = known.get(unicodedata.normalize("NFC", clip))
        if name is None:
            said.about(f"a clip of {readable(labels.name)} without a sound, and not used", clip)
        elif name in told:
            raise UserError(f"{labels}, line {line}: {readable(clip)} is named a second time")
        else:
            told[name] = clean_label(label, f"{labels}, line {line}")
    for clip in found.clips:
        if clip not in told:
            said.about(f"not named in {readable(labels.name)}, so it keeps its class", clip)
    return replace(found, labels=found.labels | told)


def of_run(where: Path, split: str | None = None) -> Sounds | None:
    """Clips of a run, from its output folder, or `manifest` or `pack/{split}` in it; None where it is none of these.

    Raises:
        UserError: it has no such split, or no clip in it.
    """
    run, folder = where, where / "pack" / (split or "test")
    if where.name == "manifest" and where.is_dir() and (where.parent / "pack").is_dir():
        run, folder = where.parent, where.parent / "pack" / folder.name
    elif where.is_dir() and where.parent.name == "pack":
        run, folder = where.parent.parent, where
        if split not in (None, where.name):
            raise UserError(f"{where}: is the split {where.name}, and --split says {split}; leave one of them out")
    packs = sorted(folder.glob("*.tar"))
    if not packs:
        others = sorted({tar.parent.name for tar in (run / "pack").glob("*/*.tar")})
        if others:
            raise UserError(f"{where}: has no packed split {folder.name}; --split is one of {', '.join(others)}")
        return None
    found: dict[str, str | None] = {}
    for tar in packs:
        for sample in samples(tar, Only("json")):
            found[sample["__key__"]] = label_of(tar, sample)
    if not found:
        raise UserError(f"{where}: {folder} holds no clip; run `snakemake` first, or name another --split")
    return Sounds(where, found, run=run, packs=packs)


def _of_folder(root: Path, said: Said) -> Sounds:
    if not root.is_dir():
        raise UserError(f"{root}: neither the output folder of a run nor a folder of sounds")
    files = []
    for name in files_below(root, said):
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if PurePosixPath(name).suffix.lower() not in SUFFIXES or not (root / name).is_file():
            said.about("no sound by its name, and not used", name)
            continue
        if name != name.encode("utf-8", "replace").decode():
            raise UserError(f"{root}: {readable(name)}: its name is not UTF-8; rename it")
        files.append(name)
    if not files:
        raise UserError(f"{root}: holds no sound (wav, flac, mp3, mp4 ...), and is not the output folder of a run")
    stems = [PurePosixPath(name).stem for name in files]
    often, found = Counter(stems), dict[str, Path]()
    classes: dict[str, str | None] = {}
    for name, stem in zip(files, stems, strict=True):
        clip = stem if often[stem] == 1 else str(PurePosixPath(name).with_suffix(""))
        if clip in found:
            both = f"{readable(found[clip].name)} and {readable(name)}"
            raise UserError(f"{root}: {both} are both the clip {readable(clip)}; rename or move one of them")
        found[clip], classes[clip] = root / name, label_of_folder(name)
    return Sounds(root, classes, files=found)


__all__ = ["LONGEST_S", "SUFFIXES", "Sounds", "of_run", "read"]
