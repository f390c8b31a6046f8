"""The training frames that lie nearest to a feature: what a picture may have been made from, for people to see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from s2v.data.reader import picture, samples
from s2v.errors import UserError
from s2v.files import file_size, read_json, read_parquet
from s2v.media.picture import decode_image, encode_jpeg, resize, to_tensor
from s2v.models.image_encoder import unit
from s2v.tensors import load_tensors, save_tensors

FILE = "frames.safetensors"
"""Of an exported model: a choice of its training frames."""
MAX_BYTES = 2**32


@dataclass(frozen=True)
class Frames:
    """Features [N, D] of unit norm, and where their pictures are.

    Attributes:
        features: f_V's.
        keys: of the clips, for a run, whose pictures are in its shards.
        packs: the shards.
        jpegs: the pictures of an exported model.
    """

    features: Tensor
    keys: list[str]
    packs: list[Path]
    jpegs: list[bytes]

    @classmethod
    def of(cls, run: Path) -> Frames | None:
        """Of a run (all frames that alignment learned from) or of an exported model; None where there are none.

        Raises:
            UserError: a file is not what it should be.
        """
        if (run / FILE).is_file():
            if file_size(run / FILE) > MAX_BYTES:
                raise UserError(f"{run / FILE}: larger than {MAX_BYTES // 2**30} GiB; export fewer frames")
            stored = load_tensors(run / FILE)
            try:
                parts = stored["jpegs"].split(stored["lengths"].tolist())
                found = cls(stored["features"].float(), [], [], [bytes(part.numpy()) for part in parts])
            except (KeyError, RuntimeError, TypeError) as error:
                raise UserError(f"{run / FILE}: not frames of an exported model") from error
            if found.features.ndim != 2 or len(found.jpegs) != len(found.features):
                raise UserError(f"{run / FILE}: {len(found.jpegs)} pictures for {len(found.features)} features")
            return found
        features, keys = run / "embed/train.safetensors", run / "embed/train.parquet"
        packs = sorted((run / "pack/train").glob("*.tar"))
        if not (packs and features.is_file() and keys.is_file()):
            return None
        names = [str(row["key"]) for row in read_parquet(keys, ["key"])]
        z_v = unit(load_tensors(features, need=["features"])["features"])
        if len(z_v) != len(names):
            raise UserError(f"{keys}: {len(names)} names for {len(z_v)} features; run stage embed again")
        return cls(z_v, names, packs, [])

    def __len__(self) -> int:
        return len(self.features)

    def nearest(self, z: Tensor, count: int, px: int) -> Tensor:
        """The `count` frames whose features are nearest to z [D] of unit norm: uint8 [count, 3, px, px].

        Raises:
            UserError: its features are of another size, or a picture cannot be read.
        """
        if self.features.shape[1:] != z.shape:
            raise UserError(f"the training frames have features {list(self.features.shape[1:])}, not {list(z.shape)}")
        order = (self.features @ z).topk(min(count, len(self))).indices.tolist()
        if self.jpegs:
            return torch.cat([resize(to_tensor([decode_image(self.jpegs[i])]), px) for i in order])
        return self._read([self.keys[i] for i in order], px)

    def choose(self, count: int, px: int) -> Frames:
        """`count` of a run's frames, by the SHA-1 of their names, their pictures with them."""
        first = sorted(range(len(self)), key=lambda i: hashlib.sha1(self.keys[i].encode()).hexdigest())[:count]
        pictures = self._read([self.keys[i] for i in first], px)
        jpegs = [encode_jpeg(one.permute(1, 2, 0).numpy()) for one in pictures]
        return Frames(self.features[first], [], [], jpegs)

    def write(self, folder: Path) -> None:
        """As the file of an exported model, features in half precision."""
        save_tensors(folder / FILE, {
            "features": self.features.half(),
            "jpegs": torch.frombuffer(bytearray(b"".join(self.jpegs)), dtype=torch.uint8),
            "lengths": torch.tensor([len(jpeg) for jpeg in self.jpegs]),
        })  # fmt: skip

    def _read(self, wanted: list[str], px: int) -> Tensor:
        """Of the shards that hold them; of the others not even the headers are read."""
        found: dict[str, Tensor] = {}
        for tar in self.packs:
            index = read_json(tar.with_suffix(".json"))
            if not isinstance(index, dict) or not isinstance(index.get("keys"), list):
                raise UserError(f"{tar.with_suffix('.json')}: not the index of a shard; run stage pack again")
            own = set(wanted).intersection(map(str, index["keys"]))
            if own:
                for sample in samples(tar, lambda key, _, own=own: ["jpg"] if key in own else None):  # type: ignore[misc]
                    found[sample["__key__"]] = picture(tar, sample, "jpg", px, "squash")
        missing = [key for key in wanted if key not in found]
        if missing:
            raise UserError(f"{self.packs[0].parent}: {missing[0]} is in none of the shards; run stage embed again")
        return torch.stack([found[key] for key in wanted])


__all__ = ["FILE", "Frames"]
