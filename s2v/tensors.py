"""Named tensors as files: safetensors, never pickles, and no number in them that is not finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from s2v.errors import UserError
from s2v.files import atomic_path, file_size

MAX_HEADER_BYTES = 16 * 2**20
"""Of a file's list of names and shapes: a hundred times that of the largest net."""


FLOATING = ("F64", "F32", "F16", "BF16")


class NotFinite(UserError):
    """A tensor that was to be written holds NaN or infinity."""


def save_tensors(path: Path, tensors: dict[str, Tensor], durable: bool = False) -> None:
    """Write named tensors as safetensors, atomically; `durable` as for `atomic_path`.

    Raises:
        NotFinite: one holds NaN or infinity; nothing is written.
    """
    own = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    name = not_finite(own)
    if name is not None:
        raise NotFinite(f"{path}: not written, since {name} holds NaN or infinity: what made it is damaged or diverged")
    with atomic_path(path, durable) as temporary:
        save_file(own, temporary)


def load_tensors(path: Path, device: torch.device | str = "cpu", need: Sequence[str] = ()) -> dict[str, Tensor]:
    """Read safetensors.

    Raises:
        UserError: the file is missing or broken, a tensor of it holds NaN or infinity, or one of `need` is not there.
    """
    _check_header(path)
    try:
        tensors: dict[str, Tensor] = load_file(path, device=str(device))
    except Exception as error:  # safetensors raises several kinds, all meaning that the file is unusable
        raise _unreadable(path, error) from error
    absent = [name for name in need if name not in tensors]
    if absent:
        raise UserError(f"{path}: has no {absent[0]}; remove the file and run its stage again")
    name = not_finite(tensors)
    if name is not None:
        raise UserError(f"{path}: {name} holds NaN or infinity; remove the file and run its stage again")
    return tensors


def shapes(path: Path) -> dict[str, tuple[list[int], bool]]:
    """Shape of each tensor of a file, and whether its numbers are floating; none of them is read.

    Raises:
        UserError: the file is missing or broken.
    """
    _check_header(path)
    try:
        with safe_open(path, "pt") as opened:
            found = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
            return {name: (one.get_shape(), one.get_dtype() in FLOATING) for name, one in found.items()}
    except Exception as error:
        raise _unreadable(path, error) from error


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """Name of the first tensor that holds NaN or infinity. One pass without a copy."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.numel() and not torch.stack(tensor.aminmax()).isfinite().all():
            return name
    return None


def _check_header(path: Path) -> None:
    size = file_size(path)
    with open(path, "rb") as stream:
        claimed = int.from_bytes(stream.read(8), "little")
    if not 0 < claimed <= min(MAX_HEADER_BYTES, size - 8):
        raise _unreadable(path, f"a file of {size} bytes whose header claims {claimed}")


def _unreadable(path: Path, why: object) -> UserError:
    line = " ".join(str(why).split())[:300]
    return UserError(f"{path}: not a readable safetensors file ({line}); run its stage again")


__all__ = ["NotFinite", "load_tensors", "not_finite", "save_tensors", "shapes"]
