"""Tensors out of published checkpoints, without running what a pickle may hold."""

from __future__ import annotations

import pickle
import re
import tarfile
import tempfile
import zipfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2v.data.tars import tar_of
from s2v.errors import UserError

_MEMBER_BYTES = 4 * 2**30
_HOLDERS = ("state_dict", "model", "model_state", "g_ema")
"""Keys of what surrounds a state dict: Lightning's and SwAV's, BEATs', Resemblyzer's, and StyleGAN2's average."""
_SCALAR = np.float64(0).__reduce__()[0]
_NUMBERS = (
    (_SCALAR, "numpy.core.multiarray.scalar"),
    _SCALAR,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f8", "f4", "i8")),
)
"""What numpy's single numbers are stored as."""
_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError)


def tensors(path: Path, name: str = "", prefix: str = "") -> dict[str, Tensor]:
    """The state dict of a checkpoint on the CPU, in fp32 where it is floating.

    Args:
        path: what `torch.save` wrote, in its present or its older format.
        name: what it is called in messages; by default its path.
        prefix: a regular expression; of a large file only names that begin like it are read.

    Raises:
        UserError: it is none, or holds more than tensors (which may run code, and is refused).
    """
    return with_settings(path, name, prefix)[0]


def with_settings(path: Path, name: str = "", prefix: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The same, and the plain values that lie beside the state dict (a training's settings, as BEATs has them).

    Raises:
        UserError: as `tensors`.
    """
    value, beside = _load(path, name or str(path), (Namespace, *_NUMBERS), bool(prefix)), {}
    if isinstance(value, tuple) and value:  # aiSFX's, beside how many classes its data sets have
        value = value[0]
    held = next((key for key in _HOLDERS if isinstance(value, dict) and isinstance(value.get(key), dict)), None)
    if held is not None:
        beside = value.get("cfg", {})
        value = value[held]
    if (
        not isinstance(value, dict)
        or not value
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items())
    ):
        raise UserError(f"{name or path}: no state dict (names and tensors)")
    kept = {k: v.float() if v.is_floating_point() else v for k, v in value.items() if re.match(prefix, k)}
    return kept, beside if isinstance(beside, dict) else {}


def _load(path: Path, name: str, also: tuple[Any, ...] = (), in_part: bool = False) -> Any:
    try:
        with torch.serialization.safe_globals(list(also)):
            # Of a file that is mapped, only what is used is brought into memory; the older format cannot be.
            mapped = in_part and zipfile.is_zipfile(path)
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except _UNREADABLE as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{name}: not readable as weights, nothing in it was run ({line})") from error


def best_of(archive: Path) -> tuple[dict[str, Tensor], str]:
    """The EMA generator of an archive of IC-GAN: the copy of the better FID, as its publisher's inference takes it.

    The archive has `G_ema_best0.pth`, or also `G_ema_best1.pth`, and a `state_dict_best*.pth` with `best_FID` for each.

    Returns:
        Its state dict, and a sentence on which copy it is.

    Raises:
        UserError: there is no such generator in it, or it is damaged.
    """
    with _unpacked(archive) as files:
        copies = [number for number in ("0", "1") if f"G_ema_best{number}.pth" in files]
        if not copies:
            raise UserError(f"{archive}: no G_ema_best0.pth or G_ema_best1.pth in it")
        scores = {number: _fid(files.get(f"state_dict_best{number}.pth")) for number in copies}
        known = {number: score for number, score in scores.items() if score is not None}
        chosen = min(known, key=lambda number: known[number]) if known else copies[0]
        said = f"FID {known[chosen]:.2f} in the checkpoint" if known else "the checkpoint's FID could not be read"
        name = f"G_ema_best{chosen}.pth"
        return tensors(files[name], f"{archive}: {name}"), f"`{name}` of {len(copies)} copies ({said})"


def _fid(path: Path | None) -> float | None:
    """`best_FID` of a training state; what else is in there may not be readable without running code."""
    if path is None:
        return None
    try:
        # The state holds the settings of the training, the activation function and numpy's numbers among them.
        value = _load(path, path.name, (torch.nn.ReLU, *_NUMBERS))
        score = float(value["best_FID"])
    except (UserError, KeyError, TypeError, ValueError):
        return None
    return score if np.isfinite(score) else None


@contextmanager
def _unpacked(archive: Path) -> Iterator[dict[str, Path]]:
    """{base name: file} of the wanted members; names inside the archive decide nothing about where they lie."""
    wanted = {f"{kind}_best{number}.pth" for kind in ("G_ema", "state_dict") for number in "01"}
    with tempfile.TemporaryDirectory(prefix=".s2v-", dir=archive.parent) as folder:
        files: dict[str, Path] = {}
        try:
            with open(archive, "rb") as stream:
                tar = tar_of(stream, archive.name)
                for member in tar:
                    base = member.name.rsplit("/", 1)[-1]
                    if base not in wanted or not member.isreg() or base in files:
                        continue
                    if member.size > _MEMBER_BYTES:
                        raise UserError(f"{archive}: {base} has {member.size} bytes, which no generator needs")
                    with open(Path(folder, base), "wb") as out:
                        out.writelines(tar.content(member))
                    files[base] = Path(folder, base)
        except (tarfile.TarError, OSError) as error:
            raise UserError(f"{archive}: not readable as an archive ({error})") from error
        yield files


__all__ = ["best_of", "tensors", "with_settings"]
