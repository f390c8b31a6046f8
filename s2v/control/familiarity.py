"""How far a sound lies from all that an audio encoder learned from. A model paints something of whatever it hears; that
the sound is like none of it is told in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.files import file_size
from s2v.media.diagnosis import one_line
from s2v.models.image_encoder import unit
from s2v.tensors import load_tensors, save_tensors

FOLDER = "known_sounds"
"""Of a run, and of an exported model: a file for each f_A."""
UNLIKE = 0.05
"""A sound that lies farther than this share of the held-out ones is unlike what was learned."""
NEIGHBOURS = 20
"""Sounds that say which classes are near."""
MAX_BYTES = 2**30


@dataclass(frozen=True)
class Familiarity:
    """What a sound is like.

    Attributes:
        cosine: of its feature and the nearest that was learned from.
        share: of held-out sounds that lie as far or farther.
        classes: the three nearest classes and their shares of the nearest sounds; none where there are no names.
    """

    cosine: float
    share: float
    classes: tuple[tuple[str, float], ...]

    @property
    def unlike(self) -> bool:
        """Whether it is unlike all that was learned."""
        return self.share < UNLIKE

    def said(self, name: str) -> str:
        """In a sentence."""
        near, who = ", ".join(f"{label} {share:.0%}" for label, share in self.classes), one_line(name, 100)
        if self.unlike:
            what = f"{who} is unlike anything this model learned, so the picture says little about it"
            return f"{what}; nearest: {near}" if near else what
        return f"{who} sounds like {near}" if near else f"{who} sounds like what this model learned"


@dataclass(frozen=True)
class KnownSounds:
    """Features of the sounds that an audio encoder learned from.

    Attributes:
        features: [N, D] of unit norm.
        labels: [N] places in `names`; -1 has none.
        names: of classes.
        held_out: [M] cosines of held-out sounds and the nearest of these, in rising order.
    """

    features: Tensor
    labels: Tensor
    names: list[str]
    held_out: Tensor

    @classmethod
    def measured(cls, learned: Tensor, labels: list[str | None], held_out: Tensor) -> KnownSounds:
        """Of features [N, D] of sounds that were learned from, their labels, and features [M, D] of held-out ones."""
        names = sorted({label for label in labels if label is not None})
        place: dict[str | None, int] = {name: i for i, name in enumerate(names)}
        found = cls(unit(learned), torch.tensor([place.get(label, -1) for label in labels]), names, torch.empty(0))
        nearest = torch.cat([found._cosines(part).amax(1) for part in unit(held_out).split(256)])
        return cls(found.features, found.labels, names, nearest.sort().values)

    @classmethod
    def of(cls, folder: Path, f_a: str) -> KnownSounds | None:
        """Those of a run or an exported model for an audio encoder, by the name of its stage; None where it has none.

        Raises:
            UserError: the file is not what it should be.
        """
        path = folder / FOLDER / f"{f_a}.safetensors"
        if not path.is_file():
            return None
        if file_size(path) > MAX_BYTES:
            raise UserError(f"{path}: larger than {MAX_BYTES // 2**30} GiB; make it anew")
        stored = load_tensors(path, need=["features", "labels", "names", "held_out"])
        try:
            names = json.loads(bytes(stored["names"].numpy()))
            found = cls(stored["features"].float(), stored["labels"].long(), names, stored["held_out"].float())
            whole = found.features.ndim == 2 and len(found.features) == len(found.labels) > 0 and len(found.held_out)
            text = isinstance(names, list) and all(isinstance(name, str) for name in names)
            inside = int(found.labels.min()) >= -1 and int(found.labels.max()) < len(names)
            finite = bool(found.features.isfinite().all() and found.held_out.isfinite().all())
        except (ValueError, TypeError, RuntimeError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: no features of known sounds; make it anew") from error
        if not (whole and text and inside and finite):
            raise UserError(f"{path}: no features of known sounds; make it anew")
        return found

    def write(self, path: Path) -> None:
        """As a file, features in half precision."""
        names = bytearray(json.dumps(self.names).encode())
        save_tensors(path, {
            "features": self.features.half(),
            "labels": self.labels.to(torch.int32),
            "names": torch.frombuffer(names, dtype=torch.uint8),
            "held_out": self.held_out,
        })  # fmt: skip

    def familiarity(self, z: Tensor) -> Familiarity:
        """Of a sound's feature [D].

        Raises:
            UserError: it is of another size.
        """
        if z.shape != self.features.shape[1:]:
            raise UserError(f"known sounds have features {list(self.features.shape[1:])}, not {list(z.shape)}")
        cosines = self._cosines(unit(z[None].float().cpu()))[0]
        nearest = cosines.topk(min(NEIGHBOURS, len(cosines)))
        share = float((self.held_out <= nearest.values[0]).float().mean())
        said = self.labels[nearest.indices]
        counts = torch.bincount(said[said >= 0], minlength=len(self.names)).tolist()
        order = sorted(range(len(self.names)), key=lambda i: (-counts[i], self.names[i]))[:3]
        classes = tuple((self.names[i], counts[i] / len(said)) for i in order if counts[i])
        return Familiarity(float(nearest.values[0]), share, classes)

    def _cosines(self, z: Tensor) -> Tensor:
        return z @ self.features.T


__all__ = ["FOLDER", "Familiarity", "KnownSounds"]
