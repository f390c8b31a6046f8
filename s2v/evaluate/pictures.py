"""The tar of pictures that stage `generate` writes and everything after it reads."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from torch import Tensor

from s2v.data.reader import decode_record, decoded, samples
from s2v.errors import UserError
from s2v.files import atomic_path
from s2v.media.picture import decode_image, encode_png, to_tensor


def write_pictures(path: Path, images: Tensor, records: list[dict[str, Any]]) -> None:
    """Write `{clip_id}.json` and `{clip_id}.png` per clip, sorted by clip, with the same bytes every time.

    Args:
        path: the tar.
        images: uint8 [N, 3, R, R].
        records: one per picture, with `clip_id`.
    """
    order = sorted(range(len(records)), key=lambda i: str(records[i]["clip_id"]))
    with atomic_path(path) as temporary, tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
        for i in order:
            name = records[i]["clip_id"]
            _add(tar, f"{name}.json", json.dumps(records[i], sort_keys=True, ensure_ascii=False).encode())
            _add(tar, f"{name}.png", encode_png(images[i].permute(1, 2, 0).numpy()))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def read_pictures(path: Path) -> tuple[Tensor, list[dict[str, Any]]]:
    """Pictures uint8 [N, 3, R, R] and their records, sorted by clip.

    Raises:
        UserError: the file is not such a tar, or holds no picture.
    """
    images, records = [], []
    for sample in samples(path):
        if not {"json", "png"} <= sample.keys():
            raise UserError(f"{path}: {sample['__key__']} lacks its picture or its record; run stage generate again")
        images.append(decoded(path, sample, "png", decode_image))
        records.append(decoded(path, sample, "json", decode_record))
    if not images:
        raise UserError(f"{path}: holds no picture; run stage generate again")
    return to_tensor(images), records


__all__ = ["read_pictures", "write_pictures"]
